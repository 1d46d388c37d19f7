"""The only place that reads clocks. Everything else is handed a `Clock` (attendance.ports.clock)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from attendance.ports.clock import Clock

__all__ = ["Clock", "FixedClock", "SystemClock"]


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Unix milliseconds, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()


@dataclass
class FixedClock:
    """A clock that tests move by hand."""

    at_ms: int = 1_800_000_000_000

    def now_ms(self) -> int:
        """The instant that was set."""
        return self.at_ms

    def monotonic(self) -> float:
        """The same instant in seconds."""
        return self.at_ms / 1000

    def advance(self, milliseconds: int) -> None:
        """Move forward (or back, to play a clock that was set)."""
        self.at_ms += milliseconds
