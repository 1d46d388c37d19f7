"""Leaderboards: of the running period up to this moment, of past ones as they were archived."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.ranking import (
    Contender,
    LiveLines,
    MergedPage,
    Ranked,
    begins_in_tie,
    live_above,
    live_lines,
    merged_page,
    ranked,
    window_for,
)
from attendance.domain.standings import Standings
from attendance.errors import NotFoundError
from attendance.ports.clock import Clock
from attendance.ports.reports import Board, Period, ReportSource, ReportView
from attendance.services.standings_cache import StandingsCache


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardQuery:
    """Which lines: of the running period or that of ``period_index``; in one channel; of members found by name or id."""

    guild_id: GuildId
    period_index: int | None = None
    channel_id: ChannelId | None = None
    search: str | None = None
    limit: int
    offset: int


class LeaderboardLine(NamedTuple):
    """A line with its name. A member whose data was erased has neither id nor name.

    ``corrected_ms`` was corrected after the period's archive, and stands beside its line.
    """

    rank: int
    user_id: UserId | None
    display_name: str | None
    credited_ms: int
    session_count: int
    live: bool
    corrected_ms: int = 0


@dataclass(frozen=True, slots=True)
class LeaderboardPage:
    """A page, and how many lines there are in all."""

    lines: Sequence[LeaderboardLine]
    total: int


@dataclass(frozen=True, slots=True)
class Leaderboards:
    """The rankings of every guild."""

    reports: ReportSource
    clock: Clock
    cache: StandingsCache

    async def page(self, query: LeaderboardQuery) -> LeaderboardPage:
        """A page of a leaderboard.

        Raises:
            NotFoundError: the guild has no such period.
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            period = await self._period(view, query)
            if period is None:
                return LeaderboardPage([], 0)
            board = Board(query.guild_id, period.index, query.channel_id, query.search)
            if period.state == "archived" and board.channel_id is None:
                lines = await view.archived(board, query.limit, query.offset)
                counted = period.entry_count if board.search is None else None
                total = await view.count_archived(board) if counted is None else counted
            else:
                lines, total = await self._reckoned(view, board, period, query)
            late = await view.late_corrections(board) if period.state == "archived" else {}
            names = await view.member_names(board.guild_id, [line.user_id for line in lines if line.user_id is not None])
        return LeaderboardPage(
            [
                LeaderboardLine(
                    line.rank,
                    line.user_id,
                    names.get(line.user_id) if line.user_id else None,
                    *line[2:],
                    corrected_ms=late.get(line.user_id, 0) if line.user_id else 0,
                )
                for line in lines
            ],
            total,
        )

    async def rank_of(self, view: ReportView, board: Board, credited_ms: int, as_of_ms: int) -> int:
        """The rank of a member of a whole guild's board who has so much time with their open session."""
        sessions = await view.live_sessions(board)
        standings = await self.cache.standings(view, board)
        if standings is not None:
            live = live_lines(sessions, standings.stored_of, as_of_ms)
            return 1 + standings.above(credited_ms) + live_above(live, credited_ms)
        live = live_lines(sessions, (await view.stored_of_live(board)).get, as_of_ms)
        return 1 + (await view.counts_above(board, [credited_ms]))[credited_ms] + live_above(live, credited_ms)

    async def _period(self, view: ReportView, query: LeaderboardQuery) -> Period | None:
        if query.period_index is None:
            return await view.running_period(query.guild_id)
        period = await view.period(query.guild_id, query.period_index)
        if period is None:
            raise NotFoundError("there is no such period")
        return period

    async def _reckoned(
        self, view: ReportView, board: Board, period: Period, query: LeaderboardQuery
    ) -> tuple[list[Ranked], int]:
        as_of_ms = await seen_until(view, board.guild_id, period, self.clock)
        if board.channel_id is None:
            everyone = replace(board, search=None)
            sessions = await view.live_sessions(everyone)
            found = None if board.search is None else await view.members_found(board.guild_id, board.search)
            standings = await self.cache.standings(view, everyone)
            if standings is not None:
                live = live_lines(sessions, standings.stored_of, as_of_ms)
                if found is None:
                    return _page_in_memory(standings, live, query), len(standings) + live.new_count
                return _found_in_memory(standings, live, found, query)
        if board.search is not None:
            return await _found_page(view, board, as_of_ms, query)
        return await _page_in_database(view, board, as_of_ms, query)


