"""When sums change other than by a session that closes: a correction, an erasure."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import GuildId
from attendance.store.schema import stream


async def revise_sums(connection: AsyncConnection, guild_id: GuildId) -> None:
    """Tell every copy of the guild's sums, in whichever process, that it is no longer true.

    Call it first in a transaction that changes sums: on PostgreSQL the row's lock lets no two of them, and no projection of the
    same guild, interleave.
    """
    await connection.execute(
        update(stream).where(stream.c.guild_id == guild_id).values(sums_revision=stream.c.sums_revision + 1)
    )
