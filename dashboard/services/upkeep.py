"""What is deleted by its age: the activity log and sessions that ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from attendance.clock import Clock
from attendance.errors import RollcallError
from dashboard.domain.activity import ACTIVITY_MS
from dashboard.domain.sessions import KEPT_MS
from dashboard.ports import AgedRows

# One transaction's worth: writers wait no longer than for this.
ROWS_AT_ONCE = 1_000
# A hint to look, no more: what is due is in the database.
SECONDS_BETWEEN = 3_600.0

_log = structlog.get_logger("dashboard")


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Deletes what is older than the retention says; may be cut short anywhere, and run in several processes."""

    activity: AgedRows
    sessions: AgedRows
    clock: Clock

    async def run(self) -> int:
        """Delete all that is due; how many rows there were."""
        now_ms = self.clock.now_ms()
        return await _all(self.activity, now_ms - ACTIVITY_MS) + await _all(self.sessions, now_ms - KEPT_MS)


async def _all(rows: AgedRows, before_ms: int) -> int:
    total = 0
    while (deleted := await rows.delete_before(before_ms, ROWS_AT_ONCE)) > 0:
        total += deleted
    return total


@asynccontextmanager
async def kept_up(upkeep: Upkeep, seconds_between: float = SECONDS_BETWEEN) -> AsyncIterator[None]:
    """Look at the start and every so often, for as long as the block lasts. A failure is logged; the next time tries again."""
    looking = asyncio.create_task(_keep_up(upkeep, seconds_between), name="dashboard upkeep")
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _keep_up(upkeep: Upkeep, seconds_between: float) -> None:
    while True:
        try:
            if deleted := await upkeep.run():
                _log.info("deleted what was kept long enough", rows=deleted)
        except RollcallError as error:
            _log.warning("nothing could be deleted", reason=error.message)
        await asyncio.sleep(seconds_between)
