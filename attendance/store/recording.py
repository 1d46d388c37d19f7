"""The journal's transactions: group commits, the command inbox, trimming. See `attendance.ports.recording`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.announcements import Announcement, Happening
from attendance.domain.audit import actor_from
from attendance.domain.commands import Command
from attendance.domain.ids import GuildId, ShardId, UserId
from attendance.domain.stream.batch import JournalBatch, OptOutRow, PeriodCut
from attendance.domain.stream.lines import Line
from attendance.ports.recording import Lease
from attendance.store import schema
from attendance.store.announcements import announce
from attendance.store.audit import record_audit
from attendance.store.database import Database, bulk_execute, bulk_insert, bulk_upsert
from attendance.store.leases import fence, hold
from attendance.store.left_guilds import delete_guild
from attendance.store.milestones import drop_milestones, keep_beginnings
from attendance.store.settings import store_settings
from attendance.store.streams import of_shard

_COMMAND_COLUMNS = (
    schema.command.c.id,
    schema.command.c.guild_id,
    schema.command.c.kind,
    schema.command.c.body,
    schema.command.c.actor_id,
    schema.command.c.origin,
    schema.command.c.created_at_ms,
)


@dataclass(frozen=True, slots=True)
class SqlJournalStore:
    """`JournalStore` on a database."""

    database: Database

    async def commit(self, batch: JournalBatch, leases: Mapping[ShardId, Lease], now_ms: int) -> None:
        """Write a batch; see `JournalStore.commit`."""
        async with self.database.transaction() as connection:
            await hold(connection, leases.values(), batch.alive)
            if await _stands(connection, batch):
                return  # the commit that failed was stored after all: a batch is stored whole or not at all
            await bulk_insert(connection, schema.journal, Line._fields, batch.lines)
            await _store_directory(connection, batch, leases, now_ms)
            await _store_decisions(connection, batch, now_ms)

    async def waiting_commands(self, leases: Iterable[Lease], limit: int) -> list[Command]:
        """Commands for known guilds of these shards that no owner has applied yet, oldest first."""
        # Those of others must not fill the limit: they may wait for ever.
        ours = or_(*(of_shard(schema.command, lease) for lease in leases))
        async with self.database.snapshot() as connection:
            rows = await connection.execute(
                select(*_COMMAND_COLUMNS)
                .join(schema.stream, schema.stream.c.guild_id == schema.command.c.guild_id)
                .where(schema.command.c.applied_at_ms.is_(None), ours)
                .order_by(schema.command.c.id)
                .limit(limit)
            )
            return [
                Command(
                    row.id,
                    GuildId(row.guild_id),
                    row.kind,
                    row.body,
                    actor_from(UserId(row.actor_id), row.origin),
                    row.created_at_ms,
                )
                for row in rows
            ]

    async def trim(self, lease: Lease, older_than_ms: int, limit: int) -> int:
        """Delete up to ``limit`` old lines that stand before their guild's checkpoint; see `JournalStore.trim`."""
        journal, checkpoint = schema.journal, schema.checkpoint
        # From the guilds into (guild, at_ms): what is kept is never looked at. ``+ 0`` keeps SQLite's planner from starting
        # with the journal, and from (guild, seq), in which all that stands before the checkpoint would be read to find nothing.
        old = (
            select(journal.c.guild_id, journal.c.seq)
            .select_from(checkpoint)
            .join(journal, journal.c.guild_id == checkpoint.c.guild_id + 0)
            .where(
                of_shard(checkpoint, lease),
                journal.c.seq + 0 < checkpoint.c.seq,
                journal.c.at_ms < older_than_ms,
            )
            .limit(limit)
        )
        # Looked for beside the writers: with nothing old enough it takes as long as there are guilds.
        async with self.database.snapshot() as connection:
            keys = [(row.guild_id, row.seq) for row in await connection.execute(old)]
        if not keys:
            return 0
        async with self.database.transaction() as connection:
            await fence(connection, [lease])
            await drop_milestones(connection, keys)
            return await bulk_execute(
                connection,
                sqlite="DELETE FROM journal WHERE guild_id = ? AND seq = ?",
                postgresql="DELETE FROM journal USING unnest($1::bigint[], $2::bigint[]) AS old(g, s) "
                "WHERE guild_id = g AND seq = s",
                rows=keys,
            )


async def _stands(connection: AsyncConnection, batch: JournalBatch) -> bool:
    if not batch.lines:
        return bool(batch.answers) and await _is_answered(connection, batch.answers[0][0])
    journal, line = schema.journal, batch.lines[0]
    stored = await connection.scalar(
        select(journal.c.line).where(journal.c.guild_id == line.guild_id, journal.c.seq == line.seq)
    )
    return stored is not None and bytes(stored) == line.line


async def _is_answered(connection: AsyncConnection, command_id: int) -> bool:
    command = schema.command
    return await connection.scalar(select(command.c.applied_at_ms).where(command.c.id == command_id)) is not None


