"""Sums by local time. The arithmetic of local hours and days is the database's: a year of quarters would be a long way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, func, literal, select, text, union_all

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.local_time import (
    EPOCH_QUARTER_OF_WEEK,
    HOURS_OF_WEEK,
    QUARTERS_OF_DAY,
    QUARTERS_OF_HOUR,
    LocalUnit,
    Stretch,
)
from attendance.domain.reporting import OpenSession, Sums
from attendance.ports.analytics import UnitActivity
from attendance.store.reports.connected import GUILD, PERIOD, USER, Connected
from attendance.store.reports.members import OPEN_COLUMNS, open_row
from attendance.store.schema import channel_quarter, member_quarter, open_session, period_channel, session

_CHANNEL = bindparam("channel_id", type_=BigInteger)
_SHIFT = bindparam("shift", type_=BigInteger)

# Over all channels first, in the order of the key: the second sum then has a tenth of the rows to sort.
_QUARTERS = (
    select(channel_quarter.c.quarter, func.sum(channel_quarter.c.credited_ms).label("credited_ms"))
    .where(
        channel_quarter.c.guild_id == GUILD,
        channel_quarter.c.quarter >= bindparam("from_quarter", type_=BigInteger),
        channel_quarter.c.quarter < bindparam("to_quarter", type_=BigInteger),
    )
    .group_by(channel_quarter.c.quarter)
)
_ALL = _QUARTERS.subquery()
_HERE = _QUARTERS.where(channel_quarter.c.channel_id == _CHANNEL).subquery()
_HOUR = (_ALL.c.quarter + _SHIFT + EPOCH_QUARTER_OF_WEEK) // QUARTERS_OF_HOUR % HOURS_OF_WEEK
_WEEK_HOURS = select(_HOUR.label("hour"), func.sum(_ALL.c.credited_ms)).group_by(text("1"))
_LOCAL_DAYS, _LOCAL_DAYS_HERE = (
    select(((quarters.c.quarter + _SHIFT) // QUARTERS_OF_DAY).label("day"), func.sum(quarters.c.credited_ms)).group_by(
        text("1")
    )
    for quarters in (_ALL, _HERE)
)
_MEMBER_DAY = (member_quarter.c.quarter + _SHIFT) // QUARTERS_OF_DAY
_MEMBER_DAYS = (
    select(_MEMBER_DAY.label("day"), func.sum(member_quarter.c.credited_ms))
    .where(
        member_quarter.c.guild_id == GUILD,
        member_quarter.c.user_id == USER,
        member_quarter.c.quarter >= bindparam("from_quarter", type_=BigInteger),
        member_quarter.c.quarter < bindparam("to_quarter", type_=BigInteger),
    )
    .group_by(text("1"))
)
_OPEN = select(*OPEN_COLUMNS, open_session.c.timeline).where(open_session.c.guild_id == GUILD)
_OPEN_HERE = _OPEN.where(open_session.c.channel_id == _CHANNEL)

_CHANNEL_SUMS = select(
    func.coalesce(func.sum(period_channel.c.credited_ms), 0),
    func.coalesce(func.sum(period_channel.c.session_count), 0),
    func.count(),
).where(period_channel.c.guild_id == GUILD, period_channel.c.period_index == PERIOD, period_channel.c.channel_id == _CHANNEL)

# A member has one session at a time, so sessions at once are members at once. Who leaves goes before who comes at that instant.
_HERE_IN_PERIOD = (
    (session.c.guild_id == GUILD)
    & (session.c.channel_id == _CHANNEL)
    & (session.c.period_index == PERIOD)
    & (session.c.left_at_ms > bindparam("started_at_ms", type_=BigInteger))
)
_STEPS = union_all(
    select(session.c.joined_at_ms.label("at_ms"), literal(1).label("step")).where(_HERE_IN_PERIOD),
    select(session.c.left_at_ms, literal(-1)).where(_HERE_IN_PERIOD),
    select(open_session.c.joined_at_ms, literal(1)).where(
        open_session.c.guild_id == GUILD, open_session.c.channel_id == _CHANNEL, open_session.c.period_index == PERIOD
    ),
).subquery()
_PRESENT = select(
    func.sum(_STEPS.c.step).over(order_by=(_STEPS.c.at_ms, _STEPS.c.step), rows=(None, 0)).label("members")
).subquery()
_PEAK = select(func.coalesce(func.max(_PRESENT.c.members), 0))

# Units drive: each looks its sessions up by their end. CROSS JOIN keeps SQLite from turning that round.
_UNITS = "WITH unit(n, from_ms, to_ms) AS (VALUES {units})"
_ENDED = """unit CROSS JOIN session WHERE session.guild_id = :guild_id
    AND session.left_at_ms > unit.from_ms AND session.left_at_ms <= unit.to_ms"""
_SESSIONS = f"{_UNITS} SELECT unit.n, count(*) FROM {_ENDED} GROUP BY unit.n"  # noqa: S608  # constants
# Sessions that ended in a unit; those that began before it, in each earlier one that they touch; and the open ones.
_MEMBERS = f"""{_UNITS},
crossing AS (SELECT unit.n, session.user_id, session.joined_at_ms FROM {_ENDED} AND session.joined_at_ms < unit.from_ms)
SELECT n, count(*) FROM (
    SELECT unit.n, session.user_id FROM {_ENDED}
    UNION
    SELECT unit.n, crossing.user_id FROM crossing CROSS JOIN unit
    WHERE unit.n < crossing.n AND unit.to_ms > crossing.joined_at_ms
    UNION
    SELECT unit.n, open_session.user_id FROM unit CROSS JOIN open_session WHERE open_session.guild_id = :guild_id
    AND open_session.joined_at_ms < unit.to_ms AND open_session.joined_at_ms < :as_of_ms AND unit.from_ms < :as_of_ms
) AS present GROUP BY n"""  # noqa: S608  # constants


@dataclass(frozen=True, slots=True)
class AnalyticsQueries(Connected):
    """`AnalyticsView` in SQL."""

    async def week_hours(self, guild_id: GuildId, stretch: Stretch) -> list[tuple[int, int]]:
        """Credited time by hour of the week."""
        values = {"guild_id": guild_id, **stretch._asdict()}
        return [(int(hour), int(credited_ms)) for hour, credited_ms in await self.connection.execute(_WEEK_HOURS, values)]

    async def local_days(
        self, guild_id: GuildId, stretch: Stretch, channel_id: ChannelId | None = None
    ) -> list[tuple[int, int]]:
        """Credited time by local day."""
        values = {"guild_id": guild_id, **stretch._asdict()}
        if channel_id is None:
            rows = await self.connection.execute(_LOCAL_DAYS, values)
        else:
            rows = await self.connection.execute(_LOCAL_DAYS_HERE, {**values, "channel_id": channel_id})
        return [(int(day), int(credited_ms)) for day, credited_ms in rows]

    async def member_days(self, guild_id: GuildId, user_id: UserId, stretch: Stretch) -> list[tuple[int, int]]:
        """A member's credited time by local day."""
        values = {"guild_id": guild_id, "user_id": user_id, **stretch._asdict()}
        rows = await self.connection.execute(_MEMBER_DAYS, values)
        return [(int(day), int(credited_ms)) for day, credited_ms in rows]

    async def open_timelines(self, guild_id: GuildId, channel_id: ChannelId | None = None) -> list[OpenSession]:
        """Open sessions with their timelines."""
        if channel_id is None:
            rows = await self.connection.execute(_OPEN, {"guild_id": guild_id})
        else:
            rows = await self.connection.execute(_OPEN_HERE, {"guild_id": guild_id, "channel_id": channel_id})
        return [open_row(row) for row in rows]

    async def activity(self, guild_id: GuildId, units: Sequence[LocalUnit], as_of_ms: int) -> list[UnitActivity]:
        """Sessions and members of each unit."""
        # Whole numbers of our own making: bound, PostgreSQL would take a VALUES list for texts.
        rows = ", ".join(f"({number}, {unit.from_ms}, {unit.to_ms})" for number, unit in enumerate(units))
        sessions = await self.connection.execute(text(_SESSIONS.format(units=rows)), {"guild_id": guild_id})
        ended = {row[0]: row[1] for row in sessions}
        values = {"guild_id": guild_id, "as_of_ms": as_of_ms}
        members = await self.connection.execute(text(_MEMBERS.format(units=rows)), values)
        return [UnitActivity(unit, ended.get(unit, 0), count) for unit, count in members]

    async def channel_sums(self, guild_id: GuildId, index: int, channel_id: ChannelId) -> tuple[Sums, int]:
        """A channel in a period."""
        values = {"guild_id": guild_id, "period_index": index, "channel_id": channel_id}
        credited_ms, sessions, members = (await self.connection.execute(_CHANNEL_SUMS, values)).one()
        return Sums(credited_ms=int(credited_ms), session_count=int(sessions)), members

    async def channel_peak(self, guild_id: GuildId, index: int, channel_id: ChannelId, started_at_ms: int) -> int:
        """Most members at once."""
        values = {
            "guild_id": guild_id,
            "period_index": index,
            "channel_id": channel_id,
            "started_at_ms": started_at_ms,
        }
        return int((await self.connection.execute(_PEAK, values)).scalar_one())
