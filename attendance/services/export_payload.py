"""The payload of a period export, a page of rows at a time; and the roots that it must come to.

Blocking: called from a thread. What is written is held against the period's signed record before anything is kept: an archive
whose own numbers do not agree is never signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from attendance.core import MerkleRoot
from attendance.domain.bagit import csv_row
from attendance.domain.records import RecordType, b64url
from attendance.errors import ConflictError
from attendance.ports.exporting import BagWriter, ChainRow, EntryRow

RECORDS = "data/records.jsonl"
SIGNATURES = "data/signatures.jsonl"
TIMELINES = "data/timelines.jsonl"
RULES = "data/rules.jsonl"
ENTRIES = "data/entries.jsonl"
REDACTED = "data/redacted.jsonl"
ENTRIES_TABLE = "data/entries.csv"
SESSIONS_TABLE = "data/sessions.csv"
PAYLOAD = (RECORDS, SIGNATURES, TIMELINES, RULES, ENTRIES, REDACTED, ENTRIES_TABLE, SESSIONS_TABLE)

ENTRY_COLUMNS = ("rank", "user_id", "credited_ms", "session_count")
SESSION_COLUMNS = (
    "guild_seq",
    "session_id",
    "user_id",
    "channel_id",
    "joined_at",
    "left_at",
    "reason",
    "counted_ms",
    "bridged_ms",
    "unwitnessed_ms",
    "deafened_ms",
    "muted_ms",
    "solo_ms",
    "below_minimum",
    "credited_ms",
)


class _Paused(msgspec.Struct):
    deafened: int
    muted: int
    solo: int


class SessionRow(msgspec.Struct):
    """What the table and the other files need of a ``voice.session``."""

    session_id: str
    user_id: str
    channel_id: str
    joined_at_ms: int
    left_at_ms: int
    reason: str
    counted_ms: int
    bridged_ms: int
    unwitnessed_ms: int
    paused_ms: _Paused
    below_minimum: bool
    credited_ms: int
    rules_sha256: str


read_session = msgspec.json.Decoder(SessionRow).decode


@dataclass(slots=True)
class Payload:
    """Writes the payload. ``kids`` and ``rules`` (b64url digests) collect what the records name."""

    bag: BagWriter
    period_index: int
    kids: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    _sessions: MerkleRoot = field(default_factory=MerkleRoot)
    _entries: MerkleRoot = field(default_factory=MerkleRoot)

    def __post_init__(self) -> None:
        for path in PAYLOAD:  # each is there, if empty
            self.bag.append(path, b"")
        self.bag.append(ENTRIES_TABLE, csv_row(*ENTRY_COLUMNS))
        self.bag.append(SESSIONS_TABLE, csv_row(*SESSION_COLUMNS))

    def add_records(self, rows: Sequence[ChainRow]) -> None:
        """Write a stretch of the chain.

        Raises:
            ConflictError: bytes are not those of the hash that was chained, or a timeline is missing.
        """
        hashes = []
        lines: dict[str, list[bytes]] = {path: [] for path in PAYLOAD}
        for row in rows:
            is_session = row.type == RecordType.VOICE_SESSION.value
            if is_session and row.period_index == self.period_index:
                hashes.append(bytes(row.record_sha256))
            if row.body is None or row.signature is None:
                lines[REDACTED].append(_redacted(row))
                continue
            if sha256(row.body).digest() != row.record_sha256:
                raise ConflictError(f"the record {row.guild_seq} is not the one that was chained")
            self.kids.add(row.kid)
            lines[RECORDS].append(row.body)
            lines[SIGNATURES].append(_signature(row, row.signature))
            if is_session:
                self._add_session(row, row.body, lines)
        self._sessions.add_record_hashes(b"".join(hashes))
        for path, some in lines.items():
            if some:
                ending = b"" if path == SESSIONS_TABLE else b"\n"
                self.bag.append(path, ending.join(some) + ending)

    def _add_session(self, row: ChainRow, body: bytes, lines: dict[str, list[bytes]]) -> None:
        if row.timeline is None:
            raise ConflictError(f"the session of record {row.guild_seq} is gone, its record is not")
        session = read_session(body)
        self.rules.add(session.rules_sha256)
        lines[TIMELINES].append(
            b'{"guild_seq":%d,"session_id":"%s","timeline":%s}' % (row.guild_seq, session.session_id.encode(), row.timeline)
        )
        if row.period_index == self.period_index:
            lines[SESSIONS_TABLE].append(session_line(row.guild_seq, session))

    def add_entries(self, rows: Sequence[EntryRow]) -> None:
        """Write a stretch of the leaderboard.

        Raises:
            ConflictError: an entry is not the one that was archived.
        """
        lines, table = [], []
        for row in rows:
            leaf = bytes(row.leaf_sha256)
            if row.user_id is None or row.salt is None:
                lines.append(b'{"leaf_sha256":"%s"}' % b64url(leaf).encode())
                continue
            entry = _entry(row, row.user_id, row.salt)
            if sha256(b"\0" + sha256(entry).digest()).digest() != leaf:
                raise ConflictError("an entry of the leaderboard is not the one that was archived")
            lines.append(entry)
            table.append(csv_row(row.rank, str(row.user_id), row.credited_ms, row.session_count))
        self._entries.add_leaf_hashes(b"".join(bytes(row.leaf_sha256) for row in rows))
        self.bag.append(ENTRIES, b"".join(line + b"\n" for line in lines))
        self.bag.append(ENTRIES_TABLE, b"".join(table))

    def add_rules(self, rules: Sequence[bytes]) -> None:
        """Write the rules in force, ordered by their digests."""
        ordered = sorted(rules, key=lambda one: sha256(one).digest())
        self.bag.append(RULES, b"".join(one + b"\n" for one in ordered))

    def check(self, period: dict[str, Any]) -> None:
        """Hold what was written against the period's record.

        Raises:
            ConflictError: they do not agree.
        """
        found = {
            "session_count": self._sessions.size,
            "sessions_root": b64url(self._sessions.root()),
            "entry_count": self._entries.size,
            "entries_root": b64url(self._entries.root()),
        }
        for name, value in found.items():
            if period.get(name) != value:
                raise ConflictError(f"the period does not verify: its record says {name} {period.get(name)}, found {value}")


def _redacted(row: ChainRow) -> bytes:
    members: dict[str, object] = {
        "guild_seq": row.guild_seq,
        "record_sha256": b64url(bytes(row.record_sha256)),
        "type": row.type,
    }
    if row.period_index is not None:
        members["period_index"] = row.period_index
    return msgspec.json.encode(members, order="sorted")


def _signature(row: ChainRow, signature: bytes) -> bytes:
    return b'{"guild_seq":%d,"kid":"%s","record_sha256":"%s","signature":"%s"}' % (
        row.guild_seq,
        row.kid.encode(),
        b64url(row.record_sha256).encode(),
        b64url(signature).encode(),
    )


def _entry(row: EntryRow, user_id: int, salt: bytes) -> bytes:
    """Canonical JSON of an entry, as it was hashed."""
    return b'{"credited_ms":%d,"rank":%d,"salt":"%s","session_count":%d,"user_id":"%d"}' % (
        row.credited_ms,
        row.rank,
        b64url(salt).encode(),
        row.session_count,
        user_id,
    )


def session_line(guild_seq: int, session: SessionRow) -> bytes:
    """A session's line of ``data/sessions.csv``."""
    return csv_row(
        guild_seq,
        session.session_id,
        session.user_id,
        session.channel_id,
        _instant(session.joined_at_ms),
        _instant(session.left_at_ms),
        session.reason,
        session.counted_ms,
        session.bridged_ms,
        session.unwitnessed_ms,
        session.paused_ms.deafened,
        session.paused_ms.muted,
        session.paused_ms.solo,
        session.below_minimum,
        session.credited_ms,
    )


def _instant(at_ms: int) -> str:
    whole, ms = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03}Z"
