"""Keeps the leaderboards that were asked for in memory, in step with the database.

Nothing is ever stale: the sums that a leaderboard adds up change only in the transaction that also moves the guild's count of
closed sessions, or, for a correction or an erasure, its revision of the sums. So within one snapshot the two say whether the
copy holds, and which sessions it lacks.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from attendance.domain.ids import GuildId
from attendance.domain.standings import Standings
from attendance.ports.reports import Board, RankingView, SumsVersion

# 48 bytes a member: 50 MB in all, then the leaderboards that were not asked for longest are let go.
MAX_MEMBERS = 1_000_000
# Reading a large leaderboard for the first time must not hold up the event loop.
_CHUNK = 2_000
_CHANGES_AT_ONCE = 50
# From here on reading everything is quicker than moving memory for each.
_TOO_MANY_CHANGES = 2_000
_UNUSABLE = SumsVersion(-1, -1)


@dataclass(slots=True)
class _Kept:
    standings: Standings
    version: SumsVersion = _UNUSABLE
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class StandingsCache:
    """Stored leaderboards of whole guilds by (guild, period)."""

    max_members: int = MAX_MEMBERS
    _kept: OrderedDict[tuple[GuildId, int], _Kept] = field(default_factory=OrderedDict)

    async def standings(self, view: RankingView, board: Board) -> Standings | None:
        """The board's stored lines exactly as the view sees them, to be read before the next await and never changed.

        None if a newer snapshot was served meanwhile: the copy does not move back, so the view must be asked itself.

        Raises:
            UnavailableError: the database is away.
        """
        key = (board.guild_id, board.period_index)
        version = await view.sums_version(board.guild_id)
        kept = self._kept.setdefault(key, _Kept(Standings()))
        self._kept.move_to_end(key)
        async with kept.lock:
            if kept.version.closed_count > version.closed_count or kept.version.revision > version.revision:
                return None
            if kept.version != version:
                await _bring_up(kept, view, board, version)
                kept.version = version
        self._let_go(key)
        return kept.standings

    async def standings_if_kept(self, view: RankingView, board: Board) -> Standings | None:
        """The same for who only wants a sum: None too if nobody asked for the whole leaderboard yet."""
        if (board.guild_id, board.period_index) not in self._kept:
            return None
        return await self.standings(view, board)

    def _let_go(self, wanted: tuple[GuildId, int]) -> None:
        total = sum(len(kept.standings) for kept in self._kept.values())
        for key in list(self._kept):
            if total <= self.max_members or key == wanted:
                return
            total -= len(self._kept.pop(key).standings)


async def _bring_up(kept: _Kept, view: RankingView, board: Board, version: SumsVersion) -> None:
    """An error on the way leaves the copy unusable as it is, so it is read anew next time."""
    since, kept.version = kept.version, _UNUSABLE
    # A correction or an erasure says nothing of whom it concerned.
    is_anew = since.revision != version.revision
    changed = [] if is_anew else await view.stored_changed(board, since.closed_count)
    if is_anew or len(changed) > _TOO_MANY_CHANGES:
        kept.standings = await _read(view, board)
        return
    for start in range(0, len(changed), _CHANGES_AT_ONCE):
        kept.standings.put(changed[start : start + _CHANGES_AT_ONCE])
        await asyncio.sleep(0)


async def _read(view: RankingView, board: Board) -> Standings:
    lines: list[tuple[int, int, int]] = []
    while True:
        chunk = await view.stored_after(board, lines[-1][:2] if lines else None, _CHUNK)
        lines += chunk
        if len(chunk) < _CHUNK:
            return await asyncio.to_thread(Standings, lines)  # 80 ms with 100,000 members: not in one piece