async def seen_until(view: ReportView, guild_id: GuildId, period: Period, clock: Clock) -> int:
    """Up to when the period's open sessions are reckoned: how far the guild was seen, never beyond the period's end."""
    until_ms = (await view.watch(guild_id)).seen_until(clock.now_ms())
    # After a cut, open sessions of the period that ended stand for the moment until their closing is stored.
    return until_ms if period.ended_at_ms is None else min(until_ms, period.ended_at_ms)


def _page_in_memory(standings: Standings, live: LiveLines, query: LeaderboardQuery) -> list[Ranked]:
    skip, count = window_for(query.offset, query.limit, live)
    page = merged_page(standings.lines(count, skip), skip, live, query.offset, query.limit)
    above = page.position
    if begins_in_tie(page):
        credited_ms = -page.lines[0][0]
        above = standings.above(credited_ms) + live_above(live, credited_ms)
    return ranked(page, above)


def _found_in_memory(
    standings: Standings, live: LiveLines, found: Collection[UserId], query: LeaderboardQuery
) -> tuple[list[Ranked], int]:
    """Members found by name, each with the rank they have among all, and how many of those found are on the board."""
    now = {line[1]: line for line in live.now}
    lines: list[Contender] = []
    for user_id in found:
        if user_id in now:
            lines.append(now[user_id])
        elif (stored := standings.stored_of(user_id)) is not None:
            lines.append((-stored[0], user_id, stored[1], False))
    page = sorted(lines)[query.offset : query.offset + query.limit]
    return [
        Ranked(1 + standings.above(-negated_ms) + live_above(live, -negated_ms), user_id, -negated_ms, session_count, is_live)
        for negated_ms, user_id, session_count, is_live in page
    ], len(lines)


async def _merged(view: ReportView, board: Board, as_of_ms: int, query: LeaderboardQuery) -> tuple[MergedPage, LiveLines, int]:
    live = live_lines(await view.live_sessions(board), (await view.stored_of_live(board)).get, as_of_ms)
    skip, count = window_for(query.offset, query.limit, live)
    page = merged_page(await view.stored(board, count, skip), skip, live, query.offset, query.limit)
    return page, live, await view.count_stored(board) + live.new_count


async def _page_in_database(view: ReportView, board: Board, as_of_ms: int, query: LeaderboardQuery) -> tuple[list[Ranked], int]:
    page, live, total = await _merged(view, board, as_of_ms, query)
    above = page.position
    if begins_in_tie(page):
        credited_ms = -page.lines[0][0]
        above = (await view.counts_above(board, [credited_ms]))[credited_ms] + live_above(live, credited_ms)
    return ranked(page, above), total


async def _found_page(view: ReportView, board: Board, as_of_ms: int, query: LeaderboardQuery) -> tuple[list[Ranked], int]:
    """Members found by name, each with the rank they have among all."""
    page, _, total = await _merged(view, board, as_of_ms, query)
    everyone = replace(board, search=None)
    live = live_lines(await view.live_sessions(everyone), (await view.stored_of_live(everyone)).get, as_of_ms)
    above = await view.counts_above(everyone, [-line[0] for line in page.lines])
    lines = [
        Ranked(1 + above[-negated_ms] + live_above(live, -negated_ms), user_id, -negated_ms, session_count, is_live)
        for negated_ms, user_id, session_count, is_live in page.lines
    ]
    return lines, total
