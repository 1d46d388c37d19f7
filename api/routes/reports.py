"""``/overview``, ``/leaderboard`` and ``/stats``."""

from __future__ import annotations

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import (
    ChannelFilter,
    Guild,
    Offset,
    PeriodQuery,
    Search,
    Services,
    TableLimit,
    UserQuery,
    parse_channel,
    parse_user,
    table_limit,
)
from api.routes import GUILD
from api.schemas.reports import LeaderboardLineBody, OverviewBody, StatsBody
from api.schemas.wire import Page
from api.shapes import leaderboard_line, overview_body, stats_body
from api.tables import Format, listing
from attendance.services.access import Right
from attendance.services.leaderboards import LeaderboardQuery

_TAGS = ["reports"]


@get(
    f"{GUILD}/overview",
    operation_id="getOverview",
    summary="The guild at a glance",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_overview(services: Services, guild: Guild) -> OverviewBody:
    """The overview."""
    return overview_body(await services.overviews.of(guild))


@get(
    f"{GUILD}/leaderboard",
    operation_id="getLeaderboard",
    summary="Members by their time",
    description="The running period up to now, open sessions included, or an archived one with `period_index`. With "
    "`search` each member keeps the rank they have among all.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_leaderboard(
    *,
    services: Services,
    guild: Guild,
    period_index: PeriodQuery = None,
    channel_filter: ChannelFilter = None,
    search: Search = None,
    format_: Format = "json",
    limit: TableLimit = None,
    offset: Offset = 0,
) -> Response[Page[LeaderboardLineBody]]:
    """A page of the leaderboard."""
    page = await services.leaderboards.page(
        LeaderboardQuery(
            guild_id=guild,
            period_index=period_index,
            channel_id=None if channel_filter is None else parse_channel(channel_filter),
            search=search,
            limit=table_limit(limit, is_table=format_ == "csv"),
            offset=offset,
        )
    )
    items = [leaderboard_line(line) for line in page.lines]
    return listing("leaderboard", items, LeaderboardLineBody, page.total, format_)


@get(
    f"{GUILD}/stats",
    operation_id="getStats",
    summary="One member's numbers",
    description="The running period, the open session included. Members may ask for their own without Manage Server. A member "
    "never seen has zeros.",
    tags=_TAGS,
    guards=[requires(Right.OWN_STATS, own="user_id")],
    responses=guild_errors(),
)
async def get_stats(services: Services, guild: Guild, member: UserQuery) -> StatsBody:
    """A member's statistics."""
    return stats_body(await services.statistics.member(guild, parse_user(member)))


ROUTES: list[ControllerRouterHandler] = [get_overview, get_leaderboard, get_stats]
