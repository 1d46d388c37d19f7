"""A guild's record keys: their states, and for which positions of the chain each is good (records, section 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from attendance.domain.ids import GuildId
from attendance.domain.records import b64url
from attendance.errors import InvalidRecordError


class KeyState(StrEnum):
    """What a key may still do: only an active one signs. All of them verify, each within its window."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class RecordKey:
    """A guild's key as it is stored.

    ``wrapped`` is the passphrase's seal and ``master_wrapped`` the deployment's (None: a passphrase is needed); both are gone
    once the key is no longer active. ``unlocked_until_ms`` is None after a lock and renewed by whoever holds the key open.
    """

    guild_id: GuildId
    kid: str
    public_key: bytes
    wrapped: str = field(repr=False)
    master_wrapped: str | None = field(repr=False)
    auto_unlock: bool
    state: str
    created_at_ms: int
    first_guild_seq: int | None
    last_guild_seq: int | None
    unlocked_until_ms: int | None

    @property
    def x(self) -> str:
        """The public half, base64url."""
        return b64url(self.public_key)

    @property
    def is_active(self) -> bool:
        """Whether it signs what comes next."""
        return self.state == KeyState.ACTIVE

    @property
    def is_locked(self) -> bool:
        """Whether ``lock`` was the last word: nobody may sign with it, not even who still has it in memory."""
        return self.master_wrapped is None and self.unlocked_until_ms is None


def active_key(keys: tuple[RecordKey, ...]) -> RecordKey | None:
    """The one that signs, if there is one."""
    return next((key for key in keys if key.is_active), None)


def check_window(key: RecordKey, guild_seq: int) -> None:
    """Accept a position that this key is good for; clocks can be set back by a thief, positions cannot.

    Raises:
        InvalidRecordError: The position is outside.
    """
    first, last = key.first_guild_seq, key.last_guild_seq
    if first is None:
        raise InvalidRecordError(f"expected a key that was activated, found {key.kid} which never was")
    if guild_seq < first or (last is not None and guild_seq > last):
        until = "on" if last is None else f"to {last}"
        raise InvalidRecordError(
            f"expected guild_seq from {first} {until} for the {key.state} key {key.kid}, found {guild_seq}"
        )
