"""Every way to lose the gateway is told once, in its place, and ends. hikari waits a second or two before it reconnects."""

from __future__ import annotations

import pytest

from attendance.domain.ids import ShardId
from attendance.domain.observations import (
    BlindCause,
    GuildSeen,
    PayloadUnreadable,
    ShardLost,
    ShardReady,
    ShardResumed,
    VoiceStateSeen,
)
from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings, Simulator, running_simulator
from tests.integration.gateway_rig import WaitableSink, running_gateway

pytestmark = pytest.mark.slow


def move_everyone_out(sim: Simulator) -> int:
    """Let everyone in the demo guild leave voice; return how many that were."""
    people = list(sim.world.guilds[DEMO_GUILD_ID].voice_states)
    for user_id in people:
        sim.world.leave(DEMO_GUILD_ID, user_id)
    return len(people)


def told(sink: WaitableSink, mark: int) -> list[str]:
    """What was put since, but for signs of life."""
    return [kind for kind in sink.kinds(mark) if kind != "ShardAlive"]


@pytest.mark.parametrize("fault", ["drop", "reconnect", "close", "invalid_session"])
async def test_what_happened_meanwhile_is_replayed_between_the_loss_and_the_resumption(fault: str) -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink) as gateway:
            mark = len(sink.seen)
            sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, next(iter(sim.world.in_voice(DEMO_GUILD_ID).values())))
            before = await sink.first(VoiceStateSeen, mark)
            if fault == "invalid_session":
                sim.fault(fault, resumable=True)
            else:
                sim.fault(fault)
            lost = await sink.first(ShardLost, mark)
            assert not gateway.connected(ShardId(0))
            left = move_everyone_out(sim)
            await sink.first(ShardResumed, mark)
            assert told(sink, mark) == [
                "VoiceStateSeen",
                "ShardLost disconnected",
                *["VoiceStateSeen"] * left,
                "ShardResumed",
            ]
            assert before.at_ms <= lost.alive_at_ms <= lost.at_ms
            assert gateway.connected(ShardId(0))
            assert sim.gateway.resumes == 1


@pytest.mark.parametrize("fault", ["refuse_resumes", "forget_sessions"])
async def test_a_session_that_cannot_be_resumed_gives_way_to_a_new_one(fault: str) -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink):
            mark = len(sink.seen)
            sim.fault(fault)
            sim.fault("drop")
            await sink.first(ShardLost, mark)
            move_everyone_out(sim)
            await sink.first(ShardReady, mark)
            await sink.until(lambda: len(sink.of(GuildSeen, mark)) == len(sim.world.guilds))
            assert told(sink, mark) == ["ShardLost disconnected", "ShardReady", "GuildSeen", "GuildSeen"]
            assert {seen.guild.guild_id: seen.voice_states for seen in sink.of(GuildSeen, mark)}[DEMO_GUILD_ID] == ()


async def test_a_connection_that_drops_again_and_again_is_one_loss() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink):
            mark = len(sink.seen)
            sim.fault("refuse_upgrades", count=2)
            sim.fault("drop")
            await sink.first(ShardResumed, mark)
            assert told(sink, mark) == ["ShardLost disconnected", "ShardResumed"]


@pytest.mark.parametrize("fault", ["silent_hellos", "silent_readies"])
async def test_a_gateway_that_says_nothing_is_tried_again(fault: str) -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sim.fault(fault, count=1)
        sink = WaitableSink()
        async with running_gateway(sim, sink, handshake_seconds=0.5) as gateway:
            assert told(sink, 0)[:3] == ["ShardReady", "GuildSeen", "GuildSeen"]
            assert gateway.connected(ShardId(0))


async def test_stopping_does_not_wait_for_a_gateway_that_says_nothing() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sim.fault("silent_hellos", count=100)
        sink = WaitableSink()
        async with running_gateway(sim, sink, wait=False) as gateway:
            await gateway.stop()
            await gateway.join()
        assert sink.seen == []


