"""The signer: empties each guild's queue into its chain, in order.

One batch is: read the head and the first drafts; sign them; then in one transaction move the head if it still is the one
that was read, write the records and take the rows from the queue. Dying anywhere, a commit that fails (stored or not), or a
second signer that was faster all end the same way: nothing of the batch was stored, or all of it, and the next round reads
what is there and goes on. There is no other recovery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType
from attendance.domain.signing_keys import RecordKey
from attendance.errors import ConflictError, RollcallError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.signing import SignedBatch, SigningStore, Wake
from attendance.services.open_keys import OpenKeys
from attendance.services.signed_batches import Ahead, BatchSigner, ahead_of

POLL_SECONDS = 1.0
# On SQLite whoever writes keeps the journal waiting, and drafting keeps the event loop busy: about 10 ms each for so many.
RECORDS_A_TRANSACTION = 500
GUILDS_A_TRANSACTION = 32
MIN_BATCH = 50
# A guild with a long backlog has so many batches in a row, so that one is signed while the one before is stored.
BATCHES_A_TURN = 8
_MAX_PAUSE_SECONDS = 300.0

_log = structlog.get_logger("signing")


async def _always() -> bool:
    return True


@dataclass(slots=True)
class Signer:
    """Signs what waits. ``wake`` is set by whoever put something into a queue; without it, a second passes at most.

    While ``may_sign`` says no (the log shows that the database was restored from a backup) everything waits in its queue.
    """

    store: SigningStore
    batches: BatchSigner
    open_keys: OpenKeys
    clock: Clock
    wake: Wake
    may_sign: Callable[[], Awaitable[bool]] = _always
    sequencing: Wake | None = None  # told when a period's record is signed: the log takes it at once
    poll_seconds: float = POLL_SECONDS
    signed_records: int = 0
    failed_batches: int = 0
    _paused: dict[GuildId, tuple[int, float]] = field(default_factory=dict)  # failures, until (monotonic)

    async def run(self) -> None:
        """Sign until cancelled. The database being away is waited out."""
        while True:
            self.wake.clear()
            try:
                await self.open_keys.renew()
                busy = await self.may_sign() and await self.sign_round() > 0
            except UnavailableError as error:
                _log.warning("signing waits", reason=error.message)
                busy = False
            if not busy:
                await self._rest()

    async def sign_round(self) -> int:
        """Give every guild in which something waits its turn; returns how many records were signed.

        A guild that fails is logged, counted, and left alone for a while; the others go on.

        Raises:
            UnavailableError: The database is away.
        """
        before, after = self.signed_records, GuildId(-1)
        while True:
            keys = await self.store.keys_with_work(after, GUILDS_A_TRANSACTION)
            await self._turn(keys)
            if len(keys) < GUILDS_A_TRANSACTION:
                return self.signed_records - before
            after = keys[-1].guild_id

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self.poll_seconds):
                await self.wake.wait()
        except TimeoutError:
            return

    async def _turn(self, keys: Sequence[RecordKey]) -> None:
        """Up to eight batches a guild, each signed on the head that the one before will leave while that is being stored."""
        limit = max(MIN_BATCH, RECORDS_A_TRANSACTION // max(1, len(keys)))
        ahead: dict[GuildId, Ahead] = {}
        storing: asyncio.Task[frozenset[GuildId]] | None = None
        try:
            for _ in range(BATCHES_A_TURN):
                batches = [batch for row in keys if (batch := await self._batch_of(row, limit, ahead)) is not None]
                if storing is not None:
                    stored = await storing
                    # A batch that was not stored takes with it the one that was signed on its head.
                    batches = [batch for batch in batches if batch.guild_id in stored]
                storing = asyncio.create_task(self._append(batches)) if batches else None
                ahead = {batch.guild_id: ahead_of(batch) for batch in batches if len(batch.records) == limit}
                keys = [row for row in keys if row.guild_id in ahead]
                if not keys:
                    break
        finally:
            if storing is not None:
                await storing

    async def _batch_of(self, row: RecordKey, limit: int, ahead: Mapping[GuildId, Ahead]) -> SignedBatch | None:
        if self.clock.monotonic() < self._paused.get(row.guild_id, (0, 0.0))[1]:
            return None
        key = self.open_keys.open(row)
        if key is None:
            return None
        try:
            return await self.batches.next_batch(row, key, limit, ahead.get(row.guild_id))
        except UnavailableError:
            raise
        except RollcallError as error:
            self._pause(row.guild_id, error)
            return None

    async def _append(self, batches: Sequence[SignedBatch]) -> frozenset[GuildId]:
        """Store; returns the guilds whose batch is in their chain now."""
        try:
            lost = await self.store.append(batches)
        except ConflictError as error:
            if len(batches) > 1:  # one of them is at fault: the others must not wait for it
                return frozenset[GuildId]().union(*[await self._append([batch]) for batch in batches])
            self._pause(batches[0].guild_id, error)
            return frozenset()
        stored = [batch for batch in batches if batch.guild_id not in lost]
        for batch in stored:
            self.signed_records += len(batch.records)
            self._paused.pop(batch.guild_id, None)
            if self.sequencing is not None and batch.records[0].type == RecordType.LEADERBOARD_PERIOD:
                self.sequencing.set()
        return frozenset(batch.guild_id for batch in stored)

    def _pause(self, guild_id: GuildId, error: RollcallError) -> None:
        failures = self._paused.get(guild_id, (0, 0.0))[0] + 1
        seconds = min(2.0 ** min(failures, 20), _MAX_PAUSE_SECONDS)
        self._paused[guild_id] = (failures, self.clock.monotonic() + seconds)
        self.failed_batches += 1
        _log.error("a guild's records cannot be signed", guild_id=guild_id, code=error.code, reason=error.message)
