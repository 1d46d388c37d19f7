"""What the recorder needs from a store. Each method is one transaction, or says otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from attendance.core import ClosedRow, OpenRow
from attendance.domain.commands import Command
from attendance.domain.ids import GuildId, ShardId, UserId
from attendance.domain.settings import GuildSettings
from attendance.domain.stream.batch import BlindRow, JournalBatch
from attendance.domain.stream.lines import Line
from attendance.domain.stream.projection import Projection
from attendance.ports.gateway import GatewaySession


@dataclass(frozen=True, slots=True)
class Lease:
    """A shard's lease as this process holds it. Every commit is conditional on ``epoch``."""

    shard_count: int
    shard_id: ShardId
    epoch: int


@dataclass(frozen=True, slots=True)
class StoredStream:
    """What the store knows of one guild when its owner starts."""

    guild_id: GuildId
    alive_at_ms: int  # the last durable sign of life of the shard that owned it last
    closed_count: int
    checkpoint_seq: int
    checkpoint: bytes | None
    present: bool
    afk_channel_id: int | None
    settings: GuildSettings
    rules_version: int
    blind: BlindRow | None
    opted_out_by: Mapping[UserId, UserId | None] = field(default_factory=dict)  # who is out by whose word


class LeaseStore(Protocol):
    """Who owns which shard."""

    async def acquire(
        self,
        shard_count: int,
        shard_ids: Sequence[ShardId],
        holder: str,
        now_ms: int,
        expires_at_ms: int,
        *,
        alone: bool = False,
    ) -> list[Lease] | None:
        """Take all of these leases, or none.

        None while another process holds one of them, or any lease of another shard count is alive. With ``alone`` whoever
        held one is known to be gone, and nothing is waited for; its epoch is over all the same.
        """
        ...

    async def renew(
        self, leases: Sequence[Lease], expires_at_ms: int, alive_ms: Mapping[ShardId, int], connected: Mapping[ShardId, bool]
    ) -> None:
        """Extend the leases and make signs of life durable.

        Raises:
            OwnershipLostError: an epoch has moved on.
        """
        ...

    async def release(self, leases: Sequence[Lease], now_ms: int, sessions: Sequence[GatewaySession] = ()) -> None:
        """Let others take them at once. A lease that is lost already is no error.

        Sessions of shards that are given back are kept for the next owner. Everything that they had said is committed.
        """
        ...

    async def take_sessions(self, leases: Sequence[Lease], oldest_ms: int) -> list[GatewaySession]:
        """The sessions that the owner directly before this one left at ``oldest_ms`` or later. They are handed out once.

        Raises:
            OwnershipLostError: an epoch has moved on.
        """
        ...


class StreamStore(Protocol):
    """Reading a shard's streams at start."""

    async def load(self, lease: Lease) -> list[StoredStream]:
        """Every guild of the lease's shard."""
        ...

    async def bots(self) -> set[UserId]:
        """Users that were ever seen as bots."""
        ...

    def journal_after(self, lease: Lease, chunk: int) -> AsyncIterator[list[Line]]:
        """The lines behind the checkpoints of the shard's guilds, about ``chunk`` at a time, each guild in order."""
        ...

    async def adopt(self, leases: Sequence[Lease]) -> None:
        """Note on every stream of these shards under which shard count it is owned now."""
        ...


class JournalStore(Protocol):
    """The durable stream."""

    async def commit(self, batch: JournalBatch, leases: Mapping[ShardId, Lease], now_ms: int) -> None:
        """Write a batch: all of it or nothing.

        A batch whose lines are stored already (a commit that failed although it was stored) is accepted silently.

        Raises:
            OwnershipLostError: a lease's epoch has moved on.
            UnavailableError: the database is away; whether the batch was stored is unknown, committing it again is right.
        """
        ...

    async def waiting_commands(self, leases: Iterable[Lease], limit: int) -> list[Command]:
        """Commands for known guilds of these shards that no owner has applied yet, oldest first."""
        ...

    async def trim(self, lease: Lease, older_than_ms: int, limit: int) -> int:
        """Delete up to ``limit`` lines that stand before their guild's checkpoint and are older; returns how many.

        Milestones that a deleted line stood behind go with it.
        """
        ...


class ProjectionStore(Protocol):
    """What the fold said."""

    async def store(self, projection: Projection, leases: Mapping[ShardId, Lease], now_ms: int) -> None:
        """Write sessions, sums, open sessions and queue rows in one transaction.

        Raises:
            OwnershipLostError: a lease's epoch, or a guild's count of closed sessions, has moved on.
            UnavailableError: as `JournalStore.commit`; storing the same projection again is right.
        """
        ...

    async def replace_open(
        self, guild_ids: Sequence[GuildId], rows: Sequence[OpenRow], leases: Mapping[ShardId, Lease]
    ) -> None:
        """Make these rows the open sessions of these guilds, whatever was stored before."""
        ...

    async def save_checkpoints(
        self, states: Sequence[tuple[GuildId, int, bytes]], saved_at_ms: int, leases: Mapping[ShardId, Lease]
    ) -> None:
        """Store engine states: (guild, position of the first line not in it, state)."""
        ...

    async def keep_milestones(self, states: Sequence[tuple[GuildId, int, int, bytes]], leases: Mapping[ShardId, Lease]) -> None:
        """Keep engine states for as long as the lines behind them: (guild, position, instant of the last line in it, state).

        Of each guild's quarter of a day the first one is kept; another is accepted silently.
        """
        ...


__all__ = [
    "ClosedRow",
    "JournalStore",
    "Lease",
    "LeaseStore",
    "OpenRow",
    "ProjectionStore",
    "StoredStream",
    "StreamStore",
]
