"""A guild's time by local hours, days, weeks and months.

Everything comes from the sums by quarter-hour that are stored with each closed session, and from the open sessions as if they
closed now: the same numbers that leaderboards and statistics add up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from attendance.domain.ids import GuildId, UserId
from attendance.domain.local_time import (
    HOURS_OF_WEEK,
    QUARTERS_OF_DAY,
    LocalRange,
    Unit,
    by_local,
    first_day_of,
    hour_of_week,
    last_days,
    local_day,
)
from attendance.domain.reporting import OpenSession
from attendance.ports.clock import Clock
from attendance.ports.reports import ReportSource, ReportView


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Credited milliseconds by hour of the week (168, Monday's first hour first) in ``[from_ms, to_ms)``."""

    timezone: str
    from_ms: int
    to_ms: int
    cells_ms: Sequence[int]


@dataclass(frozen=True, slots=True)
class TrendPart:
    """A local day, or a week or month by its first day. Sessions count where they ended, open ones in the last part.

    ``member_count``: members who had a session then, be it the end of one that began earlier.
    """

    first_day: date
    credited_ms: int
    session_count: int
    member_count: int


@dataclass(frozen=True, slots=True)
class Trend:
    """Credited time in ``[from_ms, to_ms)``, by parts without gaps; the first and the last may be cut by the range."""

    timezone: str
    unit: Unit
    from_ms: int
    to_ms: int
    parts: Sequence[TrendPart]


@dataclass(frozen=True, slots=True)
class MemberDays:
    """A member's credited milliseconds in ``[from_ms, to_ms)`` by local day, without gaps, oldest first."""

    timezone: str
    from_ms: int
    to_ms: int
    days: Sequence[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Analytics:
    """Reports over the last so many local days, today included, of all periods."""

    reports: ReportSource
    clock: Clock

    async def heatmap(self, guild_id: GuildId, days: int, timezone: str | None) -> Heatmap:
        """Credited time by hour of the week; ``timezone`` None is the guild's.

        Raises:
            InvalidInputError: there is no such time zone.
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            now_ms = self.clock.now_ms()
            span = await span_of(view, guild_id, days, timezone, now_ms)
            stretches = span.stretches()
            cells = [0] * HOURS_OF_WEEK
            for stretch in stretches:
                for hour, credited_ms in await view.week_hours(guild_id, stretch):
                    cells[hour] += credited_ms
            for quarter, shift, credited_ms in by_local(stretches, await self._live_quarters(view, guild_id, now_ms)):
                cells[hour_of_week(quarter, shift)] += credited_ms
        return Heatmap(span.timezone, span.from_ms, now_ms, cells)

    async def trend(self, guild_id: GuildId, days: int, timezone: str | None, unit: Unit) -> Trend:
        """Credited time, sessions and members by local day, week or month; ``timezone`` None is the guild's.

        Raises:
            InvalidInputError: there is no such time zone.
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            now_ms = self.clock.now_ms()
            span = await span_of(view, guild_id, days, timezone, now_ms)
            stretches = span.stretches()
            units = span.units(unit)
            credited: defaultdict[date, int] = defaultdict(int)
            for stretch in stretches:
                for day, credited_ms in await view.local_days(guild_id, stretch):
                    credited[first_day_of(unit, local_day(day))] += credited_ms
            as_of_ms = (await view.watch(guild_id)).seen_until(now_ms)
            running = await view.open_timelines(guild_id)
            for quarter, shift, credited_ms in by_local(stretches, quarters_of_open(running, as_of_ms)):
                credited[first_day_of(unit, local_day((quarter + shift) // QUARTERS_OF_DAY))] += credited_ms
            activity = {part.unit: part for part in await view.activity(guild_id, units, as_of_ms)}
        counts = [activity[index].session_count if index in activity else 0 for index in range(len(units))]
        counts[-1] += sum(session.as_closed(as_of_ms).session_count for session in running)
        parts = [
            TrendPart(
                first_day=part.first_day,
                credited_ms=credited[part.first_day],
                session_count=counts[index],
                member_count=activity[index].member_count if index in activity else 0,
            )
            for index, part in enumerate(units)
        ]
        return Trend(span.timezone, unit, span.from_ms, now_ms, parts)

    async def member_days(self, guild_id: GuildId, user_id: UserId, days: int, timezone: str | None) -> MemberDays:
        """A member's credited time by local day, of all periods; ``timezone`` None is the guild's.

        Raises:
            InvalidInputError: there is no such time zone.
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            now_ms = self.clock.now_ms()
            span = await span_of(view, guild_id, days, timezone, now_ms)
            stretches = span.stretches()
            credited: defaultdict[date, int] = defaultdict(int)
            for stretch in stretches:
                for day, credited_ms in await view.member_days(guild_id, user_id, stretch):
                    credited[local_day(day)] += credited_ms
            running = await view.open_session(guild_id, user_id)
            as_of_ms = (await view.watch(guild_id)).seen_until(now_ms)
            for quarter, shift, credited_ms in by_local(
                stretches, quarters_of_open([] if running is None else [running], as_of_ms)
            ):
                credited[local_day((quarter + shift) // QUARTERS_OF_DAY)] += credited_ms
        firsts = [unit.first_day for unit in span.units(Unit.DAY)]
        return MemberDays(span.timezone, span.from_ms, now_ms, [(day, credited[day]) for day in firsts])

    async def _live_quarters(self, view: ReportView, guild_id: GuildId, now_ms: int) -> list[tuple[int, int]]:
        as_of_ms = (await view.watch(guild_id)).seen_until(now_ms)
        return quarters_of_open(await view.open_timelines(guild_id), as_of_ms)


def quarters_of_open(sessions: Iterable[OpenSession], as_of_ms: int) -> list[tuple[int, int]]:
    """What open sessions would add by UTC quarter-hour if they closed at ``as_of_ms``."""
    sums: defaultdict[int, int] = defaultdict(int)
    for session in sessions:
        for quarter, credited_ms in session.quarters(as_of_ms):
            sums[quarter] += credited_ms
    return sorted(sums.items())


async def span_of(view: ReportView, guild_id: GuildId, days: int, timezone: str | None, now_ms: int) -> LocalRange:
    """The last ``days`` local days; ``timezone`` None is the guild's.

    Raises:
        InvalidInputError: there is no such time zone.
    """
    if timezone is None:
        timezone = (await view.settings(guild_id)).schedule.timezone
    return last_days(timezone, now_ms, days)
