"""How an owner starts: checkpoint, then the journal behind it, then one blind line a guild. Nothing here is special code.

If we die anywhere in here, the next start does the same again: folding is deterministic, what is stored already is told
by the guild's count of closed sessions, and a second ``blind`` line changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from attendance.core import Engine
from attendance.domain.ids import ChannelId, ShardId, UserId, shard_of
from attendance.domain.stream.guild_stream import GuildStream
from attendance.domain.stream.writer import StreamWriter
from attendance.ports.recording import Lease, StoredStream, StreamStore
from attendance.services.recording.projecting import Projector

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Start:
    """What a start found: the writer's streams, with the blind lines of the restart in its batch, and the known bots."""

    writer: StreamWriter
    bots: set[UserId]


async def start_streams(
    store: StreamStore, projector: Projector, leases: Sequence[Lease], resuming: Collection[ShardId] = ()
) -> Start:
    """Bring engine and streams to where the journal ends.

    A guild of a ``resuming`` shard that was watched to the end of its journal stays in sync: the session that goes on has
    said everything behind that end, or will say it before RESUMED.
    """
    stored = [stream for lease in leases for stream in await store.load(lease)]
    positions = {stream.guild_id: stream.checkpoint_seq for stream in stored}
    for stream in stored:
        if stream.checkpoint is not None:
            projector.engine.restore(stream.guild_id, stream.checkpoint)
        projector.stored[stream.guild_id] = stream.closed_count
        projector.periods[stream.guild_id] = projector.engine.summary(stream.guild_id).period_index
    for lease in leases:
        async for lines in store.journal_after(lease, _CHUNK):
            await projector.fold(lines)
            for line in lines:
                positions[line.guild_id] = line.seq + 1
    await projector.replace_open([stream.guild_id for stream in stored])
    count = leases[0].shard_count
    writer = StreamWriter([_stream(known, positions[known.guild_id], count, projector.engine) for known in stored])
    for known in stored:
        if known.present:
            head = writer.streams[known.guild_id]
            writer.restart_blind(head, known.alive_at_ms)
            head.in_sync = known.blind is None and head.shard_id in resuming
    return Start(writer, await store.bots())


def _stream(known: StoredStream, next_seq: int, shard_count: int, engine: Engine) -> GuildStream:
    summary = engine.summary(known.guild_id)
    parents = engine.channel_parents(known.guild_id)
    return GuildStream(
        guild_id=known.guild_id,
        shard_id=shard_of(known.guild_id, shard_count),
        next_seq=next_seq,
        last_at_ms=summary.last_at_ms,
        period_index=summary.period_index,
        blind=known.blind,
        present=known.present,
        settings=known.settings,
        afk_channel_id=None if known.afk_channel_id is None else ChannelId(known.afk_channel_id),
        parents={ChannelId(channel): ChannelId(parent) for channel, parent in parents.items()},
        opted_out={UserId(user): known.opted_out_by.get(UserId(user)) for user in engine.opted_out(known.guild_id)},
        rules=summary.rules,
        rules_version=known.rules_version,
    )
