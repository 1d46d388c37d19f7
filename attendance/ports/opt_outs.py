"""Who has opted out."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from attendance.domain.ids import GuildId, UserId


class OptOutLine(NamedTuple):
    """A member who has opted out. ``is_own``: they said so themselves, and only they or an operator undo it.

    ``display_name`` is the id where nothing else is held of them.
    """

    user_id: UserId
    display_name: str
    since_ms: int
    is_own: bool


class OptOutSource(Protocol):
    """Reads members' opt-outs."""

    async def opted_out_since(self, guild_id: GuildId, user_id: UserId) -> int | None:
        """Since when (Unix milliseconds) a member has opted out; None for who has not.

        Raises:
            UnavailableError: the database is away.
        """
        ...

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[OptOutLine], int]:
        """Who has opted out of a guild, the newest first, and how many there are.

        Raises:
            UnavailableError: the database is away.
        """
        ...
