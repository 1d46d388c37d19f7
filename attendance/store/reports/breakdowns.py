"""Parts of a range of time: by member, and by channel. Their arithmetic is that of the trend."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import BigInteger, BindParameter, String, bindparam, cast, exists, func, literal, select, union, union_all

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.local_time import LocalRange
from attendance.store.reports.connected import GUILD, Connected
from attendance.store.schema import channel_quarter, member_quarter, open_session, session

_FROM_MS: BindParameter[int] = bindparam("from_ms", type_=BigInteger)
_TO_MS: BindParameter[int] = bindparam("to_ms", type_=BigInteger)
_AS_OF_MS: BindParameter[int] = bindparam("as_of_ms", type_=BigInteger)
_FROM_QUARTER: BindParameter[int] = bindparam("from_quarter", type_=BigInteger)
_TO_QUARTER: BindParameter[int] = bindparam("to_quarter", type_=BigInteger)

_OVERLAPS = (session.c.guild_id == GUILD) & (session.c.left_at_ms > _FROM_MS) & (session.c.joined_at_ms < _TO_MS)
_IN_RANGE = (
    (member_quarter.c.guild_id == GUILD)
    & (member_quarter.c.quarter >= _FROM_QUARTER)
    & (member_quarter.c.quarter < _TO_QUARTER)
)
_OPEN = select(open_session.c.user_id).where(open_session.c.guild_id == GUILD)

# 100,000 members come as one text of numbers: as many rows would take the event loop longer than the database. All quarters of
# the guild are walked in the order of their key: a member's are summed up where they are met, with no table in between.
_AMOUNTS = (
    select(func.sum(member_quarter.c.credited_ms).label("credited_ms"))
    .where(_IN_RANGE)
    .group_by(member_quarter.c.user_id)
    .having(member_quarter.c.user_id.not_in(_OPEN))
    .subquery()
)
_ALL_AMOUNTS = select(func.aggregate_strings(cast(_AMOUNTS.c.credited_ms, String), ","))
# The sum keeps SQLite from walking all sessions that the guild ever had, because they are in the order of their members.
_PRESENT = select((session.c.user_id + 0).label("user_id")).where(_OVERLAPS).distinct().subquery()
_WITHOUT_TIME = select(func.count()).where(
    _PRESENT.c.user_id.not_in(_OPEN),
    ~exists().where(_IN_RANGE, member_quarter.c.user_id == _PRESENT.c.user_id),
)
_PARTS = union_all(
    select(session.c.user_id, literal(0, BigInteger).label("credited_ms")).where(_OVERLAPS, session.c.user_id.in_(_OPEN)),
    select(member_quarter.c.user_id, member_quarter.c.credited_ms).where(_IN_RANGE, member_quarter.c.user_id.in_(_OPEN)),
).subquery()
_OPEN_MEMBERS = select(_PARTS.c.user_id, func.sum(_PARTS.c.credited_ms)).group_by(_PARTS.c.user_id)
_CHANNELS = (
    select(channel_quarter.c.channel_id, func.sum(channel_quarter.c.credited_ms))
    .where(
        channel_quarter.c.guild_id == GUILD,
        channel_quarter.c.quarter >= _FROM_QUARTER,
        channel_quarter.c.quarter < _TO_QUARTER,
    )
    .group_by(channel_quarter.c.channel_id)
)
_SESSIONS = (
    select(session.c.channel_id, func.count())
    .where(session.c.guild_id == GUILD, session.c.left_at_ms > _FROM_MS, session.c.left_at_ms <= _TO_MS)
    .group_by(session.c.channel_id)
)
_THERE = union(
    select(session.c.channel_id, session.c.user_id).where(_OVERLAPS),
    select(open_session.c.channel_id, open_session.c.user_id).where(
        open_session.c.guild_id == GUILD, open_session.c.joined_at_ms < _AS_OF_MS, _AS_OF_MS > _FROM_MS
    ),
).subquery()
_MEMBERS_OF_CHANNELS = select(_THERE.c.channel_id, func.count()).group_by(_THERE.c.channel_id)

_NUMBERS = msgspec.json.Decoder(list[int])


@dataclass(frozen=True, slots=True)
class BreakdownQueries(Connected):
    """The parts of `AnalyticsView` by member and by channel, in SQL."""

    async def amounts_between(self, guild_id: GuildId, span: LocalRange) -> list[int]:
        """Credited time of every member with a closed session in the range and none that is open."""
        values = _values(guild_id, span)
        written = (await self.connection.execute(_ALL_AMOUNTS, values)).scalar_one()
        without_time = (await self.connection.execute(_WITHOUT_TIME, values)).scalar_one()
        return [0] * without_time + ([] if written is None else _NUMBERS.decode(f"[{written}]"))

    async def open_members_between(self, guild_id: GuildId, span: LocalRange) -> dict[UserId, int]:
        """The same of those with an open session, by member."""
        rows = await self.connection.execute(_OPEN_MEMBERS, _values(guild_id, span))
        return {user_id: int(credited_ms) for user_id, credited_ms in rows}  # PostgreSQL sums 64 bits to numeric

    async def channels_between(self, guild_id: GuildId, span: LocalRange) -> dict[ChannelId, int]:
        """Credited time by channel."""
        rows = await self.connection.execute(_CHANNELS, _values(guild_id, span))
        return {channel_id: int(credited_ms) for channel_id, credited_ms in rows}

    async def channel_sessions(self, guild_id: GuildId, span: LocalRange) -> dict[ChannelId, int]:
        """Sessions that ended in the range by channel."""
        rows = await self.connection.execute(_SESSIONS, _values(guild_id, span))
        return {channel_id: int(count) for channel_id, count in rows}

    async def channel_members(self, guild_id: GuildId, span: LocalRange, as_of_ms: int) -> dict[ChannelId, int]:
        """Members by channel."""
        rows = await self.connection.execute(_MEMBERS_OF_CHANNELS, {**_values(guild_id, span), "as_of_ms": as_of_ms})
        return {channel_id: int(count) for channel_id, count in rows}


def _values(guild_id: GuildId, span: LocalRange) -> dict[str, int]:
    from_quarter, to_quarter = span.quarters
    bounds = {"from_ms": span.from_ms, "to_ms": span.to_ms, "from_quarter": from_quarter, "to_quarter": to_quarter}
    return {"guild_id": guild_id, **bounds}
