"""Reading a shard's streams when its owner starts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Table, and_, bindparam, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.stream.batch import BlindRow
from attendance.domain.stream.lines import Line
from attendance.ports.recording import Lease, StoredStream
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.leases import fence
from attendance.store.settings import read_settings


@dataclass(frozen=True, slots=True)
class SqlStreamStore:
    """`StreamStore` on a database."""

    database: Database

    async def bots(self) -> set[UserId]:
        """Users that were ever seen as bots."""
        async with self.database.snapshot() as connection:
            rows = await connection.scalars(select(schema.member.c.user_id).where(schema.member.c.bot).distinct())
            return {UserId(user_id) for user_id in rows}

    async def load(self, lease: Lease) -> list[StoredStream]:
        """Every guild of the lease's shard, in one consistent view."""
        async with self.database.snapshot() as connection:
            streams = (await connection.execute(select(schema.stream).where(of_shard(schema.stream, lease)))).all()
            alive = await _signs_of_life(connection)
            guilds = await _rows(connection, schema.guild, lease)
            settings = await _rows(connection, schema.guild_settings, lease)
            checkpoints = await _rows(connection, schema.checkpoint, lease)
            versions = await _rules_versions(connection, lease)
            blind = await _open_blind(connection, lease)
            tracked = await _tracked(connection, lease)
            opted_out = await _opted_out(connection, lease)
        return [
            StoredStream(
                guild_id=GuildId(row.guild_id),
                alive_at_ms=alive.get((row.shard_count, (row.guild_id >> 22) % row.shard_count), 0),
                closed_count=row.closed_count,
                checkpoint_seq=checkpoints.get(row.guild_id, {}).get("seq", 0),
                checkpoint=checkpoints.get(row.guild_id, {}).get("state"),
                present=guilds[row.guild_id]["left_at_ms"] is None,
                afk_channel_id=guilds[row.guild_id]["afk_channel_id"],
                settings=read_settings(settings.get(row.guild_id), frozenset(tracked[row.guild_id])),
                rules_version=versions.get(row.guild_id, 0),
                blind=blind.get(row.guild_id),
                opted_out_by=opted_out[row.guild_id],
            )
            for row in streams
        ]

    async def journal_after(self, lease: Lease, chunk: int) -> AsyncIterator[list[Line]]:
        """The lines behind the checkpoints of the shard's guilds, about ``chunk`` at a time, each guild in order."""
        journal, stream, checkpoint = schema.journal, schema.stream, schema.checkpoint
        # From the guilds into the journal's primary key: the days of history before the checkpoints are never read.
        query = (
            select(journal.c.guild_id, journal.c.seq, journal.c.at_ms, journal.c.user_id, journal.c.type, journal.c.line)
            .select_from(stream)
            .outerjoin(checkpoint, checkpoint.c.guild_id == stream.c.guild_id)
            .join(
                journal,
                and_(journal.c.guild_id == stream.c.guild_id, journal.c.seq >= func.coalesce(checkpoint.c.seq, 0)),
            )
            .where(of_shard(stream, lease), stream.c.guild_id >= bindparam("guild"))
            .where(or_(stream.c.guild_id > bindparam("guild"), journal.c.seq > bindparam("seq")))
            .order_by(stream.c.guild_id, journal.c.seq)
            .limit(chunk)
        )
        position = {"guild": 0, "seq": -1}
        while True:
            async with self.database.snapshot() as connection:
                rows = (await connection.execute(query, position)).all()
            if rows:
                yield [Line._make(row) for row in rows]
                position = {"guild": rows[-1].guild_id, "seq": rows[-1].seq}
            if len(rows) < chunk:
                return

    async def adopt(self, leases: Sequence[Lease]) -> None:
        """Note on every stream of these shards under which shard count it is owned now."""
        stream = schema.stream
        async with self.database.transaction() as connection:
            await fence(connection, leases)
            for lease in leases:
                await connection.execute(
                    update(stream)
                    .where(of_shard(stream, lease), stream.c.shard_count != lease.shard_count)
                    .values(shard_count=lease.shard_count)
                )


def of_shard(table: Table, lease: Lease) -> ColumnElement[bool]:
    """Guilds of the lease's shard: ``(guild_id >> 22) % shard_count``, in words that both dialects have."""
    return (table.c.guild_id // literal_column("4194304", BigInteger)) % lease.shard_count == lease.shard_id


async def _rows(connection: AsyncConnection, table: Table, lease: Lease) -> dict[int, dict[str, Any]]:
    result = await connection.execute(select(table).where(of_shard(table, lease)))
    return {row["guild_id"]: dict(row) for row in result.mappings()}


async def _signs_of_life(connection: AsyncConnection) -> dict[tuple[int, int], int]:
    lease = schema.shard_lease
    rows = await connection.execute(select(lease.c.shard_count, lease.c.shard_id, lease.c.alive_at_ms))
    return {(row.shard_count, row.shard_id): row.alive_at_ms for row in rows}


async def _rules_versions(connection: AsyncConnection, lease: Lease) -> dict[int, int]:
    rules = schema.rules_version
    query = select(rules.c.guild_id, func.max(rules.c.version)).where(of_shard(rules, lease)).group_by(rules.c.guild_id)
    return {row[0]: row[1] for row in await connection.execute(query)}


async def _open_blind(connection: AsyncConnection, lease: Lease) -> dict[int, BlindRow]:
    blind = schema.blind_interval
    rows = await connection.execute(select(blind).where(of_shard(blind, lease), blind.c.ended_at_ms.is_(None)))
    return {row.guild_id: BlindRow(GuildId(row.guild_id), row.seq, row.started_at_ms, None, row.cause, None) for row in rows}


async def _tracked(connection: AsyncConnection, lease: Lease) -> defaultdict[int, set[ChannelId]]:
    tracked: defaultdict[int, set[ChannelId]] = defaultdict(set)
    for row in await connection.execute(select(schema.tracked_channel).where(of_shard(schema.tracked_channel, lease))):
        tracked[row.guild_id].add(ChannelId(row.channel_id))
    return tracked


async def _opted_out(connection: AsyncConnection, lease: Lease) -> defaultdict[int, dict[UserId, UserId | None]]:
    found: defaultdict[int, dict[UserId, UserId | None]] = defaultdict(dict)
    for row in await connection.execute(select(schema.opt_out).where(of_shard(schema.opt_out, lease))):
        found[row.guild_id][UserId(row.user_id)] = None if row.actor_id is None else UserId(row.actor_id)
    return found
