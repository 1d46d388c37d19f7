"""One channel's numbers in the running period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.local_time import QUARTERS_OF_DAY, by_local, local_day, stretches
from attendance.domain.ranking import LiveLines, live_lines, merged_page, window_for
from attendance.domain.reporting import QUARTER_MS
from attendance.errors import NotFoundError
from attendance.ports.clock import Clock
from attendance.ports.reports import Board, Period, ReportSource, ReportView, SessionFilter
from attendance.services.analytics import quarters_of_open
from attendance.services.leaderboards import seen_until

# One answer's worth; `/leaderboard?channel_id=` has pages.
MAX_MEMBERS = 10_000


class ChannelMember(NamedTuple):
    """A member's time in the channel, the open session included."""

    user_id: UserId
    display_name: str
    credited_ms: int
    session_count: int
    live: bool


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """A channel in the running period, open sessions included.

    ``peak``: most members at once. ``by_member``: most time first, as many as were asked for; ``by_day``: local days of the
    guild that have some time. Both add up to ``credited_ms``, where that is everybody.
    """

    channel_id: ChannelId
    name: str
    credited_ms: int
    session_count: int
    member_count: int
    peak: int
    by_member: Sequence[ChannelMember]
    by_day: Sequence[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class ChannelReports:
    """Statistics of channels."""

    reports: ReportSource
    clock: Clock

    async def channel(self, guild_id: GuildId, channel_id: ChannelId, most: int = MAX_MEMBERS) -> ChannelStatistics:
        """A channel's statistics, with at most ``most`` members.

        Raises:
            NotFoundError: the guild has no such channel, and never recorded anybody in it.
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            period = await view.running_period(guild_id) or Period(0, 0, None, "running", None)
            as_of_ms = await seen_until(view, guild_id, period, self.clock)
            board = Board(guild_id, period.index, channel_id)
            live = live_lines(await view.live_sessions(board), (await view.stored_of_live(board)).get, as_of_ms)
            sums, stored_count = await view.channel_sums(guild_id, period.index, channel_id)
            if not (stored_count or live.now or await _is_known(view, guild_id, channel_id)):
                raise NotFoundError("there is no such channel")
            members = await _members(view, board, live, most)
            days = await _days(view, board, period, sums.credited_ms, as_of_ms) if members else []
            return ChannelStatistics(
                channel_id=channel_id,
                name=(await view.channel_names(guild_id, [channel_id]))[channel_id],
                credited_ms=sums.credited_ms + _added_ms(live),
                session_count=sums.session_count + await _live_sessions(view, board, as_of_ms),
                member_count=stored_count + live.new_count,
                peak=await view.channel_peak(guild_id, period.index, channel_id, period.started_at_ms),
                by_member=members,
                by_day=days,
            )


async def _is_known(view: ReportView, guild_id: GuildId, channel_id: ChannelId) -> bool:
    if await view.channels(guild_id, [channel_id]):
        return True
    return bool(await view.sessions(SessionFilter(guild_id, channel_id=channel_id), 1, 0))


def _added_ms(live: LiveLines) -> int:
    """What the open sessions add: the live lines hold the stored time of their members as well."""
    return sum(negated_ms for negated_ms, _ in live.replaced) - sum(line[0] for line in live.now)


async def _live_sessions(view: ReportView, board: Board, as_of_ms: int) -> int:
    lines = live_lines(await view.live_sessions(board), lambda _: None, as_of_ms)
    return sum(sessions for _, _, sessions, _ in lines.now)


async def _members(view: ReportView, board: Board, live: LiveLines, most: int) -> list[ChannelMember]:
    skip, count = window_for(0, most, live)
    page = merged_page(await view.stored(board, count, skip), skip, live, 0, most)
    names = await view.member_names(board.guild_id, [line[1] for line in page.lines])
    return [
        ChannelMember(user_id, names[user_id], -negated_ms, session_count, is_live)
        for negated_ms, user_id, session_count, is_live in page.lines
    ]


async def _days(view: ReportView, board: Board, period: Period, stored_ms: int, as_of_ms: int) -> list[tuple[date, int]]:
    """By local day.

    A channel's quarters are summed over all periods, but those behind the running one's beginning are its own; and the quarter
    in which it began has what they leave of the period's total.
    """
    assert board.channel_id is not None  # noqa: S101  # the only caller asks of a channel
    timezone = (await view.settings(board.guild_id)).schedule.timezone
    first = period.started_at_ms // QUARTER_MS
    # Nothing lies beyond the day after today; a quarter's slack does no harm.
    parts = stretches(timezone, first, as_of_ms // QUARTER_MS + QUARTERS_OF_DAY)
    days: defaultdict[int, int] = defaultdict(int)
    for part in parts:
        for day, credited_ms in await view.local_days(board.guild_id, part.clipped(first + 1), board.channel_id):
            days[day] += credited_ms
    if parts:
        days[(first + parts[0].shift) // QUARTERS_OF_DAY] += stored_ms - sum(days.values())
    running = [
        session
        for session in await view.open_timelines(board.guild_id, board.channel_id)
        if session.period_index == board.period_index
    ]
    for quarter, shift, credited_ms in by_local(parts, quarters_of_open(running, as_of_ms)):
        days[(quarter + shift) // QUARTERS_OF_DAY] += credited_ms
    return sorted((local_day(day), credited_ms) for day, credited_ms in days.items() if credited_ms)
