"""What this database was recorded from. See `attendance.ports.provenance`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.ports.provenance import MADE_UP, Provenance, Source
from attendance.store import schema
from attendance.store.database import Database, bulk_upsert

_LIFE = (schema.stream, schema.journal, schema.session, schema.record, schema.guild)


@dataclass(frozen=True, slots=True)
class SqlProvenanceStore:
    """`ProvenanceStore` on a database."""

    database: Database

    async def read(self) -> Provenance:
        """What there is."""
        async with self.database.snapshot() as connection:
            return await _read(connection)

    async def note(self, host: str, now_ms: int) -> Provenance:
        """Note a host; see `ProvenanceStore.note`."""
        async with self.database.transaction() as connection:
            before = await _read(connection)
            rows = [(host, now_ms, True)]
            await bulk_upsert(connection, schema.provenance, ("source", "since_ms", "complete"), rows)
        return before

    async def begin_made_up(self, since_ms: int) -> Provenance:
        """Note what is being made up; see `ProvenanceStore.begin_made_up`."""
        async with self.database.transaction() as connection:
            before = await _read(connection)
            if before.is_empty and not before.sources:
                row = {"source": MADE_UP, "since_ms": since_ms, "complete": False}
                await connection.execute(insert(schema.provenance).values(**row))
        return before

    async def finish_made_up(self) -> None:
        """Note that all of it is there."""
        table = schema.provenance
        async with self.database.transaction() as connection:
            await connection.execute(update(table).where(table.c.source == MADE_UP).values(complete=True))


async def _read(connection: AsyncConnection) -> Provenance:
    table = schema.provenance
    rows = await connection.execute(select(table.c.source, table.c.since_ms, table.c.complete).order_by(table.c.source))
    sources = [Source(*row) for row in rows]
    lived = await connection.scalar(select(or_(*(exists(select(life)) for life in _LIFE))))
    return Provenance(sources, is_empty=not lived)
