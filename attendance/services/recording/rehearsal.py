"""An owner at work in a time that is not the present: for history that is made up.

It is the recorder without its loops: the same journaller, translator, engine and projections, in the same order. Whoever leads
it moves the clock, hands over what was seen up to there, and says when. Nothing here knows how time counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from attendance.core import Engine
from attendance.domain.ids import GuildId, ShardId
from attendance.domain.observations import Observation
from attendance.domain.stream.translator import Translator
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.recording import Lease
from attendance.services.recording.journalling import Journaller
from attendance.services.recording.projecting import Projector
from attendance.services.recording.recorder import LEASE_MS, RecorderStores
from attendance.services.recording.starting import start_streams

_SHARD = ShardId(0)
_COMMANDS = 200


def _nobody_caches(_guild_ids: set[GuildId]) -> None:
    """Nobody has asked for permissions: no answer is void."""


@dataclass(slots=True)
class Rehearsal:
    """Owns all guilds as one shard, from `begin` to `end`.

    Attributes:
        clock: the rehearsed time, moved by whoever leads.
        present: the time that leases are held by.
        holder: this process's name in the lease row.
    """

    stores: RecorderStores
    clock: Clock
    present: Clock
    ids: IdSource
    holder: str
    _leases: Sequence[Lease] = ()
    _journaller: Journaller = field(init=False)
    _projector: Projector = field(init=False)

    async def begin(self) -> bool:
        """Take ownership and stand where the journal ends; False if another process owns it."""
        now_ms = self.present.now_ms()
        leases = await self.stores.leases.acquire(1, [_SHARD], self.holder, now_ms, now_ms + LEASE_MS)
        if leases is None:
            return False
        self._leases, held = leases, {lease.shard_id: lease for lease in leases}
        self._projector = Projector(Engine(), self.stores.projections, held, self.clock, self.ids)
        start = await start_streams(self.stores.streams, self._projector, leases)
        translator = Translator(start.writer, start.bots)
        self._journaller = Journaller(translator, self.stores.journal, held, self.clock, _nobody_caches)
        await self.stores.streams.adopt(leases)
        return True

    async def step(self, seen: Sequence[Observation]) -> int:
        """Record what was seen up to the clock's instant, then what commands ask for at it; returns the lines it took."""
        commands = await self.stores.journal.waiting_commands(self._leases, _COMMANDS)
        lines = await self._journaller.write(seen, commands)
        if lines:
            await self._projector.fold(lines)
        return len(lines)

    async def save(self) -> None:
        """Store checkpoints, and milestones where they are due."""
        await self._projector.save_checkpoints()

    async def end(self) -> None:
        """Make the last sign of life durable and give the ownership back."""
        now_ms = self.present.now_ms()
        await self.stores.leases.renew(self._leases, now_ms + LEASE_MS, self._journaller.durable_alive_ms, {})
        await self.stores.leases.release(self._leases, now_ms)
