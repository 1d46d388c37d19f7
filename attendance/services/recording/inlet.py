"""The ordered queue between the gateway's thread and the recorder."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from attendance import metrics
from attendance.domain.ids import ShardId
from attendance.domain.observations import BlindCause, Observation, ShardLost, ShardReady

# Observations held while the database is away or slow: about 100 MB. Beyond it the guilds are blind.
CAPACITY = 200_000


class Inlet:
    """`ObservationSink` in front of the recorder: any thread puts, one coroutine takes.

    A deque's append and popleft are atomic, so the order of puts is the order of takes and no lock is held.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._queue: deque[Observation] = deque()
        self._alive_ms: dict[ShardId, int] = {}
        self._refused: set[ShardId] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        """How many observations wait."""
        return len(self._queue)

    def put(self, observation: Observation) -> bool:
        """Take one observation; False if the shard must identify anew (see `ObservationSink.put`)."""
        shard_id = observation.shard_id
        if shard_id in self._refused:
            if not (isinstance(observation, ShardReady) and self.has_room(shard_id)):
                return self._refuse()
            self._refused.discard(shard_id)
        if len(self._queue) >= self._capacity:
            self._refused.add(shard_id)
            alive_ms = self._alive_ms.get(shard_id, observation.at_ms)
            self._append(ShardLost(observation.at_ms, shard_id, alive_ms, BlindCause.OVERFLOW))
            return self._refuse()
        if not isinstance(observation, ShardLost):
            self._alive_ms[shard_id] = observation.at_ms
        self._append(observation)
        return True

    def has_room(self, _shard_id: ShardId) -> bool:
        """Whether a refused shard may identify again."""
        return len(self._queue) < self._capacity // 2

    def _refuse(self) -> bool:
        metrics.DROPPED.inc()
        return False

    def _append(self, observation: Observation) -> None:
        empty = not self._queue
        self._queue.append(observation)
        if empty and self._loop is not None:
            self._loop.call_soon_threadsafe(self._filled.set)

    async def wait(self, seconds: float) -> None:
        """Return when something waits, or after ``seconds``."""
        self._loop = asyncio.get_running_loop()
        self._filled.clear()
        if self._queue:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return

    def take(self, limit: int) -> list[Observation]:
        """Up to ``limit`` observations, oldest first."""
        queue = self._queue
        return [queue.popleft() for _ in range(min(limit, len(queue)))]

    def put_all(self, observations: Iterable[Observation]) -> None:
        """Put several (tests, a trace file)."""
        for observation in observations:
            self.put(observation)