async def test_heartbeats_that_nobody_answers_are_a_loss_since_the_last_answer() -> None:
    async with running_simulator(Settings(speed=0, heartbeat_interval_ms=2_000)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink):
            mark = len(sink.seen)
            sim.fault("heartbeat_acks", on=False)
            lost = await sink.first(ShardLost, mark)
            assert lost.alive_at_ms < lost.at_ms
            assert lost.at_ms - lost.alive_at_ms >= 1_000
            sim.fault("heartbeat_acks", on=True)
            await sink.first(ShardResumed, mark)
            assert len(sink.of(ShardLost)) == 1


async def test_a_half_open_connection_is_noticed_and_resumed() -> None:
    async with running_simulator(Settings(speed=0, heartbeat_interval_ms=1_000)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink):
            mark = len(sink.seen)
            sim.fault("stall")
            left = move_everyone_out(sim)
            await sink.first(ShardResumed, mark)
            assert told(sink, mark)[1:] == [*["VoiceStateSeen"] * left, "ShardResumed"]
            assert len(sink.of(ShardLost, mark)) == 1


async def test_an_unreadable_voice_state_makes_its_guild_blind_and_the_shard_identify_anew() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink) as gateway:
            mark = len(sink.seen)
            sim.fault("garbage_voice_state", guild_id=DEMO_GUILD_ID)
            move_everyone_out(sim)
            await sink.until(lambda: len(sink.of(GuildSeen, mark)) == 2)
            unreadable = sink.of(PayloadUnreadable, mark)[0]
            assert unreadable.guild_id == DEMO_GUILD_ID
            assert unreadable.sequence is not None
            assert unreadable.alive_at_ms <= unreadable.at_ms
            assert told(sink, mark) == ["PayloadUnreadable", "ShardLost unreadable", "ShardReady", "GuildSeen", "GuildSeen"]
            assert gateway.counts()[ShardId(0)].unreadable == 1
            assert sim.gateway.resumes == 0


@pytest.mark.parametrize("text", ["{not json", "", "[]", "null", "{}", '{"op":0,"d":{},"s":null,"t":"READY"}'])
async def test_a_frame_without_sense_makes_the_whole_shard_blind_and_identify_anew(text: str) -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink):
            mark = len(sink.seen)
            sim.fault("garbage_frame", text=text)
            await sink.until(lambda: len(sink.of(GuildSeen, mark)) == 2)
            assert told(sink, mark) == ["PayloadUnreadable", "ShardLost unreadable", "ShardReady", "GuildSeen", "GuildSeen"]
            assert sink.of(PayloadUnreadable, mark)[0].guild_id is None
            assert sim.gateway.resumes == 0


async def test_a_full_sink_closes_the_shard_until_there_is_room() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink) as gateway:
            mark = sink.capacity = len(sink.seen)
            sink.room = False
            move_everyone_out(sim)
            await sink.until_elsewhere(lambda: not sim.gateway.connections)
            assert gateway.counts()[ShardId(0)].refused == 1
            assert not gateway.connected(ShardId(0))
            sink.capacity, sink.room = 1_000_000, True
            await sink.until(lambda: len(sink.of(GuildSeen, mark)) == 2)
            assert told(sink, mark) == ["ShardReady", "GuildSeen", "GuildSeen"]
            assert sim.gateway.resumes == 0


async def test_one_shard_that_is_lost_leaves_the_other_alone() -> None:
    async with running_simulator(Settings(speed=0, guilds=8, max_concurrency=2)) as sim:
        sink = WaitableSink()
        async with running_gateway(sim, sink, shard_count=2) as gateway:
            mark = len(sink.seen)
            sim.fault("drop", shard=1)
            await sink.first(ShardResumed, mark)
            assert {observation.shard_id for observation in sink.of(ShardLost) + sink.of(ShardResumed)} == {1}
            assert gateway.connected(ShardId(0))
            assert gateway.counts()[ShardId(1)].losses == {BlindCause.DISCONNECTED: 1}
