"""The command inbox as a table."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import origin_text
from attendance.domain.commands import ANSWERED_WITHIN_MS, CommandKind
from attendance.ports.commands import NewCommand, StoredCommand
from attendance.store.database import Database
from attendance.store.schema import command

_COLUMNS = (command.c.id, command.c.kind, command.c.body, command.c.result)
# Whoever was told that the owner does not answer, and asks again, asks for the reset that was done meanwhile.
_ASKS_AGAIN_MS = 60_000


@dataclass(frozen=True, slots=True)
class SqlCommandInbox:
    """`CommandInbox` over the `command` table."""

    database: Database

    async def submit(self, new: NewCommand, now_ms: int) -> StoredCommand:
        """Store a command, or find the one with its idempotency key."""
        insert = sqlite.insert if self.database.is_sqlite else postgresql.insert
        statement = (
            insert(command)
            .values(
                guild_id=new.guild_id,
                kind=new.kind.value,
                body=new.body,
                actor_id=new.actor.user_id,
                origin=origin_text(new.actor),
                idempotency_key=new.idempotency_key,
                created_at_ms=now_ms,
            )
            # A unique index takes any number of nulls, so only a key can conflict.
            .on_conflict_do_nothing(index_elements=[command.c.guild_id, command.c.idempotency_key])
            .returning(*_COLUMNS)
        )
        earlier = select(*_COLUMNS).where(command.c.guild_id == new.guild_id, command.c.idempotency_key == new.idempotency_key)
        async with self.database.transaction() as connection:
            if new.kind is CommandKind.RESET and new.idempotency_key is None:
                unanswered = await self._unanswered_reset(connection, new, now_ms)
                if unanswered is not None:
                    return unanswered
            row = (await connection.execute(statement)).first() or (await connection.execute(earlier)).one()
        return StoredCommand(*row)

    async def _unanswered_reset(self, connection: AsyncConnection, new: NewCommand, now_ms: int) -> StoredCommand | None:
        """The person's reset that nobody was answered: a repetition would end a second, empty period."""
        if not self.database.is_sqlite:  # two at once would both find none (SQLite has one writer)
            await connection.execute(select(func.pg_advisory_xact_lock(new.guild_id)))
        told_to_come_back = and_(
            command.c.applied_at_ms >= command.c.created_at_ms + ANSWERED_WITHIN_MS,
            command.c.applied_at_ms > now_ms - _ASKS_AGAIN_MS,
        )
        query = (
            select(*_COLUMNS)
            .where(
                command.c.guild_id == new.guild_id,
                command.c.kind == new.kind.value,
                command.c.actor_id == new.actor.user_id,
                command.c.idempotency_key.is_(None),
                or_(command.c.applied_at_ms.is_(None), told_to_come_back),
            )
            .order_by(command.c.id.desc())
            .limit(1)
        )
        row = (await connection.execute(query)).first()
        return None if row is None else StoredCommand(*row)

    async def look(self, command_id: int) -> StoredCommand | None:
        """The command as it stands."""
        async with self.database.snapshot() as connection:
            row = (await connection.execute(select(*_COLUMNS).where(command.c.id == command_id))).first()
        return None if row is None else StoredCommand(*row)
