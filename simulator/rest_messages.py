"""REST routes about messages: POST with nonces, and GET."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from simulator import rest_errors
from simulator.entities import ChannelType, Permission
from simulator.message_checks import check_message
from simulator.messages import DirectChannels, MessageBoard
from simulator.rest_errors import json_response
from simulator.rest_guilds import path_id
from simulator.truth import wall_clock_ms
from simulator.world import World

_NONCE_MAX = 25
_PAGE_DEFAULT, _PAGE_MAX = 50, 100


class MessageRoutes:
    """Posting and reading messages in the channels where the bot may."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.board = MessageBoard()
        self.direct = DirectChannels()

    def routes(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """Return the handlers by `METHOD /template`."""
        return {
            "POST /channels/{channel_id}/messages": self.post,
            "GET /channels/{channel_id}/messages": self.read,
            "POST /users/@me/channels": self.open_direct,
        }

    def _channel(self, request: web.Request) -> tuple[int, int]:
        """Return the channel's id and what the bot may do there."""
        channel_id = path_id(request, "channel_id")
        user_id = self.direct.user_of(channel_id)
        if user_id is not None:
            return channel_id, self._direct_permissions(user_id)
        guild_id = self._world.channel_guild.get(channel_id)
        if guild_id is None:
            raise rest_errors.unknown_channel()
        guild = self._world.guilds[guild_id]
        bits = guild.permissions_of(self._world.bot.id, guild.channels[channel_id])
        if not guild.has_bot or not bits & Permission.VIEW_CHANNEL:
            raise rest_errors.missing_access()
        if guild.channels[channel_id].type is ChannelType.CATEGORY:
            raise rest_errors.RestError(400, 50_008, "Cannot send messages in a non-text channel")
        return channel_id, bits

    def _direct_permissions(self, user_id: int) -> int:
        guilds = [guild for guild in self._world.guilds.values() if guild.has_bot and user_id in guild.members]
        if not guilds:
            raise rest_errors.RestError(403, 50_278, "Cannot send messages to this user due to having no mutual guilds")
        if user_id in self.direct.closed:
            raise rest_errors.RestError(403, 50_007, "Cannot send messages to this user")
        return int(Permission.SEND_MESSAGES | Permission.EMBED_LINKS | Permission.READ_MESSAGE_HISTORY)

    async def open_direct(self, request: web.Request) -> web.Response:
        """Open the channel for direct messages with a user, whether or not they take any."""
        recipient = str((await _message_body(request)).get("recipient_id"))
        user = self._world.users.get(int(recipient)) if recipient.isascii() and recipient.isdigit() else None
        if user is None:
            raise rest_errors.unknown_user()
        channel_id = self.direct.open(user.id, wall_clock_ms())
        recipients = [user.payload()]
        return json_response({"id": str(channel_id), "type": 1, "last_message_id": None, "flags": 0, "recipients": recipients})

    async def post(self, request: web.Request) -> web.Response:
        """Post a message, or return the one that this nonce made."""
        channel_id, bits = self._channel(request)
        if not bits & Permission.SEND_MESSAGES:
            raise rest_errors.missing_permissions()
        body = await _message_body(request)
        if body.get("embeds") and not bits & Permission.EMBED_LINKS:
            raise rest_errors.missing_permissions()
        check_message(body, {})
        nonce = body.get("nonce")
        if nonce is not None and len(str(nonce)) > _NONCE_MAX:
            raise rest_errors.invalid_form("nonce", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        return json_response(self.board.post(channel_id, self._world.bot, body, wall_clock_ms()))

    async def read(self, request: web.Request) -> web.Response:
        """Return the newest messages of a channel, or those next to one, newest first; none without Read Message History."""
        channel_id, bits = self._channel(request)
        raw = request.query.get("limit", str(_PAGE_DEFAULT))
        if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= _PAGE_MAX):
            raise rest_errors.invalid_form("limit", "NUMBER_TYPE_MAX", "int value should be 1 to 100.")
        places = {name: request.query.get(name, "") for name in ("after", "before")}
        for name, place in places.items():
            if place and not (place.isascii() and place.isdigit()):
                raise rest_errors.invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{place}" is not snowflake.')
        if not bits & Permission.READ_MESSAGE_HISTORY:
            return json_response([])
        after, before = (int(place) if place else None for place in places.values())
        return json_response(self.board.page(channel_id, int(raw), after=after, before=before))


async def _message_body(request: web.Request) -> dict[str, Any]:
    if request.content_type == "multipart/form-data":
        payload = (await request.post()).get("payload_json")
        raw = payload.encode() if isinstance(payload, str) else b""
    else:
        raw = await request.read()
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise rest_errors.RestError(400, 50_109, "The request body contains invalid JSON.") from error
