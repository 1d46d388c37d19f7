"""The transparency log's rows. See `attendance.ports.transparency_log`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType, restored_draft
from attendance.domain.transparency_log import EMPTY_ROOT, HASH_BYTES, LogHead, WaitingRecord
from attendance.errors import ConflictError
from attendance.ports.transparency_log import DeploymentKey
from attendance.store.database import Database, bulk_execute, bulk_insert
from attendance.store.schema import chain_head, deployment_key, log_entry, log_head, record, record_queue

_PURPOSE = "log"
_ENTRY_COLUMNS = ("leaf_index", "record_sha256", "guild_id", "guild_seq")
_ROWS_A_STEP = 50_000


@dataclass(frozen=True, slots=True)
class SqlLogStore:
    """`LogStore` over SQL."""

    database: Database

    async def head(self) -> LogHead | None:
        """The head."""
        query = select(log_head.c.origin, log_head.c.size, log_head.c.root)
        async with self.database.snapshot() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else LogHead(row[0], row[1], bytes(row[2]))

    async def log_key(self) -> DeploymentKey | None:
        """The key that signs checkpoints."""
        table = deployment_key.c
        query = select(table.kid, table.public_key, table.master_wrapped).where(table.purpose == _PURPOSE)
        async with self.database.snapshot() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else DeploymentKey(row[0], bytes(row[1]), row[2])

    async def create(self, key: DeploymentKey, origin: str, now_ms: int) -> None:
        """Store key and empty head, unless they are there."""
        new = sqlite.insert if self.database.is_sqlite else postgresql.insert
        async with self.database.transaction() as connection:
            made = await connection.execute(
                new(deployment_key)
                .values(purpose=_PURPOSE, created_at_ms=now_ms, **key._asdict())
                .on_conflict_do_nothing(index_elements=[deployment_key.c.purpose])
            )
            if made.rowcount == 1:  # whoever stores the key names the log, since the name may hold the key's
                await connection.execute(insert(log_head).values(id=1, origin=origin, size=0, root=EMPTY_ROOT))

    async def waiting(self, limit: int) -> list[WaitingRecord]:
        """Records that are in no log yet."""
        head = chain_head.c
        query = (
            select(record.c.guild_id, record.c.guild_seq, record.c.record_sha256)
            .select_from(chain_head)
            .join(record, (record.c.guild_id == head.guild_id) & (record.c.guild_seq >= head.logged_guild_seq))
            .where(head.logged_guild_seq < head.next_guild_seq)
            .order_by(record.c.guild_id, record.c.guild_seq)
            .limit(limit)
        )
        async with self.database.snapshot() as connection:
            return [WaitingRecord(GuildId(row[0]), row[1], bytes(row[2])) for row in await connection.execute(query)]

    async def sequence(self, old: LogHead, new: LogHead, records: Sequence[WaitingRecord]) -> bool:
        """Give the records their leaf indexes and move the head."""
        reached = {one.guild_id: one.guild_seq + 1 for one in records}
        rows = [(old.size + at, one.record_sha256, one.guild_id, one.guild_seq) for at, one in enumerate(records)]
        async with self.database.transaction() as connection:
            if not await _move(connection, old, new):
                return False
            await bulk_insert(connection, log_entry, _ENTRY_COLUMNS, rows)
            await bulk_execute(
                connection,
                sqlite="UPDATE chain_head SET logged_guild_seq = ? WHERE guild_id = ?",
                postgresql="UPDATE chain_head SET logged_guild_seq = s "
                "FROM unnest($1::bigint[], $2::bigint[]) AS reached(s, g) WHERE guild_id = g",
                rows=[(guild_seq, guild_id) for guild_id, guild_seq in sorted(reached.items())],
            )
        return True

    async def entries(self, first: int, end: int) -> bytes:
        """The record hashes of some leaves."""
        column = log_entry.c.leaf_index
        query = select(log_entry.c.record_sha256).where(column >= first, column < end).order_by(column)
        async with self.database.snapshot() as connection:
            return b"".join(bytes(row[0]) for row in await connection.execute(query))

    async def take_back(self, old: LogHead, new: LogHead, entries: bytes, now_ms: int) -> int:
        """Store what the tiles have, move the head, and queue ``chain.restored`` everywhere."""
        hashes = [entries[at : at + HASH_BYTES] for at in range(0, len(entries), HASH_BYTES)]
        async with self.database.transaction() as connection:
            if not await _move(connection, old, new):
                raise ConflictError("the log's head has moved meanwhile: look again")
            for start in range(0, len(hashes), _ROWS_A_STEP):
                chunk = hashes[start : start + _ROWS_A_STEP]
                rows = [(old.size + start + at, digest, None, None) for at, digest in enumerate(chunk)]
                await bulk_insert(connection, log_entry, _ENTRY_COLUMNS, rows)
            heads = (await connection.execute(select(chain_head.c.guild_id, chain_head.c.next_guild_seq))).all()
            await _queue_first(connection, heads, old.size, new.size, now_ms)
        return len(heads)


async def _queue_first(
    connection: AsyncConnection, heads: Sequence[tuple[int, int]], first: int, end: int, now_ms: int
) -> None:
    """Put ``chain.restored`` in front of every queue: ids below all others, which start at 1 and only grow."""
    lowest = min((await connection.scalar(select(record_queue.c.id).order_by(record_queue.c.id).limit(1))) or 1, 1)
    rows = [
        (
            lowest - 1 - at,
            guild_id,
            RecordType.CHAIN_RESTORED.value,
            restored_draft(next_guild_seq, first, end - 1).decode(),
            now_ms,
        )
        for at, (guild_id, next_guild_seq) in enumerate(heads)
    ]
    await bulk_insert(connection, record_queue, ("id", "guild_id", "type", "body", "created_at_ms"), rows)


async def _move(connection: AsyncConnection, old: LogHead, new: LogHead) -> bool:
    moved = await connection.execute(
        update(log_head)
        .where(log_head.c.id == 1, log_head.c.size == old.size, log_head.c.root == old.root)
        .values(size=new.size, root=new.root)
    )
    return moved.rowcount == 1
