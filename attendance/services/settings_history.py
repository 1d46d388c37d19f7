"""Settings history: who changed what, and which rules were in force when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attendance.domain.audit import AuditEntry
from attendance.domain.ids import GuildId
from attendance.errors import NotFoundError
from attendance.ports.audit import AuditFilter, AuditLog
from attendance.ports.rules import RulesHistory, RulesLine
from attendance.services.attendance_lists import check_range


@dataclass(frozen=True, slots=True)
class SettingsHistory:
    """Reads both."""

    audit: AuditLog
    rules: RulesHistory

    async def changes(self, which: AuditFilter, limit: int, offset: int) -> tuple[list[AuditEntry], int]:
        """Entries of the audit, newest first, and how many there are.

        Raises:
            InvalidInputError: the range ends before it begins.
        """
        check_range(which.from_ms, which.to_ms)
        return await self.audit.page(which, limit, offset)

    async def versions(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[RulesLine], int]:
        """Versions of the rules, newest first, and how many there are."""
        return await self.rules.page(guild_id, limit, offset)

    async def version_of(self, guild_id: GuildId, rules_sha256: bytes) -> Sequence[RulesLine]:
        """The versions that have exactly these rules, oldest first: at least one.

        Raises:
            NotFoundError: the guild never had them.
        """
        found = await self.rules.of_digest(guild_id, rules_sha256)
        if not found:
            raise NotFoundError("the guild never had such rules")
        return found
