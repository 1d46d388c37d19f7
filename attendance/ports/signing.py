"""What signing and verifying need from outside. Every method is one transaction, or says otherwise.

All of them raise UnavailableError while the database is away; whether a failing write was stored is then unknown, and the
caller looks again instead of assuming.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from attendance.domain.audit import AuditEntry
from attendance.domain.ids import GuildId
from attendance.domain.records import SessionFacts
from attendance.domain.signing_keys import RecordKey


class Wake(Protocol):
    """A flag that someone sets when there may be something to do; `asyncio.Event` is one."""

    def set(self) -> None:
        """Wake whoever waits; without anyone waiting, the next who does."""
        ...

    def clear(self) -> None:
        """Forget earlier calls of `set`."""
        ...

    async def wait(self) -> bool:
        """Return once the flag is set."""
        ...


class PassphraseDerivation(Protocol):
    """Argon2id, version 1.3, one lane."""

    async def derive(self, passphrase: str, salt: bytes, m_kib: int, t: int) -> bytes:
        """32 bytes. Runs off the event loop, one derivation at a time in the process."""
        ...


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where a guild's next record goes: its ``guild_seq``, and the SHA-256 of the one before (None for the first)."""

    next_guild_seq: int = 0
    head_sha256: bytes | None = None


class QueuedDraft(NamedTuple):
    """A waiting row: of a session (``session`` is None if its row is gone), of a period, or with the draft as ``body``."""

    id: int
    type: str
    period_index: int | None
    body: str | None
    session: SessionFacts | None


@dataclass(frozen=True, slots=True)
class QueueStart:
    """The first waiting drafts of a guild, in order, and the head that they go on."""

    head: ChainHead
    drafts: Sequence[QueuedDraft]


class SignedRecord(NamedTuple):
    """A record as it goes into the chain."""

    type: str
    record: bytes
    sha256: bytes
    signature: bytes
    session_id: UUID | None
    period_index: int | None


@dataclass(frozen=True, slots=True)
class SignedBatch:
    """A guild's next records, by one key, from ``head`` on.

    ``queue_ids`` are the rows that they empty: all of the guild's from the first to the last.
    """

    guild_id: GuildId
    kid: str
    head: ChainHead
    signed_at_ms: int
    records: Sequence[SignedRecord]
    queue_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class KeyEnd:
    """How a key stops being good: its new state and the last position it is good for."""

    kid: str
    state: str
    last_guild_seq: int


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change of keys with the records that say so, from ``head`` on. ``records`` are (kid of the signer, record).

    ``audits`` say who asked for it.
    """

    guild_id: GuildId
    head: ChainHead
    signed_at_ms: int
    records: Sequence[tuple[str, SignedRecord]]
    end: KeyEnd | None = None
    new: RecordKey | None = None
    audits: Sequence[AuditEntry] = ()


@dataclass(frozen=True, slots=True)
class PeriodSources:
    """A period as stored, and how much of it is in the chain.

    ``expected_sessions`` is what its entries add up to, but for what was erased before. ``first_guild_seq`` and
    ``last_guild_seq`` are of the ``recorded_sessions`` session records and of the corrections that are in the entries.
    ``rules`` are (from_ms, SHA-256) of the version in force at the start and of those that came during it, in order. ``blind``
    overlaps the period; an end of None is not yet known.
    """

    started_at_ms: int
    ended_at_ms: int | None
    state: str
    entry_count: int | None
    entries_root: bytes | None
    expected_sessions: int
    recorded_sessions: int
    first_guild_seq: int | None
    last_guild_seq: int | None
    rules: Sequence[bytes]
    blind: Sequence[tuple[int, int | None]]


class SigningStore(Protocol):
    """The queue and the chains, for the signer."""

    async def keys_with_work(self, after: GuildId, limit: int) -> list[RecordKey]:
        """Active keys, not locked, of guilds beyond ``after`` in which something waits; ascending guild ids."""
        ...

    async def queue_start(self, guild_id: GuildId, limit: int, *, after_id: int | None = None) -> QueueStart:
        """The guild's head and its first ``limit`` drafts, those behind the row ``after_id`` if it is given, of one instant."""
        ...

    async def append(self, batches: Sequence[SignedBatch]) -> frozenset[GuildId]:
        """Append each batch to its guild's chain and take its rows from the queue: a batch entirely or not at all.

        Returns:
            Guilds whose batch was NOT stored: the head has moved, the key is locked or no longer active, or the queue is not
            as it was read. Reading and signing again is right.

        Raises:
            ConflictError: a record is in the chain already; nothing was stored.
        """
        ...

    async def period_sources(self, guild_id: GuildId, period_index: int) -> PeriodSources | None:
        """Everything a period's record is made of, but for the hashes; None for a period that is not known."""
        ...

    def session_hashes(self, guild_id: GuildId, period_index: int) -> AsyncGenerator[bytes, None]:
        """SHA-256 of the period's session records in chain order, many concatenated at a time. Not one transaction."""
        ...


