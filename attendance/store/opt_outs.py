"""Opt-outs as the guild's owner has applied them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from attendance.domain.ids import GuildId, UserId
from attendance.store.database import Database
from attendance.store.schema import opt_out


@dataclass(frozen=True, slots=True)
class SqlOptOutSource:
    """`OptOutSource` over the `opt_out` table."""

    database: Database

    async def opted_out_since(self, guild_id: GuildId, user_id: UserId) -> int | None:
        """Since when a member has opted out."""
        query = select(opt_out.c.since_ms).where(opt_out.c.guild_id == guild_id, opt_out.c.user_id == user_id)
        async with self.database.snapshot() as connection:
            return (await connection.execute(query)).scalar_one_or_none()
