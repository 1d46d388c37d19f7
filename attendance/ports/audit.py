"""Reading the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from attendance.domain.audit import AuditEntry
from attendance.domain.ids import GuildId, UserId


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries: of an action, of who did it, of ``[from_ms, to_ms)``."""

    guild_id: GuildId
    action: str | None = None
    actor_id: UserId | None = None
    from_ms: int | None = None
    to_ms: int | None = None


class AuditLog(Protocol):
    """What was changed in every guild. Entries are written by whoever makes the change, in its transaction."""

    async def page(self, which: AuditFilter, limit: int, offset: int) -> tuple[list[AuditEntry], int]:
        """Entries, newest first, and how many there are.

        Raises:
            UnavailableError: the database is away.
        """
        ...
