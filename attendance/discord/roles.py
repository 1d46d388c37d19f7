"""Roles by Discord's REST API, for the main event loop. Implements `attendance.ports.guild_roles.GuildRoles`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import hikari
from hikari.api import RESTClient

from attendance.discord.failures import as_rollcall_error, bot_id_of
from attendance.discord.rest_client import LOOKUP_SECONDS, open_rest
from attendance.domain.ids import GuildId, RoleId, UserId
from attendance.domain.role_rules import RoleFacts, grant_problem
from attendance.errors import ForbiddenError, InvalidInputError, UnavailableError

PATIENT_SECONDS = 15.0
"""The longest that work nobody waits for lets a rate limit take: a bucket of role changes is full again after ten seconds."""

_UNKNOWN_MEMBER, _UNKNOWN_USER = 10_007, 10_013
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class DiscordGuildRoles:
    """Asks with hikari's REST client, which waits for the rate limit of each guild's routes by itself; see the port.

    Attributes:
        rest: a started client with the bot's token.
        bot_id: the bot's own user id.
        patience_seconds: the longest that one call may take.
    """

    rest: RESTClient
    bot_id: UserId
    patience_seconds: float

    async def problem(self, guild_id: GuildId, role_id: RoleId) -> str | None:
        """See the port."""
        try:
            guild = await self._ask(self.rest.fetch_guild(guild_id))
            own = await self._ask(self.rest.fetch_member(guild_id, self.bot_id))
        except (hikari.NotFoundError, hikari.ForbiddenError):
            return "the bot is not in this guild"
        facts = {
            RoleId(int(role.id)): RoleFacts(RoleId(int(role.id)), role.position, int(role.permissions), role.is_managed)
            for role in guild.roles.values()
        }
        held = [RoleId(int(one)) for one in own.role_ids]
        return grant_problem(guild_id, role_id, facts, held, bot_is_owner=int(guild.owner_id) == self.bot_id)

    async def has(self, guild_id: GuildId, user_id: UserId, role_id: RoleId) -> bool | None:
        """See the port."""
        with _refusals():
            member = await self._unless_gone(self.rest.fetch_member(guild_id, user_id))
        return None if member is None else hikari.Snowflake(role_id) in member.role_ids

    async def give(self, guild_id: GuildId, user_id: UserId, role_id: RoleId, reason: str) -> bool:
        """See the port."""
        with _refusals():
            call = self.rest.add_role_to_member(guild_id, user_id, role_id, reason=reason)
            return await self._unless_gone(_true(call)) is not None

    async def take(self, guild_id: GuildId, user_id: UserId, role_id: RoleId, reason: str) -> bool:
        """See the port."""
        with _refusals():
            call = self.rest.remove_role_from_member(guild_id, user_id, role_id, reason=reason)
            return await self._unless_gone(_true(call)) is not None

    async def _unless_gone(self, question: Awaitable[Found]) -> Found | None:
        """Ask about a member; None for who is none."""
        try:
            return await self._ask(question)
        except hikari.NotFoundError as error:
            if error.code in (_UNKNOWN_MEMBER, _UNKNOWN_USER):
                return None
            raise

    async def _ask(self, question: Awaitable[Found]) -> Found:
        """Ask within the bound. What Discord refuses is raised as hikari says it."""
        try:
            async with asyncio.timeout(self.patience_seconds):
                return await question
        except (hikari.NotFoundError, hikari.ForbiddenError, hikari.BadRequestError):
            raise
        except (TimeoutError, LookupError, TypeError, ValueError, AttributeError, hikari.HikariError) as error:
            raise UnavailableError(as_rollcall_error(error).message) from error


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Discord's refusals in our words: of everybody (the guild or the role is gone, or out of reach), or of one member."""
    try:
        yield
    except (hikari.NotFoundError, hikari.ForbiddenError) as error:
        raise ForbiddenError(f"Discord refuses: {error.message}") from error
    except hikari.BadRequestError as error:
        raise InvalidInputError(f"Discord refuses: {error.message}") from error


async def _true(call: Awaitable[None]) -> bool:
    await call
    return True


@contextlib.asynccontextmanager
async def open_guild_roles(
    token: str, rest_url: str | None, *, patience_seconds: float = LOOKUP_SECONDS
) -> AsyncIterator[DiscordGuildRoles]:
    """Open a client for roles, for as long as the block lasts.

    Args:
        token: the bot's token.
        rest_url: Discord's REST address with `/api/v10`; None is Discord's own.
        patience_seconds: the longest that one call may take, rate limits included.

    Raises:
        ConfigError: the token has not the form of one.
    """
    bot_id = bot_id_of(token)
    async with open_rest(token, rest_url, patience_seconds=patience_seconds) as rest:
        yield DiscordGuildRoles(rest, bot_id, patience_seconds)
