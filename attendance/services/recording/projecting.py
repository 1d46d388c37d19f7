"""From durable lines, through the fold, to sessions and sums."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from attendance import metrics
from attendance.core import Engine
from attendance.domain.ids import GuildId, ShardId, shard_of
from attendance.domain.stream.lines import Line
from attendance.domain.stream.milestones import milestone_number
from attendance.domain.stream.projection import Projection, project
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.recording import Lease, ProjectionStore
from attendance.services.recording.retrying import until_stored

_CHECKPOINTS_IN_ONE = 200


@dataclass(slots=True)
class Projector:
    """The only user of the engine.

    Attributes:
        stored: for each guild how many of its closed sessions are stored; the fold's ordinals below are left out, so that
            lines that are folded again after a crash store nothing twice.
        periods: for each guild the index of its running period.
        dirty: guilds whose state is newer than their checkpoint, with the journal position after it.
        milestones: for each guild the number of the milestone that this process kept last.
    """

    engine: Engine
    store: ProjectionStore
    leases: Mapping[ShardId, Lease]
    clock: Clock
    ids: IdSource
    stored: dict[GuildId, int] = field(default_factory=dict)
    periods: dict[GuildId, int] = field(default_factory=dict)
    dirty: dict[GuildId, int] = field(default_factory=dict)
    milestones: dict[GuildId, int] = field(default_factory=dict)
    lines_since_checkpoint: int = 0

    async def fold(self, lines: Sequence[Line]) -> int:
        """Fold durable lines and store what they did; returns how many sessions were closed."""
        projections = await asyncio.to_thread(self._fold, lines)
        closed = 0
        for projection in projections:
            leases = self._leases_of(self._guilds_in(projection))
            await until_stored("projection", self.store.store, projection, leases, self.clock.now_ms())
            closed += len(projection.closed)
        metrics.SESSIONS.inc(closed)
        return closed

    def _begin_anew(self, guild_id: GuildId) -> None:
        """The guild was deleted and is back: what is known of it is of its earlier stream."""
        self.engine.forget(guild_id)
        for known in (self.stored, self.periods, self.dirty, self.milestones):
            known.pop(guild_id, None)

    def _fold(self, lines: Sequence[Line]) -> list[Projection]:
        for line in lines:
            if line.seq == 0 and self.engine.summary(line.guild_id).last_at_ms:
                self._begin_anew(line.guild_id)
        outcome = self.engine.apply([line.line for line in lines])
        closed_periods = []
        for line in lines:
            self.dirty[line.guild_id] = line.seq + 1
            if line.type == "period_end":
                index = self.periods.get(line.guild_id, 0)
                closed_periods.append((line.guild_id, index))
                self.periods[line.guild_id] = index + 1
        self.lines_since_checkpoint += len(lines)
        return list(
            project(
                outcome.closed,
                outcome.changed,
                outcome.gone,
                closed_periods,
                stored=self.stored,
                new_session_id=self.ids.session_id,
            )
        )

    @staticmethod
    def _guilds_in(projection: Projection) -> set[int]:
        guilds: set[int] = set(projection.closed_count)
        guilds.update(row.guild_id for row in projection.opened)
        guilds.update(guild_id for guild_id, _ in projection.gone)
        guilds.update(guild_id for guild_id, _ in projection.closed_periods)
        return guilds

    def _leases_of(self, guild_ids: Iterable[int]) -> dict[ShardId, Lease]:
        count = next(iter(self.leases.values())).shard_count
        shards = {shard_of(GuildId(guild_id), count) for guild_id in guild_ids}
        return {shard_id: self.leases[shard_id] for shard_id in sorted(shards)}

    async def replace_open(self, guild_ids: Sequence[GuildId]) -> None:
        """Store the open sessions of these guilds as the engine has them, whatever was stored before."""
        for start in range(0, len(guild_ids), _CHECKPOINTS_IN_ONE):
            chunk = guild_ids[start : start + _CHECKPOINTS_IN_ONE]
            rows = [row for guild_id in chunk for row in self.engine.open_sessions(guild_id)]
            leases = self._leases_of(chunk)
            await until_stored("open sessions", self.store.replace_open, chunk, rows, leases)

    async def save_checkpoints(self) -> None:
        """Store the state of every guild that has moved since its last checkpoint."""
        waiting = list(self.dirty.items())
        for start in range(0, len(waiting), _CHECKPOINTS_IN_ONE):
            chunk = waiting[start : start + _CHECKPOINTS_IN_ONE]
            states = await asyncio.to_thread(self._states, chunk)
            leases = self._leases_of(guild_id for guild_id, _ in chunk)
            await until_stored("checkpoint", self.store.save_checkpoints, states, self.clock.now_ms(), leases)
            await self._keep_milestones(states)
        self.dirty.clear()
        self.lines_since_checkpoint = 0

    async def _keep_milestones(self, states: Sequence[tuple[GuildId, int, bytes]]) -> None:
        """Keep the first state of each quarter of a day. Dying before costs nothing: the next checkpoint is kept instead."""
        kept = []
        for guild_id, position, state in states:
            at_ms = self.engine.summary(guild_id).last_at_ms
            number = milestone_number(at_ms)
            if self.milestones.get(guild_id) != number:
                kept.append((guild_id, position, at_ms, state))
                self.milestones[guild_id] = number
        if kept:
            leases = self._leases_of(guild_id for guild_id, *_ in kept)
            await until_stored("milestone", self.store.keep_milestones, kept, leases)

    def _states(self, guilds: Sequence[tuple[GuildId, int]]) -> list[tuple[GuildId, int, bytes]]:
        return [(guild_id, position, self.engine.save(guild_id)) for guild_id, position in guilds]