class KeyStore(Protocol):
    """The keys of all guilds.

    What somebody asked for goes into the audit in the same transaction, if it was done, and what changes for the guild (locked,
    unlocked, another key) is announced in it.
    """

    async def guild_keys(self, guild_id: GuildId) -> tuple[tuple[RecordKey, ...], ChainHead]:
        """A guild's keys, oldest first, and its chain's head, of one instant: a key changes only with the head."""
        ...

    async def leaf_of(self, guild_id: GuildId, guild_seq: int) -> int | None:
        """Where the transparency log has a record of the guild's chain; None: nowhere yet, or there is no such record."""
        ...

    async def change(self, change: KeyChange) -> bool:
        """Append the records, end the old key and add the new one, all or nothing; False if the head has moved."""
        ...

    async def unlock(self, guild_id: GuildId, kid: str, until_ms: int, master_wrapped: str | None, audit: AuditEntry) -> bool:
        """Note that an active key is open, and its wrap under the master key if there is one; False if it is not active."""
        ...

    async def lock(self, guild_id: GuildId, audit: AuditEntry) -> bool:
        """Drop the master wrap and the note of the active key; False if there is none. Locking again is not audited."""
        ...

    async def rewrap(self, guild_id: GuildId, kid: str, old: str, new: str, audit: AuditEntry) -> bool:
        """Replace the passphrase's seal of an active key if it still is ``old``."""
        ...

    async def renew(self, kids: Sequence[str], until_ms: int) -> frozenset[str]:
        """Say of these keys that they are held open until then; returns those that were not locked meanwhile."""
        ...

    async def tell_lost(self, before_ms: int, now_ms: int, limit: int) -> int:
        """Announce, once for each loss, keys that need a passphrase and that nobody has held open since ``before_ms``.

        Returns:
            How many were announced, at most ``limit``.
        """
        ...

    async def public_keys(self) -> list[tuple[str, bytes]]:
        """(kid, public key) of every key of every guild, whatever its state, oldest first."""
        ...

    async def waiting(self, guild_id: GuildId) -> tuple[int, int | None]:
        """How many drafts wait in a guild, and since when the oldest."""
        ...

    async def running_period(self, guild_id: GuildId) -> tuple[int, int, int | None] | None:
        """(index, started_at_ms, next reset or None) of the running period."""
        ...

    async def archived_periods(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[ArchivedPeriod], int]:
        """Archived periods, newest first, and how many there are."""
        ...


class ArchivedPeriod(NamedTuple):
    """A line of the history; ``kid`` is None while the period's record waits for a signature."""

    period_index: int
    started_at_ms: int
    ended_at_ms: int | None
    entry_count: int | None
    kid: str | None


class StoredRecord(NamedTuple):
    """A record as stored; ``record`` and ``signature`` are None after an erasure."""

    guild_id: GuildId
    guild_seq: int
    type: str
    sha256: bytes
    record: bytes | None
    signature: bytes | None
    kid: str
    signed_at_ms: int


class LoggedLeaf(NamedTuple):
    """Where the transparency log has a guild's position, and the hash it has there."""

    leaf_index: int
    record_sha256: bytes


@dataclass(frozen=True, slots=True)
class RecordEvidence:
    """A record and what it is checked against: the hash of the one before (None for the first), the key it names, its leaf."""

    stored: StoredRecord
    previous_sha256: bytes | None
    key: RecordKey | None
    logged: LoggedLeaf | None = None


@dataclass(frozen=True, slots=True)
class SessionEvidence:
    """A session and its record; at least one of the two is there, and ``evidence`` is None while it waits."""

    session: SessionFacts | None
    evidence: RecordEvidence | None


@dataclass(frozen=True, slots=True)
class PeriodEvidence:
    """A period that is over, its record (None while it waits), and how often the guild's records were redacted."""

    evidence: RecordEvidence | None
    redactions: int


class EvidenceStore(Protocol):
    """What verification reads."""

    async def session_evidence(self, session_id: UUID, guild_id: GuildId | None) -> SessionEvidence | None:
        """None for a session that is not known, or not the guild's if there is one."""
        ...

    async def period_evidence(self, guild_id: GuildId, period_index: int) -> PeriodEvidence | None:
        """None for a period that is not known or not over."""
        ...

    async def period_sources(self, guild_id: GuildId, period_index: int) -> PeriodSources | None:
        """As `SigningStore.period_sources`."""
        ...

    def session_hashes(self, guild_id: GuildId, period_index: int) -> AsyncGenerator[bytes, None]:
        """As `SigningStore.session_hashes`."""
        ...

    def entry_hashes(self, guild_id: GuildId, period_index: int) -> AsyncGenerator[bytes, None]:
        """Leaf hashes of the period's entries in rank order, many concatenated at a time. Not one transaction."""
        ...
