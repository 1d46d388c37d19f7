"""What happened to accounts: who did what, from which address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from attendance.errors import InvalidInputError
from dashboard.domain.ids import UserId
from dashboard.domain.told import Told, sentence_of

# Entries hold addresses of people: long enough to look into an incident, then deleted.
ACTIVITY_DAYS = 180
ACTIVITY_MS = ACTIVITY_DAYS * 24 * 3_600_000


class Action(StrEnum):
    """Everything that is written down."""

    LOGIN = "login"
    LOGOUT = "logout"
    LOGIN_REFUSED = "login_refused"
    REAUTHENTICATED = "reauthenticated"
    SESSION_REVOKED = "session_revoked"
    BAN = "ban"
    UNBAN = "unban"
    ROLE_CREATED = "role_created"
    ROLE_CHANGED = "role_changed"
    ROLE_DELETED = "role_deleted"
    ROLE_ASSIGNED = "role_assigned"
    ROLE_REMOVED = "role_removed"
    ACCOUNT_ERASED = "account_erased"


# What concerns only whoever did it: it goes with their account. The rest is what they did as operators.
OF_ONESELF = frozenset({Action.LOGIN, Action.LOGOUT, Action.LOGIN_REFUSED, Action.REAUTHENTICATED, Action.SESSION_REVOKED})


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that somebody did. ``subject_id`` is whom they did it to, where that is somebody else.

    ``details`` is an English sentence, for programs; ``told`` the same in parts, None in entries from before it was kept so.
    """

    user_id: UserId
    action: Action
    details: str
    address: str | None
    at_ms: int
    subject_id: UserId | None = None
    told: Told | None = None

    @classmethod
    def of(
        cls, user_id: UserId, action: Action, told: Told, address: str | None, at_ms: int, *, subject_id: UserId | None = None
    ) -> Self:
        """An entry with its sentence."""
        return cls(user_id, action, sentence_of(told, subject_id), address, at_ms, subject_id, told)


@dataclass(frozen=True, slots=True)
class LoggedActivity:
    """An entry of the log, with its number, and what its user is called now."""

    activity_id: int
    activity: Activity
    shown_name: str | None = None


def parse_action(text: str) -> Action:
    """An action from a query.

    Raises:
        InvalidInputError: there is none of this name.
    """
    if not re.fullmatch(r"[a-z_]{1,40}", text, re.ASCII) or text not in {one.value for one in Action}:
        raise InvalidInputError("the request is not valid", details={"action": f"must be among {', '.join(Action)}"})
    return Action(text)
