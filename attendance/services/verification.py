"""Whether a record still is what was signed.

"Valid" says: this deployment recorded this, and it has not changed since. It does not say that a member was attentive, nor
that the deployment is honest: who holds the guild's key can sign anything at the chain's end.

Answers are public, so a reason names the check that failed and nothing about a member; what was expected and found goes to
the log.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import structlog

from attendance.core import record_sha256, verify_record
from attendance.domain.evidence import check_session, expect
from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType, b64url
from attendance.domain.signing_keys import RecordKey, check_window
from attendance.errors import InvalidRecordError, NotFoundError
from attendance.ports.clock import Clock
from attendance.ports.signing import EvidenceStore, PeriodEvidence, RecordEvidence
from attendance.services.period_record import root_of_entries, root_of_sessions

# A change that left no trace in the chain, by a hand in the database, shows after so long at most.
ROOTS_KEPT_SECONDS = 900.0
_CACHE_SIZE = 512

NOT_SIGNED_YET = "the record waits for a signature"
REDACTED = "the record's content was erased"
NOT_AS_SIGNED = "the record is not what was signed"
NOT_AS_LOGGED = "the record is not the one that was logged"
OUT_OF_WINDOW = "the key was not good for the record's position"
SESSION_DIFFERS = "the session or its timeline is not what the record says"
PERIOD_DIFFERS = "the period or its roots are not what the record says"

_log = structlog.get_logger("verification")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a record is valid; ``reason`` says why not.

    ``state`` is ``pending``, ``redacted``, ``signed``, or ``logged`` once the transparency log has it at ``leaf_index``.
    """

    valid: bool
    state: Literal["signed", "logged", "pending", "redacted"]
    kid: str | None = None
    signed_at_ms: int | None = None
    reason: str | None = None
    leaf_index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """Verifies stored records. What a period's roots came to is kept until one of the guild's records changes."""

    store: EvidenceStore
    clock: Clock
    _roots: OrderedDict[tuple[GuildId, int], _KeptRoots] = field(default_factory=OrderedDict)
    _recomputing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def session(self, session_id: UUID, guild_id: GuildId | None = None) -> Verdict:
        """Verify a session's record, its key's window, its timeline's digest and the sums that follow from the timeline.

        With ``guild_id`` only a session of that guild.

        Raises:
            NotFoundError: The session is not known.
        """
        found = await self.store.session_evidence(session_id, guild_id)
        if found is None:
            raise NotFoundError("there is no such session")
        if found.evidence is None:
            return Verdict(valid=False, state="pending", reason=NOT_SIGNED_YET)
        verdict, record = _verify(found.evidence, RecordType.VOICE_SESSION)
        if record is None:
            return verdict
        if found.session is None:
            return _refuse(found.evidence, SESSION_DIFFERS, "the session's row is gone")
        try:
            expect("session_id", str(session_id), record.get("session_id"))
            check_session(record, found.session)
        except InvalidRecordError as error:
            return _refuse(found.evidence, SESSION_DIFFERS, error.message)
        return verdict

    async def period(self, guild_id: GuildId, period_index: int) -> Verdict:
        """Verify a period's record, its key's window, and both roots, recomputed from the stored hashes.

        Raises:
            NotFoundError: The period is not known, or not over.
        """
        found = await self.store.period_evidence(guild_id, period_index)
        if found is None:
            raise NotFoundError("there is no such period, or it is not over")
        if found.evidence is None:
            return Verdict(valid=False, state="pending", reason=NOT_SIGNED_YET)
        verdict, record = _verify(found.evidence, RecordType.LEADERBOARD_PERIOD)
        if record is None:
            return verdict
        problem = await self._roots_problem(guild_id, period_index, found, record)
        return verdict if problem is None else _refuse(found.evidence, PERIOD_DIFFERS, problem)

    async def _roots_problem(
        self, guild_id: GuildId, period_index: int, found: PeriodEvidence, record: Mapping[str, Any]
    ) -> str | None:
        if found.evidence is None:
            return None
        place, mark = (guild_id, period_index), (found.evidence.stored.sha256, found.redactions)
        async with self._recomputing:  # a million hashes: never twice at once, however many ask
            kept = self._roots.get(place)
            if kept is not None and kept.mark == mark and self.clock.monotonic() < kept.until:
                return kept.problem
            problem = await self._recompute(guild_id, period_index, record)
            self._roots[place] = _KeptRoots(mark, self.clock.monotonic() + ROOTS_KEPT_SECONDS, problem)
            self._roots.move_to_end(place)
            if len(self._roots) > _CACHE_SIZE:
                self._roots.popitem(last=False)
            return problem

    async def _recompute(self, guild_id: GuildId, period_index: int, record: Mapping[str, Any]) -> str | None:
        sources = await self.store.period_sources(guild_id, period_index)
        if sources is None:
            return "the period's row is gone"
        sessions_root, session_count = await root_of_sessions(self.store.session_hashes(guild_id, period_index))
        entries_root, entry_count = await root_of_entries(self.store.entry_hashes(guild_id, period_index))
        found = {
            "period_index": period_index,
            "started_at_ms": sources.started_at_ms,
            "ended_at_ms": sources.ended_at_ms,
            "first_guild_seq": sources.first_guild_seq,
            "last_guild_seq": sources.last_guild_seq,
            "session_count": session_count,
            "sessions_root": b64url(sessions_root),
            "entry_count": entry_count,
            "entries_root": b64url(entries_root),
        }
        try:
            for name, value in found.items():
                expect(name, record.get(name), value)
        except InvalidRecordError as error:
            return error.message
        return None


