"""Roles, bans and who holds what.

A change names the version of all accounts that it was decided on and moves it on: of two that were decided at once, one is
refused and decided again. Who could write here could make themselves an operator of the dashboard (SECURITY.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Executable, delete, func, insert, or_, select, true, update

from attendance.errors import InvalidInputError
from attendance.sql.database import Database
from dashboard.domain.activity import Activity
from dashboard.domain.ids import RoleId, UserId, parse_user_id
from dashboard.domain.roles import Role
from dashboard.domain.users import Ban, ListedUser, Standing
from dashboard.store.activity import record_activity
from dashboard.store.schema import account, account_version, ban, discord_token, role, role_assignment, session
from dashboard.store.standings import read_bans, read_roles, read_standings, role_of, user_of


@dataclass(frozen=True, slots=True)
class SqlAccountStore:
    """`AccountStore` over the dashboard's database."""

    database: Database

    async def version(self) -> int:
        """The version of everybody's roles and bans. Read it before what is decided on."""
        async with self.database.snapshot() as connection:
            version: int = (await connection.execute(select(account_version.c.version))).scalar_one()
        return version

    async def standing(self, user_id: UserId) -> Standing | None:
        """Somebody's standing; None if they never signed in."""
        known = select(account.c.user_id).where(account.c.user_id == user_id)
        async with self.database.snapshot() as connection:
            if (await connection.execute(known)).first() is None:
                return None
            return (await read_standings(connection, [user_id]))[user_id]

    async def roles(self) -> list[Role]:
        """Every role, highest first."""
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(select(role).order_by(role.c.priority.desc(), role.c.role_id))).all()
        return [role_of(row) for row in rows]

    async def role(self, role_id: RoleId) -> Role | None:
        """One role."""
        async with self.database.snapshot() as connection:
            row = (await connection.execute(select(role).where(role.c.role_id == role_id))).first()
        return None if row is None else role_of(row)

    async def holders(self, role_id: RoleId, rank: int) -> list[Standing]:
        """Those holders of a role who also hold one of this priority or a higher one."""
        others = role_assignment.alias()
        high = select(others.c.user_id).join(role, role.c.role_id == others.c.role_id).where(role.c.priority >= rank)
        query = select(role_assignment.c.user_id).where(
            role_assignment.c.role_id == role_id, role_assignment.c.user_id.in_(high)
        )
        async with self.database.snapshot() as connection:
            found = [UserId(user_id) for user_id in await connection.scalars(query)]
            return list((await read_standings(connection, found)).values())

    async def users(self, search: str | None, limit: int, offset: int) -> tuple[list[ListedUser], int]:
        """Users whose name contains ``search`` or whose id it is, the latest sign-in first, and how many there are."""
        asked = true() if search is None else _matching(search)
        query = select(account).where(asked).order_by(account.c.signed_in_at_ms.desc(), account.c.user_id)
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query.limit(limit).offset(offset))).all()
            total = (await connection.execute(select(func.count()).select_from(account).where(asked))).scalar_one()
            user_ids = [UserId(row.user_id) for row in rows]
            held, bans = await read_roles(connection, user_ids), await read_bans(connection, user_ids)
        users = [user_of(row) for row in rows]
        return [ListedUser(one, tuple(held.get(one.user_id, ())), bans.get(one.user_id)) for one in users], total

    async def user(self, user_id: UserId) -> ListedUser | None:
        """One user."""
        async with self.database.snapshot() as connection:
            row = (await connection.execute(select(account).where(account.c.user_id == user_id))).first()
            if row is None:
                return None
            held, bans = await read_roles(connection, [user_id]), await read_bans(connection, [user_id])
        return ListedUser(user_of(row), tuple(held.get(user_id, ())), bans.get(user_id))

    async def ban(self, version: int, user_id: UserId, why: Ban, entry: Activity) -> bool:
        """Ban somebody who is not banned, and end their sessions. False: something changed since ``version``."""
        theirs = session.c.user_id == user_id
        return await self._write(
            version,
            entry,
            # A sign-in holds this row too: it is over before the sessions are ended, or comes after and finds the ban.
            select(account.c.user_id).where(account.c.user_id == user_id).with_for_update(),
            insert(ban).values(user_id=user_id, reason=why.reason, banned_by=why.banned_by, banned_at_ms=why.banned_at_ms),
            update(session).where(theirs, session.c.revoked_at_ms.is_(None)).values(revoked_at_ms=why.banned_at_ms),
            delete(discord_token).where(discord_token.c.session_sha256.in_(select(session.c.session_sha256).where(theirs))),
        )

    async def unban(self, version: int, user_id: UserId, entry: Activity) -> bool:
        """Lift a ban. Ended sessions stay ended. False: something changed since ``version``."""
        lifted = {"lifted_by": entry.user_id, "lifted_at_ms": entry.at_ms}
        in_force = (ban.c.user_id == user_id) & ban.c.lifted_at_ms.is_(None)
        return await self._write(version, entry, update(ban).where(in_force).values(lifted))

    async def create_role(self, version: int, new: Role, entry: Activity) -> bool:
        """Add a role whose id is free. False: something changed since ``version``."""
        return await self._write(version, entry, insert(role).values(role_id=new.role_id, **_columns(new)))

    async def change_role(self, version: int, after: Role, entry: Activity) -> bool:
        """Change everything of a role but its id. False: something changed since ``version``."""
        return await self._write(version, entry, update(role).where(role.c.role_id == after.role_id).values(_columns(after)))

    async def delete_role(self, version: int, role_id: RoleId, entry: Activity) -> bool:
        """Delete a role, which takes it from everybody. False: something changed since ``version``."""
        return await self._write(version, entry, delete(role).where(role.c.role_id == role_id))

    async def assign(self, version: int, user_id: UserId, role_id: RoleId, entry: Activity) -> bool:
        """Give somebody a role that they do not have. False: something changed since ``version``."""
        given = {"user_id": user_id, "role_id": role_id, "assigned_by": entry.user_id, "assigned_at_ms": entry.at_ms}
        return await self._write(version, entry, insert(role_assignment).values(given))

    async def remove(self, version: int, user_id: UserId, role_id: RoleId, entry: Activity) -> bool:
        """Take a role from somebody. False: something changed since ``version``."""
        held = (role_assignment.c.user_id == user_id) & (role_assignment.c.role_id == role_id)
        return await self._write(version, entry, delete(role_assignment).where(held))

    async def _write(self, version: int, entry: Activity, *statements: Executable) -> bool:
        moved = update(account_version).where(account_version.c.version == version).values(version=version + 1)
        async with self.database.transaction() as connection:
            # PostgreSQL: whoever is second waits here for the first one's row, and then matches none.
            if (await connection.execute(moved)).rowcount != 1:
                return False
            for statement in statements:
                await connection.execute(statement)
            await record_activity(connection, entry)
        return True


def folded(*names: str | None) -> str:
    """Names as they are searched."""
    return "\n".join(name for name in names if name).casefold()


def _matching(search: str) -> ColumnElement[bool]:
    named = account.c.search.contains(search.casefold(), autoescape=True)
    try:
        return or_(named, account.c.user_id == parse_user_id(search))
    except InvalidInputError:
        return named


def _columns(one: Role) -> dict[str, object]:
    permissions = json.dumps(sorted(one.permissions))
    return {"name": one.name, "colour": one.colour, "priority": one.priority, "permissions": permissions}
