"""Closed periods to archive, and what must be true of an archive, worked out without the service's code."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert, select

from attendance.clock import FixedClock
from attendance.domain.ids import GuildId
from attendance.ports.archiving import PeriodKey
from attendance.services.archive import Archiver
from attendance.store import schema
from attendance.store.database import Database, bulk_insert
from attendance.store.periods import SqlPeriodStore

GUILD = GuildId(81_384_788_765_712_384)
PERIOD = PeriodKey(GUILD, 3)
Member = tuple[int, int, int]
MEMBERS: list[Member] = [(10, 500, 2), (11, 900, 1), (12, 0, 3), (13, 500, 1), (2**63 - 1, 0, 1), (14, 1, 1), (9, 500, 9)]


@dataclass
class NumberedIds:
    """Salts that tell attempts apart."""

    calls: list[int] = field(default_factory=list)

    def salt(self, count: int = 1) -> bytes:
        self.calls.append(count)
        attempt = len(self.calls)
        return b"".join(hashlib.sha256(f"{attempt}/{index}".encode()).digest()[:16] for index in range(count))

    def session_id(self, at_ms: int) -> object:
        raise NotImplementedError


async def close_period(
    database: Database,
    members: Sequence[Member] = MEMBERS,
    key: PeriodKey = PERIOD,
    state: str = "closed",
    ended_at_ms: int = 2_000,
) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            insert(schema.period).values(
                guild_id=key.guild_id,
                period_index=key.period_index,
                started_at_ms=1_000,
                ended_at_ms=ended_at_ms,
                state=state,
                reason="schedule",
            )
        )
        rows = [(*key, user, credited, count, 0, 0, 0, 0, -credited) for user, credited, count in members]
        columns = ("guild_id", "period_index", "user_id", "credited_ms", "session_count", "unwitnessed_ms")
        columns += ("deafened_ms", "muted_ms", "solo_ms", "rank_key")
        await bulk_insert(connection, schema.period_member, columns, rows)


def an_archiver(store: object, clock: FixedClock, name: str = "one", chunk: int = 2) -> Archiver:
    return Archiver(store, clock, NumberedIds(), name, entries_a_chunk=chunk)


def sql_archiver(database: Database, clock: FixedClock | None = None, name: str = "one", chunk: int = 2) -> Archiver:
    return an_archiver(SqlPeriodStore(database), clock or FixedClock(), name, chunk)


async def period_row(database: Database, key: PeriodKey = PERIOD) -> object:
    table = schema.period
    query = select(table).where(table.c.guild_id == key.guild_id, table.c.period_index == key.period_index)
    async with database.snapshot() as connection:
        return (await connection.execute(query)).one()


async def entries(database: Database, key: PeriodKey = PERIOD) -> list[object]:
    table = schema.period_entry
    query = select(table).where(table.c.guild_id == key.guild_id, table.c.period_index == key.period_index)
    async with database.snapshot() as connection:
        return list((await connection.execute(query.order_by(table.c.position))).all())


async def queued(database: Database) -> list[tuple[object, ...]]:
    table = schema.record_queue
    query = select(table.c.guild_id, table.c.type, table.c.session_id, table.c.period_index, table.c.body)
    async with database.snapshot() as connection:
        return [tuple(row) for row in await connection.execute(query.order_by(table.c.id))]


async def assert_archived_once(database: Database, members: Sequence[Member] = MEMBERS, key: PeriodKey = PERIOD) -> None:
    """The whole of what records, section 2, says of entries, and one queued record."""
    found = await entries(database, key)
    ranked = sorted((member for member in members if member[2] > 0), key=lambda member: (-member[1], member[0]))
    assert [(row.position, row.user_id, row.credited_ms, row.session_count) for row in found] == [
        (position, *member) for position, member in enumerate(ranked)
    ]
    assert [row.rank for row in found] == [1 + sum(other[1] > member[1] for other in ranked) for member in ranked]
    assert len({bytes(row.salt) for row in found}) == len(found)
    assert [bytes(row.leaf_sha256) for row in found] == [leaf(row) for row in found]

    period = await period_row(database, key)
    assert (period.state, period.claimed_by, period.claimed_until_ms) == ("archived", None, None)
    assert period.entry_count == len(found)
    assert bytes(period.entries_root) == root([leaf(row) for row in found])
    assert [row for row in await queued(database) if (row[0], row[3]) == tuple(key)] == [
        (key.guild_id, "leaderboard.period", None, key.period_index, None)
    ]


def leaf(row: object) -> bytes:
    salt = base64.urlsafe_b64encode(row.salt).rstrip(b"=").decode()
    entry = {
        "credited_ms": row.credited_ms,
        "rank": row.rank,
        "salt": salt,
        "session_count": row.session_count,
        "user_id": str(row.user_id),
    }
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(b"\0" + hashlib.sha256(text.encode()).digest()).digest()


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it stands there."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()
