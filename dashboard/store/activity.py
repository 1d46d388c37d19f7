"""The log of what happened to accounts. Entries are added by whoever does what they say, in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.sql.database import Database
from dashboard.domain.activity import Action, Activity, LoggedActivity
from dashboard.domain.ids import UserId
from dashboard.domain.told import read_told, sentence_of, stored
from dashboard.store.schema import account, activity


async def record_activity(connection: AsyncConnection, entry: Activity) -> None:
    """Add an entry in the caller's transaction: what is undone leaves none."""
    await connection.execute(
        insert(activity).values(
            at_ms=entry.at_ms,
            user_id=entry.user_id,
            subject_id=entry.subject_id,
            action=entry.action.value,
            details=entry.details if entry.told is None else stored(entry.told),
            address=entry.address,
        )
    )


@dataclass(frozen=True, slots=True)
class SqlActivityLog:
    """`ActivityLog` over the `activity` table."""

    database: Database

    async def add(self, entry: Activity) -> None:
        """Write down something that changes nothing else, such as a refused sign-in."""
        async with self.database.transaction() as connection:
            await record_activity(connection, entry)

    async def page(
        self, user_id: UserId | None, action: Action | None, limit: int, offset: int
    ) -> tuple[list[LoggedActivity], int]:
        """Entries, newest first, of this user and of this kind where asked, and how many there are."""
        asked: ColumnElement[bool] = true()
        if user_id is not None:
            asked &= activity.c.user_id == user_id
        if action is not None:
            asked &= activity.c.action == action.value
        query = (
            select(activity, func.coalesce(account.c.global_name, account.c.username).label("shown_name"))
            .outerjoin(account, account.c.user_id == activity.c.user_id)
            .where(asked)
            .order_by(activity.c.at_ms.desc(), activity.c.id.desc())
        )
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query.limit(limit).offset(offset))).all()
            total = (await connection.execute(select(func.count()).select_from(activity).where(asked))).scalar_one()
        return [_logged(row) for row in rows], total

    async def delete_before(self, at_ms: int, most: int) -> int:
        """Delete the oldest entries from before an instant, ``most`` of them at once; how many there were."""
        oldest = select(activity.c.id).where(activity.c.at_ms < at_ms).order_by(activity.c.at_ms).limit(most)
        async with self.database.transaction() as connection:
            return (await connection.execute(delete(activity).where(activity.c.id.in_(oldest)))).rowcount


def _logged(row: Any) -> LoggedActivity:
    subject = None if row.subject_id is None else UserId(row.subject_id)
    told = read_told(row.details)
    sentence = row.details if told is None else sentence_of(told, subject)
    entry = Activity(UserId(row.user_id), Action(row.action), sentence, row.address, row.at_ms, subject, told)
    return LoggedActivity(row.id, entry, row.shown_name)
