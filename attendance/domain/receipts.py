"""Receipts: one file that proves one session to whoever distrusts us (docs/formats.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from attendance.core import verify_record
from attendance.domain.records import RecordType, b64url

TYPE = "rollcall.receipt"
VERSION = 1
MAX_BYTES = 4 * 1024 * 1024  # what the verifier takes (`rollcall_engine::verify::MAX_BYTES`)
KEY_TYPES = (RecordType.KEY_ACTIVATE, RecordType.KEY_RETIRE, RecordType.KEY_REVOKE)


class ProvenRecord(NamedTuple):
    """A record with its signature, the 32 bytes of the key that made it, and its proof file."""

    body: bytes
    signature: bytes
    public_key: bytes
    proof: bytes


class KeyRecordSource(NamedTuple):
    """A key record as stored. ``leaf_index`` is None while it is in no log."""

    guild_seq: int
    body: bytes
    signature: bytes
    public_key: bytes
    leaf_index: int | None


def file_name(session_id: UUID) -> str:
    """What a receipt is called where files have names."""
    return f"rollcall-receipt-{session_id}.json"


def bearing_on(kid: str, records: Iterable[KeyRecordSource]) -> list[KeyRecordSource]:
    """Of a guild's key records those that say from and until which position a key is good, in chain order.

    Of several revocations only the tightest: the others say no more.

    Raises:
        InvalidRecordError: A key record is not what was signed.
    """
    bearing: list[KeyRecordSource] = []
    revoked: tuple[int, KeyRecordSource] | None = None
    for one in sorted(records):
        said = _said(one)
        if said["type"] == RecordType.KEY_REVOKE:
            last_good = said["last_good_guild_seq"]
            if said["revokes"] == kid and (revoked is None or last_good < revoked[0]):
                revoked = last_good, one
        elif kid in (said["kid"], said.get("replaces")):
            bearing.append(one)
    return sorted(bearing if revoked is None else [*bearing, revoked[1]])


def receipt_file(
    record: ProvenRecord, key_records: Sequence[ProvenRecord], *, timeline: bytes, rules: bytes, log_key: str
) -> bytes:
    """The receipt's bytes."""
    members: dict[str, Any] = {
        "v": VERSION,
        "type": TYPE,
        **_members(record),
        "timeline": _text(timeline),
        "rules": _text(rules),
        "key_records": [_members(one) for one in key_records],
        "log_key": log_key,
    }
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _members(one: ProvenRecord) -> dict[str, str]:
    return {
        "record": _text(one.body),
        "signature": b64url(one.signature),
        "public_key": b64url(one.public_key),
        "proof": _text(one.proof),
    }


def _said(one: KeyRecordSource) -> Mapping[str, Any]:
    verify_record(one.body, one.signature, one.public_key)
    said: dict[str, Any] = json.loads(one.body)
    return said


def _text(data: bytes) -> str:
    # What is not UTF-8 is not what was signed either: the receipt's own verification says so.
    return data.decode(errors="replace")
