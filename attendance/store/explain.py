"""The queries behind `attendance.ports.explaining`: one function a query, each within the caller's snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, bindparam, func, or_, select, union_all

from attendance.core import Engine
from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.reporting import OpenSession
from attendance.ports.explaining import (
    CorrectionLine,
    ExplainView,
    ReplayStart,
    RulesVersion,
    RunningSession,
    TimedSession,
)
from attendance.ports.reports import BlindLine
from attendance.store.database import Database
from attendance.store.reports import SqlReportView
from attendance.store.reports.connected import GUILD, USER, Connected
from attendance.store.reports.members import OPEN_COLUMNS
from attendance.store.schema import (
    blind_interval,
    checkpoint,
    correction,
    guild,
    journal,
    milestone,
    open_session,
    record,
    rules_version,
    session,
)

_FROM = bindparam("from_ms", type_=BigInteger)
_TO = bindparam("to_ms", type_=BigInteger)
_SEQ = bindparam("seq", type_=BigInteger)

_SESSIONS = (
    select(
        session.c.session_id,
        session.c.channel_id,
        session.c.stay,
        session.c.part,
        session.c.joined_at_ms,
        session.c.left_at_ms,
        session.c.reason,
        session.c.below_minimum,
        session.c.timeline,
        session.c.rules_sha256,
        record.c.session_id.is_not(None),
    )
    .select_from(session.outerjoin(record, record.c.session_id == session.c.session_id))
    .where(session.c.guild_id == GUILD, session.c.user_id == USER)
    .order_by(session.c.left_at_ms)
    .limit(bindparam("limit"))
)
# A member's sessions never overlap: those that end within the range, and of the later ones only the first can reach into it.
_ENDING_WITHIN = _SESSIONS.where(session.c.left_at_ms > _FROM, session.c.left_at_ms <= _TO)
_ENDING_AFTER = _SESSIONS.where(session.c.left_at_ms > _TO)

_OPEN = select(*OPEN_COLUMNS, open_session.c.timeline, open_session.c.stay, open_session.c.part).where(
    open_session.c.guild_id == GUILD, open_session.c.user_id == USER
)

_BLIND_COLUMNS = (
    blind_interval.c.started_at_ms,
    blind_interval.c.ended_at_ms,
    blind_interval.c.cause,
    blind_interval.c.ended_by,
    blind_interval.c.seq,
)
# Neither do a guild's blind intervals.
_BLIND_BEFORE = (
    select(*_BLIND_COLUMNS)
    .where(blind_interval.c.guild_id == GUILD, blind_interval.c.started_at_ms < _FROM)
    .order_by(blind_interval.c.started_at_ms.desc(), blind_interval.c.seq.desc())
    .limit(1)
    .subquery()
)
_BLIND = union_all(
    select(_BLIND_BEFORE).where(or_(_BLIND_BEFORE.c.ended_at_ms.is_(None), _BLIND_BEFORE.c.ended_at_ms > _FROM)),
    select(*_BLIND_COLUMNS).where(
        blind_interval.c.guild_id == GUILD, blind_interval.c.started_at_ms >= _FROM, blind_interval.c.started_at_ms < _TO
    ),
)

_IN_FORCE = (
    select(func.max(rules_version.c.version))
    .where(rules_version.c.guild_id == GUILD, rules_version.c.from_ms <= _FROM)
    .scalar_subquery()
)
_RULES = (
    select(rules_version.c.version, rules_version.c.from_ms, rules_version.c.rules_sha256, rules_version.c.actor_id)
    .where(
        rules_version.c.guild_id == GUILD, rules_version.c.version >= func.coalesce(_IN_FORCE, 0), rules_version.c.from_ms < _TO
    )
    .order_by(rules_version.c.version)
)

_CORRECTIONS = (
    select(correction.c.session_id, correction.c.at_ms, correction.c.delta_ms, correction.c.after_archive)
    .where(correction.c.guild_id == GUILD, correction.c.user_id == USER, correction.c.at_ms >= _FROM, correction.c.at_ms < _TO)
    .order_by(correction.c.at_ms, correction.c.created_at_ms, correction.c.correction_id)
)

_MILESTONES = select(milestone.c.seq, milestone.c.at_ms, milestone.c.state).where(milestone.c.guild_id == GUILD).limit(1)
_LAST_MILESTONE = _MILESTONES.where(milestone.c.at_ms <= bindparam("at_ms", type_=BigInteger)).order_by(
    milestone.c.number.desc()
)
_FIRST_MILESTONE = _MILESTONES.order_by(milestone.c.number)
_CHECKPOINT = select(checkpoint.c.seq, checkpoint.c.state).where(checkpoint.c.guild_id == GUILD)

# Which lines is answered by the index on (guild, at, user) alone; only those are then read. ``+ 0`` keeps SQLite's planner from
# walking along the primary key instead, over all lines.
_ABOUT = select(journal.c.seq).where(
    journal.c.guild_id == GUILD,
    journal.c.at_ms >= _FROM,
    journal.c.at_ms < _TO,
    journal.c.seq + 0 >= _SEQ,
    or_(journal.c.user_id == USER, journal.c.user_id.is_(None)),
)
_LINES_ABOUT = select(journal.c.line).where(journal.c.guild_id == GUILD, journal.c.seq.in_(_ABOUT)).order_by(journal.c.seq)
_LINES = (
    select(journal.c.seq, journal.c.line)
    .where(journal.c.guild_id == GUILD, journal.c.seq >= _SEQ)
    .order_by(journal.c.seq)
    .limit(bindparam("chunk"))
)
_AFK = select(guild.c.afk_channel_id).where(guild.c.guild_id == GUILD)


@dataclass(frozen=True, slots=True)
class ExplainQueries(Connected):
    """`ExplainView`'s own queries in SQL."""

    async def member_sessions(
        self, guild_id: GuildId, user_id: UserId, from_ms: int, to_ms: int, limit: int
    ) -> list[TimedSession]:
        """A member's closed sessions that overlap the range, oldest first."""
        values = {"guild_id": guild_id, "user_id": user_id, "from_ms": from_ms, "to_ms": to_ms}
        rows = await self._rows(_ENDING_WITHIN, {**values, "limit": limit})
        if len(rows) < limit:
            rows += await self._rows(_ENDING_AFTER, {**values, "limit": 1})
        return [found for found in map(TimedSession._make, rows) if found.joined_at_ms < to_ms]

    async def running_session(self, guild_id: GuildId, user_id: UserId) -> RunningSession | None:
        """The member's open session."""
        rows = await self._rows(_OPEN, {"guild_id": guild_id, "user_id": user_id})
        return None if not rows else RunningSession(OpenSession(*rows[0][:-2]), *rows[0][-2:])

    async def blind_within(self, guild_id: GuildId, from_ms: int, to_ms: int) -> list[BlindLine]:
        """Blind intervals that touch the range, oldest first."""
        rows = await self._rows(_BLIND, {"guild_id": guild_id, "from_ms": from_ms, "to_ms": to_ms})
        return [BlindLine(*row[:-1]) for row in sorted(rows, key=lambda row: row[-1])]

    async def rules_within(self, guild_id: GuildId, from_ms: int, to_ms: int) -> list[RulesVersion]:
        """Every version that was in force in the range."""
        rows = await self._rows(_RULES, {"guild_id": guild_id, "from_ms": from_ms, "to_ms": to_ms})
        return [RulesVersion._make(row) for row in rows]

    async def member_corrections(self, guild_id: GuildId, user_id: UserId, from_ms: int, to_ms: int) -> list[CorrectionLine]:
        """Corrections of a member's sessions that count in the range."""
        values = {"guild_id": guild_id, "user_id": user_id, "from_ms": from_ms, "to_ms": to_ms}
        return [CorrectionLine._make(row) for row in await self._rows(_CORRECTIONS, values)]

    async def replay_start(self, guild_id: GuildId, at_ms: int) -> ReplayStart | None:
        """A milestone, or where there is none any more (no line is old enough to be trimmed before it) the checkpoint."""
        rows = await self._rows(_LAST_MILESTONE, {"guild_id": guild_id, "at_ms": at_ms})
        rows = rows or await self._rows(_FIRST_MILESTONE, {"guild_id": guild_id})
        if rows:
            return ReplayStart._make(rows[0])
        rows = await self._rows(_CHECKPOINT, {"guild_id": guild_id})
        if not rows:
            return None
        engine = Engine()
        engine.restore(guild_id, rows[0][1])
        return ReplayStart(rows[0][0], engine.summary(guild_id).last_at_ms, rows[0][1])

    async def lines_about(self, guild_id: GuildId, user_id: UserId, start: ReplayStart, to_ms: int) -> bytes:
        """The lines that decide where one member was."""
        values = {"guild_id": guild_id, "user_id": user_id, "seq": start.seq, "from_ms": start.at_ms, "to_ms": to_ms}
        return b"\n".join(row[0] for row in await self._rows(_LINES_ABOUT, values))

    async def lines_from(self, guild_id: GuildId, seq: int, chunk: int) -> AsyncIterator[bytes]:
        """All lines from a position on."""
        while True:
            rows = await self._rows(_LINES, {"guild_id": guild_id, "seq": seq, "chunk": chunk})
            if rows:
                yield b"\n".join(row[1] for row in rows)
                seq = rows[-1][0] + 1
            if len(rows) < chunk:
                return

    async def afk_channel(self, guild_id: GuildId) -> ChannelId | None:
        """The guild's AFK channel."""
        channel_id = await self.connection.scalar(_AFK, {"guild_id": guild_id})
        return None if channel_id is None else ChannelId(channel_id)

    async def _rows(self, query: Any, values: dict[str, int]) -> list[Any]:
        return list((await self.connection.execute(query, values)).all())


@dataclass(frozen=True, slots=True)
class SqlExplainView(SqlReportView, ExplainQueries):
    """`ExplainView` over one transaction."""


@dataclass(frozen=True, slots=True)
class SqlExplainSource:
    """`ExplainSource` over a database."""

    database: Database

    @asynccontextmanager
    async def view(self) -> AsyncIterator[ExplainView]:
        """One instant of the database."""
        async with self.database.snapshot() as connection:
            yield SqlExplainView(connection)


__all__ = ["SqlExplainSource", "SqlExplainView"]
