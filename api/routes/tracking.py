"""``/tracking-mode``, ``/tracked-channels`` and ``/fairness``."""

from __future__ import annotations

from litestar import Response, delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import (
    ChannelPath,
    Guild,
    IdempotencyKey,
    Offset,
    Services,
    TableLimit,
    Who,
    parse_channel,
    table_limit,
)
from api.routes import GUILD
from api.schemas.settings import (
    ChangeFairnessBody,
    ChangeModeBody,
    FairnessBody,
    ModeBody,
    TrackChannelBody,
    TrackedChannelBody,
)
from api.schemas.wire import Page, Strict
from api.shapes import fairness_body, given, mode_body, tracked_channel
from api.tables import Format, listing
from attendance.services.access import Right
from attendance.services.commands import Request

_TAGS = ["settings"]


@patch(
    f"{GUILD}/tracking-mode",
    operation_id="changeTrackingMode",
    summary="Choose which channels are tracked",
    tags=_TAGS,
    guards=[requires(Right.WRITE)],
    dto=Strict[ChangeModeBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def change_tracking_mode(
    services: Services, guild: Guild, caller: Who, data: JSONBody[ChangeModeBody], idempotency_key: IdempotencyKey = None
) -> ModeBody:
    """Change the mode."""
    request = Request(guild, caller.actor, idempotency_key)
    return mode_body(await services.settings.change_mode(request, data.mode))


@get(
    f"{GUILD}/tracked-channels",
    operation_id="listTrackedChannels",
    summary="The channels that the mode's list names",
    description="A category stands for its channels, now and later.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_tracked_channels(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[TrackedChannelBody]]:
    """A page of tracked channels."""
    page = await services.settings.tracked(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    items = [tracked_channel(line) for line in page.channels]
    return listing("tracked-channels", items, TrackedChannelBody, page.total, format_)


@post(
    f"{GUILD}/tracked-channels",
    operation_id="addTrackedChannel",
    summary="Put a channel or category on the list",
    description="201 the first time, 200 if it was on the list already.",
    tags=_TAGS,
    status_code=201,
    guards=[requires(Right.WRITE)],
    dto=Strict[TrackChannelBody],
    return_dto=None,
    responses={
        200: ResponseSpec(TrackedChannelBody, description="It was on the list already", generate_examples=False),
        **guild_errors(409, 413),
    },
)
async def add_tracked_channel(
    services: Services, guild: Guild, caller: Who, data: JSONBody[TrackChannelBody], idempotency_key: IdempotencyKey = None
) -> Response[TrackedChannelBody]:
    """Track a channel."""
    request = Request(guild, caller.actor, idempotency_key)
    line, created = await services.settings.track(request, parse_channel(data.channel_id))
    return Response(tracked_channel(line), status_code=201 if created else 200)


@delete(
    f"{GUILD}/tracked-channels/{{channel_id:str}}",
    operation_id="removeTrackedChannel",
    summary="Take a channel or category off the list",
    description="404 if it is not on it.",
    tags=_TAGS,
    guards=[requires(Right.WRITE)],
    responses=guild_errors(409),
)
async def remove_tracked_channel(
    services: Services, guild: Guild, caller: Who, channel_id: ChannelPath, idempotency_key: IdempotencyKey = None
) -> None:
    """Do not track a channel any more."""
    request = Request(guild, caller.actor, idempotency_key)
    await services.settings.untrack(request, parse_channel(channel_id))


@get(
    f"{GUILD}/fairness",
    operation_id="getFairness",
    summary="What pauses time and what is too short to count",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_fairness(services: Services, guild: Guild) -> FairnessBody:
    """The fairness settings."""
    return fairness_body(await services.settings.fairness(guild))


@patch(
    f"{GUILD}/fairness",
    operation_id="changeFairness",
    summary="Change what pauses time",
    description="Only the members given change. Open sessions are cut where the rules change.",
    tags=_TAGS,
    guards=[requires(Right.WRITE)],
    dto=Strict[ChangeFairnessBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def change_fairness(
    services: Services, guild: Guild, caller: Who, data: JSONBody[ChangeFairnessBody], idempotency_key: IdempotencyKey = None
) -> FairnessBody:
    """Change the fairness settings."""
    request = Request(guild, caller.actor, idempotency_key)
    return fairness_body(await services.settings.change_fairness(request, given(data)))


ROUTES: list[ControllerRouterHandler] = [
    change_tracking_mode,
    list_tracked_channels,
    add_tracked_channel,
    remove_tracked_channel,
    get_fairness,
    change_fairness,
]
