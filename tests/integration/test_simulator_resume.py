"""Sessions that outlive their sockets, and every way in which Discord ends one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings, Simulator, running_simulator
from tests.integration.simulator_client import GatewayClient, eventually, gateway_client


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with running_simulator(Settings(speed=0)) as simulator:
        yield simulator


def rooms(sim: Simulator) -> list[int]:
    return [c.id for c in sim.world.guilds[DEMO_GUILD_ID].channels.values() if c.type == 2]


async def identified(client: GatewayClient) -> tuple[str, int]:
    await client.identify()
    for _ in client.sim.world.guilds:
        await client.event("GUILD_CREATE")
    assert client.sequence is not None
    return client.session_id, client.sequence


async def lost_session(sim: Simulator) -> tuple[str, int]:
    """A session whose socket was cut."""
    async with gateway_client(sim) as client:
        session_id, sequence = await identified(client)
        assert sim.fault("drop") == 1
        assert await client.close_code() == 1006
    await eventually(lambda: sim.gateway.sessions[session_id].connection is None)
    return session_id, sequence


async def test_a_resumed_session_replays_what_was_missed_in_order_and_then_says_so(sim: Simulator) -> None:
    session_id, sequence = await lost_session(sim)
    for room in rooms(sim):
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, room)
    async with gateway_client(sim, compress=True) as client:
        await client.send_resume(session_id, sequence)
        missed = [await client.receive() for _ in rooms(sim)]
        assert [payload["d"]["channel_id"] for payload in missed] == [str(room) for room in rooms(sim)]
        assert [payload["s"] for payload in missed] == list(range(sequence + 1, sequence + 1 + len(missed)))
        assert (await client.receive())["t"] == "RESUMED"
        sim.world.leave(DEMO_GUILD_ID, DEMO_ADMIN_ID)
        assert (await client.event("VOICE_STATE_UPDATE"))["channel_id"] is None


async def test_a_resume_that_missed_nothing_replays_nothing(sim: Simulator) -> None:
    session_id, sequence = await lost_session(sim)
    async with gateway_client(sim) as client:
        await client.send_resume(session_id, sequence)
        assert (await client.receive())["t"] == "RESUMED"


async def test_an_event_that_left_the_buffer_makes_the_resume_fail() -> None:
    async with running_simulator(Settings(speed=0, replay_buffer=3)) as sim:
        session_id, sequence = await lost_session(sim)
        for room in rooms(sim)[:4]:
            sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, room)
        async with gateway_client(sim) as client:
            await client.send_resume(session_id, sequence)
            assert (await client.receive()) == {"op": 9, "d": False}
            await client.identify()


async def test_a_session_is_forgotten_after_its_time() -> None:
    async with running_simulator(Settings(speed=0, session_timeout_s=0)) as sim:
        async with gateway_client(sim) as client:
            session_id, sequence = await identified(client)
            sim.fault("drop")
        await eventually(lambda: not sim.gateway.sessions)
        async with gateway_client(sim) as client:
            await client.send_resume(session_id, sequence)
            assert (await client.receive()) == {"op": 9, "d": False}


@pytest.mark.parametrize(("code", "kept"), [(1000, False), (1001, False), (3000, True), (4000, True)])
async def test_a_clients_close_code_says_whether_its_session_stays(sim: Simulator, code: int, *, kept: bool) -> None:
    async with gateway_client(sim) as client:
        session_id, _ = await identified(client)
        await client.socket.close(code=code)
    await eventually(lambda: not sim.gateway.connections)
    assert (session_id in sim.gateway.sessions) is kept


async def test_a_refused_resume_gets_op_9_and_ends_the_session(sim: Simulator) -> None:
    session_id, sequence = await lost_session(sim)
    sim.fault("refuse_resumes")
    async with gateway_client(sim) as client:
        await client.send_resume(session_id, sequence)
        assert (await client.receive()) == {"op": 9, "d": False}
        assert session_id not in sim.gateway.sessions
        await client.identify()


async def test_op_9_says_whether_the_session_can_be_resumed(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        session_id, _ = await identified(client)
        sim.fault("invalid_session", resumable=True)
        assert (await client.until(9))["d"] is True
        assert session_id in sim.gateway.sessions
        sim.fault("invalid_session", resumable=False)
        assert (await client.until(9))["d"] is False
        assert session_id not in sim.gateway.sessions


async def test_resuming_on_a_second_socket_cuts_the_first(sim: Simulator) -> None:
    async with gateway_client(sim) as first, gateway_client(sim) as second:
        session_id, sequence = await identified(first)
        await second.send_resume(session_id, sequence)
        assert (await second.receive())["t"] == "RESUMED"
        assert await first.close_code() == 1006
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, rooms(sim)[0])
        await second.event("VOICE_STATE_UPDATE")


async def test_op_7_op_1_and_a_close_code_come_on_demand(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await identified(client)
        sim.fault("reconnect")
        assert (await client.receive())["op"] == 7
        sim.fault("request_heartbeat")
        assert (await client.receive())["op"] == 1
        sim.fault("close", code=4000)
        assert await client.close_code() == 4000


async def test_a_fault_can_be_limited_to_one_shard(sim: Simulator) -> None:
    async with gateway_client(sim) as first, gateway_client(sim) as second:
        await first.identify((0, 2))
        await second.identify((1, 2))
        assert sim.fault("drop", shard=1) == 1
        assert await second.close_code() == 1006
        await first.heartbeat()


async def test_a_stalled_socket_says_nothing_and_a_resume_brings_what_it_kept_back(sim: Simulator) -> None:
    async with gateway_client(sim) as stalled:
        session_id, sequence = await identified(stalled)
        sim.fault("stall")
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, rooms(sim)[0])
        await stalled.send(1, sequence)
        with pytest.raises(TimeoutError):
            await stalled.socket.receive(timeout=0.05)
        async with gateway_client(sim) as client:
            await client.send_resume(session_id, sequence)
            assert (await client.receive())["d"]["user_id"] == str(DEMO_ADMIN_ID)


async def test_a_stalled_socket_that_flows_again_delivers_everything(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await identified(client)
        sim.fault("stall")
        for room in rooms(sim):
            sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, room)
        sim.fault("stall", on=False)
        assert [(await client.event("VOICE_STATE_UPDATE"))["channel_id"] for _ in rooms(sim)] == [
            str(room) for room in rooms(sim)
        ]


async def test_heartbeats_go_unanswered_on_demand(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await identified(client)
        sim.fault("heartbeat_acks", on=False)
        await client.send(1, None)
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, rooms(sim)[0])
        assert (await client.receive())["t"] == "VOICE_STATE_UPDATE"
        sim.fault("heartbeat_acks", on=True)
        await client.heartbeat()


async def test_a_silent_hello_and_a_silent_ready_last_as_long_as_told(sim: Simulator) -> None:
    sim.fault("silent_hellos", count=1)
    async with gateway_client(sim, hello=False) as client:
        with pytest.raises(TimeoutError):
            await client.socket.receive(timeout=0.05)
    sim.fault("silent_readies", count=1)
    async with gateway_client(sim) as client:
        await client.send_identify()
        await client.heartbeat()
        await client.identify()


async def test_unreadable_payloads_are_sent_as_told(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        _, sequence = await identified(client)
        assert sim.fault("garbage_voice_state", guild_id=DEMO_GUILD_ID) == 1
        garbage = await client.receive()
        assert (garbage["t"], garbage["s"], garbage["d"]["guild_id"]) == (
            "VOICE_STATE_UPDATE",
            sequence + 1,
            str(DEMO_GUILD_ID),
        )
        assert garbage["d"]["user_id"] == "not-a-snowflake"
        sim.fault("garbage_frame", text="{not json")
        assert (await client.socket.receive(timeout=30)).data == "{not json"
