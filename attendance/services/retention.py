"""Retention: what is older than the days that a guild keeps is erased, by the same code as a member's erasure.

What it means of a running period: its leaderboard counts what is kept. Archived periods keep who was in them until the period
itself is too old, and then its entries stay without anybody's id. Blind intervals, versions of the rules and the audit stay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from attendance.domain.erasure import DAY_MS
from attendance.domain.ids import GuildId
from attendance.ports.clock import Clock
from attendance.ports.privacy import RetentionStore
from attendance.ports.signing import Wake

_GUILDS_A_PAGE = 500
SESSIONS_A_STEP = 200
ROWS_A_STEP = 2_000
# In one look at one guild: the first look after a guild chose a retention must not keep the others waiting for hours.
MAX_STEPS = 500

_log = structlog.get_logger("privacy")


@dataclass(frozen=True, slots=True)
class Retention:
    """Erases what is too old. Any number of processes may: what one has erased another does not find."""

    store: RetentionStore
    clock: Clock
    queued: Wake | None = None
    sessions_a_step: int = SESSIONS_A_STEP

    async def look(self) -> int:
        """Erase what is too old in every guild; how many sessions."""
        erased, after = 0, GuildId(-1)
        while True:
            guilds = await self.store.guilds(after, _GUILDS_A_PAGE)
            for guild_id, days in guilds:
                erased += await self._one(guild_id, self.clock.now_ms() - days * DAY_MS)
            if len(guilds) < _GUILDS_A_PAGE:
                return erased
            after = guilds[-1][0]

    async def _one(self, guild_id: GuildId, before_ms: int) -> int:
        store, step = self.store, self.sessions_a_step
        sessions = await _steps(lambda: store.erase_old_sessions(guild_id, before_ms, self.clock.now_ms(), step))
        reports = await _steps(lambda: store.erase_old_external(guild_id, before_ms, self.clock.now_ms(), step))
        entries = await _steps(lambda: store.anonymise_old_entries(guild_id, before_ms, ROWS_A_STEP))
        if sessions or reports or entries:
            names = await _steps(lambda: store.forget_names(guild_id, ROWS_A_STEP))
            _log.info("retention", guild_id=guild_id, sessions=sessions, reports=reports, entries=entries, names=names)
            if self.queued is not None:
                self.queued.set()
        return sessions


async def _steps(step: Callable[[], Awaitable[int]]) -> int:
    total = 0
    for _ in range(MAX_STEPS):
        count = await step()
        total += count
        if not count:
            break
    return total
