"""``/channels``, ``/text-channels``, ``/roles`` and ``/bot-present``: what the gateway and Discord say of the guild itself."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, Offset, Services, TableLimit, Who, table_limit
from api.routes import GUILD
from api.schemas.discord import AccessBody, BotPresentBody, ChannelBody, RoleBody, TextChannelBody
from api.schemas.wire import Page
from api.shapes import channel_body, role_body, text_channel_body
from api.tables import Format, listing
from attendance.services.access import Right

_TAGS = ["discord"]


@get(
    f"{GUILD}/channels",
    operation_id="listChannels",
    summary="Voice channels, stages and categories",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_channels(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[ChannelBody]]:
    """A page of channels, by position."""
    page, total = await services.channels.page(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    return listing("channels", [channel_body(line) for line in page], ChannelBody, total, format_)


@get(
    f"{GUILD}/text-channels",
    operation_id="listTextChannels",
    summary="Channels with messages that the bot can see",
    description="Text and announcement channels, voice channels and stages, in Discord's order, up to 10 seconds ago: what a "
    "log destination may be. For who may write settings, since not every member sees each of them. 503 while Discord is away.",
    tags=_TAGS,
    guards=[requires(Right.WRITE)],
    responses=guild_errors(),
)
async def list_text_channels(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[TextChannelBody]]:
    """A page of channels with messages."""
    page, total = await services.channels.with_messages(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    return listing("text-channels", [text_channel_body(line) for line in page], TextChannelBody, total, format_)


@get(
    f"{GUILD}/roles",
    operation_id="listRoles",
    summary="The guild's roles, the highest first",
    description="As Discord names them, up to 30 seconds ago; @everyone is last. 503 while Discord is away.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_roles(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[RoleBody]]:
    """A page of roles."""
    page, total = await services.channels.roles(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    return listing("roles", [role_body(role) for role in page], RoleBody, total, format_)


@get(
    f"{GUILD}/bot-present",
    operation_id="getBotPresent",
    summary="Whether the bot is in the guild",
    description="Any valid token for the guild may ask.",
    tags=_TAGS,
    guards=[requires(Right.PRESENCE)],
    responses=guild_errors(),
)
async def get_bot_present(services: Services, guild: Guild) -> BotPresentBody:
    """Presence."""
    presence = await services.channels.bot_presence(guild)
    return BotPresentBody(present=presence.present, missing_permissions=list(presence.missing_permissions))


@get(
    f"{GUILD}/access",
    operation_id="getAccess",
    summary="What the caller may do in the guild",
    description="Any valid token for the guild may ask. A dashboard offers by it what will not be refused. Without the bot "
    "there: `present: false`, and no rights but the operators'.",
    tags=_TAGS,
    guards=[requires(Right.PRESENCE)],
    responses=guild_errors(),
)
async def get_access(services: Services, guild: Guild, caller: Who) -> AccessBody:
    """Rights, and the guild's name and time zone."""
    presence = await services.channels.known(guild)
    rights = await services.access.rights(caller, guild)
    if presence is None or not (presence.present or rights):
        return AccessBody(present=False, name=None, timezone="UTC", rights=[])
    settings = await services.preferences.of(guild)
    named: list[Any] = sorted(right.value for right in rights - {Right.PRESENCE})
    return AccessBody(present=presence.present, name=presence.name, timezone=settings.timezone, rights=named)


ROUTES: list[ControllerRouterHandler] = [list_channels, list_text_channels, list_roles, get_access, get_bot_present]
