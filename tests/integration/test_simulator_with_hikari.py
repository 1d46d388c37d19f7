"""Real, unpatched hikari against the simulator: what the service will meet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import hikari
import pytest
from hikari.api import CacheComponents
from hikari.impl import CacheSettings, HTTPSettings

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings, Simulator, running_simulator
from simulator.entities import ChannelType
from tests.integration.simulator_client import eventually

INTENTS = hikari.Intents.GUILDS | hikari.Intents.GUILD_VOICE_STATES
PATIENCE_S = 60.0


class Heard:
    """Every raw payload in the order of arrival."""

    def __init__(self, bot: hikari.GatewayBot) -> None:
        self.queue: asyncio.Queue[tuple[int, str, Any]] = asyncio.Queue()
        bot.subscribe(hikari.ShardPayloadEvent, self.hear)

    async def hear(self, event: hikari.ShardPayloadEvent) -> None:
        self.queue.put_nowait((event.shard.id, event.name, event.payload))

    async def event(self, name: str) -> Any:
        while True:
            _, heard, payload = await asyncio.wait_for(self.queue.get(), PATIENCE_S)
            if heard == name:
                return payload


@contextlib.asynccontextmanager
async def running_bot(sim: Simulator, **start: Any) -> AsyncIterator[tuple[hikari.GatewayBot, Heard]]:
    bot = hikari.GatewayBot(
        sim.token,
        rest_url=sim.rest_url,
        banner=None,
        logs=None,
        auto_chunk_members=False,
        intents=INTENTS,
        cache_settings=CacheSettings(components=CacheComponents.NONE),
        http_settings=HTTPSettings(force_close_transports=False),
    )
    heard = Heard(bot)
    await asyncio.wait_for(bot.start(check_for_updates=False, **start), PATIENCE_S)
    try:
        yield bot, heard
    finally:
        await bot.close()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with running_simulator(Settings(speed=0, max_concurrency=16)) as simulator:
        yield simulator


def rooms(sim: Simulator) -> list[int]:
    return [c.id for c in sim.world.guilds[DEMO_GUILD_ID].channels.values() if c.type == ChannelType.VOICE]


async def test_hikari_connects_and_gets_every_guild_raw(sim: Simulator) -> None:
    async with running_bot(sim) as (bot, heard):
        assert bot.shards[0].get_user_id() == sim.settings.bot_id
        guilds = [await heard.event("GUILD_CREATE") for _ in sim.world.guilds]
        assert [int(guild["id"]) for guild in guilds] == list(sim.world.guilds)
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, rooms(sim)[0])
        assert (await heard.event("VOICE_STATE_UPDATE"))["user_id"] == str(DEMO_ADMIN_ID)
    assert sim.gateway.sessions == {}


async def test_hikari_makes_its_own_event_objects_of_what_comes(sim: Simulator) -> None:
    async with running_bot(sim) as (bot, heard):
        shard, factory = bot.shards[0], bot.event_factory
        created = factory.deserialize_guild_available_event(shard, await heard.event("GUILD_CREATE"))
        assert created.guild.id == DEMO_GUILD_ID
        assert set(created.voice_states) == set(sim.world.in_voice(DEMO_GUILD_ID))
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, rooms(sim)[0])
        raw = await heard.event("VOICE_STATE_UPDATE")
        state = factory.deserialize_voice_state_update_event(shard, raw, old_state=None).state
        assert (state.channel_id, state.member.user.is_bot) == (rooms(sim)[0], False)
        channel_id = sim.world.create_channel(DEMO_GUILD_ID, "New", ChannelType.STAGE)
        raw = await heard.event("CHANNEL_CREATE")
        assert factory.deserialize_guild_channel_create_event(shard, raw).channel_id == channel_id
        sim.world.update_guild(DEMO_GUILD_ID, name="Renamed")
        raw = await heard.event("GUILD_UPDATE")
        assert factory.deserialize_guild_update_event(shard, raw, old_guild=None).guild.name == "Renamed"
        sim.world.create_role(DEMO_GUILD_ID, "Extra")
        raw = await heard.event("GUILD_ROLE_CREATE")
        assert factory.deserialize_guild_role_create_event(shard, raw).role.name == "Extra"


async def test_hikari_runs_two_shards_that_share_the_guilds(sim: Simulator) -> None:
    async with running_bot(sim, shard_count=2) as (bot, heard):
        assert bot.shard_count == 2
        seen = {}
        while len(seen) < len(sim.world.guilds):
            shard_id, name, payload = await asyncio.wait_for(heard.queue.get(), PATIENCE_S)
            if name == "GUILD_CREATE":
                seen[int(payload["id"])] = shard_id
        assert seen == {guild_id: (guild_id >> 22) % 2 for guild_id in sim.world.guilds}


async def test_hikari_reads_everything_over_rest(sim: Simulator) -> None:
    async with running_bot(sim) as (bot, _):
        assert (await bot.rest.fetch_my_user()).id == sim.settings.bot_id
        assert (await bot.rest.fetch_application()).id == sim.settings.bot_id
        guild = await bot.rest.fetch_guild(DEMO_GUILD_ID)
        member = await bot.rest.fetch_member(DEMO_GUILD_ID, DEMO_ADMIN_ID)
        roles = {role.id: role for role in await bot.rest.fetch_roles(DEMO_GUILD_ID)}
        assert guild.owner_id != DEMO_ADMIN_ID
        assert any(roles[r].permissions & hikari.Permissions.MANAGE_GUILD for r in member.role_ids)
        channels = await bot.rest.fetch_guild_channels(DEMO_GUILD_ID)
        assert {channel.id for channel in channels} == set(sim.world.guilds[DEMO_GUILD_ID].channels)
        assert (await bot.rest.fetch_channel(rooms(sim)[0])).id == rooms(sim)[0]
        mine = [partial.id async for partial in bot.rest.fetch_my_guilds()]
        assert mine == sorted(sim.world.guilds)
        with pytest.raises(hikari.NotFoundError):
            await bot.rest.fetch_guild(1)
        with pytest.raises(hikari.ForbiddenError):
            await bot.rest.fetch_members(DEMO_GUILD_ID)


async def test_hikari_posts_a_message_once_for_a_nonce_though_the_first_answer_is_lost(sim: Simulator) -> None:
    channel_id = sim.world.create_channel(DEMO_GUILD_ID, "log", ChannelType.TEXT)
    async with running_bot(sim) as (bot, _):
        first = await bot.rest.create_message(channel_id, "a message", nonce="one")
        again = await bot.rest.create_message(channel_id, "a message", nonce="one")
        assert first.id == again.id
    assert len(sim.rest.messages.board.newest(channel_id, 10)) == 1


async def test_hikari_waits_out_a_429_and_succeeds(sim: Simulator) -> None:
    async with running_bot(sim) as (bot, _):
        for scope in ("user", "shared", "global"):
            sim.fault("rest", route="GET /guilds/{guild_id}", status=429, retry_after_s=0.05, scope=scope)
            assert (await bot.rest.fetch_guild(DEMO_GUILD_ID)).id == DEMO_GUILD_ID
    assert sim.faults.rest == []
    assert sim.rest.requests["GET /guilds/{guild_id}"] >= 6


async def test_hikari_commands_are_registered(sim: Simulator) -> None:
    async with running_bot(sim) as (bot, _):
        command = bot.rest.slash_command_builder("stats", "Your hours")
        made = await bot.rest.set_application_commands(sim.settings.bot_id, [command])
        assert [known.name for known in await bot.rest.fetch_application_commands(sim.settings.bot_id)] == ["stats"]
        assert made[0].application_id == sim.settings.bot_id


@pytest.mark.parametrize("intents", [hikari.Intents.GUILD_MEMBERS, hikari.Intents.GUILD_PRESENCES])
async def test_hikari_is_told_that_privileged_intents_are_not_allowed(sim: Simulator, intents: hikari.Intents) -> None:
    bot = hikari.GatewayBot(sim.token, rest_url=sim.rest_url, banner=None, logs=None, intents=INTENTS | intents)
    with pytest.raises(hikari.GatewayServerClosedConnectionError) as caught:
        await bot.start(check_for_updates=False)
    await bot.close()  # a start that failed leaves the REST client open
    assert caught.value.code == 4014


@pytest.mark.slow
@pytest.mark.parametrize("how", ["drop", "reconnect", "close"])
async def test_hikari_resumes_and_gets_what_it_missed(sim: Simulator, how: str) -> None:
    async with running_bot(sim) as (_, heard):
        for _ in sim.world.guilds:
            await heard.event("GUILD_CREATE")
        sim.fault(how)
        await eventually(lambda: not sim.gateway.connected())
        for room in rooms(sim):
            sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, room)
        missed = [await heard.event("VOICE_STATE_UPDATE") for _ in rooms(sim)]
        assert [state["channel_id"] for state in missed] == [str(room) for room in rooms(sim)]
        await heard.event("RESUMED")
    assert (sim.gateway.identifies, sim.gateway.resumes) == (1, 1)


@pytest.mark.slow
async def test_hikari_identifies_anew_when_its_resume_is_refused(sim: Simulator) -> None:
    async with running_bot(sim) as (_, heard):
        await heard.event("GUILD_CREATE")
        sim.fault("refuse_resumes")
        sim.fault("drop")
        await heard.event("READY")
        assert (await heard.event("GUILD_CREATE"))["id"] == str(DEMO_GUILD_ID)
    assert (sim.gateway.identifies, sim.gateway.resumes) == (2, 0)


@pytest.mark.slow
async def test_hikari_identifies_anew_after_op_9(sim: Simulator) -> None:
    async with running_bot(sim) as (_, heard):
        sim.fault("invalid_session", resumable=False)
        await heard.event("READY")
        await heard.event("READY")
    assert sim.gateway.identifies == 2


@pytest.mark.slow
async def test_hikari_leaves_a_gateway_that_does_not_acknowledge_and_resumes() -> None:
    async with running_simulator(Settings(speed=0, heartbeat_interval_ms=200)) as sim, running_bot(sim) as (_, heard):
        sim.fault("heartbeat_acks", on=False)
        while not (closing := sim.gateway.resumes):
            if not sim.gateway.connected():
                sim.fault("heartbeat_acks", on=True)
            await asyncio.sleep(0.01)
        await heard.event("RESUMED")
    assert closing == 1


@pytest.mark.slow
async def test_hikari_takes_a_burst_whole(sim: Simulator) -> None:
    count = 20_000
    async with running_bot(sim) as (_, heard):
        report = await sim.burst(count)
        for _ in range(count):
            await heard.event("VOICE_STATE_UPDATE")
    assert (report.emitted, report.written >= count) == (count, True)
