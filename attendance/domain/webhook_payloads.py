"""What webhooks tell, as JSON: ``{"type", "timestamp", "data"}`` (Standard Webhooks), built when it is sent.

A record goes as a *string* member: the exact bytes that were signed. Ids are strings, times RFC 3339, durations whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from attendance.domain.ids import GuildId
from attendance.domain.instants import to_rfc3339
from attendance.domain.records import b64url


@dataclass(frozen=True, slots=True)
class ToldRecord:
    """A record of the chain; ``body`` are the signed bytes."""

    guild_seq: int
    kid: str
    signed_at_ms: int
    body: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ToldSession:
    """A session as it is stored now. ``display_name`` is None where the guild shows no names, or knows none.

    ``ordinal`` counts the guild's sessions in the order in which they were closed. ``record`` is None until it is signed.
    """

    record: ToldRecord | None
    guild_id: GuildId
    session_id: UUID
    ordinal: int
    user_id: int
    display_name: str | None
    channel_id: int
    channel_name: str | None
    period_index: int
    joined_at_ms: int
    left_at_ms: int
    reason: str
    credited_ms: int
    unwitnessed_ms: int
    deafened_ms: int
    muted_ms: int
    solo_ms: int
    below_minimum: bool


@dataclass(frozen=True, slots=True)
class ToldPeriod:
    """An archived period as it is stored now."""

    record: ToldRecord | None
    guild_id: GuildId
    period_index: int
    started_at_ms: int
    ended_at_ms: int
    entry_count: int


@dataclass(frozen=True, slots=True)
class ToldFact:
    """What names neither a session nor a period; ``members`` hold no personal data."""

    guild_id: GuildId
    members: dict[str, Any]


Told = ToldSession | ToldPeriod | ToldFact


def payload(event: str, at_ms: int, told: Told) -> bytes:
    """The body of a request. ``at_ms``: when it happened, or was decided."""
    if isinstance(told, ToldSession):
        data = _session(told)
    elif isinstance(told, ToldPeriod):
        data = _period(told)
    else:
        data = {"guild_id": str(told.guild_id), **told.members}
    return msgspec.json.encode({"type": event, "timestamp": to_rfc3339(at_ms), "data": data})


def _session(told: ToldSession) -> dict[str, Any]:
    data = {
        "guild_id": str(told.guild_id),
        "session_id": str(told.session_id),
        "ordinal": told.ordinal,
        "user_id": str(told.user_id),
        "display_name": told.display_name,
        "channel_id": str(told.channel_id),
        "channel_name": told.channel_name,
        "period_index": told.period_index,
        "joined_at": to_rfc3339(told.joined_at_ms),
        "left_at": to_rfc3339(told.left_at_ms),
        "reason": told.reason,
        "seconds": told.credited_ms // 1000,
        "unwitnessed_seconds": told.unwitnessed_ms // 1000,
        "paused_seconds": {
            "deafened": told.deafened_ms // 1000,
            "muted": told.muted_ms // 1000,
            "solo": told.solo_ms // 1000,
        },
        "below_minimum": told.below_minimum,
        **_record(told.record),
    }
    return {name: value for name, value in data.items() if value is not None}


def _period(told: ToldPeriod) -> dict[str, Any]:
    return {
        "guild_id": str(told.guild_id),
        "period_index": told.period_index,
        "started_at": to_rfc3339(told.started_at_ms),
        "ended_at": to_rfc3339(told.ended_at_ms),
        "entry_count": told.entry_count,
        **_record(told.record),
    }


def _record(record: ToldRecord | None) -> dict[str, Any]:
    if record is None:
        return {"state": "pending"}
    return {
        "state": "signed",
        "guild_seq": record.guild_seq,
        "kid": record.kid,
        "signed_at": to_rfc3339(record.signed_at_ms),
        "record": record.body.decode(),
        "signature": b64url(record.signature),
    }
