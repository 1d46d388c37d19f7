"""Erasing sessions with everything that follows from them, in the caller's transaction: one code for erasure and retention.

Locks, in this order: the guild's stream row (projections and corrections wait there), the periods' rows (archivers wait there),
then what waits to be signed. A signer that was faster has its records in the chain when we look there; one that is slower finds
its drafts gone, and begins its batch anew.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.erasure import Why, redacted_drafts
from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType
from attendance.store.database import bulk_insert
from attendance.store.erased_sums import ErasedSession, subtract
from attendance.store.schema import (
    audit,
    correction,
    log_item,
    period,
    record,
    record_queue,
    session,
    webhook_attempt,
    webhook_delivery,
)

_CORRECTION = RecordType.SESSION_CORRECTION.value


async def erase_these(
    connection: AsyncConnection, guild_id: GuildId, sessions: Sequence[ErasedSession], why: Why, now_ms: int
) -> None:
    """Erase sessions. The caller holds the guild's sums (`revise_sums`) and has read the sessions since."""
    if not sessions:
        return
    ids = [one.session_id for one in sessions]
    archived = await _hold_periods(connection, guild_id, {one.period_index for one in sessions})
    await connection.execute(
        delete(record_queue).where(record_queue.c.guild_id == guild_id, record_queue.c.session_id.in_(ids))
    )
    in_chain = await _redact_sessions(connection, guild_id, ids)
    await _count_erased(connection, guild_id, sessions, archived, in_chain)
    await subtract(connection, guild_id, sessions)
    of_corrections = await _erase_corrections(connection, guild_id, ids)
    await _empty_outboxes(connection, guild_id, ids)
    await connection.execute(delete(session).where(session.c.session_id.in_(ids)))
    await queue_redactions(connection, guild_id, [*in_chain.values(), *of_corrections], why, now_ms)


async def queue_redactions(
    connection: AsyncConnection, guild_id: GuildId, positions: Collection[int], why: Why, now_ms: int
) -> None:
    """Queue the records that say which bytes are gone, in the transaction that takes them."""
    rows = [(guild_id, RecordType.RECORD_REDACTED.value, draft.decode(), now_ms) for draft in redacted_drafts(positions, why)]
    await bulk_insert(connection, record_queue, ("guild_id", "type", "body", "created_at_ms"), rows)


async def redact(connection: AsyncConnection, guild_id: GuildId, positions: Collection[int]) -> None:
    """Take the bytes of these records; their hashes stay, and with them the chain and every root."""
    await connection.execute(
        update(record).where(record.c.guild_id == guild_id, record.c.guild_seq.in_(positions)).values(body=None, signature=None)
    )


async def _hold_periods(connection: AsyncConnection, guild_id: GuildId, indexes: Collection[int]) -> set[int]:
    """Those that are archived. The others are not until we commit, and an archiver at work on one begins anew after us."""
    ours = period.c.guild_id == guild_id, period.c.period_index.in_(sorted(indexes))
    query = select(period.c.period_index, period.c.state).where(*ours).order_by(period.c.period_index).with_for_update()
    archived = {row.period_index for row in await connection.execute(query) if row.state == "archived"}
    await connection.execute(
        update(period)
        .where(*ours, period.c.state != "archived", period.c.claimed_by.is_not(None))
        .values(claimed_by=None, claimed_until_ms=None)
    )
    return archived


async def _redact_sessions(connection: AsyncConnection, guild_id: GuildId, ids: Sequence[UUID]) -> dict[UUID, int]:
    """The positions of those of the sessions that are in the chain."""
    taken = (
        update(record)
        .where(record.c.guild_id == guild_id, record.c.session_id.in_(ids))
        .values(body=None, signature=None)
        .returning(record.c.session_id, record.c.guild_seq)
    )
    return {row.session_id: row.guild_seq for row in await connection.execute(taken)}


async def _count_erased(
    connection: AsyncConnection,
    guild_id: GuildId,
    sessions: Sequence[ErasedSession],
    archived: Collection[int],
    in_chain: Collection[UUID],
) -> None:
    """So that a period's record waits for exactly the sessions that will ever be in the chain.

    Before the archive, what was signed stays in the chain and will not be in the entries. After it, what was not signed is in
    the entries and will not be in the chain.
    """
    moved: Counter[int] = Counter()
    for one in sessions:
        is_signed, is_archived = one.session_id in in_chain, one.period_index in archived
        if is_signed != is_archived:
            moved[one.period_index] += 1 if is_signed else -1
    for index, count in sorted(moved.items()):
        await connection.execute(
            update(period)
            .where(period.c.guild_id == guild_id, period.c.period_index == index)
            .values(erased_sessions=period.c.erased_sessions + count)
        )


async def _erase_corrections(connection: AsyncConnection, guild_id: GuildId, ids: Sequence[UUID]) -> list[int]:
    """Corrections of these sessions, their drafts and what the audit says of them; the positions of their records."""
    ours = correction.c.guild_id == guild_id, correction.c.session_id.in_(ids)
    corrected = {str(session_id) for session_id in await connection.scalars(select(correction.c.session_id).where(*ours))}
    if not corrected:
        return []
    positions = await erase_records(connection, guild_id, _CORRECTION, "session_id", corrected)
    await connection.execute(delete(correction).where(*ours))
    about = audit.c.guild_id == guild_id, audit.c.action == "session.correct", audit.c.target.in_(corrected)
    await connection.execute(update(audit).where(*about).values(target=None, before=None, after=None))
    return positions


async def erase_records(
    connection: AsyncConnection, guild_id: GuildId, kind: str, member: str, values: Collection[str]
) -> list[int]:
    """Drafts and records of a kind whose ``member`` is one of these values; the positions of those in the chain.

    Few guilds have many records of the kinds that carry no column to find them by: all of a guild's are looked at.
    """
    queue = record_queue.c
    waiting = select(queue.id, queue.body).where(queue.guild_id == guild_id, queue.type == kind, queue.body.is_not(None))
    drafts = [row.id for row in await connection.execute(waiting) if json.loads(row.body).get(member) in values]
    if drafts:
        await connection.execute(delete(record_queue).where(queue.id.in_(drafts)))
    signed = select(record.c.guild_seq, record.c.body).where(
        record.c.guild_id == guild_id, record.c.type == kind, record.c.body.is_not(None)
    )
    positions = [row.guild_seq for row in await connection.execute(signed) if json.loads(row.body).get(member) in values]
    await redact(connection, guild_id, positions)
    return positions


async def _empty_outboxes(connection: AsyncConnection, guild_id: GuildId, ids: Sequence[UUID]) -> None:
    await connection.execute(delete(log_item).where(log_item.c.guild_id == guild_id, log_item.c.session_id.in_(ids)))
    delivery = webhook_delivery.c
    gone = (
        delete(webhook_delivery)
        .where(delivery.guild_id == guild_id, delivery.session_id.in_(ids))
        .returning(delivery.delivery_id)
    )
    deliveries = list(await connection.scalars(gone))
    if deliveries:
        await connection.execute(delete(webhook_attempt).where(webhook_attempt.c.delivery_id.in_(deliveries)))
