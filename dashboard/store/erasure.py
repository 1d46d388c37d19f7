"""Taking somebody out of the dashboard's database, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.sql.database import Database
from dashboard.domain.activity import OF_ONESELF, Activity
from dashboard.domain.ids import UserId
from dashboard.domain.told import Note, stored
from dashboard.store.activity import record_activity
from dashboard.store.schema import account, account_version, activity, ban, discord_token, role_assignment, session

# What an entry about them says from then on: it may have had words about them, such as the reason of a ban.
_ERASED_DETAILS = stored(Note("erased"))


@dataclass(frozen=True, slots=True)
class SqlAccountErasure:
    """`AccountErasure` over the dashboard's database."""

    database: Database

    async def erase(self, version: int, user_id: UserId, entry: Activity) -> list[bytes] | None:
        """Erase somebody who signed in at least once. None: something changed since ``version``, and nothing was erased."""
        theirs = select(session.c.session_sha256).where(session.c.user_id == user_id)
        async with self.database.transaction() as connection:
            moved = update(account_version).where(account_version.c.version == version).values(version=version + 1)
            if (await connection.execute(moved)).rowcount != 1:
                return None
            # A sign-in holds this row too: it is over before its session goes, or comes after and begins an account anew.
            await connection.execute(select(account.c.user_id).where(account.c.user_id == user_id).with_for_update())
            of_theirs = discord_token.c.session_sha256.in_(theirs)
            sealed = list(await connection.scalars(select(discord_token.c.sealed).where(of_theirs)))
            await connection.execute(delete(discord_token).where(of_theirs))
            await connection.execute(delete(session).where(session.c.user_id == user_id))
            await connection.execute(delete(role_assignment).where(role_assignment.c.user_id == user_id))
            await _erase_activity(connection, user_id)
            await _erase_account(connection, user_id)
            await record_activity(connection, entry)
        await self.database.truncate_log()
        return sealed


async def _erase_activity(connection: AsyncConnection, user_id: UserId) -> None:
    """Their comings and goings go; what they did to others stays, without an address; what was done to them names nobody."""
    own = activity.c.user_id == user_id
    comings = [action.value for action in OF_ONESELF]
    await connection.execute(delete(activity).where(own, activity.c.action.in_(comings)))
    await connection.execute(update(activity).where(own).values(address=None))
    about = activity.c.subject_id == user_id
    await connection.execute(update(activity).where(about).values(subject_id=None, details=_ERASED_DETAILS))


async def _erase_account(connection: AsyncConnection, user_id: UserId) -> None:
    """All of it; of who is banned, the id and the ban stay: a ban that one could shake off by an erasure would be none."""
    theirs = ban.c.user_id == user_id
    await connection.execute(delete(ban).where(theirs, ban.c.lifted_at_ms.is_not(None)))
    bare = {"username": str(user_id), "global_name": None, "avatar": None, "search": ""}
    since = select(ban.c.banned_at_ms).where(theirs).scalar_subquery()
    kept: CursorResult[object] = await connection.execute(
        update(account)
        .where(account.c.user_id == user_id, account.c.user_id.in_(select(ban.c.user_id).where(theirs)))
        .values(**bare, created_at_ms=since, signed_in_at_ms=since)
    )
    if kept.rowcount == 0:
        await connection.execute(delete(account).where(account.c.user_id == user_id))
