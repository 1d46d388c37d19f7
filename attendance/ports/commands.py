"""The command inbox, from the side of who asks."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from attendance.domain.audit import Actor
from attendance.domain.commands import CommandKind
from attendance.domain.ids import GuildId


class NewCommand(NamedTuple):
    """What is asked of a guild's owner, by a person. ``body`` is JSON with sorted members: equal requests are equal text."""

    guild_id: GuildId
    kind: CommandKind
    body: str
    actor: Actor
    idempotency_key: str | None


class StoredCommand(NamedTuple):
    """A command as it stands; ``result`` is JSON once the owner has applied it, None before."""

    id: int
    kind: str
    body: str
    result: str | None


class CommandInbox(Protocol):
    """Commands wait here until the guild's owner applies them."""

    async def submit(self, command: NewCommand, now_ms: int) -> StoredCommand:
        """Store a command, once for a guild and idempotency key: the second time, what was stored first is returned.

        A reset without a key joins one of the same person that nobody was answered yet: it waits still, or was applied within
        the last minute, when its caller had been told to come back.

        Raises:
            UnavailableError: the database is away; whether the command was stored is unknown.
        """
        ...

    async def look(self, command_id: int) -> StoredCommand | None:
        """The command as it stands now; None if it is not there any more."""
        ...
