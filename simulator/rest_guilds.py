"""REST routes about guilds, their channels, roles and members."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

from aiohttp import web

from simulator import rest_errors
from simulator.entities import Member, Permission
from simulator.guild import Guild
from simulator.intents import GUILD_MEMBERS
from simulator.rest_errors import json_response
from simulator.settings import Settings
from simulator.world import World

_MEMBERS_A_PAGE = 1_000


def path_id(request: web.Request, name: str) -> int:
    """Return a snowflake from the path.

    Raises:
        RestError: 400 if it is not one, as Discord answers.
    """
    raw = request.match_info[name]
    if not (raw.isascii() and raw.isdigit() and int(raw) < 1 << 63):
        message = f'Value "{raw}" is not snowflake.'
        raise rest_errors.invalid_form(name, "NUMBER_TYPE_COERCE", message)
    return int(raw)


class RoleChange(NamedTuple):
    """A role that the bot gave or took, as the guild's audit log keeps it."""

    guild_id: int
    user_id: int
    role_id: int
    given: bool
    reason: str


class GuildRoutes:
    """What the bot may ask about the guilds that it is in. `role_changes` is what it has done to roles, in order."""

    def __init__(self, settings: Settings, world: World) -> None:
        self.role_changes: list[RoleChange] = []
        self._settings = settings
        self._world = world

    def routes(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """Return the handlers by `METHOD /template`."""
        role = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"
        return {
            "GET /guilds/{guild_id}": self.guild,
            "GET /guilds/{guild_id}/channels": self.channels,
            "GET /guilds/{guild_id}/roles": self.roles,
            "GET /guilds/{guild_id}/members": self.members,
            "GET /guilds/{guild_id}/members/{user_id}": self.member,
            "GET /guilds/{guild_id}/voice-states/{user_id}": self.voice_state,
            f"PUT {role}": self.give_role,
            f"DELETE {role}": self.take_role,
            "GET /channels/{channel_id}": self.channel,
        }

    def _guild(self, request: web.Request) -> Guild:
        guild = self._world.guilds.get(path_id(request, "guild_id"))
        if guild is None or not guild.has_bot:
            raise rest_errors.unknown_guild()
        if guild.unavailable:
            raise rest_errors.RestError(503, 0, "503: Service Unavailable")
        return guild

    def _member(self, request: web.Request, guild: Guild) -> Member:
        user_id = path_id(request, "user_id")
        if user_id not in guild.members:
            raise rest_errors.unknown_member() if user_id in self._world.users else rest_errors.unknown_user()
        return guild.members[user_id]

    @staticmethod
    def _member_payload(guild: Guild, member: Member) -> dict[str, Any]:
        state = guild.voice_states.get(member.user.id)
        return member.payload(deaf=state.deaf, mute=state.mute) if state else member.payload()

    async def guild(self, request: web.Request) -> web.Response:
        """Return a guild, with counts if asked."""
        guild = self._guild(request)
        payload = guild.payload()
        if request.query.get("with_counts", "").lower() == "true":
            payload |= {"approximate_member_count": len(guild.members)}
            payload |= {"approximate_presence_count": len(guild.voice_states)}
        return json_response(payload)

    async def channels(self, request: web.Request) -> web.Response:
        """Return all channels of a guild, threads excluded."""
        return json_response([channel.payload() for channel in self._guild(request).channels.values()])

    async def roles(self, request: web.Request) -> web.Response:
        """Return all roles of a guild."""
        return json_response([role.payload() for role in self._guild(request).roles.values()])

    async def member(self, request: web.Request) -> web.Response:
        """Return one member."""
        guild = self._guild(request)
        return json_response(self._member_payload(guild, self._member(request, guild)))

    async def members(self, request: web.Request) -> web.Response:
        """Return a page of members; it needs the privileged members intent."""
        guild = self._guild(request)
        if not self._settings.privileged_intents & GUILD_MEMBERS:
            raise rest_errors.missing_access()
        try:
            limit, after = int(request.query.get("limit", 1)), int(request.query.get("after", 0))
        except ValueError as error:
            raise rest_errors.invalid_form("limit", "NUMBER_TYPE_COERCE", "Not an integer.") from error
        if not 1 <= limit <= _MEMBERS_A_PAGE:
            raise rest_errors.invalid_form("limit", "NUMBER_TYPE_MAX", "int value should be 1 to 1000.")
        ids = sorted(user_id for user_id in guild.members if user_id > after)[:limit]
        return json_response([self._member_payload(guild, guild.members[user_id]) for user_id in ids])

    async def voice_state(self, request: web.Request) -> web.Response:
        """Return a member's voice state (`@me` is the bot's)."""
        guild = self._guild(request)
        own = request.match_info["user_id"] == "@me"
        state = guild.voice_states.get(self._world.bot.id if own else path_id(request, "user_id"))
        if state is None:
            raise rest_errors.RestError(404, 10_065, "Unknown Voice State")
        member = guild.members[state.user_id]
        extra = {"guild_id": str(guild.id), "member": self._member_payload(guild, member)}
        return json_response(state.payload() | extra)

    async def channel(self, request: web.Request) -> web.Response:
        """Return one channel that the bot may view."""
        channel_id = path_id(request, "channel_id")
        guild_id = self._world.channel_guild.get(channel_id)
        if guild_id is None:
            raise rest_errors.unknown_channel()
        guild = self._world.guilds[guild_id]
        channel = guild.channels[channel_id]
        if not guild.permissions_of(self._world.bot.id, channel) & Permission.VIEW_CHANNEL:
            raise rest_errors.missing_access()
        return json_response(channel.payload())

    def _role_change(self, request: web.Request) -> tuple[int, int, int]:
        """Check that the bot may hand out the role: Manage Roles, and a highest role above it."""
        guild = self._guild(request)
        member = self._member(request, guild)
        role = guild.roles.get(path_id(request, "role_id"))
        if role is None:
            raise rest_errors.unknown_role()
        bot_id = self._world.bot.id
        # Of two roles at one position the older, whose id is lower, is the higher.
        own = (guild.roles[role_id] for role_id in [guild.id, *guild.members[bot_id].role_ids])
        is_below = (role.position, -role.id) < max((one.position, -one.id) for one in own)
        may = guild.permissions_of(bot_id) & Permission.MANAGE_ROLES and (is_below or guild.owner_id == bot_id)
        if not may or role.id == guild.id or role.managed:
            raise rest_errors.missing_permissions()
        return guild.id, member.user.id, role.id

    async def give_role(self, request: web.Request) -> web.Response:
        """Give a member a role."""
        change = self._role_change(request)
        self._world.give_role(*change)
        self._note(request, change, given=True)
        return web.Response(status=204)

    async def take_role(self, request: web.Request) -> web.Response:
        """Take a role from a member."""
        change = self._role_change(request)
        self._world.take_role(*change)
        self._note(request, change, given=False)
        return web.Response(status=204)

    def _note(self, request: web.Request, change: tuple[int, int, int], *, given: bool) -> None:
        reason = unquote(request.headers.get("X-Audit-Log-Reason", ""))
        self.role_changes.append(RoleChange(*change, given, reason))
