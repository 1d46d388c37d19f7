"""REST routes about the gateway, the bot itself and its application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from simulator import rest_errors
from simulator.gateway import Gateway
from simulator.rest_errors import json_response
from simulator.settings import Settings
from simulator.world import World

_SESSION_STARTS_A_DAY = 1_000
_DAY_MS = 86_400_000
_GUILDS_A_PAGE = 200


class MeRoutes:
    """What the bot may ask about itself."""

    def __init__(self, settings: Settings, world: World, gateway: Gateway) -> None:
        self._settings = settings
        self._world = world
        self._gateway = gateway

    def routes(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """Return the handlers by `METHOD /template`."""
        return {
            "GET /gateway": self.gateway,
            "GET /gateway/bot": self.gateway_bot,
            "GET /users/@me": self.me,
            "GET /users/@me/guilds": self.my_guilds,
            "GET /users/{user_id}": self.user,
            "GET /applications/@me": self.application,
            "GET /oauth2/applications/@me": self.application,
        }

    async def gateway(self, _: web.Request) -> web.Response:
        """Return the gateway's address."""
        return json_response({"url": self._gateway.url})

    async def gateway_bot(self, _: web.Request) -> web.Response:
        """Return the gateway's address, the recommended shards and how many sessions may still be started."""
        limit = {
            "total": _SESSION_STARTS_A_DAY,
            "remaining": max(_SESSION_STARTS_A_DAY - self._gateway.identifies, 0),
            "reset_after": _DAY_MS,
            "max_concurrency": self._settings.max_concurrency,
        }
        shards = self._settings.recommended_shards
        return json_response({"url": self._gateway.url, "shards": shards, "session_start_limit": limit})

    async def me(self, _: web.Request) -> web.Response:
        """Return the bot's user."""
        extra = {"verified": True, "mfa_enabled": True, "locale": "en-US", "flags": 0, "email": None}
        return json_response(self._world.bot.payload() | extra | {"premium_type": 0})

    async def user(self, request: web.Request) -> web.Response:
        """Return any user."""
        user_id = request.match_info["user_id"]
        user = self._world.users.get(int(user_id)) if user_id.isascii() and user_id.isdigit() else None
        if user is None:
            raise rest_errors.unknown_user()
        return json_response(user.payload())

    async def my_guilds(self, request: web.Request) -> web.Response:
        """Return the guilds that the bot is in, a page of at most 200."""
        query = request.query
        limit = min(_query_number(request, "limit", _GUILDS_A_PAGE), _GUILDS_A_PAGE)
        after, before = _query_number(request, "after", 0), _query_number(request, "before", 1 << 63)
        mine = sorted(guild.id for guild in self._world.guilds.values() if guild.has_bot)
        page = [guild_id for guild_id in mine if after < guild_id < before]
        page = page[-limit:] if "before" in query else page[:limit]
        with_counts = query.get("with_counts", "").lower() == "true"
        return json_response([self._partial_guild(guild_id, with_counts=with_counts) for guild_id in page])

    def _partial_guild(self, guild_id: int, *, with_counts: bool) -> dict[str, Any]:
        guild, bot_id = self._world.guilds[guild_id], self._world.bot.id
        counts = {
            "approximate_member_count": len(guild.members),
            "approximate_presence_count": len(guild.voice_states),
        }
        return (counts if with_counts else {}) | {
            "id": str(guild_id),
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": guild.owner_id == bot_id,
            "permissions": str(guild.permissions_of(bot_id)),
            "features": [],
        }

    async def application(self, _: web.Request) -> web.Response:
        """Return the bot's application."""
        bot = self._world.bot
        owner = {"id": "1", "username": "simulator", "discriminator": "0", "avatar": None, "global_name": None}
        return json_response(
            {
                "id": str(bot.id),
                "name": bot.name,
                "icon": None,
                "description": "",
                "rpc_origins": [],
                "bot_public": True,
                "bot_require_code_grant": False,
                "bot": bot.payload(),
                "owner": owner | {"public_flags": 0, "flags": 0},
                "verify_key": "0" * 64,
                "team": None,
                "flags": 0,
                "approximate_guild_count": sum(guild.has_bot for guild in self._world.guilds.values()),
                "approximate_user_install_count": 0,
                "approximate_user_authorization_count": 0,
                "redirect_uris": [],
                "tags": [],
                "integration_types_config": {"0": {}},
            }
        )


def _query_number(request: web.Request, name: str, default: int) -> int:
    raw = request.query.get(name, str(default))
    if not (raw.isascii() and raw.isdigit()):
        raise rest_errors.invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{raw}" is not int.')
    return int(raw)
