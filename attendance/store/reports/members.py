"""One member's numbers, open sessions, and lists of closed ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, BindParameter, bindparam, case, cast, func, select

from attendance.domain.ids import GuildId, UserId
from attendance.domain.reporting import OpenSession, Sums
from attendance.ports.reports import ChannelSum, SessionFilter, SessionLine
from attendance.store.reports.connected import GUILD, PERIOD, USER, Connected, Query
from attendance.store.schema import (
    correction,
    external_attendance,
    member_quarter,
    open_session,
    period_channel,
    period_member,
    record,
    session,
)

_MEMBER_SUMS = select(
    period_member.c.credited_ms,
    period_member.c.session_count,
    period_member.c.unwitnessed_ms,
    period_member.c.deafened_ms,
    period_member.c.muted_ms,
    period_member.c.solo_ms,
).where(period_member.c.guild_id == GUILD, period_member.c.period_index == PERIOD, period_member.c.user_id == USER)
_OF_MEMBER = (
    (period_channel.c.guild_id == GUILD) & (period_channel.c.period_index == PERIOD) & (period_channel.c.user_id == USER)
)
# By way of the index that has nothing but the key: SQLite would walk the whole period's part of the key itself.
_CHANNELS_OF_MEMBER = select(period_channel.c.channel_id).where(_OF_MEMBER)
_MEMBER_CHANNELS = select(period_channel.c.channel_id, period_channel.c.credited_ms, period_channel.c.session_count).where(
    _OF_MEMBER, period_channel.c.channel_id.in_(_CHANNELS_OF_MEMBER.correlate(None))
)
_MEMBER_QUARTERS = (
    select(member_quarter.c.quarter, func.sum(member_quarter.c.credited_ms))
    .where(
        member_quarter.c.guild_id == GUILD,
        member_quarter.c.user_id == USER,
        member_quarter.c.period_index == PERIOD,
    )
    .group_by(member_quarter.c.quarter)
    .order_by(member_quarter.c.quarter)
)
# A member's sessions never overlap: the first to end is the first to begin, and both ends are ends of one index.
_ENDS = select(session.c.joined_at_ms, session.c.left_at_ms).where(session.c.guild_id == GUILD, session.c.user_id == USER)
_FIRST = _ENDS.order_by(session.c.left_at_ms).limit(1)
_LAST = _ENDS.order_by(session.c.left_at_ms.desc()).limit(1)

_FROM: BindParameter[int] = bindparam("from_ms", type_=BigInteger)
_EXTERNAL_FROM = case(
    (external_attendance.c.joined_at_ms < _FROM, _FROM),
    else_=external_attendance.c.joined_at_ms,
)
_EXTERNAL = select(
    func.coalesce(cast(func.sum(external_attendance.c.left_at_ms - _EXTERNAL_FROM), BigInteger), 0),
).where(
    external_attendance.c.guild_id == GUILD,
    external_attendance.c.user_id == USER,
    external_attendance.c.left_at_ms > _FROM,
)

OPEN_COLUMNS = (
    open_session.c.user_id,
    open_session.c.channel_id,
    open_session.c.period_index,
    open_session.c.joined_at_ms,
    open_session.c.status,
    open_session.c.since_ms,
    open_session.c.counted_ms,
    open_session.c.unwitnessed_ms,
    open_session.c.deafened_ms,
    open_session.c.muted_ms,
    open_session.c.solo_ms,
    open_session.c.stay_counted_ms,
    open_session.c.min_session_ms,
)
_OPEN_ALL = (
    select(*OPEN_COLUMNS)
    .where(open_session.c.guild_id == GUILD)
    .order_by(open_session.c.channel_id, open_session.c.joined_at_ms, open_session.c.user_id)
)
_OPEN_ONE = select(*OPEN_COLUMNS, open_session.c.timeline).where(
    open_session.c.guild_id == GUILD, open_session.c.user_id == USER
)


LINE_COLUMNS = (
    session.c.session_id,
    session.c.user_id,
    session.c.channel_id,
    session.c.period_index,
    session.c.joined_at_ms,
    session.c.left_at_ms,
    session.c.reason,
    session.c.credited_ms,
    session.c.unwitnessed_ms,
    session.c.deafened_ms,
    session.c.muted_ms,
    session.c.solo_ms,
    session.c.below_minimum,
    record.c.session_id.is_not(None),
    select(func.coalesce(cast(func.sum(correction.c.delta_ms), BigInteger), 0))
    .where(correction.c.guild_id == session.c.guild_id, correction.c.session_id == session.c.session_id)
    .scalar_subquery(),
)
LINES = session.outerjoin(record, record.c.session_id == session.c.session_id)


def open_row(row: Sequence[Any]) -> OpenSession:
    """An open session from the columns of `OPEN_COLUMNS`, and the timeline if it follows them."""
    return OpenSession(*row)


@dataclass(frozen=True, slots=True)
class MemberQueries(Connected):
    """`MemberView` in SQL."""

    async def member_sums(self, guild_id: GuildId, index: int, user_id: UserId) -> Sums | None:
        """A member's closed sessions in a period."""
        values = {"guild_id": guild_id, "period_index": index, "user_id": user_id}
        row = (await self.connection.execute(_MEMBER_SUMS, values)).first()
        return None if row is None else Sums(*row)

    async def member_channels(self, guild_id: GuildId, index: int, user_id: UserId) -> list[ChannelSum]:
        """The same by channel."""
        values = {"guild_id": guild_id, "period_index": index, "user_id": user_id}
        return [ChannelSum(*row) for row in (await self.connection.execute(_MEMBER_CHANNELS, values)).all()]

    async def member_quarters(self, guild_id: GuildId, index: int, user_id: UserId) -> list[tuple[int, int]]:
        """The same by quarter-hour."""
        values = {"guild_id": guild_id, "period_index": index, "user_id": user_id}
        rows = (await self.connection.execute(_MEMBER_QUARTERS, values)).all()
        return [(quarter, int(credited_ms)) for quarter, credited_ms in rows]  # PostgreSQL sums 64 bits to numeric

    async def member_external_ms(self, guild_id: GuildId, user_id: UserId, from_ms: int) -> int:
        """What other systems reported, from an instant on."""
        values = {"guild_id": guild_id, "user_id": user_id, "from_ms": from_ms}
        return int((await self.connection.execute(_EXTERNAL, values)).scalar_one())

    async def member_span(self, guild_id: GuildId, user_id: UserId) -> tuple[int, int] | None:
        """From the first session's beginning to the last one's end."""
        values = {"guild_id": guild_id, "user_id": user_id}
        first = (await self.connection.execute(_FIRST, values)).first()
        last = (await self.connection.execute(_LAST, values)).first()
        return None if first is None or last is None else (first.joined_at_ms, last.left_at_ms)

    async def open_session(self, guild_id: GuildId, user_id: UserId) -> OpenSession | None:
        """The member's open session."""
        row = (await self.connection.execute(_OPEN_ONE, {"guild_id": guild_id, "user_id": user_id})).first()
        return None if row is None else open_row(row)

    async def open_sessions(self, guild_id: GuildId) -> list[OpenSession]:
        """All open sessions."""
        return [open_row(row) for row in (await self.connection.execute(_OPEN_ALL, {"guild_id": guild_id})).all()]

    async def sessions(self, which: SessionFilter, limit: int, offset: int) -> list[SessionLine]:
        """Closed sessions, newest first."""
        query = _filtered(select(*LINE_COLUMNS).select_from(LINES), which)
        query = query.order_by(session.c.left_at_ms.desc(), session.c.ordinal.desc()).limit(limit).offset(offset)
        return [SessionLine(*row) for row in (await self.connection.execute(query)).all()]

    async def count_sessions(self, which: SessionFilter) -> int:
        """How many there are."""
        query = _filtered(select(func.count()).select_from(session), which)
        return int((await self.connection.execute(query)).scalar_one())


def _filtered(query: Query, which: SessionFilter) -> Query:
    """Overlap: a session that touches the range belongs to the list, in full."""
    query = query.where(session.c.guild_id == which.guild_id)
    if which.user_id is not None:
        query = query.where(session.c.user_id == which.user_id)
    if which.channel_id is not None:
        query = query.where(session.c.channel_id == which.channel_id)
    if which.from_ms is not None:
        query = query.where(session.c.left_at_ms > which.from_ms)
    if which.to_ms is not None:
        query = query.where(session.c.joined_at_ms < which.to_ms)
    return query


__all__ = ["LINES", "LINE_COLUMNS", "OPEN_COLUMNS", "MemberQueries", "open_row"]
