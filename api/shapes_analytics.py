"""The reports over time and of one channel, as they go over the wire."""

from __future__ import annotations

from api.schemas import analytics as body
from api.schemas.reports import DayPartBody
from attendance.domain.ids import UserId
from attendance.domain.instants import to_rfc3339
from attendance.domain.reporting import whole_seconds
from attendance.services.analytics import Heatmap, MemberDays, Trend
from attendance.services.breakdowns import ChannelShares, MemberDistribution
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


def distribution_body(told: MemberDistribution) -> body.DistributionBody:
    """A distribution; the classes are rounded so that they add up, and what was erased is the rest of the trend's total."""
    found = told.distribution
    seconds = whole_seconds(one.credited_ms for one in found.classes)
    return body.DistributionBody(
        timezone=told.timezone,
        from_=to_rfc3339(told.from_ms),
        to=to_rfc3339(told.to_ms),
        members=found.member_count,
        members_with_time=found.with_time_count,
        seconds=sum(seconds),
        erased_seconds=(found.credited_ms + told.erased_ms) // 1000 - found.credited_ms // 1000,
        quartiles=None if found.quartiles_ms is None else _quartiles(found.quartiles_ms),
        top_tenth=body.TopTenthBody(
            members=found.top_count,
            seconds=found.top_ms // 1000,
            share=round(found.top_ms / found.credited_ms, 4) if found.top_count and found.credited_ms > 0 else None,
        ),
        items=[
            body.AmountClassBody(
                from_seconds=one.from_seconds, to_seconds=one.to_seconds, members=one.member_count, seconds=shown
            )
            for one, shown in zip(found.classes, seconds, strict=True)
        ],
        total=len(seconds),
    )


def _quartiles(quartiles_ms: tuple[int, int, int]) -> body.QuartilesBody:
    lower, median, upper = (one // 1000 for one in quartiles_ms)
    return body.QuartilesBody(lower_seconds=lower, median_seconds=median, upper_seconds=upper)


def channel_shares_body(told: ChannelShares) -> body.ChannelSharesBody:
    """A range by channel; rounded so that the channels add up."""
    seconds = whole_seconds(share.credited_ms for share in told.channels)
    return body.ChannelSharesBody(
        timezone=told.timezone,
        from_=to_rfc3339(told.from_ms),
        to=to_rfc3339(told.to_ms),
        seconds=sum(seconds),
        sessions=sum(share.session_count for share in told.channels),
        items=[
            body.ChannelShareBody(
                channel_id=str(share.channel_id),
                name=share.name,
                seconds=shown,
                sessions=share.session_count,
                members=share.member_count,
            )
            for share, shown in zip(told.channels, seconds, strict=True)
        ],
        total=len(seconds),
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
