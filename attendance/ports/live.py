"""What live events read: all that reports read, and what happened since somebody last looked."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from attendance.domain.ids import GuildId
from attendance.ports.reports import Period, ReportView, SessionLine


class SessionEnd(NamedTuple):
    """A closed session as lists show it, at its place in the order in which the guild's sessions closed."""

    ordinal: int
    session: SessionLine


class LiveView(ReportView, Protocol):
    """One instant of the database."""

    async def session_ends(self, guild_id: GuildId, from_ordinal: int, limit: int) -> list[SessionEnd]:
        """Closed sessions from an ordinal on, in the order in which they closed."""
        ...

    async def ended_periods(self, guild_id: GuildId, from_index: int, limit: int) -> list[Period]:
        """Periods that are over, from an index on, ascending."""
        ...


class LiveSource(Protocol):
    """Where views come from."""

    def view(self) -> AbstractAsyncContextManager[LiveView]:
        """One instant of the database.

        Raises:
            UnavailableError: the database is away.
        """
        ...
