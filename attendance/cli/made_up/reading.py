"""The simulated past, through the gateway's own reader, to the owner of the guilds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field

from attendance.cli.made_up.decisions import Decision, decisions
from attendance.clock import FixedClock
from attendance.discord.watch import ShardWatch
from attendance.domain.ids import ShardId
from attendance.domain.observations import BlindCause, ShardAlive
from attendance.errors import ConflictError
from attendance.ports.commands import CommandInbox
from attendance.services.recording.inlet import Inlet
from attendance.services.recording.rehearsal import Rehearsal
from simulator.past import Frame, Moment

_SHARD = ShardId(0)
STEP_MS = 6 * 3_600_000
"""One commit of the journal for so much of the past: a checkpoint and a milestone follow each."""


@dataclass(slots=True)
class PastReader:
    """Moves the rehearsed clock along the past, frame by frame, and has it recorded step by step."""

    clock: FixedClock
    rehearsal: Rehearsal
    inbox: CommandInbox
    lines: int = 0
    _inlet: Inlet = field(default_factory=Inlet)

    async def read(self, past: Iterator[Moment], began_ms: int, until_ms: int) -> AsyncGenerator[int, None]:
        """Read everything up to ``until_ms``; yields each instant up to which all of it is stored.

        Raises:
            ConflictError: a decision was refused, which would be a fault of ours.
        """
        watch = ShardWatch(_SHARD, self._inlet, self.clock)
        moment = next(past, None)
        for stop_ms, decision in _stops(began_ms, until_ms):
            while moment is not None and moment.at_ms <= stop_ms:
                self._see(watch, moment)
                moment = next(past, None)
            self.clock.at_ms = stop_ms
            if decision is None and watch.connected:
                self._inlet.put(ShardAlive(stop_ms, _SHARD))
            await self._record(decision)
            yield stop_ms

    def _see(self, watch: ShardWatch, moment: Moment) -> None:
        self.clock.at_ms = moment.at_ms
        if isinstance(moment, Frame):
            watch.read(moment.payload)
        else:
            watch.lost(BlindCause.DISCONNECTED)
            watch.opened()

    async def _record(self, decision: Decision | None) -> None:
        asked = None if decision is None else await self.inbox.submit(decision.command(), self.clock.now_ms())
        self.lines += await self.rehearsal.step(self._inlet.take(len(self._inlet)))
        if asked is None:
            await self.rehearsal.save()
            return
        done = await self.inbox.look(asked.id)
        if done is None or done.result is None or '"error"' in done.result:
            raise ConflictError(f"a decision of the made-up history was not carried out: {asked.kind} {asked.body}")


def _stops(began_ms: int, until_ms: int) -> Iterator[tuple[int, Decision | None]]:
    """Where the clock stands while something is recorded: at each decision, a few times a day, and at the end."""
    regular: list[tuple[int, Decision | None]] = [(at_ms, None) for at_ms in range(began_ms, until_ms, STEP_MS)]
    made: list[tuple[int, Decision | None]] = list(decisions(began_ms, until_ms))
    yield from sorted([*made, *regular], key=lambda stop: stop[0])
    yield until_ms, None
