"""Settings history: who changed what, and which rules were in force when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attendance.domain.audit import AuditEntry
from attendance.domain.ids import GuildId, UserId
from attendance.errors import NotFoundError
from attendance.ports.audit import AuditFilter, AuditLog
from attendance.ports.reports import ReportSource
from attendance.ports.rules import RulesHistory, RulesLine
from attendance.services.attendance_lists import check_range


@dataclass(frozen=True, slots=True)
class SettingsHistory:
    """Reads both."""

    audit: AuditLog
    rules: RulesHistory
    reports: ReportSource

    async def changes(self, which: AuditFilter, limit: int, offset: int) -> tuple[list[AuditEntry], int]:
        """Entries of the audit, newest first, and how many there are.

        Raises:
            InvalidInputError: the range ends before it begins.
        """
        check_range(which.from_ms, which.to_ms)
        return await self.audit.page(which, limit, offset)

    async def names(self, guild_id: GuildId, actors: Iterable[UserId | None]) -> dict[UserId, str]:
        """What the guild calls those who made changes; the id where it does not know them. None is Rollcall itself."""
        known = {user_id for user_id in actors if user_id is not None}
        async with self.reports.view() as view:
            return await view.member_names(guild_id, known)

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
