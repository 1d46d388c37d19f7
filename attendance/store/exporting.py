"""What period exports are read from. See `attendance.ports.exporting`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Select, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType
from attendance.ports.exporting import ChainRow, EntryRow, ExportSource, Redaction
from attendance.ports.signing import StoredRecord
from attendance.ports.transparency_log import DeploymentKey
from attendance.store.database import Database
from attendance.store.schema import (
    deployment_key,
    log_entry,
    log_head,
    period,
    period_entry,
    record,
    record_queue,
    rules_version,
    session,
    signing_key,
)

_ROWS_A_PAGE = 1_000
_NAMED_AT_ONCE = 500
# Asked for an order by position, SQLite walks the whole chain: what is few is sorted here.
_KEY_TYPES = (RecordType.KEY_ACTIVATE.value, RecordType.KEY_RETIRE.value, RecordType.KEY_REVOKE.value)
_CHAIN = (
    *(record.c[name] for name in ChainRow._fields[:-1]),
    # Not a join: PostgreSQL, which knows little of a table that grew just now, would read all of it for every page.
    select(session.c.timeline).where(session.c.session_id == record.c.session_id).correlate(record).scalar_subquery(),
)
_ENTRY = tuple(period_entry.c[name] for name in EntryRow._fields)


@dataclass(frozen=True, slots=True)
class SqlExportStore:
    """`ExportStore` over SQL."""

    database: Database

    async def deployment_key(self, purpose: str) -> DeploymentKey | None:
        """A key of the deployment."""
        table = deployment_key.c
        query = select(table.kid, table.public_key, table.master_wrapped).where(table.purpose == purpose)
        async with self.database.snapshot() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else DeploymentKey(row[0], bytes(row[1]), row[2])

    async def create_key(self, purpose: str, key: DeploymentKey, now_ms: int) -> None:
        """Store a key, unless it is there."""
        new = sqlite.insert if self.database.is_sqlite else postgresql.insert
        async with self.database.transaction() as connection:
            await connection.execute(
                new(deployment_key)
                .values(purpose=purpose, created_at_ms=now_ms, **key._asdict())
                .on_conflict_do_nothing(index_elements=[deployment_key.c.purpose])
            )

    async def deployment_keys(self) -> list[tuple[str, bytes]]:
        """The deployment's own public keys."""
        query = select(deployment_key.c.kid, deployment_key.c.public_key).order_by(deployment_key.c.purpose)
        async with self.database.snapshot() as connection:
            return [(row[0], bytes(row[1])) for row in await connection.execute(query)]

    async def log_origin(self) -> str | None:
        """The log's name."""
        async with self.database.snapshot() as connection:
            origin: str | None = await connection.scalar(select(log_head.c.origin))
        return origin

    async def source(self, guild_id: GuildId, period_index: int) -> ExportSource | None:
        """The period."""
        this = (period.c.guild_id == guild_id) & (period.c.period_index == period_index)
        anonymous = (
            select(func.count())
            .select_from(period_entry)
            .where(
                period_entry.c.guild_id == guild_id,
                period_entry.c.period_index == period_index,
                period_entry.c.user_id.is_(None),
            )
        )
        async with self.database.snapshot() as connection:
            state = await connection.scalar(select(period.c.state).where(this))
            if state is None:
                return None
            found, leaf_index = await _period_record(connection, guild_id, period_index)
            return ExportSource(state, found, leaf_index, (await connection.execute(anonymous)).scalar_one())

    async def redactions(self, guild_id: GuildId) -> list[Redaction]:
        """Every redaction."""
        kind = RecordType.RECORD_REDACTED.value
        signed = select(record.c.guild_seq, record.c.record_sha256, record.c.body).where(
            record.c.guild_id == guild_id, record.c.guild_seq.in_(_positions(guild_id, kind))
        )
        queued = (
            select(record_queue.c.body)
            .where(record_queue.c.guild_id == guild_id, record_queue.c.type == kind)
            .order_by(record_queue.c.id)
        )
        async with self.database.snapshot() as connection:
            records = sorted((await connection.execute(signed)).all())
            drafts = (await connection.execute(queued)).scalars().all()
        return [
            *(Redaction(row[0], bytes(row[1]), bytes(row[2] or b"{}")) for row in records),
            *(Redaction(None, sha256(body.encode()).digest(), body.encode()) for body in drafts if body is not None),
        ]

    async def key_records(self, guild_id: GuildId, last_guild_seq: int) -> list[int]:
        """Positions of key records."""
        query = select(record.c.guild_seq).where(record.c.guild_id == guild_id, record.c.type.in_(_KEY_TYPES))
        async with self.database.snapshot() as connection:
            found = (await connection.execute(query)).scalars().all()
        return sorted(seq for seq in found if seq <= last_guild_seq)

    async def leaves(self, guild_id: GuildId, positions: Collection[int]) -> Mapping[int, tuple[int, bytes]]:
        """Where the log has some records."""
        found: dict[int, tuple[int, bytes]] = {}
        wanted = sorted(positions)
        columns = log_entry.c.guild_seq, log_entry.c.leaf_index, log_entry.c.record_sha256
        for start in range(0, len(wanted), _NAMED_AT_ONCE):
            some = wanted[start : start + _NAMED_AT_ONCE]
            query = select(*columns).where(log_entry.c.guild_id == guild_id, log_entry.c.guild_seq.in_(some))
            async with self.database.snapshot() as connection:
                found |= {row[0]: (row[1], bytes(row[2])) for row in await connection.execute(query)}
        return found

    async def chain(self, guild_id: GuildId, first: int, last: int) -> AsyncGenerator[list[ChainRow], None]:
        """Records in order."""
        seq = record.c.guild_seq
        while first <= last:
            query = (
                select(*_CHAIN)
                .select_from(record)
                .where(record.c.guild_id == guild_id, seq >= first, seq <= last)
                .order_by(seq)
                .limit(_ROWS_A_PAGE)
            )
            async with self.database.snapshot() as connection:
                rows = [ChainRow(*row) for row in await connection.execute(query)]
            if not rows:
                return
            yield rows
            first = rows[-1].guild_seq + 1

    async def entries(self, guild_id: GuildId, period_index: int) -> AsyncGenerator[list[EntryRow], None]:
        """Entries in order."""
        position = period_entry.c.position
        first = 0
        while True:
            query = (
                select(position, *_ENTRY)
                .where(period_entry.c.guild_id == guild_id, period_entry.c.period_index == period_index, position >= first)
                .order_by(position)
                .limit(_ROWS_A_PAGE)
            )
            async with self.database.snapshot() as connection:
                rows = (await connection.execute(query)).all()
            if not rows:
                return
            yield [EntryRow(*row[1:]) for row in rows]
            first = rows[-1][0] + 1

    async def rules(self, guild_id: GuildId, digests: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Rules by their digests."""
        query = select(rules_version.c.rules_sha256, rules_version.c.rules).where(rules_version.c.guild_id == guild_id)
        async with self.database.snapshot() as connection:
            return {bytes(row[0]): bytes(row[1]) for row in await connection.execute(query) if bytes(row[0]) in digests}

    async def public_keys(self, guild_id: GuildId, kids: Collection[str]) -> Mapping[str, bytes]:
        """Keys by their ids."""
        query = select(signing_key.c.kid, signing_key.c.public_key).where(signing_key.c.guild_id == guild_id)
        async with self.database.snapshot() as connection:
            return {row[0]: bytes(row[1]) for row in await connection.execute(query) if row[0] in kids}


def _positions(guild_id: GuildId, kind: str) -> Select[tuple[int]]:
    """Positions of a type's records.

    As a subquery it is answered by the index on types alone: asked for more of it, SQLite reads the whole chain instead.
    """
    inner = record.alias()
    return select(inner.c.guild_seq).where(inner.c.guild_id == guild_id, inner.c.type == kind)


async def _period_record(
    connection: AsyncConnection, guild_id: GuildId, period_index: int
) -> tuple[StoredRecord | None, int | None]:
    """The period's record, and where the log has it."""
    columns = (
        record.c[name]
        for name in ("guild_id", "guild_seq", "type", "record_sha256", "body", "signature", "kid", "signed_at_ms")
    )
    query = (
        select(*columns, log_entry.c.leaf_index)
        .select_from(
            record.outerjoin(
                log_entry, (log_entry.c.guild_id == record.c.guild_id) & (log_entry.c.guild_seq == record.c.guild_seq)
            )
        )
        .where(
            record.c.guild_id == guild_id,
            record.c.guild_seq.in_(_positions(guild_id, RecordType.LEADERBOARD_PERIOD.value)),
            record.c.period_index == period_index,
        )
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        return None, None
    row = min(rows, key=lambda one: one.guild_seq)
    return StoredRecord(*row[:-1]), row[-1]
