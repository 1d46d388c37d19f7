"""What is to be recorded, as drafts: JSON of the signing profile with ``type`` and its members (records, section 2).

The core adds the chain's members (``v``, ``guild_id``, ``guild_seq``, ``prev``, ``kid``, ``signed_at_ms``, ``salt``) when it
signs, and canonicalises: a draft need not be canonical. Ids are decimal strings, hashes base64url, nothing is null.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

MAX_LISTED = 100  # rules and blind intervals named in a period's record; beyond it only their number is said


class RecordType(StrEnum):
    """The record types that are written today."""

    VOICE_SESSION = "voice.session"
    LEADERBOARD_PERIOD = "leaderboard.period"
    ATTENDANCE_EXTERNAL = "attendance.external"
    SESSION_CORRECTION = "session.correction"
    KEY_ACTIVATE = "key.activate"
    KEY_RETIRE = "key.retire"
    KEY_REVOKE = "key.revoke"
    RECORD_REDACTED = "record.redacted"
    CHAIN_RESTORED = "chain.restored"


@dataclass(frozen=True, slots=True)
class Software:
    """Who recorded: name and version of this program."""

    name: str
    version: str


class SessionFacts(NamedTuple):
    """A closed session as it is stored (accounting, section 7). Times in milliseconds; ``timeline`` is canonical JSON."""

    session_id: UUID
    user_id: int
    channel_id: int
    period_index: int
    stay: int
    part: int
    joined_at_ms: int
    left_at_ms: int
    reason: str
    counted_ms: int
    bridged_ms: int
    unwitnessed_ms: int
    deafened_ms: int
    muted_ms: int
    solo_ms: int
    below_minimum: bool
    credited_ms: int
    timeline: bytes
    rules_sha256: bytes


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """A period that is over, with everything its record says.

    ``rules`` are the SHA-256 of the rules in force, each once, in order of first use. ``blind`` is clipped to the period.
    ``first_guild_seq`` and ``last_guild_seq`` are those of the period's session records, and of the corrections that are in its
    entries; None where there are none.
    """

    period_index: int
    started_at_ms: int
    ended_at_ms: int
    rules: Sequence[bytes]
    blind: Sequence[tuple[int, int]]
    first_guild_seq: int | None
    last_guild_seq: int | None
    session_count: int
    sessions_root: bytes
    entry_count: int
    entries_root: bytes


def b64url(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64(data: bytes) -> str:
    """Standard base64 with padding, as the log's formats write it."""
    return b64encode(data).decode("ascii")


def session_members(session: SessionFacts) -> dict[str, Any]:
    """The members of a ``voice.session`` record that follow from the session alone."""
    return {
        "type": "voice.session",
        "session_id": str(session.session_id),
        "user_id": str(session.user_id),
        "channel_id": str(session.channel_id),
        "period_index": session.period_index,
        "stay": session.stay,
        "part": session.part,
        "joined_at_ms": session.joined_at_ms,
        "left_at_ms": session.left_at_ms,
        "reason": session.reason,
        "counted_ms": session.counted_ms,
        "bridged_ms": session.bridged_ms,
        "unwitnessed_ms": session.unwitnessed_ms,
        "paused_ms": {"deafened": session.deafened_ms, "muted": session.muted_ms, "solo": session.solo_ms},
        "below_minimum": session.below_minimum,
        "credited_ms": session.credited_ms,
        "timeline_sha256": b64url(sha256(session.timeline).digest()),
        "rules_sha256": b64url(session.rules_sha256),
    }


def session_draft(session: SessionFacts, software: Software) -> bytes:
    """Draft of a ``voice.session``."""
    members = session_members(session)
    members["software"] = {"name": software.name, "version": software.version}
    return msgspec.json.encode(members)


