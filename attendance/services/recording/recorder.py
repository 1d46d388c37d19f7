"""The recorder: the loops of a guild's owner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import structlog

from attendance import metrics
from attendance.core import Engine
from attendance.domain.commands import Command
from attendance.domain.ids import GuildId, ShardId
from attendance.domain.stream.translator import Translator
from attendance.errors import OwnershipLostError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.gateway import GatewaySession
from attendance.ports.ids import IdSource
from attendance.ports.recording import JournalStore, Lease, LeaseStore, ProjectionStore, StreamStore
from attendance.services.recording.durable import DurableLines
from attendance.services.recording.inlet import Inlet
from attendance.services.recording.journalling import SLICE, Journaller
from attendance.services.recording.projecting import Projector
from attendance.services.recording.starting import start_streams

log = structlog.get_logger(__name__)

LEASE_MS = 15_000  # a process that dies is replaced after this long
RENEW_S = 2.0  # also how far a durable sign of life may lag
_WAIT_S = 0.04  # the journal looks at least this often: a line is committed at most 50 ms late
_COMMANDS_S = 0.1
_COMMANDS_IN_ONE = 200
_TICK_S = 0.25
_CHECKPOINT_S = 60.0
_CHECKPOINT_LINES = 200_000
_FOLD_LINES = 4_000  # in one go: about 50 ms of a thread
_TRIM_S = 600.0
_TRIM_ROWS = 4_000  # in one go: about 40 ms
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class RecorderStores:
    """The recorder's ports to the database."""

    leases: LeaseStore
    streams: StreamStore
    journal: JournalStore
    projections: ProjectionStore


