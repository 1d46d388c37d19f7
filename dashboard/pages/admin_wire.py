"""The bodies of ``/auth/admin/*``, as the reference contract has them: ids as text, instants as RFC 3339 in UTC."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from attendance.errors import InvalidInputError
from dashboard.domain.activity import LoggedActivity
from dashboard.domain.roles import Role
from dashboard.domain.users import ListedUser
from dashboard.instants import instant_iso

T = TypeVar("T")


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """An answer."""


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller sends: members that it does not name are refused."""


class RoleName(Wire, frozen=True):
    """A role as a user holds it."""

    id: str
    name: str


class UserItem(Wire, frozen=True):
    """Somebody who signed in at least once."""

    id: str
    username: str
    global_name: str | None
    roles: list[RoleName]
    is_banned: bool
    created_at: str


class UserList(Wire, frozen=True):
    """A page of users."""

    users: list[UserItem]
    total: int
    page: int
    limit: int


class UserAnswer(Wire, frozen=True):
    """A user after a change."""

    user: UserItem


class RoleItem(Wire, frozen=True):
    """A role."""

    id: str
    name: str
    color: str
    priority: int
    permissions: list[str]


class RoleList(Wire, frozen=True):
    """Every role."""

    roles: list[RoleItem]


class RoleAnswer(Wire, frozen=True):
    """A role after a change."""

    role: RoleItem


class LogItem(Wire, frozen=True):
    """An entry of the activity log."""

    id: int
    user_id: str
    action: str
    details: str
    ip_address: str | None
    created_at: str


class LogList(Wire, frozen=True):
    """A page of the activity log."""

    logs: list[LogItem]
    total: int
    page: int


class UserAction(Body, frozen=True):
    """A ban, or its end."""

    user_id: str
    action: Literal["ban", "unban"]
    reason: str | None = None


class ChangedRole(Body, frozen=True):
    """A role without its id."""

    name: str
    color: str
    priority: int
    permissions: list[str]


class NewRole(ChangedRole, frozen=True):
    """A role with the id that it shall have."""

    id: str


class Assignment(Body, frozen=True):
    """Somebody and a role."""

    user_id: str
    role_id: str


def decoded(content: bytes, kind: type[T]) -> T:
    """A body, exactly as its struct says.

    Raises:
        InvalidInputError: it is something else.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError("the request is not valid", details={"body": str(error)}) from None


def user_item(one: ListedUser) -> UserItem:
    """A user as the wire has them."""
    return UserItem(
        id=str(one.user.user_id),
        username=one.user.username,
        global_name=one.user.global_name,
        roles=[RoleName(id=role.role_id, name=role.name) for role in one.roles],
        is_banned=one.ban is not None,
        created_at=instant_iso(one.user.created_at_ms),
    )


def role_item(role: Role) -> RoleItem:
    """A role as the wire has it."""
    return RoleItem(
        id=role.role_id,
        name=role.name,
        color=role.colour,
        priority=role.priority,
        permissions=sorted(role.permissions),
    )


def log_item(one: LoggedActivity) -> LogItem:
    """An entry as the wire has it."""
    return LogItem(
        id=one.activity_id,
        user_id=str(one.activity.user_id),
        action=one.activity.action,
        details=one.activity.details,
        ip_address=one.activity.address,
        created_at=instant_iso(one.activity.at_ms),
    )
