"""Old rows, and late ones. See `attendance.ports.upkeep`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select

from attendance.ports.upkeep import Overdue
from attendance.store.database import Database
from attendance.store.schema import command, guild, guild_settings, period, record_queue


@dataclass(frozen=True, slots=True)
class SqlUpkeepStore:
    """`UpkeepStore` on a database."""

    database: Database

    async def trim_commands(self, applied_before_ms: int, limit: int) -> int:
        """Delete up to ``limit`` commands that were applied before then."""
        old = select(command.c.id).where(command.c.applied_at_ms < applied_before_ms).limit(limit)
        async with self.database.transaction() as connection:
            return (await connection.execute(delete(command).where(command.c.id.in_(old)))).rowcount

    async def overdue(self, before_ms: int) -> Overdue:
        """What was due before ``before_ms``."""
        uncut = (
            select(func.count())
            .select_from(guild_settings.join(guild, guild.c.guild_id == guild_settings.c.guild_id))
            .where(guild_settings.c.next_reset_at_ms < before_ms, guild.c.left_at_ms.is_(None))
        )
        late = (
            select(period.c.state, func.count())
            .where(period.c.state.in_(("cut", "closed")), period.c.ended_at_ms < before_ms)
            .group_by(period.c.state)
        )
        waiting = select(func.min(command.c.created_at_ms)).where(command.c.applied_at_ms.is_(None))
        unsigned = select(func.count(), func.min(record_queue.c.created_at_ms))
        async with self.database.snapshot() as connection:
            unsigned_count, oldest_unsigned = (await connection.execute(unsigned)).one()
            uncut_count = await connection.scalar(uncut)
            by_state = {row[0]: row[1] for row in await connection.execute(late)}
            oldest = await connection.scalar(waiting)
        return Overdue(
            uncut=uncut_count or 0,
            unclosed=by_state.get("cut", 0),
            unarchived=by_state.get("closed", 0),
            oldest_command_ms=oldest,
            unsigned=unsigned_count,
            oldest_unsigned_ms=oldest_unsigned,
        )
