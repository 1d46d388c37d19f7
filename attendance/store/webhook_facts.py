"""What a webhook's delivery tells, as the database has it at that moment."""

from __future__ import annotations

import json

from sqlalchemy import ColumnElement, and_, case, select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType
from attendance.domain.webhook_payloads import Told, ToldFact, ToldPeriod, ToldRecord, ToldSession
from attendance.ports.webhooks import Due
from attendance.store.schema import channel, guild_preferences, member, period, record, session

_SESSION = (
    select(
        session.c.guild_id,
        session.c.session_id,
        session.c.ordinal,
        session.c.user_id,
        case((guild_preferences.c.names_shown.is_(False), None), else_=member.c.display_name),
        session.c.channel_id,
        channel.c.name,
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
    )
    .select_from(session)
    .outerjoin(member, and_(member.c.guild_id == session.c.guild_id, member.c.user_id == session.c.user_id))
    .outerjoin(channel, and_(channel.c.guild_id == session.c.guild_id, channel.c.channel_id == session.c.channel_id))
    .outerjoin(guild_preferences, guild_preferences.c.guild_id == session.c.guild_id)
)


async def read_told(connection: AsyncConnection, due: Due) -> Told | None:
    """What it tells, or None: a session, a period or its record is not there any more."""
    if due.session_id is not None:
        return await _session(connection, due)
    if due.period_index is not None:
        return await _period(connection, due.guild_id, due.period_index)
    return ToldFact(due.guild_id, {} if due.body is None else json.loads(due.body))


async def _session(connection: AsyncConnection, due: Due) -> ToldSession | None:
    query = _SESSION.where(session.c.session_id == due.session_id, session.c.guild_id == due.guild_id)
    row = (await connection.execute(query)).one_or_none()
    signed, found = await _record(connection, record.c.session_id == due.session_id)
    if row is None or (signed and found is None):
        return None
    return ToldSession(found, *row)  # type: ignore[call-arg]  # mypy counts no more than ten columns


async def _period(connection: AsyncConnection, guild_id: GuildId, period_index: int) -> ToldPeriod | None:
    columns = period.c.guild_id, period.c.period_index, period.c.started_at_ms, period.c.ended_at_ms, period.c.entry_count
    query = select(*columns).where(
        period.c.guild_id == guild_id, period.c.period_index == period_index, period.c.entry_count.is_not(None)
    )
    row = (await connection.execute(query)).one_or_none()
    of_period = and_(
        record.c.guild_id == guild_id,
        record.c.type == RecordType.LEADERBOARD_PERIOD.value,
        record.c.period_index == period_index,
    )
    signed, found = await _record(connection, of_period)
    return None if row is None or (signed and found is None) else ToldPeriod(found, *row)


async def _record(connection: AsyncConnection, which: ColumnElement[bool]) -> tuple[bool, ToldRecord | None]:
    """Whether it is in the chain, and the record unless its bytes were erased."""
    columns = record.c.guild_seq, record.c.kid, record.c.signed_at_ms, record.c.body, record.c.signature
    row = (await connection.execute(select(*columns).where(which))).one_or_none()
    if row is None:
        return False, None
    return True, None if row.body is None or row.signature is None else ToldRecord(*row)
