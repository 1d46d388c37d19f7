"""Guilds that the bot has left are deleted after 90 days, unless it comes back before."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from attendance.domain.erasure import DAY_MS
from attendance.ports.clock import Clock
from attendance.ports.privacy import LeftGuilds

KEPT_MS = 90 * DAY_MS
_GUILDS_A_LOOK = 20
_ROWS_A_STEP = 2_000

_log = structlog.get_logger("privacy")


@dataclass(frozen=True, slots=True)
class LeftGuildDeletion:
    """Deletes them. Any number of processes may: each deletes what it finds."""

    store: LeftGuilds
    clock: Clock
    rows_a_step: int = _ROWS_A_STEP

    async def look(self) -> int:
        """Delete what was left for long enough; how many guilds are left to the owners of their streams."""
        before_ms, asked = self.clock.now_ms() - KEPT_MS, 0
        for guild_id in await self.store.left_before(before_ms, _GUILDS_A_LOOK):
            deleted = 0
            while step := await self.store.delete_some(guild_id, before_ms, self.rows_a_step):
                deleted += step
            if await self.store.ask_owner(guild_id, before_ms, self.clock.now_ms()):
                asked += 1
                _log.warning("deleted a guild that the bot left 90 days ago", guild_id=guild_id, rows=deleted)
        return asked
