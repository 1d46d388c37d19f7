"""What an entry of the activity log says besides its kind: which words, and what stands in them.

It is stored as JSON and worded when it is shown. Entries from before hold an English sentence instead, which is no such JSON:
it begins with a letter or digit.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from dashboard.domain.ids import UserId
from dashboard.domain.roles import Role


class Note(msgspec.Struct, frozen=True, tag_field="told", tag="note"):
    """Nothing with parameters."""

    what: Literal["discord", "confirmed", "signed-out", "banned", "mismatch", "erased", "account"]


class Banned(msgspec.Struct, frozen=True, tag_field="told", tag="ban"):
    """Why somebody was shut out. Whom, the entry itself says, here and below."""

    reason: str

    @property
    def what(self) -> str:
        """Which words."""
        return "ban"


class Unbanned(msgspec.Struct, frozen=True, tag_field="told", tag="unban"):
    """Why somebody was let in again, if that was said."""

    reason: str | None = None

    @property
    def what(self) -> str:
        """Which words."""
        return "unban"


class Held(msgspec.Struct, frozen=True, tag_field="told", tag="held"):
    """A role, by its id, that was given or taken."""

    what: Literal["assigned", "removed"]
    role: str


class ToldRole(msgspec.Struct, frozen=True):
    """A role as it was then."""

    role_id: str
    name: str
    colour: str
    priority: int
    permissions: list[str]

    @property
    def sentence(self) -> str:
        """In English."""
        permissions = ", ".join(self.permissions) or "nothing"
        return f"{self.role_id} ({self.name}, {self.colour}, priority {self.priority}: {permissions})"


class OneRole(msgspec.Struct, frozen=True, tag_field="told", tag="role"):
    """A role that was made or deleted."""

    role: ToldRole

    @property
    def what(self) -> str:
        """Which words."""
        return "role"


class ChangedRole(msgspec.Struct, frozen=True, tag_field="told", tag="changed"):
    """A role before and after."""

    before: ToldRole
    after: ToldRole

    @property
    def what(self) -> str:
        """Which words."""
        return "changed"

    @property
    def differing(self) -> list[str]:
        """The members that are not the same."""
        names = ("name", "colour", "priority", "permissions")
        return [name for name in names if getattr(self.before, name) != getattr(self.after, name)]


Told: TypeAlias = Note | Banned | Unbanned | Held | OneRole | ChangedRole

_DECODER = msgspec.json.Decoder(Told)
_NOTES = {
    "discord": "Logged in via Discord OAuth",
    "confirmed": "Confirmed via Discord OAuth",
    "signed-out": "Signed out",
    "banned": "Banned",
    "mismatch": "Confirmed as somebody else",
    "erased": "About somebody who was erased",
    "account": "An account was erased",
}


def told_role(role: Role) -> ToldRole:
    """A role as an entry keeps it."""
    return ToldRole(role.role_id, role.name, role.colour, role.priority, sorted(one.value for one in role.permissions))


def sentence_of(told: Told, subject_id: UserId | None) -> str:  # noqa: PLR0911  # one table, one line each
    """The English sentence that the JSON contract has in ``details``."""
    whom = subject_id or "somebody"
    match told:
        case Note(what):
            return _NOTES[what]
        case Banned(reason):
            return f"Banned {whom}: {reason}"
        case Unbanned(reason):
            return f"Unbanned {whom}" + (f": {reason}" if reason else "")
        case Held("assigned", role):
            return f"Gave the role {role} to {whom}"
        case Held(_, role):
            return f"Took the role {role} from {whom}"
        case OneRole(role):
            return role.sentence
        case ChangedRole(before, after):
            return f"{before.sentence}, now {after.sentence}"


def stored(told: Told) -> str:
    """As it stands in the database."""
    return msgspec.json.encode(told).decode()


def read_told(text: str) -> Told | None:
    """What was stored; None for a sentence of an entry from before, and for what is neither."""
    if not text.startswith("{"):
        return None
    try:
        told: Told = _DECODER.decode(text)
    except msgspec.MsgspecError:
        return None
    return told