def period_draft(period: PeriodFacts) -> bytes:
    """Draft of a ``leaderboard.period``."""
    members: dict[str, Any] = {
        "type": RecordType.LEADERBOARD_PERIOD.value,
        "period_index": period.period_index,
        "started_at_ms": period.started_at_ms,
        "ended_at_ms": period.ended_at_ms,
        "rules_sha256": [b64url(digest) for digest in period.rules[:MAX_LISTED]],
        "rules_count": len(period.rules),
        "session_count": period.session_count,
        "sessions_root": b64url(period.sessions_root),
        "entry_count": period.entry_count,
        "entries_root": b64url(period.entries_root),
        "blind_ms": sum(end - start for start, end in period.blind),
        "blind": [list(interval) for interval in period.blind[:MAX_LISTED]],
        "blind_count": len(period.blind),
    }
    if period.first_guild_seq is not None and period.last_guild_seq is not None:
        members["first_guild_seq"] = period.first_guild_seq
        members["last_guild_seq"] = period.last_guild_seq
    return msgspec.json.encode(members)


def correction_draft(session_id: UUID, corrects: bytes, delta_ms: int, actor_id: int, note: str) -> bytes:
    """Draft of a ``session.correction``.

    Args:
        session_id: The session.
        corrects: SHA-256 of its record.
        delta_ms: What is added to its credited time, or taken from it; it counts at the session's last millisecond.
        actor_id: Who says so.
        note: Why.
    """
    members = {
        "type": RecordType.SESSION_CORRECTION.value,
        "session_id": str(session_id),
        "corrects": b64url(corrects),
        "delta_ms": delta_ms,
        "actor_id": str(actor_id),
        "note": note,
    }
    return msgspec.json.encode(members)


def key_activate_draft(x: str, *, replaces: str | None = None) -> bytes:
    """Draft of a ``key.activate``, to be signed by the key itself: ``kid`` of the record is its own.

    Args:
        x: The public half, base64url.
        replaces: Key id of a key that could not sign its own retirement: lost, or revoked.
    """
    members = {"type": RecordType.KEY_ACTIVATE.value, "x": x}
    if replaces is not None:
        members["replaces"] = replaces
    return msgspec.json.encode(members)


def key_retire_draft(x: str) -> bytes:
    """Draft of a ``key.retire``, to be signed by the key that retires."""
    return msgspec.json.encode({"type": RecordType.KEY_RETIRE.value, "x": x})


def key_revoke_draft(
    x: str, kid: str, *, reason: str, last_good_guild_seq: int, last_good_leaf_index: int | None = None
) -> bytes:
    """Draft of a ``key.revoke``. The record's ``kid`` is the signer's, so the revoked key's id is ``revokes``.

    ``last_good_leaf_index`` is where the log has the last good record; None: nowhere yet.
    """
    members: dict[str, Any] = {
        "type": RecordType.KEY_REVOKE.value,
        "x": x,
        "revokes": kid,
        "reason": reason,
        "last_good_guild_seq": last_good_guild_seq,
    }
    if last_good_leaf_index is not None:
        members["last_good_leaf_index"] = last_good_leaf_index
    return msgspec.json.encode(members)


def restored_draft(next_guild_seq: int, first_lost_leaf_index: int, last_lost_leaf_index: int) -> bytes:
    """Draft of a ``chain.restored``: what was logged in a range of leaves was lost with a database that came from a backup.

    Positions of the guild's chain from ``next_guild_seq`` on are used again.
    """
    members = {
        "type": RecordType.CHAIN_RESTORED.value,
        "reason": "restored_from_backup",
        "first_lost_guild_seq": next_guild_seq,
        "first_lost_leaf_index": first_lost_leaf_index,
        "last_lost_leaf_index": last_lost_leaf_index,
    }
    return msgspec.json.encode(members)


def clip_intervals(intervals: Iterable[tuple[int, int | None]], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """The parts of half-open intervals inside ``[start_ms, end_ms)``, empty ones left out; None is an end not yet known."""
    clipped = ((max(start, start_ms), end_ms if end is None else min(end, end_ms)) for start, end in intervals)
    return [(start, end) for start, end in clipped if start < end]
