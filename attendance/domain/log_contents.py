"""What log destinations are told of, as plain values: read when a message is made, and kept nowhere."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias
from uuid import UUID

from attendance.domain.ids import ChannelId, UserId

TOP_ENTRIES = 10
"""So many lines of a leaderboard are told."""


class SessionTold(NamedTuple):
    """A closed session. ``member`` is None where names are not shown."""

    session_id: UUID
    user_id: UserId
    member: str | None
    channel_id: ChannelId
    channel: str
    joined_ms: int
    left_ms: int
    reason: str
    credited_ms: int
    deafened_ms: int
    muted_ms: int
    solo_ms: int
    unwitnessed_ms: int
    below_minimum: bool


class EntryTold(NamedTuple):
    """A line of an archived leaderboard. ``member`` is None where names are not shown or the member was erased."""

    rank: int
    user_id: UserId | None
    member: str | None
    credited_ms: int


class PeriodTold(NamedTuple):
    """A period that ended, or with ``is_archive`` its leaderboard: ``entries`` are the first `TOP_ENTRIES` at most."""

    is_archive: bool
    number: int
    started_ms: int
    ended_ms: int
    reason: str | None
    entry_count: int
    entries: tuple[EntryTold, ...]


class SigningTold(NamedTuple):
    """What happened to the signing key: locked with a ``reason``, changed by a ``change``, unlocked with neither."""

    at_ms: int
    kid: str
    reason: str | None
    change: str | None


class CheckpointTold(NamedTuple):
    """A checkpoint of the transparency log, as it was published: ``note`` is its whole text."""

    at_ms: int
    note: str
    size: int


Told: TypeAlias = SessionTold | PeriodTold | SigningTold | CheckpointTold
