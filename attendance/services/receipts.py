"""Receipts: everything that one needs to check one session with no network, and nothing about anyone else."""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import dataclass
from uuid import UUID

import structlog

from attendance.core import verifier_key, verify_receipt, write_proof_file
from attendance.domain.ids import GuildId, UserId
from attendance.domain.receipts import MAX_BYTES, KeyRecordSource, ProvenRecord, bearing_on, receipt_file
from attendance.errors import ConflictError, InvalidRecordError, LogError, NotFoundError, NotReadyError, UnavailableError
from attendance.ports.receipts import LogIdentity, ReceiptSources, ReceiptStore, RecordSource, SessionSource
from attendance.services.log_reading import PublicLog, PublishedLog
from attendance.services.verification import REDACTED

_DOES_NOT_VERIFY = "what is stored of this session does not verify, so there is no receipt"
# Waiting for a key takes a person; waiting for the log takes seconds.
_SIGNING_SECONDS, _LOGGING_SECONDS = 60, 5

_log = structlog.get_logger("receipts")


@dataclass(frozen=True, slots=True)
class Receipts:
    """Makes receipts."""

    store: ReceiptStore
    log: PublicLog

    async def subject(self, guild_id: GuildId, session_id: UUID) -> UserId | None:
        """Whose session it is; None for one that is not known, not the guild's, or erased."""
        return await self.store.subject(guild_id, session_id)

    async def receipt(self, guild_id: GuildId, session_id: UUID) -> bytes:
        """A session's receipt. It was verified before it leaves.

        Raises:
            NotFoundError: There is no such session in the guild, or it was erased.
            NotReadyError: Its record is not signed, or not in the published log yet.
            ConflictError: What is stored does not verify, or is too large for a receipt.
            UnavailableError: The database or the log is away.
        """
        found = await self.store.sources(guild_id, session_id)
        if found is None:
            raise NotFoundError("there is no such session")
        if found.record is None or found.record.public_key is None:
            raise NotReadyError("the session's record waits for a signature", retry_after=_SIGNING_SECONDS)
        if found.session is None or found.record.body is None or found.record.signature is None:
            raise NotFoundError(REDACTED)
        key_records = _key_records(found, found.record.kid)
        published = await self.log.published()
        if found.log is None or published is None or not _are_published([found.record, *key_records], published.size):
            raise NotReadyError("the session's record is not in the published log yet", retry_after=_LOGGING_SECONDS)
        receipt = await to_thread(self._built, found.session, found.record, key_records, found.log, published)
        _check(receipt, guild_id, session_id)
        return receipt

    def _built(
        self,
        session: SessionSource,
        record: RecordSource,
        key_records: list[KeyRecordSource],
        log: LogIdentity,
        published: PublishedLog,
    ) -> bytes:
        if session.rules is None:
            raise ConflictError("the rules of the session are not stored any more")
        return receipt_file(
            self._proven(record, published),
            [self._proven(one, published) for one in key_records],
            timeline=session.timeline,
            rules=session.rules,
            log_key=verifier_key(log.origin, log.public_key),
        )

    def _proven(self, one: RecordSource | KeyRecordSource, published: PublishedLog) -> ProvenRecord:
        body, signature, public_key, leaf_index = one.body, one.signature, one.public_key, one.leaf_index
        if body is None or signature is None or public_key is None or leaf_index is None:
            raise UnavailableError("the record changed meanwhile")
        try:
            proof = self.log.reader.inclusion(published.size, leaf_index)
        except LogError as error:
            raise UnavailableError("the log's tiles cannot be read") from error
        return ProvenRecord(body, signature, public_key, write_proof_file(leaf_index, proof, published.note))


def _key_records(found: ReceiptSources, kid: str) -> list[KeyRecordSource]:
    try:
        return bearing_on(kid, found.key_records)
    except InvalidRecordError as error:
        _log.error("a key record does not verify", kid=kid, reason=error.message)
        raise ConflictError(_DOES_NOT_VERIFY) from error


def _are_published(records: list[RecordSource | KeyRecordSource], size: int) -> bool:
    return all(one.leaf_index is not None and one.leaf_index < size for one in records)


def _check(receipt: bytes, guild_id: GuildId, session_id: UUID) -> None:
    if len(receipt) > MAX_BYTES:
        raise ConflictError("the session's timeline is too long for a receipt")
    report = verify_receipt(receipt)
    if report.verdict != "valid":
        _log.error("a receipt does not verify", guild_id=guild_id, session_id=str(session_id), reason=report.reason)
        raise ConflictError(_DOES_NOT_VERIFY)
