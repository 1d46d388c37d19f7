"""What a receipt is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from attendance.domain.ids import GuildId, UserId
from attendance.domain.receipts import KeyRecordSource


class SessionSource(NamedTuple):
    """A session's timeline, and its rules; both canonical JSON."""

    timeline: bytes
    rules: bytes | None


@dataclass(frozen=True, slots=True)
class RecordSource:
    """A session's record. ``body`` and ``signature`` are None after an erasure, ``leaf_index`` while it is in no log."""

    guild_seq: int
    body: bytes | None
    signature: bytes | None
    kid: str
    public_key: bytes | None
    leaf_index: int | None


class LogIdentity(NamedTuple):
    """The log's name and the 32 bytes of the key that signs its checkpoints."""

    origin: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class ReceiptSources:
    """Everything about one session, of one instant; at least one of session and record is there.

    ``key_records`` are all of the guild that stand in its chain, ``log`` is None before there is one.
    """

    session: SessionSource | None
    record: RecordSource | None
    key_records: Sequence[KeyRecordSource]
    log: LogIdentity | None


class ReceiptStore(Protocol):
    """What receipts read. Raises UnavailableError when the database is away."""

    async def subject(self, guild_id: GuildId, session_id: UUID) -> UserId | None:
        """Whose session it is; None for one that is not known, not the guild's, or erased."""
        ...

    async def sources(self, guild_id: GuildId, session_id: UUID) -> ReceiptSources | None:
        """None for a session that is not known or not the guild's."""
        ...
