"""Terms of ownership: take the leases, record while they hold, give them back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from attendance.domain.ids import GuildId, ShardId
from attendance.errors import OwnershipLostError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.gateway import GatewayFactory
from attendance.ports.ids import IdSource
from attendance.ports.recording import Lease
from attendance.services.recording.inlet import Inlet
from attendance.services.recording.recorder import LEASE_MS, Recorder, RecorderStores

log = structlog.get_logger(__name__)

# Discord keeps a session without a socket for a few minutes (it does not say how long). Asking for an older one costs a
# refusal and a second connection.
RESUME_WINDOW_MS = 300_000
_STANDBY_S = 1.0
_LONGEST_PAUSE_S = 30.0


@dataclass(slots=True)
class Ownership:
    """Keeps this process the owner of its shards, or in line to become it.

    Attributes:
        shards: resolves (shard count, shard ids); asks Discord where the settings do not say.
        gateway: builds the connection for a term.
        holder: this process's name in the lease rows.
        note_source: called before anything is recorded: makes durable from where this database is recorded.
        alone: no other process can be at work on the database (the data folder's lock is ours): a lease that stands was left
            by one that died.
    """

    stores: RecorderStores
    clock: Clock
    ids: IdSource
    shards: Callable[[], Awaitable[tuple[int, Sequence[ShardId]]]]
    gateway: GatewayFactory
    holder: str
    commands: asyncio.Event
    recorded: asyncio.Event
    permissions_changed: Callable[[set[GuildId]], None]
    journal_days: int
    note_source: Callable[[], Awaitable[None]]
    alone: bool = False
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _recorder: Recorder | None = None

    async def run(self) -> None:
        """Serve term after term until `stop`.

        Raises:
            ConfigError: Discord refuses the token or the intents, or the database must not be recorded from there: trying
                again would not help.
        """
        pause = _STANDBY_S
        while not self._stopping.is_set():
            try:
                count, shard_ids = await self.shards()
                await self.note_source()
                leases = await self._acquire(count, shard_ids)
                if leases is not None:
                    await self._term(leases)
                pause = _STANDBY_S
            except OwnershipLostError as lost:
                log.warning("ownership_lost", reason=lost.message)
            except UnavailableError as error:
                log.warning("gateway_unavailable", error=error.message, retry_in_seconds=pause)
                await self._pause(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    def stop(self) -> None:
        """End the term: the gateway is closed, everything taken is stored, the leases are given back."""
        self._stopping.set()

    async def _acquire(self, count: int, shard_ids: Sequence[ShardId]) -> list[Lease] | None:
        """Wait in line for the leases; None if asked to stop meanwhile."""
        told = False
        while not self._stopping.is_set():
            now_ms = self.clock.now_ms()
            leases = await self.stores.leases.acquire(
                count, shard_ids, self.holder, now_ms, now_ms + LEASE_MS, alone=self.alone
            )
            if leases is not None:
                return leases
            if not told:
                log.info("waiting_for_shards", shards=list(shard_ids), reason="another process owns them")
                told = True
            await self._pause(_STANDBY_S)
        return None

    async def _term(self, leases: Sequence[Lease]) -> None:
        sessions = await self.stores.leases.take_sessions(leases, self.clock.now_ms() - RESUME_WINDOW_MS)
        inlet = Inlet()
        recorder = Recorder(
            self.stores,
            leases,
            inlet,
            self.clock,
            self.ids,
            self.commands,
            self.recorded,
            self.permissions_changed,
            self.journal_days,
            resuming={session.shard_id for session in sessions},
        )
        connection = self.gateway(inlet, leases[0].shard_count, [lease.shard_id for lease in leases], sessions)
        recording = asyncio.create_task(recorder.run())
        try:
            await self._first(recording, recorder.started.wait())
            await self._first(recording, connection.start(), self._stopping.wait())
            if not self._stopping.is_set():
                await self._first(recording, self._stopping.wait(), connection.join())
        finally:
            # The gateway first: what it has put by then is recorded before the leases go.
            recorder.stop(await connection.stop())
            await recording

    @staticmethod
    async def _first(*awaitables: Awaitable[object]) -> None:
        """Wait until one of them ends; its error is ours."""
        tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks[1:]:  # the first is the recorder's own task: its end is awaited by the term
                task.cancel()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
