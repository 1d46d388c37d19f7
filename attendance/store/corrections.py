"""Corrections, and the sums that move with them.

Locks, in this order: the guild's stream row (every change of sums, and the projection, waits there), then the period's row
(the archiver's last step waits there). So a correction comes before that step and is in the entries, or after it and is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import AuditEntry
from attendance.domain.corrections import Correction, check_correction
from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.records import RecordType, correction_draft
from attendance.errors import ConflictError, NotFoundError
from attendance.ports.corrections import AskedCorrection
from attendance.store.audit import record_audit
from attendance.store.database import Database, bulk_upsert
from attendance.store.revisions import revise_sums
from attendance.store.schema import (
    channel_quarter,
    correction,
    member_quarter,
    period,
    period_channel,
    period_member,
    record,
    record_queue,
    session,
)

_QUARTER_MS = 900_000
_COLUMNS = tuple(correction.c[name] for name in Correction.__slots__)


class _Recorded(NamedTuple):
    """What is corrected of."""

    user_id: int
    channel_id: int
    period_index: int
    joined_at_ms: int
    left_at_ms: int
    credited_ms: int


_SESSION = select(*(session.c[name] for name in _Recorded._fields))


@dataclass(frozen=True, slots=True)
class SqlCorrectionStore:
    """`CorrectionStore` on a database."""

    database: Database

    async def correct(self, asked: AskedCorrection) -> tuple[Correction, bool]:
        """Store a correction with everything that follows from it."""
        async with self.database.transaction() as connection:
            await revise_sums(connection, asked.guild_id)
            earlier = await _earlier(connection, asked)
            if earlier is not None:
                return earlier, False
            found = await _session(connection, asked)
            corrects = await _signed_record(connection, asked)
            before_ms = found.credited_ms + await _corrected_ms(connection, asked)
            check_correction(asked.delta_ms, before_ms, found.left_at_ms - found.joined_at_ms)
            made = _correction(asked, found, after_archive=not await _hold_open_period(connection, asked, found))
            if not made.after_archive:
                await _move_sums(connection, made)
            values = {name: getattr(made, name) for name in Correction.__slots__}
            await connection.execute(insert(correction).values(**values, idempotency_key=asked.idempotency_key))
            await _queue(connection, made, corrects)
            await record_audit(connection, _audit(asked, made, before_ms))
        return made, True

    async def page(self, guild_id: GuildId, user_id: UserId | None, limit: int, offset: int) -> tuple[list[Correction], int]:
        """Corrections, newest first."""
        ours = correction.c.guild_id == guild_id
        if user_id is not None:
            ours &= correction.c.user_id == user_id
        order = correction.c.created_at_ms.desc(), correction.c.correction_id.desc()
        query = select(*_COLUMNS).where(ours).order_by(*order).limit(limit).offset(offset)
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query)).all()
            total = (await connection.execute(select(func.count()).select_from(correction).where(ours))).scalar_one()
        return [Correction(*row) for row in rows], total


async def _earlier(connection: AsyncConnection, asked: AskedCorrection) -> Correction | None:
    if asked.idempotency_key is None:
        return None
    key = correction.c.idempotency_key == asked.idempotency_key
    row = (await connection.execute(select(*_COLUMNS).where(correction.c.guild_id == asked.guild_id, key))).first()
    if row is None:
        return None
    earlier = Correction(*row)
    if (earlier.session_id, earlier.delta_ms, earlier.note) != (asked.session_id, asked.delta_ms, asked.note):
        raise ConflictError("this Idempotency-Key was used for another request")
    return earlier


async def _session(connection: AsyncConnection, asked: AskedCorrection) -> _Recorded:
    query = _SESSION.where(session.c.guild_id == asked.guild_id, session.c.session_id == asked.session_id)
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFoundError("the guild has no such closed session")
    return _Recorded._make(row)


async def _signed_record(connection: AsyncConnection, asked: AskedCorrection) -> bytes:
    """SHA-256 of the session's record."""
    query = select(record.c.record_sha256).where(record.c.guild_id == asked.guild_id, record.c.session_id == asked.session_id)
    digest = await connection.scalar(query)
    if digest is None:
        raise ConflictError("the session's record waits for its signature; a correction names the record that it corrects")
    return bytes(digest)


