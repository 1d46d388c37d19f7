"""Attendance from elsewhere, as rows and in the queue of what is to be recorded."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.external_attendance import ExternalAttendance
from attendance.domain.records import RecordType
from attendance.errors import ConflictError
from attendance.store.database import Database, bulk_upsert
from attendance.store.schema import external_attendance, opt_out, record_queue

_TYPE = RecordType.ATTENDANCE_EXTERNAL.value
_COLUMNS = (
    "external_id", "guild_id", "user_id", "channel_id", "joined_at_ms", "left_at_ms", "source", "body_sha256", "created_at_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SqlExternalAttendanceStore:
    """`ExternalAttendanceStore` over SQL."""

    database: Database

    async def add(self, report: ExternalAttendance, now_ms: int) -> bool:
        """Store a report once: whoever inserts its row queues its record, in the same transaction."""
        async with self.database.transaction() as connection:
            digest = report.body_sha256()
            if await _is_known(connection, report.external_id, digest):
                return False
            await _check_opted_in(connection, report)
            said = [getattr(report, name) for name in ExternalAttendance.__slots__]
            await bulk_upsert(connection, external_attendance, _COLUMNS, [(*said, digest, now_ms)])
            this = external_attendance.c.external_id == report.external_id
            # The row's lock is ours now: another who has inserted it meanwhile has committed it with its place in the queue.
            queued = select(external_attendance.c.queue_id).where(this).with_for_update()
            if (await connection.execute(queued)).scalar_one() is not None:
                return not await _is_known(connection, report.external_id, digest)
            waiting = await connection.execute(
                insert(record_queue)
                .values(guild_id=report.guild_id, type=_TYPE, body=report.draft(), created_at_ms=now_ms)
                .returning(record_queue.c.id)
            )
            await connection.execute(update(external_attendance).where(this).values(queue_id=waiting.scalar_one()))
            return True


async def _is_known(connection: AsyncConnection, external_id: str, digest: bytes) -> bool:
    query = select(external_attendance.c.body_sha256).where(external_attendance.c.external_id == external_id)
    stored = (await connection.execute(query)).scalar_one_or_none()
    if stored is not None and bytes(stored) != digest:
        raise ConflictError("this id was reported with another body", details={"id": "used for another report"})
    return stored is not None


async def _check_opted_in(connection: AsyncConnection, report: ExternalAttendance) -> None:
    is_out = exists().where(opt_out.c.guild_id == report.guild_id, opt_out.c.user_id == report.user_id)
    if (await connection.execute(select(is_out))).scalar_one():
        raise ConflictError("this member has opted out of attendance")
