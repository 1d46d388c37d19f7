"""From the gateway's thread to the main event loop: bounded queues of raw dispatches, each with one consumer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import structlog

from attendance import metrics
from attendance.ports.dispatches import DispatchListener

CAPACITY = 2_000
"""Dispatches that wait for one consumer. Beyond it they are dropped: an interaction that old has expired anyway."""

Handler = Callable[[str, Any], Awaitable[None]]

_log = structlog.get_logger(__name__)


class DispatchQueue:
    """`DispatchListener` whose handler runs in the event loop that runs `run`, one dispatch after the other, in order.

    Args:
        names: the names of the dispatches that are taken.
        handle: called with (name, payload). What it raises is logged and counted, and the next dispatch is handled.
        capacity: how many may wait.
    """

    def __init__(self, names: AbstractSet[str], handle: Handler, capacity: int = CAPACITY) -> None:
        self.names = frozenset(names)
        self._handle = handle
        self._capacity = capacity
        self._queue: deque[tuple[str, Any]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._filled = asyncio.Event()
        self._overflowing = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._queue)

    def dispatched(self, name: str, payload: Any) -> None:
        """Take one from any thread; drop it if the queue is full."""
        queue = self._queue
        if len(queue) >= self._capacity:
            metrics.DISPATCHES_DROPPED.labels(name).inc()
            if not self._overflowing:
                self._overflowing = True  # logged once for each time that it fills up
                _log.error("dispatch_queue_full", kind=name, waiting=self._capacity)
            return
        self._overflowing = False
        empty = not queue
        queue.append((name, payload))
        loop = self._loop
        if empty and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._filled.set)

    async def run(self) -> None:
        """Handle what is taken, until cancelled. Dispatches taken earlier than this have waited."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._filled.clear()
            # After the clearing: what is put from here on sets the event again, or is seen by the loop below.
            while self._queue:
                name, payload = self._queue.popleft()
                await self._handle_one(name, payload)
            await self._filled.wait()

    async def _handle_one(self, name: str, payload: Any) -> None:
        """The dispatch point of what Discord sends besides voice: one bad payload must not stop the others."""
        try:
            await self._handle(name, payload)
        except Exception as error:  # noqa: BLE001 - nobody is above this in the task
            metrics.DISPATCH_FAILURES.labels(name).inc()
            _log.exception("dispatch_failed", kind=name, error=type(error).__name__)


class DispatchSwitch:
    """`DispatchListener` that tells each name's own listener.

    Args:
        listeners: those who want to be told.

    Raises:
        ValueError: two of them want the same name.
    """

    def __init__(self, listeners: Sequence[DispatchListener]) -> None:
        self._by_name = {name: listener for listener in listeners for name in listener.names}
        if len(self._by_name) != sum(len(listener.names) for listener in listeners):
            raise ValueError("a dispatch has one listener")
        self.names = frozenset(self._by_name)

    def dispatched(self, name: str, payload: Any) -> None:
        """Pass one on."""
        self._by_name[name].dispatched(name, payload)
