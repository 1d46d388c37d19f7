"""Deleting guilds that the bot has left: every row of every table that has a ``guild_id``, found in the schema itself.

Most rows go in batches. What the guild's stream is made of goes last and at once, by the stream's owner: it keeps the stream in
memory, and may find the bot back in the guild at any instant.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table, delete, exists, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import SYSTEM, origin_text
from attendance.domain.commands import CommandKind
from attendance.domain.ids import GuildId
from attendance.store import schema
from attendance.store.database import Database

# First the two whose rows others lock, so that what these others put is there to be deleted behind them.
_FIRST = (schema.guild, schema.stream)
# The log is the deployment's: its entries stay as bare hashes.
_KEPT = frozenset({schema.log_entry})
# What the owner of a stream reads and writes.
OF_THE_STREAM = frozenset(
    {
        schema.guild,
        schema.stream,
        schema.guild_settings,
        schema.tracked_channel,
        schema.rules_version,
        schema.opt_out,
        schema.journal,
        schema.checkpoint,
        schema.milestone,
        schema.command,
        schema.open_session,
        schema.blind_interval,
        schema.period,
        schema.chain_head,
        schema.signing_key,
    }
)


def tables_of_guilds() -> list[Table]:
    """Every table with rows of guilds, those that refer to others before them."""
    return [table for table in reversed(schema.metadata.sorted_tables) if "guild_id" in table.c and table not in _KEPT]


async def delete_guild(connection: AsyncConnection, guild_id: GuildId) -> None:
    """Delete every row of a guild, in the caller's transaction."""
    entry = schema.log_entry
    await connection.execute(update(entry).where(entry.c.guild_id == guild_id).values(guild_id=None, guild_seq=None))
    for table in (*_FIRST, *(one for one in tables_of_guilds() if one not in _FIRST)):
        await connection.execute(delete(table).where(table.c.guild_id == guild_id))


@dataclass(frozen=True, slots=True)
class SqlLeftGuilds:
    """`LeftGuilds` on a database."""

    database: Database

    async def left_before(self, before_ms: int, limit: int) -> list[GuildId]:
        """Guilds that the bot left before then."""
        guild = schema.guild.c
        query = select(guild.guild_id).where(guild.left_at_ms < before_ms).order_by(guild.left_at_ms).limit(limit)
        async with self.database.snapshot() as connection:
            return [GuildId(guild_id) for guild_id in await connection.scalars(query)]

    async def delete_some(self, guild_id: GuildId, before_ms: int, limit: int) -> int:
        """Delete some rows of what the stream does not need."""
        async with self.database.transaction() as connection:
            if not await _is_gone(connection, guild_id, before_ms):
                return 0
            for table in tables_of_guilds():
                if table in OF_THE_STREAM:
                    continue
                key = list(table.primary_key)
                some = select(*key).where(table.c.guild_id == guild_id).limit(limit)
                deleted = await connection.execute(delete(table).where(tuple_(*key).in_(some)))
                if deleted.rowcount:
                    return deleted.rowcount
        return 0

    async def ask_owner(self, guild_id: GuildId, before_ms: int, now_ms: int) -> bool:
        """Ask the owner of the guild's stream to forget it."""
        command = schema.command
        asked = exists().where(
            command.c.guild_id == guild_id, command.c.kind == CommandKind.FORGET.value, command.c.applied_at_ms.is_(None)
        )
        async with self.database.transaction() as connection:
            if not await _is_gone(connection, guild_id, before_ms) or await connection.scalar(select(asked)):
                return False
            await connection.execute(
                insert(command).values(
                    guild_id=guild_id,
                    kind=CommandKind.FORGET.value,
                    body="{}",
                    actor_id=0,  # nobody: the origin says that it is Rollcall itself
                    origin=origin_text(SYSTEM),
                    created_at_ms=now_ms,
                )
            )
        return True


async def _is_gone(connection: AsyncConnection, guild_id: GuildId, before_ms: int) -> bool:
    """Whether the bot is not back; and then it does not come back before we commit."""
    guild = schema.guild.c
    query = select(guild.left_at_ms).where(guild.guild_id == guild_id).with_for_update()
    left_at_ms = await connection.scalar(query)
    return left_at_ms is not None and left_at_ms < before_ms
