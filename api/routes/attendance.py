"""``/sessions``, ``/blind`` and ``/analytics/live-occupancy``: what was seen."""

from __future__ import annotations

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import (
    ChannelFilter,
    From,
    Guild,
    Offset,
    Services,
    TableLimit,
    To,
    UserFilter,
    instant,
    parse_channel,
    parse_user,
    table_limit,
)
from api.routes import GUILD
from api.schemas.reports import BlindBody, OccupancyBody, SessionBody
from api.schemas.wire import Page
from api.shapes import blind_body, occupancy_body, session_body
from api.tables import Format, listing
from attendance.ports.reports import SessionFilter
from attendance.services.access import Right

_TAGS = ["attendance"]


@get(
    f"{GUILD}/sessions",
    operation_id="listSessions",
    summary="Closed sessions, newest first",
    description="Those that overlap the range, each in full.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_sessions(
    *,
    services: Services,
    guild: Guild,
    from_: From = None,
    to: To = None,
    user_filter: UserFilter = None,
    channel_filter: ChannelFilter = None,
    format_: Format = "json",
    limit: TableLimit = None,
    offset: Offset = 0,
) -> Response[Page[SessionBody]]:
    """A page of sessions."""
    which = SessionFilter(
        guild,
        instant(from_, "from"),
        instant(to, "to"),
        None if user_filter is None else parse_user(user_filter),
        None if channel_filter is None else parse_channel(channel_filter),
    )
    page = await services.lists.sessions(which, table_limit(limit, is_table=format_ == "csv"), offset)
    items = [session_body(line) for line in page.sessions]
    return listing("sessions", items, SessionBody, page.total, format_)


@get(
    f"{GUILD}/blind",
    operation_id="listBlindIntervals",
    summary="When nothing was seen, newest first",
    description="Those that overlap the range, each in full.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_blind_intervals(
    *,
    services: Services,
    guild: Guild,
    from_: From = None,
    to: To = None,
    format_: Format = "json",
    limit: TableLimit = None,
    offset: Offset = 0,
) -> Response[Page[BlindBody]]:
    """A page of blind intervals."""
    size = table_limit(limit, is_table=format_ == "csv")
    page = await services.lists.blind(guild, instant(from_, "from"), instant(to, "to"), size, offset)
    now_ms = services.clock.now_ms()
    items = [blind_body(line, now_ms) for line in page.intervals]
    return listing("blind", items, BlindBody, page.total, format_)


@get(
    f"{GUILD}/analytics/live-occupancy",
    operation_id="getLiveOccupancy",
    summary="Who is in voice now",
    description="Members with an open session. Who is in a channel that is not tracked has none and is not listed.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_live_occupancy(services: Services, guild: Guild) -> OccupancyBody:
    """Live occupancy."""
    return occupancy_body(await services.lists.occupancy(guild))


ROUTES: list[ControllerRouterHandler] = [list_sessions, list_blind_intervals, get_live_occupancy]
