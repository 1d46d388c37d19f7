"""The queue of what is to be recorded, and each guild's chain.

Who can write to these tables can delete the newest records of a chain or keep drafts from being signed, but cannot change
or insert a record that verifies without the guild's key.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from asyncpg.exceptions import IntegrityConstraintViolationError
from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, text, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType, SessionFacts
from attendance.domain.signing_keys import KeyState, RecordKey
from attendance.errors import ConflictError
from attendance.ports.signing import ChainHead, PeriodSources, QueuedDraft, QueueStart, SignedBatch, SignedRecord
from attendance.store.database import Database, bulk_insert
from attendance.store.schema import (
    blind_interval,
    chain_head,
    period,
    period_entry,
    record,
    record_queue,
    rules_version,
    session,
    signing_key,
)

SESSION_COLUMNS = tuple(session.c[name] for name in SessionFacts._fields)
KEY_COLUMNS = tuple(signing_key.c[name] for name in RecordKey.__slots__)
_RECORD_COLUMNS = (
    "guild_id",
    "guild_seq",
    "type",
    "record_sha256",
    "body",
    "signature",
    "kid",
    "signed_at_ms",
    "session_id",
    "period_index",
)
_HASHES_A_PAGE = 20_000

# Read from the index on periods alone, which holds the hashes in this order: the records themselves are never touched.
_SESSION_HASHES = """
SELECT guild_seq AS position, record_sha256 AS digest FROM record
WHERE guild_id = :guild_id AND type = 'voice.session' AND period_index = :period_index
AND guild_seq <= :last AND guild_seq >= :first
"""

# Open under the master key, or held open by some process. Nobody signs with a key that `lock` was said to.
NOT_LOCKED = or_(signing_key.c.master_wrapped.is_not(None), signing_key.c.unlocked_until_ms.is_not(None))


class _QueueMovedError(Exception):
    """The rows of a batch are not all there: rolls the transaction back."""


@dataclass(frozen=True, slots=True)
class SqlSigningStore:
    """`SigningStore` over SQL."""

    database: Database

    async def keys_with_work(self, after: GuildId, limit: int) -> list[RecordKey]:
        """Active keys of guilds in which something waits."""
        waits = exists().where(record_queue.c.guild_id == signing_key.c.guild_id)
        query = (
            select(*KEY_COLUMNS)
            .where(signing_key.c.guild_id > after, signing_key.c.state == KeyState.ACTIVE.value, NOT_LOCKED, waits)
            .order_by(signing_key.c.guild_id)
            .limit(limit)
        )
        async with self.database.snapshot() as connection:
            return [RecordKey(*row) for row in (await connection.execute(query)).all()]

    async def queue_start(self, guild_id: GuildId, limit: int, *, after_id: int | None = None) -> QueueStart:
        """The head and the first waiting drafts."""
        queue = record_queue.c
        query = (
            select(queue.id, queue.type, queue.period_index, queue.body, *SESSION_COLUMNS)
            .select_from(record_queue.outerjoin(session, session.c.session_id == queue.session_id))
            .where(queue.guild_id == guild_id, true() if after_id is None else queue.id > after_id)
            .order_by(queue.id)
            .limit(limit)
        )
        async with self.database.snapshot() as connection:
            head = await read_head(connection, guild_id)
            rows = (await connection.execute(query)).all()
        return QueueStart(
            head,
            [QueuedDraft(row[0], row[1], row[2], row[3], None if row[4] is None else SessionFacts(*row[4:])) for row in rows],
        )

    async def append(self, batches: Sequence[SignedBatch]) -> frozenset[GuildId]:
        """Append to many chains in one transaction; see `SigningStore.append`."""
        # Two signers take the heads in the same order, or PostgreSQL would have to break a deadlock.
        ordered = sorted(batches, key=lambda batch: batch.guild_id)
        try:
            async with self.database.transaction() as connection:
                stored = [batch for batch in ordered if await _append_one(connection, batch)]
                await bulk_insert(connection, record, _RECORD_COLUMNS, [row for batch in stored for row in _rows(batch)])
        except _QueueMovedError:
            return frozenset(batch.guild_id for batch in batches)
        except (IntegrityError, IntegrityConstraintViolationError) as error:
            raise ConflictError("a record of this batch is in the chain already") from error
        return frozenset(batch.guild_id for batch in batches) - {batch.guild_id for batch in stored}

    async def period_sources(self, guild_id: GuildId, period_index: int) -> PeriodSources | None:
        """What a period's record is made of."""
        async with self.database.snapshot() as connection:
            return await read_period_sources(connection, guild_id, period_index)

    async def session_hashes(self, guild_id: GuildId, period_index: int) -> AsyncGenerator[bytes, None]:
        """Hashes of the period's session records in chain order."""
        seq = record.c.guild_seq
        ends = select(func.min(seq), func.max(seq)).where(_session_records(guild_id, period_index))
        async with self.database.snapshot() as connection:
            first, last = (await connection.execute(ends)).one()
        if first is not None:
            values = {"guild_id": guild_id, "period_index": period_index, "last": last}
            async for page in hash_pages(self.database, _SESSION_HASHES, values, first):
                yield page


