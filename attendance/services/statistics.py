"""One member's numbers in the running period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.reporting import OpenSession, Sums, by_day
from attendance.ports.clock import Clock
from attendance.ports.reports import Board, Period, ReportSource, ReportView, SessionFilter, SessionLine
from attendance.services.leaderboards import Leaderboards, seen_until

_RECENT = 20


class ChannelPart(NamedTuple):
    """A member's time in one channel, the open session included."""

    channel_id: ChannelId
    name: str
    credited_ms: int
    session_count: int


@dataclass(frozen=True, slots=True)
class MemberStatistics:
    """A member's running period, the open session included, and their latest closed sessions of any period.

    ``external_ms`` is what other systems reported of it, in no total.
    ``rank`` is None for who has no session in the period. ``first_seen_ms`` and ``last_seen_ms`` are of any period.
    """

    user_id: UserId
    display_name: str
    period_index: int
    sums: Sums
    rank: int | None
    live: bool
    first_seen_ms: int | None
    last_seen_ms: int | None
    by_channel: Sequence[ChannelPart]
    by_day: Sequence[tuple[date, int]]
    recent: Sequence[SessionLine]
    external_ms: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of members."""

    reports: ReportSource
    leaderboards: Leaderboards
    clock: Clock

    async def member(self, guild_id: GuildId, user_id: UserId) -> MemberStatistics:
        """A member's statistics; zeros for one who was never seen.

        Raises:
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            period = await view.running_period(guild_id) or Period(0, 0, None, "running", None)
            as_of_ms = await seen_until(view, guild_id, period, self.clock)
            session = await view.open_session(guild_id, user_id)
            # A session that a cut is just closing belongs to the period that ended.
            running = session if session is not None and session.period_index == period.index else None
            stored = await view.member_sums(guild_id, period.index, user_id)
            sums = (stored or Sums()).plus(running.as_closed(as_of_ms) if running else Sums())
            rank = None
            if stored is not None or running is not None:
                board = Board(guild_id, period.index)
                rank = await self.leaderboards.rank_of(view, board, sums.credited_ms, as_of_ms)
            member = _Member(view, guild_id, period.index, user_id, running, as_of_ms)
            span = await view.member_span(guild_id, user_id)
            return MemberStatistics(
                user_id=user_id,
                display_name=(await view.member_names(guild_id, [user_id]))[user_id],
                period_index=period.index,
                sums=sums,
                rank=rank,
                live=session is not None,
                first_seen_ms=span[0] if span else session.joined_at_ms if session else None,
                last_seen_ms=max(as_of_ms, session.since_ms) if session else span[1] if span else None,
                by_channel=await member.channels(),
                by_day=await member.days(),
                recent=await view.sessions(SessionFilter(guild_id, user_id=user_id), _RECENT, 0),
                external_ms=await view.member_external_ms(guild_id, user_id, period.started_at_ms),
            )


@dataclass(frozen=True, slots=True)
class _Member:
    """One member in one period, with the session that runs."""

    view: ReportView
    guild_id: GuildId
    index: int
    user_id: UserId
    running: OpenSession | None
    as_of_ms: int

    async def channels(self) -> list[ChannelPart]:
        parts = {
            line.channel_id: (line.credited_ms, line.session_count)
            for line in await self.view.member_channels(self.guild_id, self.index, self.user_id)
        }
        if self.running is not None:
            credited_ms, count = parts.get(self.running.channel_id, (0, 0))
            now = self.running.as_closed(self.as_of_ms)
            parts[self.running.channel_id] = (credited_ms + now.credited_ms, count + now.session_count)
        names = await self.view.channel_names(self.guild_id, parts)
        lines = [ChannelPart(channel, names[channel], *part) for channel, part in parts.items()]
        return sorted(lines, key=lambda line: (-line.credited_ms, line.channel_id))

    async def days(self) -> list[tuple[date, int]]:
        quarters = await self.view.member_quarters(self.guild_id, self.index, self.user_id)
        if self.running is not None:
            quarters += self.running.quarters(self.as_of_ms)
        return by_day(quarters, (await self.view.settings(self.guild_id)).schedule.timezone)
