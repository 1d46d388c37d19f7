"""The simulator's gateway, spoken to by a bare client: handshake, intents, shards, compression, close codes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings, Simulator, running_simulator
from simulator.intents import GUILD_MEMBERS, GUILD_VOICE_STATES, GUILDS
from tests.integration.simulator_client import INTENTS, GatewayClient, eventually, gateway_client


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with running_simulator(Settings(speed=0)) as simulator:
        yield simulator


def lounge(sim: Simulator) -> int:
    return next(c.id for c in sim.world.guilds[DEMO_GUILD_ID].channels.values() if c.name == "Lounge")


async def test_the_handshake_gives_a_session_and_every_guild(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        ready = await client.identify()
        assert ready["resume_gateway_url"] == sim.gateway.url
        assert ready["guilds"] == [{"id": str(guild_id), "unavailable": True} for guild_id in sim.world.guilds]
        guilds = [await client.event("GUILD_CREATE") for _ in sim.world.guilds]
        assert [int(guild["id"]) for guild in guilds] == list(sim.world.guilds)


async def test_guild_create_shows_who_is_in_voice_and_has_their_members(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        guild = await client.event("GUILD_CREATE")
    in_voice = {state["user_id"]: state["channel_id"] for state in guild["voice_states"]}
    assert in_voice
    assert in_voice == {str(user): str(channel) for user, channel in sim.world.in_voice(DEMO_GUILD_ID).items()}
    assert {member["user"]["id"] for member in guild["members"]} == set(in_voice) | {str(sim.settings.bot_id)}
    assert all("member" not in state and "guild_id" not in state for state in guild["voice_states"])
    assert guild["member_count"] == len(sim.world.guilds[DEMO_GUILD_ID].members)
    assert guild["afk_channel_id"] in {channel["id"] for channel in guild["channels"]}


async def test_a_voice_change_is_dispatched_with_its_member(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, lounge(sim), self_mute=True)
        state = await client.event("VOICE_STATE_UPDATE")
    assert (state["user_id"], state["channel_id"]) == (str(DEMO_ADMIN_ID), str(lounge(sim)))
    assert (state["self_mute"], state["mute"], state["self_deaf"], state["deaf"]) == (True, False, False, False)
    assert state["member"]["user"]["id"] == str(DEMO_ADMIN_ID)
    assert state["member"]["user"]["bot"] is False


async def test_sequence_numbers_count_events_from_one(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        assert client.sequence == 1
        await client.event("GUILD_CREATE")
        assert client.sequence == 2


@pytest.mark.parametrize(("intents", "seen"), [(GUILDS, {"CHANNEL_CREATE"}), (GUILD_VOICE_STATES, {"VOICE_STATE_UPDATE"})])
async def test_only_events_of_the_asked_intents_come(sim: Simulator, intents: int, seen: set[str]) -> None:
    async with gateway_client(sim) as client:
        await client.identify(intents=intents)
        sim.world.create_channel(DEMO_GUILD_ID, "New")
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, lounge(sim))
        sim.world.give_role(DEMO_GUILD_ID, DEMO_ADMIN_ID, DEMO_GUILD_ID)
        names = set()
        await client.send(1, None)
        while (payload := await client.receive())["op"] == 0:
            names.add(payload["t"])
    assert names - {"GUILD_CREATE"} == seen


async def test_guild_create_has_no_voice_states_without_their_intent(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify(intents=GUILDS)
        assert (await client.event("GUILD_CREATE"))["voice_states"] == []


async def test_a_bot_hears_of_its_own_member_without_the_members_intent(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        role = sim.world.create_role(DEMO_GUILD_ID, "Extra")
        sim.world.give_role(DEMO_GUILD_ID, sim.settings.bot_id, role)
        assert str(role) in (await client.event("GUILD_MEMBER_UPDATE"))["roles"]


@pytest.mark.parametrize("shard", [0, 1])
async def test_a_shard_sees_the_guilds_of_the_formula_only(sim: Simulator, shard: int) -> None:
    mine = [guild_id for guild_id in sim.world.guilds if (guild_id >> 22) % 2 == shard]
    assert len(mine) == 1
    async with gateway_client(sim) as client:
        ready = await client.identify((shard, 2))
        assert ready["shard"] == [shard, 2]
        assert [guild["id"] for guild in ready["guilds"]] == [str(mine[0])]
        for guild_id in sim.world.guilds:
            sim.world.create_channel(guild_id, "New")
        assert (await client.event("CHANNEL_CREATE"))["guild_id"] == str(mine[0])
        await client.send(1, None)
        assert (await client.receive())["op"] == 11


@pytest.mark.parametrize("level", [0, 1, 9])
async def test_zlib_stream_is_one_stream_with_a_flush_after_each_payload(level: int) -> None:
    settings = Settings(speed=0, zlib_level=level)
    async with running_simulator(settings) as sim, gateway_client(sim, compress=True) as client:
        await client.identify()
        for _ in range(600):
            sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, lounge(sim))
        for _ in range(600):
            await client.event("VOICE_STATE_UPDATE")
        await client.heartbeat()


async def test_a_long_backlog_arrives_in_order(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        names, room = [f"Room {number}" for number in range(2_000)], lounge(sim)
        for name in names:
            sim.world.update_channel(room, name=name)
        assert [(await client.event("CHANNEL_UPDATE"))["name"] for _ in names] == names


async def send_garbage(client: GatewayClient) -> None:
    await client.socket.send_str("{not json")


async def send_number(client: GatewayClient) -> None:
    await client.socket.send_str("7")


async def unknown_opcode(client: GatewayClient) -> None:
    await client.send(99, None)


async def presence_first(client: GatewayClient) -> None:
    await client.send(3, {})


async def wrong_token(client: GatewayClient) -> None:
    await client.send_identify(token="wrong")


async def resume_with_a_wrong_token(client: GatewayClient) -> None:
    await client.send(6, {"token": "wrong", "session_id": "", "seq": 0})


async def identify_twice(client: GatewayClient) -> None:
    await client.identify()
    await client.send_identify()


async def shard_beyond_the_count(client: GatewayClient) -> None:
    await client.send_identify((2, 2))


async def unknown_intents(client: GatewayClient) -> None:
    await client.send_identify(intents=1 << 60)


async def privileged_intents(client: GatewayClient) -> None:
    await client.send_identify(intents=INTENTS | GUILD_MEMBERS)


async def too_many_payloads(client: GatewayClient) -> None:
    for _ in range(121):
        await client.send(1, None)


async def sequence_from_the_future(client: GatewayClient) -> None:
    ready = await client.identify()
    async with gateway_client(client.sim) as second:
        await second.send_resume(ready["session_id"], 10_000)
        assert await second.close_code() == 4007
        assert ready["session_id"] not in client.sim.gateway.sessions
    await client.socket.send_str("")


@pytest.mark.parametrize(
    ("mistake", "code"),
    [
        (send_garbage, 4002),
        (send_number, 4002),
        (unknown_opcode, 4001),
        (presence_first, 4003),
        (wrong_token, 4004),
        (resume_with_a_wrong_token, 4004),
        (identify_twice, 4005),
        (sequence_from_the_future, 4002),
        (too_many_payloads, 4008),
        (shard_beyond_the_count, 4010),
        (unknown_intents, 4013),
        (privileged_intents, 4014),
    ],
)
async def test_each_mistake_closes_with_its_own_code(sim: Simulator, mistake: object, code: int) -> None:
    async with gateway_client(sim) as client:
        await mistake(client)  # type: ignore[operator]
        assert await client.close_code() == code


async def test_another_version_closes_with_4012(sim: Simulator) -> None:
    async with gateway_client(sim, hello=False, version="9") as client:
        assert await client.close_code() == 4012


async def test_too_many_guilds_in_one_shard_close_with_4011() -> None:
    async with running_simulator(Settings(speed=0, max_guilds_per_shard=1)) as sim:
        async with gateway_client(sim) as client:
            await client.send_identify()
            assert await client.close_code() == 4011
        async with gateway_client(sim) as client:
            await client.identify((0, 2))


async def test_a_client_without_a_heartbeat_is_closed_with_4009_and_its_session_ends() -> None:
    async with running_simulator(Settings(speed=0, heartbeat_interval_ms=40)) as sim, gateway_client(sim) as client:
        ready = await client.identify()
        assert await client.close_code() == 4009
        await eventually(lambda: ready["session_id"] not in sim.gateway.sessions)


async def test_an_early_identify_in_the_same_bucket_gets_op_9_when_the_limit_is_enforced() -> None:
    settings = Settings(speed=0, max_concurrency=2, enforce_identify_limit=True)
    async with running_simulator(settings) as sim, gateway_client(sim) as first, gateway_client(sim) as second:
        await first.identify((0, 4))
        async with gateway_client(sim) as other_bucket:
            await other_bucket.identify((1, 4))
        await second.send_identify((2, 4))
        assert (await second.until(9))["d"] is False


async def test_an_unknown_compression_or_encoding_is_refused_at_the_upgrade(sim: Simulator) -> None:
    async with aiohttp.ClientSession() as http:
        for query in ({"compress": "zstd-stream"}, {"encoding": "etf"}):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(sim.gateway.url, params=query)


async def test_an_outage_hides_a_guild_and_ends_with_guild_create(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        sim.fault("guild_unavailable", guild_id=DEMO_GUILD_ID)
        assert await client.event("GUILD_DELETE") == {"id": str(DEMO_GUILD_ID), "unavailable": True}
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, lounge(sim))
        sim.fault("guild_available", guild_id=DEMO_GUILD_ID)
        payload = await client.receive()
        assert payload["t"] == "GUILD_CREATE"
        assert str(DEMO_ADMIN_ID) in {state["user_id"] for state in payload["d"]["voice_states"]}


async def test_a_removed_bot_gets_guild_delete_without_unavailable_and_is_told_when_it_returns(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        sim.world.remove_bot(DEMO_GUILD_ID)
        assert await client.event("GUILD_DELETE") == {"id": str(DEMO_GUILD_ID)}
        sim.world.return_bot(DEMO_GUILD_ID)
        assert (await client.event("GUILD_CREATE"))["id"] == str(DEMO_GUILD_ID)


async def test_a_bot_can_join_voice_and_ask_for_members(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        await client.send(4, {"guild_id": str(DEMO_GUILD_ID), "channel_id": str(lounge(sim)), "self_deaf": True})
        state = await client.event("VOICE_STATE_UPDATE")
        assert (state["user_id"], state["member"]["user"]["bot"]) == (str(sim.settings.bot_id), True)
        await client.send(8, {"guild_id": str(DEMO_GUILD_ID), "user_ids": [str(DEMO_ADMIN_ID), "1"], "nonce": "n"})
        chunk = await client.event("GUILD_MEMBERS_CHUNK")
        assert [member["user"]["id"] for member in chunk["members"]] == [str(DEMO_ADMIN_ID)]
        assert chunk["nonce"] == "n"
