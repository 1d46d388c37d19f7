"""Reading who holds which roles, for every store that asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dashboard.domain.ids import RoleId, UserId
from dashboard.domain.roles import SUPER_ADMIN, Permission, Role
from dashboard.domain.users import Ban, Standing, User
from dashboard.store.schema import ban, role, role_assignment

_PERMISSIONS = {one.value: one for one in Permission}


async def read_standings(connection: AsyncConnection, user_ids: Sequence[UserId]) -> dict[UserId, Standing]:
    """The standing of each of these users, without what the settings say."""
    held = await read_roles(connection, user_ids)
    bans = await read_bans(connection, user_ids)
    return {one: Standing(one, frozenset(held.get(one, ())), has_ban=one in bans) for one in user_ids}


async def read_roles(connection: AsyncConnection, user_ids: Sequence[UserId]) -> dict[UserId, list[Role]]:
    """The roles of these users, highest first; who has none is not in it."""
    query = (
        select(role_assignment.c.user_id, role)
        .join(role, role.c.role_id == role_assignment.c.role_id)
        .where(role_assignment.c.user_id.in_(user_ids))
        .order_by(role.c.priority.desc(), role.c.role_id)
    )
    found: dict[UserId, list[Role]] = {}
    for row in await connection.execute(query):
        found.setdefault(UserId(row.user_id), []).append(role_of(row))
    return found


async def read_bans(connection: AsyncConnection, user_ids: Sequence[UserId]) -> dict[UserId, Ban]:
    """The bans of these users that are in force."""
    rows = await connection.execute(select(ban).where(ban.c.user_id.in_(user_ids), ban.c.lifted_at_ms.is_(None)))
    return {UserId(row.user_id): Ban(row.reason, UserId(row.banned_by), row.banned_at_ms) for row in rows}


def role_of(row: Any) -> Role:
    """A row of `role`. The built-in one is what the code says; a permission that this version does not know is left out."""
    if row.role_id == SUPER_ADMIN.role_id:
        return SUPER_ADMIN
    permissions = frozenset(_PERMISSIONS[name] for name in json.loads(row.permissions) if name in _PERMISSIONS)
    return Role(RoleId(row.role_id), row.name, row.colour, row.priority, permissions)


def user_of(row: Any) -> User:
    """A row of `account`."""
    return User(UserId(row.user_id), row.username, row.global_name, row.avatar, row.created_at_ms, row.signed_in_at_ms)
