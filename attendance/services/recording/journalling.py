"""From observations and commands to durable lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from attendance import metrics
from attendance.domain.commands import Command
from attendance.domain.ids import GuildId, ShardId
from attendance.domain.observations import Observation, PayloadUnreadable
from attendance.domain.stream.batch import JournalBatch
from attendance.domain.stream.decisions import apply_command
from attendance.domain.stream.lines import Line
from attendance.domain.stream.translator import Translator
from attendance.ports.clock import Clock
from attendance.ports.recording import JournalStore, Lease
from attendance.services.recording.retrying import until_stored

# At most so many in one commit: about 15 ms of the event loop, so that a burst does not stall HTTP
SLICE = 2_000


@dataclass(slots=True)
class Journaller:
    """Writes what was seen and decided. ``durable_alive_ms``: signs of life that no uncommitted line stands before."""

    translator: Translator
    store: JournalStore
    leases: Mapping[ShardId, Lease]
    clock: Clock
    permissions_changed: Callable[[set[GuildId]], None]
    durable_alive_ms: dict[ShardId, int] = field(default_factory=dict)

    async def write(
        self, observations: Sequence[Observation], commands: Sequence[Command], *, is_behind: bool = False
    ) -> list[Line]:
        """Translate, commit, and return the lines that are durable now.

        Args:
            observations: what was seen, in order.
            commands: what was asked for meanwhile; applied after the observations.
            is_behind: more was seen already and waits. Decisions then stand where the stream is, not where the clock is: a
                line that is put now may not push what only waits behind it, perhaps a leave, to the present.
        """
        now_ms = self.clock.now_ms()
        stream_ms = min(now_ms, observations[-1].at_ms) if is_behind and observations else now_ms
        writer = self.translator.writer
        for observation in observations:
            self.translator.observe(observation)
        writer.cut_due_periods(stream_ms, self.translator.alive_ms)
        for command in commands:
            if command.guild_id in writer.streams:
                apply_command(writer, command, stream_ms)
        batch = writer.take_batch()
        metrics.UNREADABLE.inc(sum(isinstance(observation, PayloadUnreadable) for observation in observations))
        metrics.UNANNOUNCED.inc(self.translator.take_unannounced())
        if batch.has_rows:
            leases = self._leases_of(batch)
            await until_stored("journal", self.store.commit, batch, leases, now_ms)
            self._measure(observations, batch)
        # Only now: a sign of life must not become durable before the lines that were read ahead of it. A restart would
        # count up to it although, say, a leave before it was lost.
        for shard_id, at_ms in batch.alive.items():
            self.durable_alive_ms[shard_id] = max(at_ms, self.durable_alive_ms.get(shard_id, 0))
        if batch.permissions_changed:
            self.permissions_changed(batch.permissions_changed)
        return batch.lines

    def _leases_of(self, batch: JournalBatch) -> dict[ShardId, Lease]:
        """The leases that fence the batch: of every guild that it has a row of, and of every sign of life."""
        streams = self.translator.writer.streams
        shards = {streams[guild_id].shard_id for guild_id in batch.guild_ids() - batch.forgotten} | batch.alive.keys()
        if not shards or batch.forgotten:  # answers alone, or guilds that are no more
            shards = set(self.leases)
        return {shard_id: self.leases[shard_id] for shard_id in sorted(shards)}

    def _measure(self, observations: Sequence[Observation], batch: JournalBatch) -> None:
        metrics.LINES.inc(len(batch.lines))
        if observations:
            metrics.LAG.observe(max(0, self.clock.now_ms() - observations[0].at_ms) / 1000)
        for row in batch.blind.values():
            if row.ended_at_ms is not None:
                metrics.BLIND_SECONDS.labels(row.cause).inc((row.ended_at_ms - row.started_at_ms) / 1000)
