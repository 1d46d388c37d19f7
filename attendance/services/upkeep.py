"""Housekeeping: commands that nobody needs any more go, and what is late is said aloud."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from attendance.metrics import COMMAND_AGE, OVERDUE_PERIODS, UNSIGNED, UNSIGNED_AGE
from attendance.ports.clock import Clock
from attendance.ports.upkeep import Overdue, UpkeepStore

_DAY_MS = 86_400_000
# An idempotency key works for as long as its command is kept; clients that retry do so within hours.
COMMANDS_KEPT_MS = 30 * _DAY_MS
# An owner cuts within seconds, closes within a few more and the archive follows: later than this, something is broken.
LATE_MS = 60_000
_ROWS_A_STEP = 1_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What one looks after from time to time. Any number of processes may."""

    store: UpkeepStore
    clock: Clock

    async def trim(self) -> int:
        """Delete commands that were applied more than 30 days ago; how many."""
        before_ms = self.clock.now_ms() - COMMANDS_KEPT_MS
        trimmed = 0
        while step := await self.store.trim_commands(before_ms, _ROWS_A_STEP):
            trimmed += step
        return trimmed

    async def sound_alarms(self) -> Overdue:
        """Set the metric of what is late, and log it while there is something."""
        now_ms = self.clock.now_ms()
        overdue = await self.store.overdue(now_ms - LATE_MS)
        command_age_ms = 0 if overdue.oldest_command_ms is None else now_ms - overdue.oldest_command_ms
        unsigned_age_ms = 0 if overdue.oldest_unsigned_ms is None else now_ms - overdue.oldest_unsigned_ms
        OVERDUE_PERIODS.set(overdue.periods)
        COMMAND_AGE.set(command_age_ms / 1000)
        UNSIGNED.set(overdue.unsigned)
        UNSIGNED_AGE.set(unsigned_age_ms / 1000)
        if overdue.periods or command_age_ms > LATE_MS:
            _log.warning(
                "work is overdue",
                periods_to_cut=overdue.uncut,
                periods_to_close=overdue.unclosed,
                periods_to_archive=overdue.unarchived,
                oldest_command_seconds=command_age_ms // 1000,
            )
        return overdue
