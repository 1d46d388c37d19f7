"""What the sockets say reaches the sink whole and in order, through real hikari."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import pytest

from attendance.clock import SystemClock
from attendance.discord.bot import WatchedBot
from attendance.discord.gateway import Gateway, GatewaySettings, recommended_shards
from attendance.domain.ids import ShardId, shard_of
from attendance.domain.observations import (
    ChannelDeleted,
    ChannelSeen,
    GuildLeft,
    GuildSeen,
    GuildUnavailable,
    PermissionsChanged,
    ShardAlive,
    ShardReady,
    VoiceStateSeen,
)
from attendance.errors import ConfigError, UnavailableError
from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings, running_simulator
from tests.integration.gateway_rig import WaitableSink, running_gateway
from tests.integration.simulator_client import eventually


def said(line: dict) -> tuple:
    """A line of the simulator's truth as the tuple that `heard` makes."""
    flags = tuple(line.get(name, False) for name in ("self_mute", "mute", "self_deaf", "deaf"))
    channel = None if line["channel_id"] is None else int(line["channel_id"])
    return (int(line["guild_id"]), int(line["user_id"]), channel, *flags)


def heard(seen: VoiceStateSeen) -> tuple:
    state = seen.state
    flags = (state.self_mute, state.mute, state.self_deaf, state.deaf)
    return (seen.guild_id, state.user_id, state.channel_id, *flags)


async def test_a_new_session_says_ready_then_everything_of_every_guild() -> None:
    async with running_simulator(Settings(speed=0, guilds=3)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink) as gateway:
            assert sink.kinds()[:4] == ["ShardReady", "GuildSeen", "GuildSeen", "GuildSeen"]
            assert sink.of(ShardReady)[0].guild_ids == frozenset(sim.world.guilds)
            for seen in sink.of(GuildSeen):
                guild = sim.world.guilds[seen.guild.guild_id]
                assert (seen.guild.name, seen.guild.owner_id) == (guild.name, guild.owner_id)
                states = {state.user_id: state.channel_id for state in seen.voice_states}
                assert states == sim.world.in_voice(guild.id)
                for state in seen.voice_states:
                    assert state.bot is guild.members[state.user_id].user.bot
                    assert state.display_name is not None
            assert gateway.connected(ShardId(0))
        assert not gateway.connected(ShardId(0))


@pytest.mark.slow
async def test_a_burst_of_twenty_thousand_changes_arrives_whole_and_in_order() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink):
            before = len(sim.world.truth)
            await sim.burst(20_000)
            await sink.until(lambda: len(sink.seen) > 20_000 and len(sink.of(VoiceStateSeen)) >= 20_000)
            truth = [said(line) for line in sim.world.truth.lines(before) if line["type"] == "voice_state"]
            changes = sink.of(VoiceStateSeen)
            assert [heard(seen) for seen in changes] == truth
            instants = [seen.at_ms for seen in changes]
            assert instants == sorted(instants)


async def test_channels_roles_outages_and_departures_are_told_in_order() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink):
            mark = len(sink.seen)
            world = sim.world
            channel = world.create_channel(DEMO_GUILD_ID, "New room")
            world.update_channel(channel, name="Newer room")
            world.delete_channel(channel)
            world.create_role(DEMO_GUILD_ID, "Helper")
            world.set_unavailable(DEMO_GUILD_ID)
            world.set_available(DEMO_GUILD_ID)
            world.remove_bot(DEMO_GUILD_ID)
            await sink.first(GuildLeft, mark)
            told = [kind for kind in sink.kinds(mark) if kind != "ShardAlive"]
            assert told == [
                "ChannelSeen",
                "ChannelSeen",
                "ChannelDeleted",
                "PermissionsChanged",
                "GuildUnavailable",
                "GuildSeen",
                "GuildLeft",
            ]
            assert [seen.channel.name for seen in sink.of(ChannelSeen, mark)] == ["New room", "Newer room"]
            assert sink.of(ChannelDeleted, mark)[0].channel_id == channel
            assert sink.of(PermissionsChanged, mark)[0].guild_id == DEMO_GUILD_ID
            outage = sink.of(GuildUnavailable, mark)[0]
            assert outage.alive_at_ms <= outage.at_ms


async def test_a_quiet_shard_tells_of_heartbeats_that_were_answered() -> None:
    async with running_simulator(Settings(speed=0, heartbeat_interval_ms=1_000)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink):
            await sink.until(lambda: len(sink.of(ShardAlive)) >= 2)
            instants = [alive.at_ms for alive in sink.of(ShardAlive)]
            assert instants == sorted(instants)


