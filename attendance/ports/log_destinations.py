"""Log destinations as their guild's admins see and change them. Every method is one transaction.

All of them raise UnavailableError while the database is away; whether a failing write was stored is then unknown. Every change
is audited in its transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from attendance.domain.announcements import LogType
from attendance.domain.audit import Actor
from attendance.domain.ids import GuildId
from attendance.domain.log_destinations import Frequency, LogDestination


@dataclass(frozen=True, slots=True)
class DestinationChange:
    """What of a destination changes: None and empty change nothing.

    ``types`` replaces them all; then those of ``added`` come and those of ``removed`` go.
    """

    types: tuple[LogType, ...] | None = None
    added: Collection[LogType] = ()
    removed: Collection[LogType] = ()
    frequency: Frequency | None = None


class LogDestinationStore(Protocol):
    """The destinations of all guilds."""

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[Sequence[LogDestination], int]:
        """A guild's destinations in the order in which they were made, and how many there are in all."""
        ...

    async def add(
        self, destination: LogDestination, change: DestinationChange, actor: Actor, limit: int
    ) -> tuple[LogDestination, bool]:
        """Add a destination, unless the channel is one already: then ``change`` is made to that one, as `change` does.

        Returns:
            The destination as it is now, and whether it was added.

        Raises:
            ConflictError: the guild has ``limit`` of them already.
        """
        ...

    async def change(
        self, guild_id: GuildId, destination_id: UUID, change: DestinationChange, actor: Actor, at_ms: int
    ) -> LogDestination | None:
        """Change a destination and let it work again if it was disabled; None where the guild has no such.

        A new frequency moves what is due next, by the guild's time zone. What has gathered is kept.
        """
        ...

    async def remove(self, guild_id: GuildId, destination_id: UUID, actor: Actor, at_ms: int) -> bool:
        """Remove a destination with everything that waits for it; whether there was one."""
        ...
