"""What judging a caller takes: as much of `attendance.ports.discord_lookup.DiscordLookup` as is about members."""

from __future__ import annotations

from typing import Protocol

from attendance.domain.ids import GuildId, RoleId, UserId


class MemberLookup(Protocol):
    """What members are and may, by Discord's word. See `DiscordLookup` for the contract of each question."""

    async def may_manage(self, guild_id: GuildId, user_id: UserId) -> bool:
        """Whether the user has Manage Server there."""
        ...

    async def member_roles(self, guild_id: GuildId, user_id: UserId) -> frozenset[RoleId] | None:
        """The roles of a member."""
        ...
