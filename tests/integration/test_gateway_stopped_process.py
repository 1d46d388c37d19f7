"""A process that was stopped notices at once when it goes on, before it believes anything that lay in its buffers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulator import DEMO_GUILD_ID, Settings, Simulator, running_simulator

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
INTERVAL_MS = 800


class Child:
    """The gateway process, as its lines tell it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told: list[dict[str, Any]] = []

    async def until(self, kind: str, since: int = 0) -> dict[str, Any]:
        """Read lines until one of a kind comes; return it."""
        for told in self.told[since:]:
            if told["kind"] == kind:
                return told
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self.process.stdout.readline():
                self.told.append(json.loads(line))
                if self.told[-1]["kind"] == kind:
                    return self.told[-1]
        raise AssertionError(f"the process ended before it told of {kind}")

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    async def stop(self) -> None:
        """Stop the process and wait until every thread of it stands."""
        self.signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.process.pid}/task")
        await until(lambda: all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in threads.glob("*/stat")))


@contextlib.asynccontextmanager
async def gateway_process(sim: Simulator) -> AsyncIterator[Child]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.gateway_child",
        sim.token,
        sim.rest_url,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    child = Child(process)
    try:
        await child.until("ShardReady")
        await child.until("GuildSeen")
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.signal(signal.SIGCONT)
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()


async def until(holds) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - a stopped process tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("seed", range(3))
async def test_a_stopped_process_is_blind_before_it_reads_what_came_meanwhile(seed: int) -> None:
    rng = random.Random(seed)
    async with (
        running_simulator(Settings(speed=0, heartbeat_interval_ms=INTERVAL_MS)) as sim,
        gateway_process(sim) as child,
    ):
        people = list(sim.world.guilds[DEMO_GUILD_ID].voice_states)
        for user_id in people[: rng.randrange(1, 4)]:
            sim.world.set_flags(DEMO_GUILD_ID, user_id, self_mute=True)
        await child.until("VoiceStateSeen")
        await child.stop()
        stopped_ms = time.time_ns() // 1_000_000
        mark = len(child.told)
        for user_id in people:
            sim.world.leave(DEMO_GUILD_ID, user_id)
        # Discord hangs up on a client that is silent for 1.5 heartbeats; what was sent before is in the socket's buffer. Its
        # 1.5 heartbeats may begin before ours, so a little longer.
        stopped = time.monotonic()
        await until(lambda: not sim.gateway.connections and time.monotonic() - stopped > 2 * INTERVAL_MS / 1000)
        gone_on_ms = time.time_ns() // 1_000_000
        child.signal(signal.SIGCONT)
        lost = await child.until("ShardLost", mark)
        after_loss = len(child.told)
        assert lost["cause"] == "stalled"
        assert lost["alive_at_ms"] <= stopped_ms + 50
        assert lost["at_ms"] >= gone_on_ms
        for told in child.told[mark : after_loss - 1]:
            assert told["at_ms"] <= stopped_ms + 50, "read after the pause and put before the loss"
        await child.until("ShardReady", mark)  # the session ended with 4009
        assert [told["kind"] for told in child.told[mark:]].count("ShardLost") == 1


async def test_what_the_buffers_held_comes_again_as_replays_if_the_session_lives_on() -> None:
    async with running_simulator(Settings(speed=0, heartbeat_interval_ms=INTERVAL_MS)) as sim, gateway_process(sim) as child:
        people = list(sim.world.guilds[DEMO_GUILD_ID].voice_states)
        await child.stop()
        mark = len(child.told)
        for user_id in people:
            sim.world.leave(DEMO_GUILD_ID, user_id)
        await asyncio.gather(*(connection.drained() for connection in list(sim.gateway.connections)))
        sim.fault("drop")  # a socket that is cut leaves its session resumable, 4009 would not
        stopped = time.monotonic()
        await until(lambda: time.monotonic() - stopped > 2 * INTERVAL_MS / 1000)
        child.signal(signal.SIGCONT)
        await child.until("ShardResumed", mark)
        # GuildSeen is of the other guild, if the process was stopped before it had read or printed it.
        kinds = [told["kind"] for told in child.told[mark:] if told["kind"] not in ("ShardAlive", "GuildSeen")]
        assert kinds == ["ShardLost", *["VoiceStateSeen"] * len(people), "ShardResumed"]
