"""Committed lines on their way from the journal to the fold."""

from __future__ import annotations

import asyncio
from collections import deque

from attendance.domain.stream.lines import Line

# Lines that may wait for the fold, about 50 MB: a cut of many sessions takes seconds to store, and the journal goes on.
CAPACITY = 100_000


class DurableLines:
    """A queue of batches, bounded by its lines: one coroutine puts, one takes."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._batches: deque[list[Line]] = deque()
        self._waiting = 0
        self._ended = False
        self._changed = asyncio.Event()

    async def put(self, lines: list[Line]) -> None:
        """Hand on lines; waits while the fold is far behind."""
        while self._waiting >= self._capacity:
            self._changed.clear()
            await self._changed.wait()
        self._batches.append(lines)
        self._waiting += len(lines)
        self._changed.set()

    def end(self) -> None:
        """Nothing more will be put."""
        self._ended = True
        self._changed.set()

    async def take(self, about: int, seconds: float) -> tuple[list[Line], bool]:
        """The oldest lines, ``about`` so many, or none after ``seconds``; and whether they were the last."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while not self._batches and not self._ended:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return [], False
        lines: list[Line] = []
        while self._batches and len(lines) < about:
            lines += self._batches.popleft()
        self._waiting -= len(lines)
        self._changed.set()
        return lines, self._ended and not self._batches
