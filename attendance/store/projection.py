"""Storing what the fold said: sessions, sums, open sessions, queue rows, checkpoints. See `attendance.ports.recording`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.core import OpenRow
from attendance.domain.announcements import Announcement, Happening
from attendance.domain.ids import GuildId, ShardId
from attendance.domain.stream.milestones import milestone_number
from attendance.domain.stream.projection import Projection
from attendance.errors import OwnershipLostError
from attendance.ports.recording import Lease
from attendance.store import schema
from attendance.store.announcements import announce
from attendance.store.database import Database, Row, bulk_execute, bulk_insert, bulk_upsert
from attendance.store.leases import fence
from attendance.store.milestones import MILESTONE_COLUMNS

_SESSION_COLUMNS = (
    "session_id", "guild_id", "ordinal", "user_id", "channel_id", "period_index", "stay", "part", "joined_at_ms", "left_at_ms",
    "reason", "timeline", "counted_ms", "bridged_ms", "unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms", "below_minimum",
    "credited_ms", "rules_sha256",
)  # fmt: skip
_QUARTERS = 19  # position of `ClosedRow.quarters`, which has tables of its own
_OPEN_COLUMNS = OpenRow._fields[:-1]
_TOTAL_COLUMNS = (
    "guild_id", "period_index", "user_id", "credited_ms", "session_count", "unwitnessed_ms", "deafened_ms", "muted_ms",
    "solo_ms", "rank_key",
)  # fmt: skip
_CHANNEL_COLUMNS = ("guild_id", "period_index", "channel_id", "user_id", "credited_ms", "session_count")
_MEMBER_QUARTER_COLUMNS = ("guild_id", "user_id", "quarter", "period_index", "channel_id", "credited_ms")
_CHANNEL_QUARTER_COLUMNS = ("guild_id", "quarter", "channel_id", "credited_ms")
_QUEUE_COLUMNS = ("guild_id", "type", "session_id", "created_at_ms")


@dataclass(frozen=True, slots=True)
class SqlProjectionStore:
    """`ProjectionStore` on a database."""

    database: Database

    async def store(self, projection: Projection, leases: Mapping[ShardId, Lease], now_ms: int) -> None:
        """Write one projection; see `ProjectionStore.store`."""
        async with self.database.transaction() as connection:
            await fence(connection, leases.values())
            if projection.closed and not await _advance(connection, projection.closed_count):
                return  # the commit that failed was stored after all
            await _store_closed(connection, projection, now_ms)
            await _store_open(connection, projection.opened)
            await _delete_open(connection, projection.gone)
            for guild_id, index in projection.closed_periods:
                await _close_period(connection, guild_id, index)

    async def replace_open(
        self, guild_ids: Sequence[GuildId], rows: Sequence[OpenRow], leases: Mapping[ShardId, Lease]
    ) -> None:
        """Make these rows the open sessions of these guilds, whatever was stored before."""
        table = schema.open_session
        async with self.database.transaction() as connection:
            await fence(connection, leases.values())
            await connection.execute(delete(table).where(table.c.guild_id.in_(guild_ids)))
            await _store_open(connection, rows)

    async def save_checkpoints(
        self, states: Sequence[tuple[GuildId, int, bytes]], saved_at_ms: int, leases: Mapping[ShardId, Lease]
    ) -> None:
        """Store engine states with the journal position after them."""
        columns = ("guild_id", "seq", "state", "saved_at_ms")
        async with self.database.transaction() as connection:
            await fence(connection, leases.values())
            known = await _known(connection, {state[0] for state in states})
            rows = [(*state, saved_at_ms) for state in states if state[0] in known]
            await bulk_upsert(connection, schema.checkpoint, columns, rows, replace=columns[1:])

    async def keep_milestones(self, states: Sequence[tuple[GuildId, int, int, bytes]], leases: Mapping[ShardId, Lease]) -> None:
        """Keep the first engine state of each quarter of a day."""
        async with self.database.transaction() as connection:
            await fence(connection, leases.values())
            known = await _known(connection, {state[0] for state in states})
            rows = [
                (guild_id, milestone_number(at_ms), seq, at_ms, state)
                for guild_id, seq, at_ms, state in states
                if guild_id in known
            ]
            await bulk_upsert(connection, schema.milestone, MILESTONE_COLUMNS, rows)


async def _known(connection: AsyncConnection, guild_ids: Collection[GuildId]) -> set[int]:
    """Those that have a stream: a guild that was deleted meanwhile gets no state, and none is deleted until we commit."""
    stream = schema.stream
    query = select(stream.c.guild_id).where(stream.c.guild_id.in_(guild_ids)).with_for_update(read=True, key_share=True)
    return set(await connection.scalars(query))


async def _advance(connection: AsyncConnection, counts: Mapping[GuildId, tuple[int, int]]) -> bool:
    """Move each guild's count of stored sessions on, if it is where we believe it to be.

    Returns:
        False if every count stands at its end already: this very projection is stored.

    Raises:
        OwnershipLostError: a count is neither here nor there: somebody else writes this guild.
    """
    moves = [(after, guild_id, before) for guild_id, (before, after) in counts.items()]
    if await _move_counts(connection, moves) == len(moves):
        return True
    # Either this very projection was stored by a commit that seemed to fail, or somebody else writes.
    stood = await _move_counts(connection, [(after, guild_id, after) for after, guild_id, _ in moves])
    if stood == len(moves):
        return False
    raise OwnershipLostError("a guild's count of stored sessions is not what its owner knows: somebody else wrote it")


async def _move_counts(connection: AsyncConnection, moves: Sequence[tuple[int, int, int]]) -> int:
    """Compare-and-swap of (new count, guild, old count); returns how many were as expected."""
    return await bulk_execute(
        connection,
        sqlite="UPDATE stream SET closed_count = ? WHERE guild_id = ? AND closed_count = ?",
        postgresql="UPDATE stream SET closed_count = a FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS move(a, g, b) "
        "WHERE guild_id = g AND closed_count = b",
        rows=moves,
    )


async def _store_closed(connection: AsyncConnection, projection: Projection, now_ms: int) -> None:
    sessions = [(session_id, *row[:_QUARTERS], row.rules_sha256) for session_id, row in projection.closed]
    await bulk_insert(connection, schema.session, _SESSION_COLUMNS, sessions)
    queue = [(row.guild_id, "voice.session", session_id, now_ms) for session_id, row in projection.closed]
    await bulk_insert(connection, schema.record_queue, _QUEUE_COLUMNS, queue)
    totals = [(*key, *amounts, -amounts[0]) for key, amounts in projection.totals.items()]
    await bulk_upsert(connection, schema.period_member, _TOTAL_COLUMNS, totals, add=_TOTAL_COLUMNS[3:])
    channels = [(*key, *amounts) for key, amounts in projection.by_channel.items()]
    await bulk_upsert(connection, schema.period_channel, _CHANNEL_COLUMNS, channels, add=_CHANNEL_COLUMNS[4:])
    cells = _cells(projection.member_quarters)
    await bulk_upsert(connection, schema.member_quarter, _MEMBER_QUARTER_COLUMNS, cells, add=("credited_ms",))
    cells = _cells(projection.channel_quarters)
    await bulk_upsert(connection, schema.channel_quarter, _CHANNEL_QUARTER_COLUMNS, cells, add=("credited_ms",))
    ended = Happening.SESSION_ENDED
    await announce(
        connection,
        [Announcement(GuildId(row.guild_id), ended, now_ms, session_id) for session_id, row in projection.closed],
    )


def _cells(sums: Mapping[Any, int]) -> list[Row]:
    return [(*key, credited_ms) for key, credited_ms in sums.items()]


async def _store_open(connection: AsyncConnection, rows: Iterable[OpenRow]) -> None:
    table = schema.open_session
    await bulk_upsert(connection, table, _OPEN_COLUMNS, [row[:-1] for row in rows], replace=_OPEN_COLUMNS[2:])


async def _delete_open(connection: AsyncConnection, keys: Sequence[tuple[int, int]]) -> None:
    await bulk_execute(
        connection,
        sqlite="DELETE FROM open_session WHERE guild_id = ? AND user_id = ?",
        postgresql="DELETE FROM open_session USING unnest($1::bigint[], $2::bigint[]) AS gone(g, u) "
        "WHERE guild_id = g AND user_id = u",
        rows=keys,
    )


async def _close_period(connection: AsyncConnection, guild_id: GuildId, index: int) -> None:
    """All sessions of the period are stored: it may be archived. Asked again after a crash, it changes nothing."""
    period = schema.period
    await connection.execute(
        update(period)
        .where(period.c.guild_id == guild_id, period.c.period_index == index, period.c.state == "cut")
        .values(state="closed")
    )
