"""The rules that were ever in force."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from attendance.domain.ids import GuildId
from attendance.ports.rules import RulesLine
from attendance.store.database import Database
from attendance.store.schema import rules_version

_COLUMNS = tuple(rules_version.c[name] for name in RulesLine._fields)


@dataclass(frozen=True, slots=True)
class SqlRulesHistory:
    """`RulesHistory` over the `rules_version` table."""

    database: Database

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[RulesLine], int]:
        """A guild's versions, newest first."""
        ours = rules_version.c.guild_id == guild_id
        query = select(*_COLUMNS).where(ours).order_by(rules_version.c.version.desc()).limit(limit).offset(offset)
        async with self.database.snapshot() as connection:
            lines = [RulesLine._make(row) for row in await connection.execute(query)]
            total = (await connection.execute(select(func.count()).select_from(rules_version).where(ours))).scalar_one()
        return lines, total

    async def of_digest(self, guild_id: GuildId, rules_sha256: bytes) -> list[RulesLine]:
        """The versions that have exactly these rules."""
        same = rules_version.c.rules_sha256 == rules_sha256
        query = select(*_COLUMNS).where(rules_version.c.guild_id == guild_id, same).order_by(rules_version.c.version)
        async with self.database.snapshot() as connection:
            return [RulesLine._make(row) for row in await connection.execute(query)]
