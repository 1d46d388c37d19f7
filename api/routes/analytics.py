"""The reports over a range: ``/analytics/…`` and ``/stats/days``; and ``/channel-stats``."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from litestar import Response, get
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, Services, UserQuery, parse_channel, parse_user
from api.routes import GUILD
from api.schemas.analytics import (
    AmountClassBody,
    ChannelShareBody,
    ChannelSharesBody,
    ChannelStatsBody,
    DistributionBody,
    HeatmapBody,
    HeatmapRowBody,
    MemberDaysBody,
    TrendBody,
    TrendPartBody,
    UnitName,
)
from api.schemas.reports import DayPartBody
from api.schemas.wire import DECIMAL_ID
from api.shapes_analytics import (
    channel_shares_body,
    channel_stats_body,
    distribution_body,
    heatmap_body,
    heatmap_rows,
    member_days_body,
    trend_body,
)
from api.tables import Format, table
from attendance.domain.local_time import MAX_DAYS, Unit
from attendance.services.access import Right
from attendance.services.channel_statistics import MAX_MEMBERS

_TAGS = ["reports"]
_DEFAULT_DAYS = 28

Days: TypeAlias = Annotated[int, QueryParameter(ge=1, le=MAX_DAYS, description="How many local days back, today included")]
MemberLimit: TypeAlias = Annotated[
    int, QueryParameter(ge=1, le=MAX_MEMBERS, description="How many of the members at most, those with the most time")
]
TimeZone: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="tz",
        max_length=64,
        description="A time zone of the IANA database; the guild's by default",
    ),
]
ChannelQuery: TypeAlias = Annotated[
    str, QueryParameter(name="channel_id", pattern=DECIMAL_ID, description="A channel's Discord id")
]
UnitQuery: TypeAlias = Annotated[UnitName, QueryParameter(description="Local days, weeks from Monday on, or months")]


@get(
    f"{GUILD}/analytics/heatmap",
    operation_id="getHeatmap",
    summary="Time by hour of the week",
    description="Member-seconds of the last `days` local days, open sessions included. An hour that a clock change repeats "
    "holds both, so that the cells always add up to the range's total.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
    text_example="weekday,hour,seconds\r\n0,0,5400\r\n",
)
async def get_heatmap(
    *, services: Services, guild: Guild, days: Days = _DEFAULT_DAYS, tz: TimeZone = None, format_: Format = "json"
) -> Response[HeatmapBody]:
    """The heatmap."""
    heatmap = await services.analytics.heatmap(guild, days, tz)
    if format_ == "csv":
        rows = heatmap_rows(heatmap)
        return table("heatmap", rows, HeatmapRowBody, len(rows))
    return Response(heatmap_body(heatmap))


@get(
    f"{GUILD}/analytics/trend",
    operation_id="getTrend",
    summary="Time, sessions and members by day, week or month",
    description="The last `days` local days, open sessions included. The days of a week add up to the week.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_trend(
    *,
    services: Services,
    guild: Guild,
    days: Days = _DEFAULT_DAYS,
    tz: TimeZone = None,
    unit: UnitQuery = "day",
    format_: Format = "json",
) -> Response[TrendBody]:
    """The trend."""
    body = trend_body(await services.analytics.trend(guild, days, tz, Unit(unit)))
    if format_ == "csv":
        return table("trend", body.items, TrendPartBody, body.total)
    return Response(body)


@get(
    f"{GUILD}/analytics/distribution",
    operation_id="getDistribution",
    summary="How the time is distributed over the members",
    description="The last `days` local days, open sessions included: how many members have how much, in classes that double, "
    "with quartiles and what the tenth with the most has. It names nobody. Sessions that were erased are of no member any "
    "more; their time is `erased_seconds`.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_distribution(
    *, services: Services, guild: Guild, days: Days = _DEFAULT_DAYS, tz: TimeZone = None, format_: Format = "json"
) -> Response[DistributionBody]:
    """The distribution."""
    body = distribution_body(await services.breakdowns.distribution(guild, days, tz))
    if format_ == "csv":
        return table("distribution", body.items, AmountClassBody, body.total)
    return Response(body)


@get(
    f"{GUILD}/analytics/channels",
    operation_id="getChannelShares",
    summary="Time, sessions and members by channel",
    description="The last `days` local days, open sessions included, most time first. Of sessions that were erased only the "
    "time is left.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_channel_shares(
    *, services: Services, guild: Guild, days: Days = _DEFAULT_DAYS, tz: TimeZone = None, format_: Format = "json"
) -> Response[ChannelSharesBody]:
    """The channels."""
    body = channel_shares_body(await services.breakdowns.channels(guild, days, tz))
    if format_ == "csv":
        return table("channels", body.items, ChannelShareBody, body.total)
    return Response(body)


@get(
    f"{GUILD}/stats/days",
    operation_id="getMemberDays",
    summary="One member's time by day",
    description="The last `days` local days of all periods, today and the open session included. Members may ask for their own "
    "without Manage Server.",
    tags=_TAGS,
    guards=[requires(Right.OWN_STATS, own="user_id")],
    responses=guild_errors(),
)
async def get_member_days(
    *,
    services: Services,
    guild: Guild,
    member: UserQuery,
    days: Days = _DEFAULT_DAYS,
    tz: TimeZone = None,
    format_: Format = "json",
) -> Response[MemberDaysBody]:
    """A member's days."""
    user_id = parse_user(member)
    body = member_days_body(user_id, await services.analytics.member_days(guild, user_id, days, tz))
    if format_ == "csv":
        return table("days", body.items, DayPartBody, body.total)
    return Response(body)


@get(
    f"{GUILD}/channel-stats",
    operation_id="getChannelStats",
    summary="One channel's numbers",
    description="The running period, open sessions included. 404 for a channel that the guild does not have and never had.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_channel_stats(
    services: Services, guild: Guild, channel_id: ChannelQuery, limit: MemberLimit = MAX_MEMBERS
) -> ChannelStatsBody:
    """A channel's statistics."""
    return channel_stats_body(await services.channel_reports.channel(guild, parse_channel(channel_id), limit))


ROUTES: list[ControllerRouterHandler] = [
    get_heatmap,
    get_trend,
    get_distribution,
    get_channel_shares,
    get_member_days,
    get_channel_stats,
]
