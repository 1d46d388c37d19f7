"""A gateway against a simulator, and a sink in which a test can wait for what it expects."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

from attendance.clock import SystemClock
from attendance.discord.gateway import Gateway, GatewaySettings
from attendance.domain.ids import ShardId
from attendance.domain.observations import GuildSeen, Observation, ShardLost
from attendance.ports.gateway import GatewaySession
from simulator import Simulator

PATIENCE_S = 60.0
Kind = TypeVar("Kind", bound=Observation)


class WaitableSink:
    """Keeps everything in order. ``put`` runs in the gateway's thread, the rest in the test's loop."""

    def __init__(self, capacity: int = 1_000_000) -> None:
        self.seen: list[Observation] = []
        self.capacity = capacity
        self.room = True
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def put(self, observation: Observation) -> bool:
        if len(self.seen) >= self.capacity:
            return False
        self.seen.append(observation)
        if not self._changed.is_set():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._changed.set)
        return True

    def has_room(self, _shard_id: ShardId) -> bool:
        return self.room

    async def until(self, holds: Callable[[], bool], *, patience_s: float = PATIENCE_S) -> None:
        """Wait until something put makes ``holds`` true."""
        async with asyncio.timeout(patience_s):
            while not holds():
                self._changed.clear()
                if holds():
                    return
                await self._changed.wait()

    async def until_elsewhere(self, holds: Callable[[], bool]) -> None:
        """Wait for something that nobody tells of: look whenever the loop has turned."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.005)

    def of(self, kind: type[Kind], since: int = 0) -> list[Kind]:
        """Everything of a kind, from an index on."""
        return [observation for observation in self.seen[since:] if isinstance(observation, kind)]

    async def first(self, kind: type[Kind], since: int = 0) -> Kind:
        """Wait for the first of a kind from an index on."""
        await self.until(lambda: bool(self.of(kind, since)))
        return self.of(kind, since)[0]

    def kinds(self, since: int = 0) -> list[str]:
        """The kinds in order, a loss with its cause."""
        return [
            f"ShardLost {observation.cause.value}" if isinstance(observation, ShardLost) else type(observation).__name__
            for observation in self.seen[since:]
        ]


@contextlib.asynccontextmanager
async def running_gateway(
    sim: Simulator,
    sink: WaitableSink,
    *,
    wait: bool = True,
    shard_ids: tuple[ShardId, ...] | None = None,
    sessions: Sequence[GatewaySession] = (),
    **settings: Any,
) -> AsyncIterator[Gateway]:
    """Run a gateway for as long as the block lasts; unless told otherwise, from when every guild was seen."""
    chosen = {"shard_count": 1, "handshake_seconds": 10.0, "tick_seconds": 0.05} | settings
    gateway = Gateway(
        GatewaySettings(sim.token, sim.rest_url, shard_ids=shard_ids, **chosen), sink, SystemClock(), None, sessions
    )
    await gateway.start()
    try:
        if wait:
            await sink.until(lambda: len(sink.of(GuildSeen)) >= len(sim.world.guilds))
        yield gateway
    finally:
        await gateway.stop()