async def _corrected_ms(connection: AsyncConnection, asked: AskedCorrection) -> int:
    query = select(func.coalesce(func.sum(correction.c.delta_ms), 0)).where(
        correction.c.guild_id == asked.guild_id, correction.c.session_id == asked.session_id
    )
    return int((await connection.execute(query)).scalar_one())


async def _hold_open_period(connection: AsyncConnection, asked: AskedCorrection, found: _Recorded) -> bool:
    """Whether the session's period is not archived, and then it is not until we commit: its row is ours.

    An archiver at work has read the sums already: it loses its claim, and begins anew with what they are then.
    """
    ours = (period.c.guild_id == asked.guild_id) & (period.c.period_index == found.period_index)
    state = await connection.scalar(select(period.c.state).where(ours).with_for_update())
    if state is None or state == "archived":
        return False
    await connection.execute(
        update(period).where(ours, period.c.claimed_by.is_not(None)).values(claimed_by=None, claimed_until_ms=None)
    )
    return True


def _correction(asked: AskedCorrection, found: _Recorded, *, after_archive: bool) -> Correction:
    return Correction(
        correction_id=asked.correction_id,
        guild_id=asked.guild_id,
        session_id=asked.session_id,
        user_id=UserId(found.user_id),
        channel_id=ChannelId(found.channel_id),
        period_index=found.period_index,
        at_ms=found.left_at_ms - 1,
        delta_ms=asked.delta_ms,
        actor_id=asked.actor_id,
        note=asked.note,
        created_at_ms=asked.at_ms,
        after_archive=after_archive,
    )


async def _move_sums(connection: AsyncConnection, made: Correction) -> None:
    """Every sum that has the session, as if it had counted for so much more in its last millisecond."""
    guild_id, user_id, channel_id, delta_ms = made.guild_id, made.user_id, made.channel_id, made.delta_ms
    quarter = made.at_ms // _QUARTER_MS
    total = period_member.c
    await connection.execute(
        update(period_member)
        .where(total.guild_id == guild_id, total.period_index == made.period_index, total.user_id == user_id)
        .values(credited_ms=total.credited_ms + delta_ms, rank_key=total.rank_key - delta_ms)
    )
    part = period_channel.c
    await connection.execute(
        update(period_channel)
        .where(
            part.guild_id == guild_id,
            part.period_index == made.period_index,
            part.channel_id == channel_id,
            part.user_id == user_id,
        )
        .values(credited_ms=part.credited_ms + delta_ms)
    )
    # What below-minimum sessions counted in vain has no quarter-hours yet.
    columns = ("guild_id", "user_id", "quarter", "period_index", "channel_id", "credited_ms")
    cell = (guild_id, user_id, quarter, made.period_index, channel_id, delta_ms)
    await bulk_upsert(connection, member_quarter, columns, [cell], add=("credited_ms",))
    of_channel = (guild_id, quarter, channel_id, delta_ms)
    columns_of_channel = ("guild_id", "quarter", "channel_id", "credited_ms")
    await bulk_upsert(connection, channel_quarter, columns_of_channel, [of_channel], add=("credited_ms",))


async def _queue(connection: AsyncConnection, made: Correction, corrects: bytes) -> None:
    """The record. It names its period only where it is in the entries: those reach up to the last that does.

    The archiver's own row comes behind ours, or before it with the period's lock, so no later correction's record stands
    between theirs.
    """
    draft = correction_draft(made.session_id, corrects, made.delta_ms, made.actor_id, made.note)
    await connection.execute(
        insert(record_queue).values(
            guild_id=made.guild_id,
            type=RecordType.SESSION_CORRECTION.value,
            period_index=None if made.after_archive else made.period_index,
            body=draft.decode(),
            created_at_ms=made.created_at_ms,
        )
    )


def _audit(asked: AskedCorrection, made: Correction, before_ms: int) -> AuditEntry:
    """Without the note, which is about a member: it goes with the correction when they are erased."""
    return AuditEntry(
        guild_id=made.guild_id,
        at_ms=made.created_at_ms,
        actor=asked.actor,
        action="session.correct",
        target=str(made.session_id),
        before={"credited_ms": before_ms},
        after={"credited_ms": before_ms + made.delta_ms, "correction_id": str(made.correction_id)},
    )
