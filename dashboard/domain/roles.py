"""Roles of this deployment: what they may, and who outranks whom.

They are the deployment's and open no guild: what somebody may do in a guild is Discord's and the API's to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from attendance.errors import InvalidInputError, NotFoundError
from dashboard.domain.ids import RoleId


class Permission(StrEnum):
    """Everything that a role can allow.

    The first two open the operators' pages. The others open nothing here: ``/auth/validate`` tells them to the services that
    ask.
    """

    VIEW_ADMIN = "view_admin"
    MANAGE_USERS = "manage_users"
    VIEW_DEVOPS = "view_devops"
    VIEW_DASHBOARD = "view_dashboard"
    VIEW_EVENTS = "view_events"
    SUBMIT_ATTENDANCE = "submit_attendance"
    MANAGE_ATTENDANCE = "manage_attendance"
    MANAGE_EVENTS = "manage_events"


EVERYTHING = frozenset(Permission)
NOTHING: frozenset[Permission] = frozenset()

# Priorities that a role may be given. The built-in role stands above all of them.
MAX_PRIORITY = 999
MOST_ROLES = 100
MOST_NAME_CHARACTERS = 50

_ROLE_ID = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?", re.ASCII)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Role:
    """A role. ``colour`` is ``#RRGGBB``; the higher ``priority`` outranks the lower."""

    role_id: RoleId
    name: str
    colour: str
    priority: int
    permissions: frozenset[Permission]


# Built in: it can be given and taken, not changed or deleted. Whatever permission comes later, it has.
SUPER_ADMIN = Role(RoleId("super_admin"), "Super admin", "#7B1FA2", MAX_PRIORITY + 1, EVERYTHING)


def parse_role_id(text: str) -> RoleId:
    """A role's id from an address or a body.

    Raises:
        NotFoundError: it cannot be one, so there is none of this id.
    """
    if not _ROLE_ID.fullmatch(text):
        raise NotFoundError("there is no such role")
    return RoleId(text)


def checked_role(role_id: str, name: str, colour: str, priority: int, permissions: Iterable[str]) -> Role:
    """A role from what somebody typed.

    Raises:
        InvalidInputError: naming every member that breaks a rule.
    """
    given, name = list(permissions), " ".join(name.split())
    unknown = sorted(set(given) - {one.value for one in Permission})
    problems: dict[str, str] = {}
    if not _ROLE_ID.fullmatch(role_id):
        problems["id"] = "must be 1 to 32 of a-z, 0-9, _ and -, beginning and ending with a letter or digit"
    if not 1 <= len(name) <= MOST_NAME_CHARACTERS or not name.isprintable():
        problems["name"] = f"must be 1 to {MOST_NAME_CHARACTERS} printable characters"
    if not _COLOUR.fullmatch(colour):
        problems["color"] = "must be a colour such as #2196F3"
    if not 0 <= priority <= MAX_PRIORITY:
        problems["priority"] = f"must be 0 to {MAX_PRIORITY}"
    if unknown:
        known = ", ".join(Permission)
        problems["permissions"] = f"must be among {known}"
    if problems:
        raise InvalidInputError("the role is not valid", details=problems)
    return Role(RoleId(role_id), name, colour.upper(), priority, frozenset(Permission(one) for one in given))
