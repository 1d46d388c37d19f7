"""A gateway that stops and another that goes on with its session, as a deploy has it: real hikari and the simulator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attendance.discord.shard import is_same_house
from attendance.domain.observations import ShardResumed, VoiceStateSeen
from attendance.ports.gateway import GatewaySession
from simulator import DEMO_GUILD_ID, Settings, Simulator, running_simulator
from tests.integration.gateway_rig import WaitableSink, running_gateway
from tests.integration.simulator_client import eventually


async def one_that_stopped(sim: Simulator) -> GatewaySession:
    sink = WaitableSink()
    async with running_gateway(sim, sink) as gateway:
        (session,) = await gateway.stop()
        assert await gateway.stop() == [session]
    return session


def voice(sink: WaitableSink) -> list[tuple[int, int | None]]:
    return [(seen.state.user_id, seen.state.channel_id) for seen in sink.of(VoiceStateSeen)]


@pytest.mark.slow
async def test_the_next_gateway_is_told_what_happened_between_the_two_and_nothing_twice() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        people = list(sim.world.in_voice(DEMO_GUILD_ID))
        first = WaitableSink()
        async with running_gateway(sim, first) as gateway:
            sim.world.leave(DEMO_GUILD_ID, people[0])
            await first.first(VoiceStateSeen)
            (session,) = await gateway.stop()
        await eventually(lambda: not sim.gateway.connections)  # it hears of the close a moment later
        sim.world.leave(DEMO_GUILD_ID, people[1])
        second = WaitableSink()
        async with running_gateway(sim, second, wait=False, sessions=[session]) as gateway:
            await second.first(ShardResumed)
            assert [kind for kind in second.kinds() if kind != "ShardAlive"] == ["VoiceStateSeen", "ShardResumed"]
            assert voice(second) == [(people[1], None)]
            assert gateway.connected(session.shard_id)
            sim.world.leave(DEMO_GUILD_ID, people[2])
            await second.until(lambda: len(voice(second)) == 2)
            (again,) = await gateway.stop()
        assert again.session_id == session.session_id
        assert again.sequence == session.sequence + 3, "two leaves, and RESUMED"
        assert sim.gateway.resumes == 1


@pytest.mark.slow
@pytest.mark.parametrize("why", ["refused", "forgotten", "wrong sequence", "other intents", "dead address"])
async def test_a_session_that_does_not_go_on_gives_way_to_a_new_one(why: str) -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        session = await one_that_stopped(sim)
        if why in ("refused", "forgotten"):
            sim.fault("refuse_resumes" if why == "refused" else "forget_sessions")
        changes = {
            "wrong sequence": {"sequence": session.sequence + 1_000},
            "other intents": {"intents": session.intents + 2},
            "dead address": {"resume_url": "ws://127.0.0.1:9/", "session_id": "of somebody else"},
        }
        sink = WaitableSink()
        async with running_gateway(sim, sink, sessions=[replace(session, **changes.get(why, {}))]):
            assert [kind for kind in sink.kinds() if kind != "ShardAlive"] == ["ShardReady", "GuildSeen", "GuildSeen"]
            assert sim.gateway.resumes == 0


@pytest.mark.slow
async def test_a_shard_that_only_begins_leaves_no_session() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        session = await one_that_stopped(sim)
        sim.fault("silent_hellos")
        sink = WaitableSink()
        async with running_gateway(sim, sink, wait=False, sessions=[session]) as gateway:
            await sink.until_elsewhere(lambda: bool(sim.gateway.connections))
            assert await gateway.stop() == []


@pytest.mark.parametrize(
    ("resume_url", "gateway_url", "same"),
    [
        ("wss://gateway-us-east1-b.discord.gg", "wss://gateway.discord.gg", True),
        ("wss://gateway.discord.gg", "wss://gateway.discord.gg/", True),
        ("ws://127.0.0.1:4000/gateway", "ws://127.0.0.1:4000/gateway", True),
        ("ws://127.0.0.1:4001/gateway", "ws://127.0.0.1:4000/gateway", False),
        ("ws://1.0.0.1:4000", "ws://127.0.0.1:4000", False),
        ("ws://gateway-us-east1-b.discord.gg", "wss://gateway.discord.gg", False),
        ("wss://gateway.discord.gg.example.org", "wss://gateway.discord.gg", False),
        ("wss://notdiscord.gg", "wss://gateway.discord.gg", False),
        ("wss://discord.gg@example.org", "wss://gateway.discord.gg", False),
        ("wss://a:b@gateway.discord.gg", "wss://gateway.discord.gg", False),
        ("wss://gateway.discord.gg:8443", "wss://gateway.discord.gg", False),
        ("", "wss://gateway.discord.gg", False),
    ],
)
def test_the_token_goes_to_no_stored_address_but_discords(resume_url: str, gateway_url: str, same: bool) -> None:  # noqa: FBT001
    assert is_same_house(resume_url, gateway_url) is same
