"""What the deployment's housekeeping needs from the store. Each method is one transaction.

All of them raise UnavailableError while the database is away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Overdue:
    """Work that should have been done by someone.

    Attributes:
        uncut: guilds whose period should have ended, and its owner has not ended it (no owner? no sign of life?).
        unclosed: periods that ended, and whose last sessions are not stored yet.
        unarchived: periods that wait for an archiver.
        oldest_command_ms: when the oldest command that nobody has applied was given; None where none waits.
        unsigned: records that wait for a signature, of all guilds.
        oldest_unsigned_ms: when the oldest of them was queued; None where none waits.
    """

    uncut: int
    unclosed: int
    unarchived: int
    oldest_command_ms: int | None
    unsigned: int = 0
    oldest_unsigned_ms: int | None = None

    @property
    def periods(self) -> int:
        """All periods that are late, whatever they wait for."""
        return self.uncut + self.unclosed + self.unarchived


class UpkeepStore(Protocol):
    """Old rows, and late ones."""

    async def trim_commands(self, applied_before_ms: int, limit: int) -> int:
        """Delete up to ``limit`` commands that were applied before then; how many there were."""
        ...

    async def overdue(self, before_ms: int) -> Overdue:
        """What was due before ``before_ms``. Guilds that the bot has left are not counted."""
        ...