async def read_head(connection: AsyncConnection, guild_id: GuildId) -> ChainHead:
    """A guild's head; that of an empty chain where there is none."""
    query = select(chain_head.c.next_guild_seq, chain_head.c.head_sha256).where(chain_head.c.guild_id == guild_id)
    row = (await connection.execute(query)).one_or_none()
    return ChainHead() if row is None else ChainHead(*row)


async def move_head(
    connection: AsyncConnection,
    guild_id: GuildId,
    head: ChainHead,
    records: Sequence[SignedRecord],
    *conditions: ColumnElement[bool],
) -> bool:
    """Move a guild's head over ``records`` if it still is ``head`` (and the conditions hold): the one place of the swap."""
    if head.next_guild_seq == 0:
        first = text(
            "INSERT INTO chain_head (guild_id, next_guild_seq) VALUES (:guild_id, 0) ON CONFLICT (guild_id) DO NOTHING"
        )
        await connection.execute(first, {"guild_id": guild_id})
    moved = await connection.execute(
        update(chain_head)
        .where(
            chain_head.c.guild_id == guild_id,
            chain_head.c.next_guild_seq == head.next_guild_seq,
            # `= NULL` holds for nothing
            chain_head.c.head_sha256.is_(None) if head.head_sha256 is None else chain_head.c.head_sha256 == head.head_sha256,
            *conditions,
        )
        .values(next_guild_seq=head.next_guild_seq + len(records), head_sha256=records[-1].sha256)
    )
    return moved.rowcount == 1


async def insert_records(
    connection: AsyncConnection,
    guild_id: GuildId,
    head: ChainHead,
    signed_at_ms: int,
    records: Sequence[tuple[str, SignedRecord]],
) -> None:
    """Write records by several keys, (kid, record), from ``head`` on."""
    await bulk_insert(
        connection,
        record,
        _RECORD_COLUMNS,
        [
            (
                guild_id,
                head.next_guild_seq + index,
                *one[:1],
                one.sha256,
                one.record,
                one.signature,
                kid,
                signed_at_ms,
                *one[4:],
            )
            for index, (kid, one) in enumerate(records)
        ],
    )


async def _append_one(connection: AsyncConnection, batch: SignedBatch) -> bool:
    usable = exists().where(
        signing_key.c.guild_id == batch.guild_id,
        signing_key.c.kid == batch.kid,
        signing_key.c.state == KeyState.ACTIVE.value,
        NOT_LOCKED,
    )
    if not await move_head(connection, batch.guild_id, batch.head, batch.records, usable):
        return False
    if batch.queue_ids:
        emptied = await connection.execute(
            delete(record_queue).where(
                record_queue.c.guild_id == batch.guild_id,
                record_queue.c.id >= batch.queue_ids[0],
                record_queue.c.id <= batch.queue_ids[-1],
            )
        )
        if emptied.rowcount != len(batch.queue_ids):
            raise _QueueMovedError
    return True


def _rows(batch: SignedBatch) -> list[tuple[object, ...]]:
    guild_id, kid, signed_at_ms, first = batch.guild_id, batch.kid, batch.signed_at_ms, batch.head.next_guild_seq
    return [
        (guild_id, seq, one.type, one.sha256, one.record, one.signature, kid, signed_at_ms, one.session_id, one.period_index)
        for seq, one in enumerate(batch.records, start=first)
    ]


def _session_records(guild_id: GuildId, period_index: int) -> ColumnElement[bool]:
    return and_(
        record.c.guild_id == guild_id,
        record.c.type == RecordType.VOICE_SESSION.value,
        record.c.period_index == period_index,
    )


