"""Writing and dropping milestones: where a replay of a guild's past can begin. Reading them: `attendance.store.explain`.

A milestone stands exactly as long as every line behind it: it is stored after them, and goes in the transaction that deletes
the first of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import GuildId
from attendance.domain.stream.milestones import milestone_number
from attendance.store import schema
from attendance.store.database import bulk_execute, bulk_upsert

MILESTONE_COLUMNS = ("guild_id", "number", "seq", "at_ms", "state")


async def keep_beginnings(connection: AsyncConnection, new_guilds: Mapping[GuildId, int]) -> None:
    """The milestones before the first lines of guilds; the instants are when they were first seen."""
    rows = [(guild_id, milestone_number(at_ms), 0, at_ms, None) for guild_id, at_ms in new_guilds.items()]
    await bulk_upsert(connection, schema.milestone, MILESTONE_COLUMNS, rows)


async def drop_milestones(connection: AsyncConnection, trimmed: Iterable[tuple[GuildId, int]]) -> None:
    """Drop the milestones that one of these lines (guild, position) stands behind."""
    last: dict[GuildId, int] = {}
    for guild_id, seq in trimmed:
        last[guild_id] = max(seq, last.get(guild_id, seq))
    await bulk_execute(
        connection,
        sqlite="DELETE FROM milestone WHERE guild_id = ? AND seq <= ?",
        postgresql="DELETE FROM milestone USING unnest($1::bigint[], $2::bigint[]) AS trimmed(g, s) "
        "WHERE guild_id = g AND seq <= s",
        rows=list(last.items()),
    )