async def test_two_shards_share_the_guilds_and_only_the_given_ones_are_started() -> None:
    async with running_simulator(Settings(speed=0, guilds=8, recommended_shards=2, max_concurrency=2)) as sim:
        settings = GatewaySettings(sim.token, sim.rest_url)
        assert await recommended_shards(settings) == 2
        sink = WaitableSink()
        async with running_gateway(sim, sink, shard_count=2) as gateway:
            assert sorted(ready.shard_id for ready in sink.of(ShardReady)) == [0, 1]
            for seen in sink.of(GuildSeen):
                assert seen.shard_id == shard_of(seen.guild.guild_id, 2)
            assert gateway.connected(ShardId(0))
            assert gateway.connected(ShardId(1))
        alone = WaitableSink()
        async with running_gateway(sim, alone, wait=False, shard_count=2, shard_ids=(ShardId(1),)):
            ready = await alone.first(ShardReady)
            await alone.until(lambda: len(alone.of(GuildSeen)) >= len(ready.guild_ids))
            assert {observation.shard_id for observation in alone.seen} == {1}


async def test_stop_closes_the_socket_and_puts_nothing_more() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink) as gateway:
            await gateway.stop()
            count = len(sink.seen)
            await eventually(lambda: not sim.gateway.connections)  # it hears of the close a moment later
            sim.world.leave(DEMO_GUILD_ID, DEMO_ADMIN_ID)
            await gateway.stop()
            await gateway.join()
            assert len(sink.seen) == count
            assert gateway.failure is None


async def test_a_refused_token_is_a_mistake_in_the_settings() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        wrong = sim.token[:-4] + ("AAAA" if not sim.token.endswith("AAAA") else "BBBB")
        settings = GatewaySettings(wrong, sim.rest_url, shard_count=1)
        with pytest.raises(ConfigError, match="token"):
            await recommended_shards(settings)
        gateway = Gateway(settings, WaitableSink(), SystemClock())
        with pytest.raises(ConfigError, match="token"):
            await gateway.start()
        await gateway.stop()
        assert isinstance(gateway.failure, ConfigError)


@pytest.mark.parametrize("token", ["", "x", "not a token", "\u00e9.a.b"])
async def test_a_token_without_the_form_of_one_is_refused_at_once(token: str) -> None:
    with pytest.raises(ConfigError, match="token"):
        Gateway(GatewaySettings(token, None, shard_count=1), WaitableSink(), SystemClock())


@pytest.mark.parametrize(("shard_ids", "shard_count"), [((), 2), ((2,), 2), ((-1,), 2), (None, 0), ((0,), None)])
async def test_shard_numbers_that_make_no_sense_are_refused_at_once(shard_ids, shard_count) -> None:
    settings = GatewaySettings("MTE4MDAwMDAwMDAwMDAwMDUxMg.x.y", None, shard_ids, shard_count)
    with pytest.raises(ConfigError, match="shard"):
        Gateway(settings, WaitableSink(), SystemClock())


def test_the_token_does_not_show_in_the_settings() -> None:
    assert "secret" not in repr(GatewaySettings("secret"))


async def test_a_shard_count_that_is_too_small_ends_the_gateway_with_a_reason() -> None:
    async with running_simulator(Settings(speed=0, guilds=3, max_guilds_per_shard=1)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink, wait=False) as gateway:
            async with asyncio.timeout(60):
                with pytest.raises(ConfigError, match="shard count"):
                    await gateway.join()
            assert isinstance(gateway.failure, ConfigError)


@pytest.mark.slow
async def test_a_discord_that_is_away_is_said_within_the_bound() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        rest_url = sim.rest_url
    settings = GatewaySettings(sim.token, rest_url, shard_count=1, handshake_seconds=0.5)
    with pytest.raises(UnavailableError):
        await recommended_shards(settings)
    gateway = Gateway(settings, WaitableSink(), SystemClock())
    async with asyncio.timeout(60):
        with pytest.raises(UnavailableError):
            await gateway.start()


async def test_stop_ends_a_bot_that_takes_the_first_cancellation_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    start, is_held = WatchedBot.start, threading.Event()

    async def start_and_go_on(bot: WatchedBot, **options: Any) -> None:
        await start(bot, **options)
        is_held.set()
        with suppress(asyncio.CancelledError):  # as hikari does while it waits for a task that it has cancelled
            await asyncio.Event().wait()

    monkeypatch.setattr(WatchedBot, "start", start_and_go_on)
    async with running_simulator(Settings(speed=0)) as sim, running_gateway(sim, WaitableSink()) as gateway:
        assert await asyncio.to_thread(is_held.wait, 60)
        await gateway.stop()
        async with asyncio.timeout(60):
            await gateway.join()
        await eventually(lambda: not sim.gateway.connections)
