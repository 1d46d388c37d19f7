"""What a message to a log destination is about, read when it is told: sessions, periods, and what happened to keys."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.announcements import LogType
from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.log_contents import TOP_ENTRIES, CheckpointTold, EntryTold, PeriodTold, SessionTold, SigningTold, Told
from attendance.ports.log_deliveries import LogMessage
from attendance.store.schema import channel, guild, guild_preferences, log_item, member, period, period_entry, session

# Only the newest of a digest's leaderboards are told with their first entries.
_BOARDS = 20


async def read_told(connection: AsyncConnection, message: LogMessage) -> Sequence[Told] | None:
    """What is still there of it, in order; None: the bot has left the guild."""
    here = exists().where(guild.c.guild_id == message.guild_id, guild.c.left_at_ms.is_(None))
    if not await connection.scalar(select(here)):
        return None
    shown = await connection.scalar(
        select(guild_preferences.c.names_shown).where(guild_preferences.c.guild_id == message.guild_id)
    )
    named = shown is not False
    told = await _sessions(connection, message, named=named) | await _periods(connection, message, named=named)
    told |= await _bodies(connection, message)
    return [told[item_id] for item_id in sorted(told)]


async def _sessions(connection: AsyncConnection, message: LogMessage, *, named: bool) -> dict[int, Told]:
    joined = (
        log_item.join(session, session.c.session_id == log_item.c.session_id)
        .outerjoin(member, and_(member.c.guild_id == session.c.guild_id, member.c.user_id == session.c.user_id))
        .outerjoin(channel, and_(channel.c.guild_id == session.c.guild_id, channel.c.channel_id == session.c.channel_id))
    )
    sessions = session.c
    query = (
        select(
            log_item.c.id, sessions.session_id, sessions.user_id, member.c.display_name, sessions.channel_id,
            channel.c.name.label("channel_name"), sessions.joined_at_ms, sessions.left_at_ms, sessions.reason,
            sessions.credited_ms, sessions.deafened_ms, sessions.muted_ms, sessions.solo_ms, sessions.unwitnessed_ms,
            sessions.below_minimum,
        )
        .select_from(joined)
        .where(log_item.c.message_id == message.message_id, sessions.guild_id == message.guild_id)
    )  # fmt: skip
    return {row["id"]: _session(row, named=named) for row in (await connection.execute(query)).mappings()}


def _session(row: RowMapping, *, named: bool) -> SessionTold:
    return SessionTold(
        session_id=row["session_id"],
        user_id=UserId(row["user_id"]),
        member=_name(row["display_name"], row["user_id"]) if named else None,
        channel_id=ChannelId(row["channel_id"]),
        channel=_name(row["channel_name"], row["channel_id"]),
        joined_ms=row["joined_at_ms"],
        left_ms=row["left_at_ms"],
        reason=row["reason"],
        credited_ms=row["credited_ms"],
        deafened_ms=row["deafened_ms"],
        muted_ms=row["muted_ms"],
        solo_ms=row["solo_ms"],
        unwitnessed_ms=row["unwitnessed_ms"],
        below_minimum=row["below_minimum"],
    )


async def _periods(connection: AsyncConnection, message: LogMessage, *, named: bool) -> dict[int, Told]:
    joined = log_item.join(
        period, and_(period.c.guild_id == log_item.c.guild_id, period.c.period_index == log_item.c.period_index)
    )
    query = (
        select(
            log_item.c.id, log_item.c.type, period.c.period_index, period.c.started_at_ms, period.c.ended_at_ms,
            period.c.reason, period.c.entry_count,
        )
        .select_from(joined)
        .where(log_item.c.message_id == message.message_id, log_item.c.session_id.is_(None), period.c.ended_at_ms.is_not(None))
        .order_by(log_item.c.id)
    )  # fmt: skip
    rows = (await connection.execute(query)).all()
    boards = [row.period_index for row in rows if row.type == LogType.LEADERBOARD.value][-_BOARDS:]
    entries = await _entries(connection, message.guild_id, boards, named=named)
    return {
        row.id: PeriodTold(
            is_archive=row.type == LogType.LEADERBOARD.value,
            number=row.period_index,
            started_ms=row.started_at_ms,
            ended_ms=row.ended_at_ms,
            reason=row.reason,
            entry_count=row.entry_count or 0,
            entries=entries.get(row.period_index, ()) if row.type == LogType.LEADERBOARD.value else (),
        )
        for row in rows
    }


async def _entries(
    connection: AsyncConnection, guild_id: GuildId, periods: Sequence[int], *, named: bool
) -> Mapping[int, tuple[EntryTold, ...]]:
    if not periods:
        return {}
    entry = period_entry.c
    joined = period_entry.outerjoin(member, and_(member.c.guild_id == entry.guild_id, member.c.user_id == entry.user_id))
    query = (
        select(entry.period_index, entry.rank, entry.user_id, member.c.display_name, entry.credited_ms)
        .select_from(joined)
        .where(entry.guild_id == guild_id, entry.period_index.in_(periods), entry.position < TOP_ENTRIES)
        .order_by(entry.period_index, entry.position)
    )
    found: dict[int, tuple[EntryTold, ...]] = defaultdict(tuple)
    for row in await connection.execute(query):
        known = named and row.user_id is not None
        name = _name(row.display_name, row.user_id) if known else None
        user_id = UserId(row.user_id) if known else None
        found[row.period_index] += (EntryTold(row.rank, user_id, name, row.credited_ms),)
    return found


async def _bodies(connection: AsyncConnection, message: LogMessage) -> dict[int, Told]:
    """What is neither a session nor a period: the item itself holds it."""
    query = select(log_item.c.id, log_item.c.type, log_item.c.body, log_item.c.created_at_ms).where(
        log_item.c.message_id == message.message_id, log_item.c.body.is_not(None)
    )
    told: dict[int, Told] = {}
    for row in await connection.execute(query):
        body = json.loads(row.body)
        if row.type == LogType.CHECKPOINT.value:
            told[row.id] = CheckpointTold(row.created_at_ms, body["note"], body["size"])
        else:
            told[row.id] = SigningTold(row.created_at_ms, body["kid"], body.get("reason"), body.get("change"))
    return told


def _name(name: str | None, of: int) -> str:
    return str(of) if name is None else name