async def hash_pages(database: Database, rows: str, values: Mapping[str, int], first: int = 0) -> AsyncGenerator[bytes, None]:
    """Hashes in the order of their positions, many concatenated at a time.

    The database joins them: as rows, a million hashes would keep the event loop busy for seconds.

    Args:
        database: Where from.
        rows: A SELECT of ``position`` and ``digest`` with ``:values`` and a last condition ``position >= :first``.
        values: Its values.
        first: The first position.
    """
    if database.is_sqlite:  # it aggregates a limited subquery in the subquery's order, the only one that it ever has
        joined = "group_concat(hex(digest), '')"
    else:
        joined = "string_agg(digest, CAST('' AS bytea) ORDER BY position)"
    page = f"({rows} ORDER BY position LIMIT {_HASHES_A_PAGE})"
    query = text(f"SELECT max(position), {joined} FROM {page} AS page")  # noqa: S608  # built of constants
    while True:
        async with database.snapshot() as connection:
            last, digests = (await connection.execute(query, {**values, "first": first})).one()
        if last is None:
            return
        yield bytes.fromhex(digests) if isinstance(digests, str) else bytes(digests)
        first = last + 1


async def read_period_sources(connection: AsyncConnection, guild_id: GuildId, period_index: int) -> PeriodSources | None:
    """See `SigningStore.period_sources`."""
    columns = (
        period.c.started_at_ms,
        period.c.ended_at_ms,
        period.c.state,
        period.c.entry_count,
        period.c.entries_root,
        period.c.erased_sessions,
    )
    query = select(*columns).where(period.c.guild_id == guild_id, period.c.period_index == period_index)
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        return None
    entries = select(func.coalesce(func.sum(period_entry.c.session_count), 0)).where(
        period_entry.c.guild_id == guild_id, period_entry.c.period_index == period_index
    )
    seq = record.c.guild_seq
    recorded = select(func.count(), func.min(seq), func.max(seq)).where(_session_records(guild_id, period_index))
    in_chain = (await connection.execute(recorded)).one()
    # Only corrections that are in the entries name their period (`attendance.store.corrections`).
    corrected = select(func.max(seq)).where(
        record.c.guild_id == guild_id,
        record.c.type == RecordType.SESSION_CORRECTION.value,
        record.c.period_index == period_index,
    )
    last_correction = (await connection.execute(corrected)).scalar_one()
    return PeriodSources(
        started_at_ms=found.started_at_ms,
        ended_at_ms=found.ended_at_ms,
        state=found.state,
        entry_count=found.entry_count,
        entries_root=found.entries_root,
        expected_sessions=int((await connection.execute(entries)).scalar_one()) + found.erased_sessions,
        recorded_sessions=in_chain[0],
        first_guild_seq=in_chain[1],
        last_guild_seq=in_chain[2] if last_correction is None else max(in_chain[2], last_correction),
        rules=await _rules_in_force(connection, guild_id, found.started_at_ms, found.ended_at_ms),
        blind=await _blind(connection, guild_id, found.started_at_ms, found.ended_at_ms),
    )


async def _rules_in_force(connection: AsyncConnection, guild_id: GuildId, started_ms: int, ended_ms: int | None) -> list[bytes]:
    version = rules_version.c.version
    at_start = select(func.max(version)).where(rules_version.c.guild_id == guild_id, rules_version.c.from_ms <= started_ms)
    query = (
        select(rules_version.c.rules_sha256)
        .where(rules_version.c.guild_id == guild_id, version >= func.coalesce(at_start.scalar_subquery(), 0))
        .order_by(version)
    )
    if ended_ms is not None:
        query = query.where(rules_version.c.from_ms < ended_ms)
    digests = (await connection.execute(query)).scalars().all()
    return list(dict.fromkeys(digests))  # rules that came back are listed where they were first used


async def _blind(
    connection: AsyncConnection, guild_id: GuildId, started_ms: int, ended_ms: int | None
) -> list[tuple[int, int | None]]:
    start, end = blind_interval.c.started_at_ms, blind_interval.c.ended_at_ms
    query = (
        select(start, end)
        .where(blind_interval.c.guild_id == guild_id, or_(end.is_(None), end > started_ms))
        .order_by(start, blind_interval.c.seq)
    )
    if ended_ms is not None:
        query = query.where(start < ended_ms)
    return [(row[0], row[1]) for row in (await connection.execute(query)).all()]
