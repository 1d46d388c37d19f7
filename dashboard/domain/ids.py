"""Ids, as types of their own."""

from __future__ import annotations

import re
from typing import NewType

from attendance.errors import InvalidInputError

UserId = NewType("UserId", int)  # Discord's
RoleId = NewType("RoleId", str)  # chosen by who makes the role

# Whom the log names where it must name nobody: Discord's ids begin at 1.
NOBODY = UserId(0)

_USER_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_MOST = 2**63 - 1  # what the database holds


def parse_user_id(text: str, *, name: str = "user_id") -> UserId:
    """A Discord id from text.

    Raises:
        InvalidInputError: it is none; ``details`` has ``name``.
    """
    if not _USER_ID.fullmatch(text) or int(text) > _MOST:
        raise InvalidInputError("the request is not valid", details={name: "must be a Discord user id"})
    return UserId(int(text))
