"""Everything that is held of a member, as rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from attendance.domain.ids import GuildId, UserId

Row = dict[str, Any]


class MemberDataView(Protocol):
    """One instant of the database."""

    async def person(self, guild_id: GuildId, user_id: UserId) -> Row | None:
        """``display_name`` and ``bot``; None for who was never seen."""
        ...

    def sections(self, guild_id: GuildId, user_id: UserId) -> AsyncIterator[tuple[str, AsyncIterator[Row]]]:
        """Each section by its name, with its rows; a row holds integers, texts, booleans, bytes and UUIDs under column names.

        The rows of a section are to be read before the next section is asked for.
        """
        ...


class MemberDataSource(Protocol):
    """Where it is read."""

    def view(self) -> AbstractAsyncContextManager[MemberDataView]:
        """One instant of the database.

        Raises:
            UnavailableError: the database is away.
        """
        ...
