"""A built service, and how it runs until a signal asks it to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from attendance.config import Settings

log = structlog.get_logger("rollcall")

_STOP_SECONDS = 25.0  # a supervisor's patience is 30 or more


@dataclass(slots=True)
class Service:
    """A built service: what runs, and how each part is asked to stop."""

    settings: Settings
    api_url: str | None = None
    dashboard_url: str | None = None
    parts: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = field(default_factory=list)
    stops: list[Callable[[], None]] = field(default_factory=list)

    def add(self, name: str, run: Callable[[], Coroutine[Any, Any, None]], stop: Callable[[], None] | None = None) -> None:
        """Add a part. Without ``stop`` it is cancelled once the others have ended: it must bear that at any await."""
        self.parts.append((name, run))
        if stop is not None:
            self.stops.append(stop)


async def run_service(service: Service, *, on_started: Callable[[Service], Coroutine[Any, Any, None]] | None = None) -> None:
    """Let every part work until SIGINT or SIGTERM, or until one of them fails; then stop all in order.

    The API stops taking requests, the gateway closes and everything it took is stored, and the leases are given back. What
    does not end within 25 s (a database that is away) is abandoned: nothing that was promised is lost by that.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    tasks = {name: asyncio.create_task(run(), name=name) for name, run in service.parts}
    waiting = asyncio.create_task(stopping.wait())
    greeting = asyncio.create_task(on_started(service)) if on_started else None
    try:
        await asyncio.wait([*tasks.values(), waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        log.info("stopping")
        if greeting is not None:
            greeting.cancel()
        for stop in service.stops:
            stop()
        stoppable = [tasks[name] for name in ("dashboard", "api", "gateway") if name in tasks]
        if stoppable:
            await asyncio.wait(stoppable, timeout=_STOP_SECONDS)
        for task in [*tasks.values(), waiting]:
            task.cancel()
        results = await asyncio.gather(*tasks.values(), return_exceptions=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    for result in results:
        if isinstance(result, Exception):
            raise result
