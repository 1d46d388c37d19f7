"""The Rust core, typed: the only importer of the extension. Everything else says ``from attendance.core import …``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from attendance._core import Engine as _Engine
from attendance._core import (
    ExportCheck,
    LogTree,
    MerkleRoot,
    Replay,
    RulesComparison,
    SigningKey,
    canonicalise,
    check_canonical,
    clip_timeline,
    consistency_paths,
    consistency_proof,
    decode_b64url,
    inclusion_paths,
    inclusion_proof,
    leaderboard_entries,
    log_bundle,
    merkle_root,
    open_checkpoint,
    pinned_keys,
    pinned_log_keys,
    presence_without_session,
    quarters_of,
    read_checkpoint,
    read_log_bundle,
    read_proof_file,
    read_verifier_key,
    record_leaf_hash,
    record_sha256,
    sign_checkpoint,
    thumbprint,
    verifier_key,
    verify_consistency,
    verify_inclusion,
    verify_record,
    verify_records,
    verify_signature,
    verify_signatures,
    wrap_parameters,
    write_proof_file,
)
from attendance._core import verify_proof_file as _verify_proof_file
from attendance._core import verify_receipt as _verify_receipt
from attendance.errors import InvalidInputError

if TYPE_CHECKING:
    from attendance._core import _FileReport

__all__ = [
    "Check",
    "ClosedRow",
    "Engine",
    "ExportCheck",
    "ExportPeriod",
    "FileReport",
    "LogTree",
    "MerkleRoot",
    "OpenRow",
    "Outcome",
    "Replay",
    "RulesComparison",
    "SigningKey",
    "Summary",
    "Trust",
    "canonicalise",
    "check_canonical",
    "clip_timeline",
    "consistency_paths",
    "consistency_proof",
    "decode_b64url",
    "export_period",
    "inclusion_paths",
    "inclusion_proof",
    "leaderboard_entries",
    "log_bundle",
    "merkle_root",
    "open_checkpoint",
    "pinned_keys",
    "pinned_log_keys",
    "presence_without_session",
    "quarters_of",
    "read_checkpoint",
    "read_log_bundle",
    "read_proof_file",
    "read_verifier_key",
    "record_leaf_hash",
    "record_sha256",
    "sign_checkpoint",
    "thumbprint",
    "verifier_key",
    "verify_consistency",
    "verify_inclusion",
    "verify_proof_file",
    "verify_receipt",
    "verify_record",
    "verify_records",
    "verify_signature",
    "verify_signatures",
    "wrap_parameters",
    "write_proof_file",
]


class ClosedRow(NamedTuple):
    """A closed session (accounting, section 7). Times and sums in milliseconds; ``timeline`` is canonical JSON.

    ``ordinal`` counts the guild's closed sessions from 0; ``quarters`` are (start_ms // 900_000, credited ms), UTC.
    """

    guild_id: int
    ordinal: int
    user_id: int
    channel_id: int
    period_index: int
    stay: int
    part: int
    joined_at_ms: int
    left_at_ms: int
    reason: str
    timeline: bytes
    counted_ms: int
    bridged_ms: int
    unwitnessed_ms: int
    deafened_ms: int
    muted_ms: int
    solo_ms: int
    below_minimum: bool
    credited_ms: int
    quarters: list[tuple[int, int]]
    rules_sha256: bytes


class OpenRow(NamedTuple):
    """An open session: its running segment has ``status`` since ``since_ms``; sums and timeline end there."""

    guild_id: int
    user_id: int
    channel_id: int
    period_index: int
    stay: int
    part: int
    joined_at_ms: int
    status: str
    since_ms: int
    timeline: bytes
    counted_ms: int
    bridged_ms: int
    unwitnessed_ms: int
    deafened_ms: int
    muted_ms: int
    solo_ms: int
    stay_counted_ms: int
    min_session_ms: int
    rules_sha256: bytes


class Outcome(NamedTuple):
    """What a batch of lines did: sessions closed, open sessions that differ now, members without one now."""

    closed: list[ClosedRow]
    changed: list[OpenRow]
    gone: list[tuple[int, int]]


class Summary(NamedTuple):
    """A guild's state at a glance. ``next_ordinal`` is the number of sessions closed so far; ``rules`` is canonical JSON."""

    last_at_ms: int
    blind_since_ms: int | None
    period_index: int
    next_stay: int
    next_ordinal: int
    rules: bytes
    rules_sha256: bytes


