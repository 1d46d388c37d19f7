"""What every report must agree on, whatever was recorded: the same time, to the millisecond."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.shapes_analytics import channel_shares_body, channel_stats_body, distribution_body, heatmap_body, trend_body
from attendance.clock import FixedClock
from attendance.core import clip_timeline, quarters_of
from attendance.domain.ids import GuildId
from attendance.domain.local_time import Unit
from attendance.domain.reporting import OpenSession, whole_seconds
from attendance.ports.reports import SessionFilter, SessionLine
from attendance.services.analytics import Analytics
from attendance.services.attendance_lists import AttendanceLists
from attendance.services.breakdowns import Breakdowns
from attendance.services.channel_statistics import ChannelReports
from attendance.services.leaderboards import LeaderboardQuery, Leaderboards
from attendance.services.standings_cache import StandingsCache
from attendance.services.statistics import Statistics
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.reports import SqlReportSource


@dataclass
class Reports:
    """Everything that can be asked, and what it must add up to: closed sessions, and open ones as if they closed."""

    source: SqlReportSource
    clock: FixedClock
    guild_id: GuildId

    async def read(self) -> None:
        self.boards = Leaderboards(self.source, self.clock, StandingsCache())
        everything = await AttendanceLists(self.source, self.clock).sessions(SessionFilter(self.guild_id), 10_000, 0)
        self.closed: list[SessionLine] = [named.session for named in everything.sessions]
        async with self.source.view() as view:
            self.as_of_ms = (await view.watch(self.guild_id)).seen_until(self.clock.now_ms())
            self.open: list[OpenSession] = await view.open_timelines(self.guild_id)
            running = await view.running_period(self.guild_id)
            assert running is not None
            self.period_index = running.index
        self.total_ms = sum(line.credited_ms for line in self.closed) + sum(self.credited(one) for one in self.open)

    def credited(self, session: OpenSession) -> int:
        return session.as_closed(self.as_of_ms).credited_ms

    def of(self, *, period: int, user: int | None = None, channel: int | None = None) -> int:
        parts = [(one.period_index, one.user_id, one.channel_id, one.credited_ms) for one in self.closed]
        parts += [(one.period_index, one.user_id, one.channel_id, self.credited(one)) for one in self.open]
        return sum(
            credited_ms
            for index, member, place, credited_ms in parts
            if index == period and user in (None, member) and channel in (None, place)
        )


async def members_agree(reports: Reports) -> None:
    """Leaderboards, statistics and lists of sessions say the same of each member, their days and channels the same of them."""
    statistics = Statistics(reports.source, reports.boards, reports.clock)
    for period in range(reports.period_index + 1):
        query = LeaderboardQuery(guild_id=reports.guild_id, period_index=period, limit=200, offset=0)
        page = await reports.boards.page(query)
        assert sum(line.credited_ms for line in page.lines) == reports.of(period=period)
        for line in page.lines:
            assert line.user_id is not None
            assert line.credited_ms == reports.of(period=period, user=line.user_id)
            if period == reports.period_index:
                member = await statistics.member(reports.guild_id, line.user_id)
                assert (member.sums.credited_ms, member.sums.session_count) == (line.credited_ms, line.session_count)
                assert sum(part.credited_ms for part in member.by_channel) == line.credited_ms
                assert sum(credited_ms for _, credited_ms in member.by_day) == line.credited_ms
                assert member.rank == line.rank


async def channels_agree(reports: Reports) -> None:
    """Each channel is what its members add up to, and the channels together are the period."""
    places = {one.channel_id for one in reports.open} | {one.channel_id for one in reports.closed}
    together = 0
    for place in places:
        stats = await ChannelReports(reports.source, reports.clock).channel(reports.guild_id, place)
        assert stats.credited_ms == reports.of(period=reports.period_index, channel=place)
        assert sum(member.credited_ms for member in stats.by_member) == stats.credited_ms
        assert sum(credited_ms for _, credited_ms in stats.by_day) == stats.credited_ms
        assert all(credited_ms > 0 for _, credited_ms in stats.by_day)
        assert stats.member_count == len(stats.by_member)
        assert stats.peak == peak(reports, place)
        together += stats.credited_ms
        body = channel_stats_body(stats)
        assert sum(part.seconds for part in body.by_member) == sum(part.seconds for part in body.by_day) == body.seconds
    assert together == reports.of(period=reports.period_index)


def peak(reports: Reports, place: int) -> int:
    index = reports.period_index
    spans = [(o.joined_at_ms, o.left_at_ms) for o in reports.closed if (o.channel_id, o.period_index) == (place, index)]
    spans += [(one.joined_at_ms, 2**62) for one in reports.open if (one.channel_id, one.period_index) == (place, index)]
    return max((sum(1 for start, end in spans if start <= at < end) for at, _ in spans), default=0)


async def ranges_agree(reports: Reports, quarters: dict[int, int], timezone: str) -> None:
    """Hours, days, weeks and months are the same total, and each is what its quarter-hours say, looked up one by one."""
    analytics = Analytics(reports.source, reports.clock)
    zone = ZoneInfo(timezone)
    local = {quarter: datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone) for quarter in quarters}
    cells: dict[int, int] = defaultdict(int)
    for quarter, credited_ms in quarters.items():
        cells[local[quarter].weekday() * 24 + local[quarter].hour] += credited_ms
    heatmap = await analytics.heatmap(reports.guild_id, 366, timezone)
    assert {hour: credited_ms for hour, credited_ms in enumerate(heatmap.cells_ms) if credited_ms} == cells
    assert sum(map(sum, heatmap_body(heatmap).cells)) == reports.total_ms // 1000

    days = await analytics.trend(reports.guild_id, 366, timezone, Unit.DAY)
    by_day: dict[date, int] = defaultdict(int)
    for quarter, credited_ms in quarters.items():
        by_day[local[quarter].date()] += credited_ms
    assert {part.first_day: part.credited_ms for part in days.parts if part.credited_ms} == by_day
    assert [part.member_count for part in days.parts] == members_by_day(reports, [part.first_day for part in days.parts], zone)
    day_seconds = whole_seconds(part.credited_ms for part in days.parts)
    for unit, of in (
        (Unit.WEEK, lambda day: day - timedelta(days=day.weekday())),
        (Unit.MONTH, lambda day: day.replace(day=1)),
    ):
        trend = await analytics.trend(reports.guild_id, 366, timezone, unit)
        added: dict[date, int] = defaultdict(int)
        for part, seconds in zip(days.parts, day_seconds, strict=True):
            added[of(part.first_day)] += seconds
        body = trend_body(trend)
        assert {part.date: part.seconds for part in body.items} == {day.isoformat(): added[day] for day in added}
        assert body.seconds == reports.total_ms // 1000
        assert (
            body.sessions
            == trend_body(days).sessions
            == len(reports.closed) + sum(one.as_closed(reports.as_of_ms).session_count for one in reports.open)
        )


async def breakdowns_agree(reports: Reports, timezone: str) -> None:
    """Members and channels of a range, long or short, add up to its trend, and each has what is said of them elsewhere."""
    analytics, breakdowns = Analytics(reports.source, reports.clock), Breakdowns(reports.source, reports.clock)
    everybody = {one.user_id for one in [*reports.closed, *reports.open]}
    for days in (366, 1):
        trend = await analytics.trend(reports.guild_id, days, timezone, Unit.DAY)
        told = await breakdowns.distribution(reports.guild_id, days, timezone)
        shares = await breakdowns.channels(reports.guild_id, days, timezone)
        total_ms = sum(part.credited_ms for part in trend.parts)
        distribution = told.distribution
        theirs = [
            sum(credited_ms for _, credited_ms in (await analytics.member_days(reports.guild_id, user, days, timezone)).days)
            for user in everybody
        ]
        assert (told.from_ms, told.to_ms, told.erased_ms) == (trend.from_ms, trend.to_ms, 0)
        assert distribution.credited_ms == sum(theirs) == total_ms
        assert sorted(theirs)[len(theirs) - distribution.with_time_count :] == sorted(one for one in theirs if one >= 1000)
        for one in distribution.classes:
            inside = [
                amount
                for amount in theirs
                if one.from_seconds <= amount // 1000 and (one.to_seconds is None or amount // 1000 < one.to_seconds)
            ]
            assert sum(inside) == one.credited_ms
            if one.from_seconds:  # who has none may have been there or not
                assert len(inside) == one.member_count
        assert sum(one.member_count for one in distribution.classes) == distribution.member_count
        assert sum(share.credited_ms for share in shares.channels) == total_ms
        assert sum(share.session_count for share in shares.channels) == sum(part.session_count for part in trend.parts)
        body = distribution_body(told)
        assert body.seconds == sum(one.seconds for one in body.items) == channel_shares_body(shares).seconds
        assert body.seconds == trend_body(trend).seconds
    # One day, the last asked for, is a trend's only part.
    assert distribution.member_count == trend.parts[0].member_count
    assert sum(share.member_count for share in shares.channels) >= distribution.member_count
    everything = await breakdowns.channels(reports.guild_id, 366, timezone)
    for share in everything.channels:
        parts = [(one.user_id, one.credited_ms) for one in reports.closed if one.channel_id == share.channel_id]
        running = [one for one in reports.open if one.channel_id == share.channel_id]
        parts += [(one.user_id, reports.credited(one)) for one in running if one.joined_at_ms < reports.as_of_ms]
        assert share.credited_ms == sum(credited_ms for _, credited_ms in parts)
        assert share.member_count == len({user for user, _ in parts})


def members_by_day(reports: Reports, days: list[date], zone: ZoneInfo) -> list[int]:
    spans = [(one.user_id, one.joined_at_ms, one.left_at_ms) for one in reports.closed]
    spans += [(o.user_id, o.joined_at_ms, reports.as_of_ms) for o in reports.open if o.joined_at_ms < reports.as_of_ms]
    present: dict[date, set[int]] = defaultdict(set)
    for user_id, start, end in spans:
        at = start
        while at < end:
            present[datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date()].add(user_id)
            at = (at // 900_000 + 1) * 900_000
    return [len(present[day]) for day in days]


async def quarters_said(reports: Reports, database: Database) -> dict[int, int]:
    """Credited time by quarter-hour from the timelines themselves, clipped by the core to one quarter after the other."""
    async with database.snapshot() as connection:
        table = schema.session
        query = table.select().where(table.c.guild_id == reports.guild_id, table.c.credited_ms > 0)
        rows: list[Any] = list(await connection.execute(query))
    quarters: dict[int, int] = defaultdict(int)
    for row in rows:
        whole = 0
        for quarter in range(row.joined_at_ms // 900_000, (row.left_at_ms - 1) // 900_000 + 1):
            part = clip_timeline(row.timeline, quarter * 900_000, (quarter + 1) * 900_000)
            credited_ms = sum(amount for _, amount in quarters_of(part))
            quarters[quarter] += credited_ms
            whole += credited_ms
        assert whole == row.credited_ms
    for session in reports.open:
        for quarter, credited_ms in session.quarters(reports.as_of_ms):
            quarters[quarter] += credited_ms
    return {quarter: credited_ms for quarter, credited_ms in quarters.items() if credited_ms}
