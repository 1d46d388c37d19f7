"""Who has opted out."""

from __future__ import annotations

from typing import Protocol

from attendance.domain.ids import GuildId, UserId


class OptOutSource(Protocol):
    """Reads members' opt-outs."""

    async def opted_out_since(self, guild_id: GuildId, user_id: UserId) -> int | None:
        """Since when (Unix milliseconds) a member has opted out; None for who has not.

        Raises:
            UnavailableError: the database is away.
        """
        ...