class Engine:
    """The fold over any number of guilds, held in Rust. One caller at a time; `apply` releases the GIL."""

    def __init__(self) -> None:
        self._engine = _Engine()

    def apply(self, lines: Sequence[bytes]) -> Outcome:
        """Fold trace lines (JSON texts without newline, any guilds, each guild in order).

        Raises:
            TraceError: a line is malformed; no line was applied.
        """
        closed, changed, gone = self._engine.apply(b"\n".join(lines))
        return Outcome([ClosedRow._make(row) for row in closed], [OpenRow._make(row) for row in changed], gone)

    def save(self, guild_id: int) -> bytes:
        """A guild's whole state, versioned, with a checksum."""
        return self._engine.save(guild_id)

    def restore(self, guild_id: int, state: bytes) -> None:
        """Replace a guild's state by a saved one.

        Raises:
            StateError: the bytes are damaged or of a newer version.
        """
        self._engine.restore(guild_id, state)

    def forget(self, guild_id: int) -> None:
        """Drop a guild's state."""
        self._engine.forget(guild_id)

    def summary(self, guild_id: int) -> Summary:
        """A guild's state at a glance; that of a guild before its first line if it is unknown."""
        return Summary(*self._engine.summary(guild_id))

    def open_sessions(self, guild_id: int) -> list[OpenRow]:
        """Open sessions, ascending user id."""
        return [OpenRow._make(row) for row in self._engine.open_sessions(guild_id)]

    def channel_parents(self, guild_id: int) -> dict[int, int]:
        """The category of each channel that has one."""
        return self._engine.channel_parents(guild_id)

    def opted_out(self, guild_id: int) -> list[int]:
        """Members who have opted out."""
        return self._engine.opted_out(guild_id)


class Check(NamedTuple):
    """One check of a file; ``outcome`` is ``passed``, ``failed`` or ``not_possible`` (then ``found`` says why)."""

    name: str
    outcome: str
    expected: str
    found: str


class Trust(NamedTuple):
    """A ``record``, ``log`` or ``export`` key that a verdict rests on; not ``pinned``: whoever made the file chose it."""

    role: str
    key: str
    pinned: bool


class FileReport(NamedTuple):
    """What came of verifying a file of some ``kind``: ``receipt``, ``proof`` or ``export``.

    ``verdict`` is ``valid``, ``invalid`` or ``unusable``; ``reason`` says why not valid. ``claims`` are what the file says, as
    it says it: proven only where the verdict is valid. All texts are bounded and printable ASCII.
    """

    kind: str
    verdict: str
    reason: str | None
    checks: list[Check]
    claims: dict[str, str]
    trust: list[Trust]


class ExportPeriod(NamedTuple):
    """What the ``leaderboard.period`` of an export says."""

    guild_id: str
    guild_seq: int
    kid: str
    period_index: int
    started_at_ms: int
    ended_at_ms: int
    entry_count: int
    entries_root: str


def export_period(check: ExportCheck) -> ExportPeriod:
    """The period of an export whose records were surveyed."""
    return ExportPeriod(**check.period)


def verify_receipt(data: bytes, keys: Sequence[bytes] = (), log_keys: Sequence[bytes] = ()) -> FileReport:
    """Verify a receipt, whatever its bytes are.

    Args:
        data: The file.
        keys: Record keys from elsewhere, each PEM, JWK, JWK set or base64url; none: the file's own is taken.
        log_keys: Log keys from elsewhere, each verifier keys or any of these forms.

    Raises:
        InvalidInputError: One of the keys is none.
    """
    try:
        return _report(_verify_receipt(data, list(keys), list(log_keys)))
    except ValueError as error:
        raise InvalidInputError(f"a key is none: {error}") from None


def verify_proof_file(data: bytes, record: bytes | None = None, log_keys: Sequence[bytes] = ()) -> FileReport:
    """Verify a proof file (C2SP tlog-proof) of a record, whatever the bytes are.

    Raises:
        InvalidInputError: One of the keys is none.
    """
    try:
        return _report(_verify_proof_file(data, record, list(log_keys)))
    except ValueError as error:
        raise InvalidInputError(f"a key is none: {error}") from None


def _report(told: _FileReport) -> FileReport:
    checks = [Check(one["name"], one["outcome"], one["expected"], one["found"]) for one in told["checks"]]
    trust = [Trust(one["role"], one["key"], one["pinned"]) for one in told["trust"]]
    return FileReport(told["kind"], told["verdict"], told["reason"], checks, told["claims"], trust)
