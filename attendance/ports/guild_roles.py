"""Giving and taking roles in Discord."""

from __future__ import annotations

from typing import Protocol

from attendance.domain.ids import GuildId, RoleId, UserId


class GuildRoles(Protocol):
    """Discord's roles, asked and changed now: nothing is kept.

    Every call raises `UnavailableError` when Discord is away or limits us for longer than its caller can wait. Giving a role
    twice is giving it once, and so with taking: after a failure whose outcome is unknown the call may be made again.
    """

    async def problem(self, guild_id: GuildId, role_id: RoleId) -> str | None:
        """Why the bot cannot, or must not, give the role there; None if it can (see `grant_problem`)."""
        ...

    async def has(self, guild_id: GuildId, user_id: UserId, role_id: RoleId) -> bool | None:
        """Whether a member has the role; None for who is no member.

        Raises:
            ForbiddenError: the bot is not in the guild.
        """
        ...

    async def give(self, guild_id: GuildId, user_id: UserId, role_id: RoleId, reason: str) -> bool:
        """Give the role; ``reason`` goes into the guild's audit log. False for who is no member.

        Raises:
            ForbiddenError: Discord refuses it for every member: the role is gone, or above the bot, or the bot is.
            InvalidInputError: Discord refuses it for this member.
        """
        ...

    async def take(self, guild_id: GuildId, user_id: UserId, role_id: RoleId, reason: str) -> bool:
        """Take the role away, as `give` gives it."""
        ...
