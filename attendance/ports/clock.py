"""Time, as the services need it."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall time for what is recorded, monotonic time for how long something took."""

    def now_ms(self) -> int:
        """Unix milliseconds, UTC. May step back when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back. Stands still while a machine sleeps on Linux."""
        ...