async def _store_directory(
    connection: AsyncConnection, batch: JournalBatch, leases: Mapping[ShardId, Lease], now_ms: int
) -> None:
    """Guilds, channels and members as Discord now describes them."""
    guild, channel = schema.guild, schema.channel
    shard_count = next(iter(leases.values())).shard_count
    facts = [
        (fact.guild_id, fact.name, fact.owner_id, fact.afk_channel_id, batch.new_guilds.get(fact.guild_id, now_ms), None)
        for fact in batch.guilds.values()
    ]
    columns: tuple[str, ...] = ("guild_id", "name", "owner_id", "afk_channel_id", "first_seen_at_ms", "left_at_ms")
    await bulk_upsert(connection, guild, columns, facts, replace=("name", "owner_id", "afk_channel_id"))
    streams = [(guild_id, shard_count, 0) for guild_id in batch.new_guilds]
    await bulk_upsert(connection, schema.stream, ("guild_id", "shard_count", "closed_count"), streams, replace=("shard_count",))
    await keep_beginnings(connection, batch.new_guilds)
    periods = [(guild_id, 0, at_ms, "running") for guild_id, at_ms in batch.new_guilds.items()]
    await bulk_upsert(connection, schema.period, ("guild_id", "period_index", "started_at_ms", "state"), periods)
    for guild_id, left_at_ms in batch.left.items():
        await connection.execute(update(guild).where(guild.c.guild_id == guild_id).values(left_at_ms=left_at_ms))
    rows = [
        (guild_id, fact.channel_id, fact.name, fact.kind.value, fact.parent_id, fact.position, False)
        for (guild_id, _), fact in batch.channels.items()
    ]
    columns = ("guild_id", "channel_id", "name", "kind", "parent_id", "position", "deleted")
    await bulk_upsert(connection, channel, columns, rows, replace=columns[2:])
    await bulk_execute(
        connection,
        sqlite="UPDATE channel SET deleted = 1 WHERE guild_id = ? AND NOT deleted "
        "AND channel_id NOT IN (SELECT value FROM json_each(?))",
        postgresql="UPDATE channel SET deleted = true FROM unnest($1::bigint[], $2::text[]) AS complete(g, kept) "
        "WHERE guild_id = g AND NOT deleted AND NOT channel_id = ANY (translate(kept, '[]', '{}')::bigint[])",
        rows=[(guild_id, json.dumps(sorted(kept))) for guild_id, kept in batch.complete_channels.items()],
    )
    for guild_id, channel_id in batch.deleted_channels:
        await connection.execute(
            update(channel).where(channel.c.guild_id == guild_id, channel.c.channel_id == channel_id).values(deleted=True)
        )
    members = [(guild_id, user_id, name, bot) for (guild_id, user_id), (name, bot) in batch.members.items()]
    columns = ("guild_id", "user_id", "display_name", "bot")
    await bulk_upsert(connection, schema.member, columns, members, replace=("display_name", "bot"))


async def _store_decisions(connection: AsyncConnection, batch: JournalBatch, now_ms: int) -> None:
    """Blind intervals, settings, rules, opt-outs, period ends, and the answers to commands."""
    columns = ("guild_id", "seq", "started_at_ms", "ended_at_ms", "cause", "ended_by")
    blind = schema.blind_interval
    await bulk_upsert(connection, blind, columns, list(batch.blind.values()), replace=("ended_at_ms", "ended_by"))
    for guild_id, settings in batch.settings.items():
        await store_settings(connection, guild_id, settings)
    rules = ("guild_id", "version", "from_ms", "rules_sha256", "rules", "actor_id")
    await bulk_insert(connection, schema.rules_version, rules, batch.rules)
    for (guild_id, user_id), said in batch.opt_outs.items():
        await _store_opt_out(connection, guild_id, user_id, said)
    for cut in batch.cuts:
        await _cut(connection, cut)
    for guild_id in sorted(batch.forgotten):
        await delete_guild(connection, guild_id)
    ended = Happening.PERIOD_CUT
    told = [Announcement(cut.guild_id, ended, now_ms, period_index=cut.period_index) for cut in batch.cuts]
    await announce(connection, told)
    await record_audit(connection, *batch.audits)
    command = schema.command
    for command_id, result in batch.answers:
        await connection.execute(update(command).where(command.c.id == command_id).values(applied_at_ms=now_ms, result=result))


async def _store_opt_out(connection: AsyncConnection, guild_id: GuildId, user_id: UserId, said: OptOutRow | None) -> None:
    out = schema.opt_out
    this = (out.c.guild_id == guild_id, out.c.user_id == user_id)
    if said is None:
        await connection.execute(delete(out).where(*this))
    elif said.since_ms is None:
        await connection.execute(update(out).where(*this).values(actor_id=said.actor_id))
    else:
        columns = ("guild_id", "user_id", "since_ms", "actor_id")
        await bulk_upsert(connection, out, columns, [(guild_id, user_id, *said)], replace=columns[2:])


async def _cut(connection: AsyncConnection, cut: PeriodCut) -> None:
    period = schema.period
    await connection.execute(
        update(period)
        .where(period.c.guild_id == cut.guild_id, period.c.period_index == cut.period_index, period.c.state == "running")
        .values(ended_at_ms=cut.at_ms, state="cut", reason=cut.reason)
    )
    await connection.execute(
        insert(period).values(
            guild_id=cut.guild_id, period_index=cut.period_index + 1, started_at_ms=cut.at_ms, state="running"
        )
    )
