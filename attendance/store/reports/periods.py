"""Periods, blind intervals, and the states that an overview shows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, func, or_, select

from attendance.domain.ids import GuildId
from attendance.domain.reporting import Sums, Watch
from attendance.domain.settings import GuildSettings
from attendance.ports.reports import BlindLine, Period
from attendance.store.reports.connected import GUILD, PERIOD, Connected, Query
from attendance.store.schema import (
    blind_interval,
    period,
    period_member,
    record,
    shard_lease,
    stream,
)
from attendance.store.settings import load_settings

_PERIOD = select(
    period.c.period_index, period.c.started_at_ms, period.c.ended_at_ms, period.c.state, period.c.entry_count
).where(period.c.guild_id == GUILD)
_RUNNING_PERIOD = _PERIOD.where(period.c.state == "running").order_by(period.c.period_index.desc()).limit(1)
_ONE_PERIOD = _PERIOD.where(period.c.period_index == PERIOD)

_BLIND_SINCE = (
    select(blind_interval.c.started_at_ms)
    .where(blind_interval.c.guild_id == GUILD, blind_interval.c.ended_at_ms.is_(None))
    .order_by(blind_interval.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)
# Discord's own formula for the shard of a guild, under the count with which the stream was last owned.
_LEASE = (
    select(shard_lease.c.expires_at_ms, shard_lease.c.alive_at_ms)
    .join(
        stream,
        (stream.c.shard_count == shard_lease.c.shard_count)
        & (shard_lease.c.shard_id == bindparam("shard_key", type_=BigInteger) % stream.c.shard_count),
    )
    .where(stream.c.guild_id == GUILD)
    .subquery()
)
_WATCH = select(_BLIND_SINCE, select(_LEASE.c.expires_at_ms).scalar_subquery(), select(_LEASE.c.alive_at_ms).scalar_subquery())

_PERIOD_RECORD = select(record.c.guild_seq).where(
    record.c.guild_id == GUILD,
    record.c.type == "leaderboard.period",
    record.c.period_index == PERIOD,
)
_PERIOD_SUMS = select(
    func.coalesce(func.sum(period_member.c.credited_ms), 0),
    func.coalesce(func.sum(period_member.c.session_count), 0),
    func.count(),
).where(period_member.c.guild_id == GUILD, period_member.c.period_index == PERIOD)


@dataclass(frozen=True, slots=True)
class PeriodQueries(Connected):
    """`PeriodView` in SQL."""

    async def running_period(self, guild_id: GuildId) -> Period | None:
        """The running period."""
        row = (await self.connection.execute(_RUNNING_PERIOD, {"guild_id": guild_id})).first()
        return None if row is None else Period(*row)

    async def period(self, guild_id: GuildId, index: int) -> Period | None:
        """A period by its index."""
        row = (await self.connection.execute(_ONE_PERIOD, {"guild_id": guild_id, "period_index": index})).first()
        return None if row is None else Period(*row)

    async def watch(self, guild_id: GuildId) -> Watch:
        """The running blind interval and the owner's lease."""
        values = {"guild_id": guild_id, "shard_key": guild_id >> 22}
        return Watch(*(await self.connection.execute(_WATCH, values)).one())

    async def period_is_signed(self, guild_id: GuildId, index: int) -> bool:
        """Whether the period's record is in the chain."""
        values = {"guild_id": guild_id, "period_index": index}
        return (await self.connection.execute(_PERIOD_RECORD, values)).first() is not None

    async def period_sums(self, guild_id: GuildId, index: int) -> tuple[Sums, int]:
        """Credited time and sessions of all members, and how many members."""
        values = {"guild_id": guild_id, "period_index": index}
        credited_ms, sessions, members = (await self.connection.execute(_PERIOD_SUMS, values)).one()
        return Sums(credited_ms=int(credited_ms), session_count=int(sessions)), members

    async def settings(self, guild_id: GuildId) -> GuildSettings:
        """The guild's settings."""
        return await load_settings(self.connection, guild_id)

    async def blind_intervals(
        self, guild_id: GuildId, from_ms: int | None, to_ms: int | None, limit: int | None, offset: int
    ) -> list[BlindLine]:
        """Those that overlap, newest first."""
        columns = (
            blind_interval.c.started_at_ms,
            blind_interval.c.ended_at_ms,
            blind_interval.c.cause,
            blind_interval.c.ended_by,
        )
        query = _overlapping(select(*columns), guild_id, from_ms, to_ms)
        query = query.order_by(blind_interval.c.started_at_ms.desc(), blind_interval.c.seq.desc())
        if limit is not None:
            query = query.limit(limit).offset(offset)
        return [BlindLine(*row) for row in (await self.connection.execute(query)).all()]

    async def count_blind_intervals(self, guild_id: GuildId, from_ms: int | None, to_ms: int | None) -> int:
        """How many there are."""
        query = _overlapping(select(func.count()).select_from(blind_interval), guild_id, from_ms, to_ms)
        return int((await self.connection.execute(query)).scalar_one())


def _overlapping(query: Query, guild_id: GuildId, from_ms: int | None, to_ms: int | None) -> Query:
    query = query.where(blind_interval.c.guild_id == guild_id)
    if to_ms is not None:
        query = query.where(blind_interval.c.started_at_ms < to_ms)
    if from_ms is not None:
        query = query.where(or_(blind_interval.c.ended_at_ms.is_(None), blind_interval.c.ended_at_ms > from_ms))
    return query
