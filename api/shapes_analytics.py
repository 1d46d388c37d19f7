"""The reports over time and of one channel, as they go over the wire."""

from __future__ import annotations

from api.schemas import analytics as body
from api.schemas.reports import DayPartBody
from attendance.domain.ids import UserId
from attendance.domain.instants import to_rfc3339
from attendance.domain.reporting import whole_seconds
from attendance.services.analytics import Heatmap, MemberDays, Trend
from attendance.services.channel_statistics import ChannelStatistics

_HOURS = 24


def heatmap_body(heatmap: Heatmap) -> body.HeatmapBody:
    """A heatmap; the cells are rounded so that they add up."""
    cells = whole_seconds(heatmap.cells_ms)
    return body.HeatmapBody(
        timezone=heatmap.timezone,
        from_=to_rfc3339(heatmap.from_ms),
        to=to_rfc3339(heatmap.to_ms),
        cells=[cells[start : start + _HOURS] for start in range(0, len(cells), _HOURS)],
    )


def heatmap_rows(heatmap: Heatmap) -> list[body.HeatmapRowBody]:
    """A heatmap as a table."""
    return [
        body.HeatmapRowBody(weekday=number // _HOURS, hour=number % _HOURS, seconds=seconds)
        for number, seconds in enumerate(whole_seconds(heatmap.cells_ms))
    ]


def trend_body(trend: Trend) -> body.TrendBody:
    """A trend; the parts are rounded so that they add up."""
    seconds = whole_seconds(part.credited_ms for part in trend.parts)
    return body.TrendBody(
        timezone=trend.timezone,
        unit=trend.unit.value,
        from_=to_rfc3339(trend.from_ms),
        to=to_rfc3339(trend.to_ms),
        seconds=sum(seconds),
        sessions=sum(part.session_count for part in trend.parts),
        items=[
            body.TrendPartBody(
                date=part.first_day.isoformat(), seconds=shown, sessions=part.session_count, members=part.member_count
            )
            for part, shown in zip(trend.parts, seconds, strict=True)
        ],
        total=len(trend.parts),
    )


def member_days_body(user_id: UserId, told: MemberDays) -> body.MemberDaysBody:
    """A member's days; rounded so that they add up."""
    seconds = whole_seconds(credited_ms for _, credited_ms in told.days)
    return body.MemberDaysBody(
        user_id=str(user_id),
        timezone=told.timezone,
        from_=to_rfc3339(told.from_ms),
        to=to_rfc3339(told.to_ms),
        seconds=sum(seconds),
        items=[DayPartBody(date=day.isoformat(), seconds=shown) for (day, _), shown in zip(told.days, seconds, strict=True)],
        total=len(told.days),
    )


def channel_stats_body(stats: ChannelStatistics) -> body.ChannelStatsBody:
    """A channel's statistics; the parts are rounded so that they add up."""
    member_seconds = whole_seconds(member.credited_ms for member in stats.by_member)
    day_seconds = whole_seconds(credited_ms for _, credited_ms in stats.by_day)
    return body.ChannelStatsBody(
        channel_id=str(stats.channel_id),
        name=stats.name,
        seconds=stats.credited_ms // 1000,
        sessions=stats.session_count,
        members=stats.member_count,
        peak=stats.peak,
        by_member=[
            body.ChannelMemberBody(
                user_id=str(member.user_id),
                display_name=member.display_name,
                seconds=seconds,
                sessions=member.session_count,
                live=member.live,
            )
            for member, seconds in zip(stats.by_member, member_seconds, strict=True)
        ],
        by_day=[
            DayPartBody(date=day.isoformat(), seconds=seconds)
            for (day, _), seconds in zip(stats.by_day, day_seconds, strict=True)
        ],
    )
