"""Guilds, as the recorder wrote them down."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from attendance.domain.ids import GuildId
from attendance.ports.directory import GuildPresence
from attendance.store.database import Database
from attendance.store.schema import guild


@dataclass(frozen=True, slots=True)
class SqlGuildDirectory:
    """`GuildDirectory` over the `guild` table."""

    database: Database

    async def presence(self, guild_id: GuildId) -> GuildPresence | None:
        """The guild, or None if the bot never saw it."""
        async with self.database.snapshot() as connection:
            row = (
                await connection.execute(select(guild.c.name, guild.c.left_at_ms).where(guild.c.guild_id == guild_id))
            ).first()
        return None if row is None else GuildPresence(name=row.name, present=row.left_at_ms is None)