@dataclass(frozen=True, slots=True)
class _KeptRoots:
    mark: tuple[bytes, int]
    until: float
    problem: str | None


def _verify(evidence: RecordEvidence, kind: RecordType) -> tuple[Verdict, Mapping[str, Any] | None]:
    """The verdict on the record alone; its members if it is valid so far."""
    stored = evidence.stored
    if stored.record is None or stored.signature is None:
        return Verdict(valid=False, state="redacted", kid=stored.kid, signed_at_ms=stored.signed_at_ms, reason=REDACTED), None
    key = evidence.key
    if key is None:
        return _refuse(evidence, NOT_AS_SIGNED, "the guild has no key of that id"), None
    members: dict[str, Any] = {}
    record, signature = stored.record, stored.signature
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        (NOT_AS_SIGNED, lambda: expect("record_sha256", stored.sha256, record_sha256(record))),
        (NOT_AS_LOGGED, lambda: _check_logged(evidence)),
        (NOT_AS_SIGNED, lambda: verify_record(record, signature, key.public_key)),
        (NOT_AS_SIGNED, lambda: members.update(json.loads(record))),
        (NOT_AS_SIGNED, lambda: _check_place(members, evidence, kind)),
        (OUT_OF_WINDOW, lambda: check_window(key, stored.guild_seq)),
    )
    for reason, check in checks:
        try:
            check()
        except InvalidRecordError as error:
            return _refuse(evidence, reason, error.message), None
    logged = evidence.logged
    return Verdict(
        valid=True,
        state="signed" if logged is None else "logged",
        kid=stored.kid,
        signed_at_ms=stored.signed_at_ms,
        leaf_index=None if logged is None else logged.leaf_index,
    ), members


def _check_logged(evidence: RecordEvidence) -> None:
    if evidence.logged is not None:
        expect("logged record_sha256", evidence.logged.record_sha256, evidence.stored.sha256)


def _check_place(record: Mapping[str, Any], evidence: RecordEvidence, kind: RecordType) -> None:
    stored = evidence.stored
    expect("v", 1, record.get("v"))
    expect("type", kind.value, record.get("type"))
    expect("guild_id", str(stored.guild_id), record.get("guild_id"))
    expect("guild_seq", stored.guild_seq, record.get("guild_seq"))
    expect("signed_at_ms", stored.signed_at_ms, record.get("signed_at_ms"))
    expect("prev", None if evidence.previous_sha256 is None else b64url(evidence.previous_sha256), record.get("prev"))


def _refuse(evidence: RecordEvidence, reason: str, finding: str) -> Verdict:
    stored, key = evidence.stored, evidence.key
    _log.warning(
        "a record does not verify",
        guild_id=stored.guild_id,
        guild_seq=stored.guild_seq,
        key_state=_state(key),
        reason=reason,
        finding=finding,
    )
    return Verdict(valid=False, state="signed", kid=stored.kid, signed_at_ms=stored.signed_at_ms, reason=reason)


def _state(key: RecordKey | None) -> str:
    return "unknown" if key is None else key.state
