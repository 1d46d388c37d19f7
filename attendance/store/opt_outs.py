"""Opt-outs as the guild's owner has applied them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import String, and_, cast, func, or_, select

from attendance.domain.ids import GuildId, UserId
from attendance.ports.opt_outs import OptOutLine
from attendance.store.database import Database
from attendance.store.schema import member, opt_out


@dataclass(frozen=True, slots=True)
class SqlOptOutSource:
    """`OptOutSource` over the `opt_out` table."""

    database: Database

    async def opted_out_since(self, guild_id: GuildId, user_id: UserId) -> int | None:
        """Since when a member has opted out."""
        query = select(opt_out.c.since_ms).where(opt_out.c.guild_id == guild_id, opt_out.c.user_id == user_id)
        async with self.database.snapshot() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[OptOutLine], int]:
        """Who has opted out, the newest first."""
        theirs = and_(member.c.guild_id == opt_out.c.guild_id, member.c.user_id == opt_out.c.user_id)
        here = opt_out.c.guild_id == guild_id
        query = (
            select(
                opt_out.c.user_id,
                func.coalesce(member.c.display_name, cast(opt_out.c.user_id, String)),
                opt_out.c.since_ms,
                or_(opt_out.c.actor_id.is_(None), opt_out.c.actor_id == opt_out.c.user_id),
            )
            .select_from(opt_out.outerjoin(member, theirs))
            .where(here)
            .order_by(opt_out.c.since_ms.desc(), opt_out.c.user_id)
        )
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query.limit(limit).offset(offset))).all()
            total = (await connection.execute(select(func.count()).select_from(opt_out).where(here))).scalar_one()
        return [OptOutLine(user_id, name, since_ms, bool(is_own)) for user_id, name, since_ms, is_own in rows], total
