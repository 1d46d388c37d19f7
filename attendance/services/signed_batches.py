"""One guild's next batch: what waits first, as drafts, signed on the chain's head."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from attendance.core import SigningKey
from attendance.domain.records import RecordType, Software, session_draft
from attendance.domain.signing_keys import RecordKey
from attendance.errors import ConflictError
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.signing import ChainHead, QueuedDraft, SignedBatch, SignedRecord, SigningStore
from attendance.services.period_record import draft_of_period

_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Ahead:
    """Where a guild will stand once the batch that is being stored is stored: its head, and the last row that it empties."""

    head: ChainHead
    queue_id: int


def ahead_of(batch: SignedBatch) -> Ahead:
    """Where the next batch goes on after this one."""
    head = ChainHead(batch.head.next_guild_seq + len(batch.records), batch.records[-1].sha256)
    return Ahead(head, batch.queue_ids[-1])


@dataclass(frozen=True, slots=True)
class BatchSigner:
    """Reads, drafts and signs. Nothing is stored here."""

    store: SigningStore
    clock: Clock
    ids: IdSource
    software: Software

    async def next_batch(self, row: RecordKey, key: SigningKey, limit: int, ahead: Ahead | None) -> SignedBatch | None:
        """At most ``limit`` records; None if nothing of the guild can be signed now.

        Args:
            row: The guild's active key as stored.
            key: The same, open.
            limit: How many drafts to take.
            ahead: Where to go on while the batch before is being stored; what this makes is void if that one is lost.

        Raises:
            RollcallError: A draft cannot become a record.
            UnavailableError: The database is away.
        """
        start = await self.store.queue_start(row.guild_id, limit, after_id=None if ahead is None else ahead.queue_id)
        rows, head = list(start.drafts), start.head if ahead is None else ahead.head
        while rows and rows[0].type == RecordType.LEADERBOARD_PERIOD:
            if ahead is not None:
                return None  # it names the records before it, and they are still being stored
            draft = await draft_of_period(self.store, row.guild_id, rows[0])
            if draft is not None:
                return await self._sign(row, key, head, rows[:1], [draft])
            rows = rows[1:]  # a session of it is not in the chain yet: what stands behind may be it
        # For the same reason a period's record begins a batch, and is alone in it.
        until = next((index for index, one in enumerate(rows) if one.type == RecordType.LEADERBOARD_PERIOD), len(rows))
        rows = rows[:until]
        return await self._sign(row, key, head, rows, [self._draft(one) for one in rows]) if rows else None

    def _draft(self, row: QueuedDraft) -> bytes:
        if row.session is not None:
            return session_draft(row.session, self.software)
        if row.body is not None:
            return row.body.encode()
        raise ConflictError(f"queue row {row.id} ({row.type}) has nothing to sign: its session is gone")

    async def _sign(
        self, row: RecordKey, key: SigningKey, head: ChainHead, rows: Sequence[QueuedDraft], drafts: Sequence[bytes]
    ) -> SignedBatch:
        now_ms, salts = self.clock.now_ms(), self.ids.salt(len(drafts))
        salted = [(draft, salts[_SALT_BYTES * at : _SALT_BYTES * (at + 1)]) for at, draft in enumerate(drafts)]
        signed = await asyncio.to_thread(key.sign_chain, row.guild_id, head.next_guild_seq, head.head_sha256, now_ms, salted)
        records = [
            SignedRecord(
                one.type,
                *triple,
                None if one.session is None else one.session.session_id,
                one.period_index if one.session is None else one.session.period_index,
            )
            for one, triple in zip(rows, signed, strict=True)
        ]
        return SignedBatch(row.guild_id, row.kid, head, now_ms, records, [one.id for one in rows])
