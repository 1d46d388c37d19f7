"""What happened since somebody last looked."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Integer, bindparam, select

from attendance.domain.ids import GuildId
from attendance.ports.live import SessionEnd
from attendance.ports.reports import Period, SessionLine
from attendance.store.reports.connected import GUILD, Connected
from attendance.store.reports.members import LINE_COLUMNS, LINES
from attendance.store.schema import period, session

_LIMIT = bindparam("limit", type_=Integer)
_ENDS = (
    select(session.c.ordinal, *LINE_COLUMNS)
    .select_from(LINES)
    .where(session.c.guild_id == GUILD, session.c.ordinal >= bindparam("from_ordinal", type_=BigInteger))
    .order_by(session.c.ordinal)
    .limit(_LIMIT)
)
_ENDED = (
    select(period.c.period_index, period.c.started_at_ms, period.c.ended_at_ms, period.c.state, period.c.entry_count)
    .where(
        period.c.guild_id == GUILD,
        period.c.period_index >= bindparam("from_index", type_=Integer),
        period.c.ended_at_ms.is_not(None),
    )
    .order_by(period.c.period_index)
    .limit(_LIMIT)
)


@dataclass(frozen=True, slots=True)
class SinceQueries(Connected):
    """`LiveView`'s own queries in SQL."""

    async def session_ends(self, guild_id: GuildId, from_ordinal: int, limit: int) -> list[SessionEnd]:
        """Closed sessions from an ordinal on."""
        values = {"guild_id": guild_id, "from_ordinal": from_ordinal, "limit": limit}
        return [SessionEnd(row[0], SessionLine._make(row[1:])) for row in await self.connection.execute(_ENDS, values)]

    async def ended_periods(self, guild_id: GuildId, from_index: int, limit: int) -> list[Period]:
        """Periods that are over, from an index on."""
        values = {"guild_id": guild_id, "from_index": from_index, "limit": limit}
        return [Period(*row) for row in await self.connection.execute(_ENDED, values)]
