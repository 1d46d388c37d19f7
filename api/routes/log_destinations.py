"""``/log-destinations``: channels in Discord that are told what happens."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import DestinationPath, Guild, Offset, Services, TableLimit, Who, parse_channel, table_limit
from api.routes import GUILD
from api.schemas.log_destinations import (
    AddLogDestinationBody,
    ChangeLogFrequencyBody,
    ChangeLogTypesBody,
    LogDestinationBody,
)
from api.schemas.wire import Page, Strict
from api.shapes_log_destinations import change_of_types, log_destination_body, wanted
from api.tables import Format, listing
from attendance.domain.log_destinations import Frequency
from attendance.ports.log_destinations import DestinationChange
from attendance.services.access import Right

_TAGS = ["log destinations"]
_AGAIN = "One that was disabled works again."


@get(
    f"{GUILD}/log-destinations",
    operation_id="listLogDestinations",
    summary="Channels that are told what happens",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_log_destinations(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[LogDestinationBody]]:
    """A page of destinations, in the order in which they were added."""
    found, total = await services.log_destinations.page(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    items = [log_destination_body(one) for one in found]
    return listing("log-destinations", items, LogDestinationBody, total, format_)


@post(
    f"{GUILD}/log-destinations",
    operation_id="addLogDestination",
    summary="Let a channel be told what happens",
    description="201 the first time. 200 if the channel is told already: then only the members given change. " + _AGAIN + " "
    "422 for a channel that is not the guild's, or in which the bot may not post.",
    tags=_TAGS,
    status_code=201,
    guards=[requires(Right.WRITE)],
    dto=Strict[AddLogDestinationBody],
    return_dto=None,
    responses={
        200: ResponseSpec(LogDestinationBody, description="It was told already", generate_examples=False),
        **guild_errors(409, 413),
    },
)
async def add_log_destination(
    services: Services, guild: Guild, caller: Who, data: JSONBody[AddLogDestinationBody]
) -> Response[LogDestinationBody]:
    """Tell a channel."""
    types, frequency = wanted(data)
    channel_id = parse_channel(data.channel_id)
    found, added = await services.log_destinations.add(guild, channel_id, types, frequency, caller.actor)
    return Response(log_destination_body(found), status_code=201 if added else 200)


@delete(
    f"{GUILD}/log-destinations/{{destination_id:str}}",
    operation_id="removeLogDestination",
    summary="Tell a channel nothing any more",
    description="What waits for it is never told.",
    tags=_TAGS,
    guards=[requires(Right.WRITE)],
    responses=guild_errors(),
)
async def remove_log_destination(services: Services, guild: Guild, caller: Who, destination_id: DestinationPath) -> None:
    """Remove a destination."""
    await services.log_destinations.remove(guild, UUID(destination_id), caller.actor)


@patch(
    f"{GUILD}/log-destinations/{{destination_id:str}}/types",
    operation_id="changeLogTypes",
    summary="Choose what a channel is told",
    description="All of it by `types`, or one by `type` and `enabled`. It holds for what happens from then on. " + _AGAIN,
    tags=_TAGS,
    guards=[requires(Right.WRITE)],
    dto=Strict[ChangeLogTypesBody],
    return_dto=None,
    responses=guild_errors(413),
)
async def change_log_types(
    services: Services, guild: Guild, caller: Who, destination_id: DestinationPath, data: JSONBody[ChangeLogTypesBody]
) -> LogDestinationBody:
    """Change the types."""
    changed = await services.log_destinations.change(guild, UUID(destination_id), change_of_types(data), caller.actor)
    return log_destination_body(changed)


@patch(
    f"{GUILD}/log-destinations/{{destination_id:str}}/frequency",
    operation_id="changeLogFrequency",
    summary="Choose how often a channel is told",
    description="What has gathered is kept, and told when it is due by the new frequency. " + _AGAIN,
    tags=_TAGS,
    guards=[requires(Right.WRITE)],
    dto=Strict[ChangeLogFrequencyBody],
    return_dto=None,
    responses=guild_errors(413),
)
async def change_log_frequency(
    services: Services, guild: Guild, caller: Who, destination_id: DestinationPath, data: JSONBody[ChangeLogFrequencyBody]
) -> LogDestinationBody:
    """Change the frequency."""
    change = DestinationChange(frequency=Frequency(data.frequency))
    return log_destination_body(await services.log_destinations.change(guild, UUID(destination_id), change, caller.actor))


ROUTES: list[ControllerRouterHandler] = [
    list_log_destinations,
    add_log_destination,
    remove_log_destination,
    change_log_types,
    change_log_frequency,
]