@dataclass(slots=True)
class Recorder:
    """Owns the guilds of its leases' shards from `run` until it ends. Build anew for each term of ownership.

    Attributes:
        commands: set by who inserts a command in this process.
        recorded: set after sessions or period ends were stored.
        permissions_changed: called after the commit with guilds whose cached permissions are void.
        journal_days: how long lines are kept behind the checkpoint.
        resuming: shards whose gateway session of an earlier process goes on.
    """

    stores: RecorderStores
    leases: Sequence[Lease]
    inlet: Inlet
    clock: Clock
    ids: IdSource
    commands: asyncio.Event
    recorded: asyncio.Event
    permissions_changed: Callable[[set[GuildId]], None]
    journal_days: int = 8
    resuming: Collection[ShardId] = ()
    started: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _translator: Translator | None = None
    _durable_alive_ms: dict[ShardId, int] = field(default_factory=dict)
    _left_sessions: Sequence[GatewaySession] = ()

    async def run(self) -> None:
        """Work until `stop`; everything taken by then is journalled, folded, stored and checkpointed before it returns.

        Raises:
            OwnershipLostError: another process owns one of the shards now. Nothing more was written.
            UnavailableError: the database is away at the start. (Later that is waited out.)
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_leases())
                tasks.create_task(self._trim())
                await self._work(tasks)
                self._ended.set()
        except BaseExceptionGroup as group:
            known, others = group.split((OwnershipLostError, UnavailableError))
            if known is None or others is not None:
                raise
            raise _first_of(known.subgroup(OwnershipLostError) or known) from group
        now_ms = self.clock.now_ms()
        await self.stores.leases.renew(self.leases, now_ms + LEASE_MS, self._durable_alive_ms, {})
        # Last, when all that the sessions had said is committed: whoever resumes one is told only what came after it.
        await self.stores.leases.release(self.leases, now_ms, self._left_sessions)
        log.info("recorder_stopped")

    async def _work(self, tasks: asyncio.TaskGroup) -> None:
        held = {lease.shard_id: lease for lease in self.leases}
        projector = Projector(Engine(), self.stores.projections, held, self.clock, self.ids)
        start = await start_streams(self.stores.streams, projector, self.leases, self.resuming)
        self._translator = translator = Translator(start.writer, start.bots, self.resuming)
        journaller = Journaller(
            translator, self.stores.journal, held, self.clock, self.permissions_changed, self._durable_alive_ms
        )
        durable = DurableLines()
        await durable.put(await journaller.write([], []))  # the blind lines of the restart
        await self.stores.streams.adopt(self.leases)
        log.info("recorder_started", guilds=len(start.writer.streams), shards=sorted(held))
        self.started.set()
        folding = tasks.create_task(self._fold(projector, durable))
        await self._journal(journaller, durable)
        durable.end()
        await folding

    def stop(self, sessions: Sequence[GatewaySession] = ()) -> None:
        """Finish what was taken and end `run`. The gateway is stopped first; its sessions are kept for the next owner."""
        self._left_sessions = sessions
        self._stopping.set()

    async def _journal(self, journaller: Journaller, durable: DurableLines) -> None:
        next_commands = next_tick = 0.0
        while not (self._stopping.is_set() and not len(self.inlet)):
            await self.inlet.wait(_WAIT_S)
            commands: list[Command] = []
            now = self.clock.monotonic()
            if self.commands.is_set() or now >= next_commands:
                self.commands.clear()
                commands = await self._waiting_commands()
                next_commands = now + _COMMANDS_S
            # From here to the instant at which decisions are placed nothing is awaited: what is seen later is later.
            observations = self.inlet.take(SLICE)
            if observations or commands or now >= next_tick:
                lines = await journaller.write(observations, commands, is_behind=len(self.inlet) > 0)
                next_tick = now + _TICK_S
                if lines:
                    await durable.put(lines)
                metrics.QUEUE.set(len(self.inlet))

    async def _waiting_commands(self) -> list[Command]:
        try:
            return await self.stores.journal.waiting_commands(self.leases, _COMMANDS_IN_ONE)
        except UnavailableError as error:
            metrics.RETRIES.labels("commands").inc()
            log.warning("store_unavailable", what="commands", error=str(error))
            return []

    async def _fold(self, projector: Projector, durable: DurableLines) -> None:
        next_checkpoint = self.clock.monotonic() + _CHECKPOINT_S
        ended = False
        while not ended:
            lines, ended = await durable.take(_FOLD_LINES, next_checkpoint - self.clock.monotonic())
            if lines:
                await projector.fold(lines)
                self.recorded.set()
            now = self.clock.monotonic()
            if ended or now >= next_checkpoint or projector.lines_since_checkpoint >= _CHECKPOINT_LINES:
                await projector.save_checkpoints()
                next_checkpoint = now + _CHECKPOINT_S

    async def _keep_leases(self) -> None:
        """Renew the leases and make signs of life durable, every few seconds, from before the start to after the end."""
        while not await self._ends_within(RENEW_S):
            connected: dict[ShardId, bool] = {}
            if self._translator is not None:
                connected = self._translator.connected
                streams = self._translator.writer.streams.values()
                metrics.BLIND_GUILDS.set(sum(stream.blind is not None for stream in streams))
            try:
                expires_at_ms = self.clock.now_ms() + LEASE_MS
                await self.stores.leases.renew(self.leases, expires_at_ms, dict(self._durable_alive_ms), connected)
            except UnavailableError as error:
                metrics.RETRIES.labels("lease").inc()
                log.warning("store_unavailable", what="lease", error=str(error))

    async def _trim(self) -> None:
        """Delete journal lines that are older than `journal_days` and stand before their guild's checkpoint."""
        while not await self._ends_within(_TRIM_S):
            older_than_ms = self.clock.now_ms() - self.journal_days * _DAY_MS
            try:
                for lease in self.leases:
                    # Each deletion is a short transaction of its own, so that the journal never waits long.
                    while not self._ended.is_set():
                        if await self.stores.journal.trim(lease, older_than_ms, _TRIM_ROWS) < _TRIM_ROWS:
                            break
            except UnavailableError as error:
                log.warning("store_unavailable", what="trim", error=str(error))

    async def _ends_within(self, seconds: float) -> bool:
        """Wait for the end of the work, but no longer; whether it has come. No transaction is cancelled halfway by this."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
