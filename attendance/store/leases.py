"""Shard leases: who may write. Each commit of an owner is conditional on the lease's epoch (`hold`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, func, insert, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import ShardId
from attendance.errors import OwnershipLostError
from attendance.ports.gateway import GatewaySession
from attendance.ports.recording import Lease
from attendance.store import schema
from attendance.store.database import Database, bulk_upsert

_lease, _session = schema.shard_lease, schema.gateway_session

# A transaction that waits this long for its own client belongs to a process that is stopped or cut off.
_STUCK_MS = 10_000
# How long to wait behind somebody's transaction on a lease before looking whether it is stuck.
_LOCK_MS = 2_000


async def hold(connection: AsyncConnection, leases: Iterable[Lease], alive_ms: Mapping[ShardId, int]) -> None:
    """Fence this transaction, as `fence` does, and make signs of life durable with it.

    Raises:
        OwnershipLostError: another process has taken a lease.
    """
    later = func.max if connection.dialect.name == "sqlite" else func.greatest
    for lease in leases:
        alive = alive_ms.get(lease.shard_id, 0)
        result = await connection.execute(
            update(_lease).where(*_mine(lease)).values(alive_at_ms=later(_lease.c.alive_at_ms, alive))
        )
        if result.rowcount != 1:
            raise OwnershipLostError(f"another process owns shard {lease.shard_id} now")


async def fence(connection: AsyncConnection, leases: Collection[Lease]) -> None:
    """Fence this transaction: every lease's epoch must still be ours.

    The row stays locked until the commit, so whoever takes the lease over waits and then sees everything. On PostgreSQL the
    lock is one that bears `hold` beside it: a journal commit does not wait for a projection.

    Raises:
        OwnershipLostError: another process has taken a lease.
    """
    ours = select(_lease.c.shard_id).where(or_(*(and_(*_mine(lease)) for lease in leases)))
    held = set(await connection.scalars(ours.with_for_update(read=True, key_share=True)))
    lost = {lease.shard_id for lease in leases} - held
    if lost:
        raise OwnershipLostError(f"another process owns shard {min(lost)} now")


def _mine(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (_lease.c.shard_count == lease.shard_count, _lease.c.shard_id == lease.shard_id, _lease.c.epoch == lease.epoch)


_END_STUCK = text("""
    SELECT pg_terminate_backend(activity.pid)
    FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.relation = 'shard_lease'::regclass AND lock.mode IN ('RowExclusiveLock', 'RowShareLock') AND lock.granted
      AND activity.datname = current_database() AND activity.usename = current_user
      AND activity.wait_event_type = 'Client'
      AND activity.xact_start < clock_timestamp() - :stuck_ms * interval '1 millisecond'
""")


@dataclass(frozen=True, slots=True)
class SqlLeaseStore:
    """`LeaseStore` on a database."""

    database: Database

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
        """Take all of these leases or none; see `LeaseStore.acquire`."""
        if not self.database.is_sqlite:
            await self._end_stuck_transactions()
        async with self.database.transaction() as connection:
            if not self.database.is_sqlite:
                await connection.execute(select(func.set_config("lock_timeout", str(_LOCK_MS), literal(value=True))))
            await _lock_deployment(connection, now_ms)
            wanted = set(shard_ids)
            if not alone:
                rows = (await connection.execute(select(_lease).where(_lease.c.expires_at_ms > now_ms))).all()
                if any(row.shard_count != shard_count or row.shard_id in wanted for row in rows if row.holder != holder):
                    return None
            # A process of another count that slept through the end of its lease still believes in its epoch: its row is not
            # one of those that we take.
            other_count = _lease.c.shard_count != shard_count
            # No weaker lock waits for every transaction of the owners before us.
            theirs = select(_lease.c.shard_id).where(or_(other_count, _lease.c.shard_id.in_(wanted)))
            await connection.execute(theirs.with_for_update())
            await connection.execute(update(_lease).where(other_count).values(epoch=_lease.c.epoch + 1, expires_at_ms=0))
            return [await _take(connection, Lease(shard_count, shard_id, 0), holder, expires_at_ms) for shard_id in shard_ids]

    async def _end_stuck_transactions(self) -> None:
        """End transactions on the lease rows that wait for a client which does not come (PostgreSQL).

        The server's own time-out for them (see `open_database`) counts only between statements, and a process can be stopped
        in the middle of one. Its locks would keep everybody else out for as long as it stands still.
        """
        async with self.database.transaction() as connection:
            await connection.execute(_END_STUCK, {"stuck_ms": _STUCK_MS})

    async def renew(
        self, leases: Sequence[Lease], expires_at_ms: int, alive_ms: Mapping[ShardId, int], connected: Mapping[ShardId, bool]
    ) -> None:
        """Extend the leases and make signs of life durable."""
        async with self.database.transaction() as connection:
            await hold(connection, leases, alive_ms)
            for lease in leases:
                await connection.execute(
                    update(_lease)
                    .where(*_mine(lease))
                    .values(expires_at_ms=expires_at_ms, connected=connected.get(lease.shard_id, False))
                )

    async def release(self, leases: Sequence[Lease], now_ms: int, sessions: Sequence[GatewaySession] = ()) -> None:
        """Let others take the leases at once, and resume the sessions of those that were still ours."""
        left = {session.shard_id: session for session in sessions}
        async with self.database.transaction() as connection:
            for lease in leases:
                given = await connection.execute(
                    update(_lease).where(*_mine(lease)).values(expires_at_ms=now_ms, connected=False)
                )
                if given.rowcount == 1 and lease.shard_id in left:
                    await _leave_session(connection, lease, left[lease.shard_id], now_ms)

    async def take_sessions(self, leases: Sequence[Lease], oldest_ms: int) -> list[GatewaySession]:
        """The sessions that the owners before these leases left; see `LeaseStore.take_sessions`.

        If we die after this they are gone, and the next owner identifies: a session that somebody may have begun to resume
        has perhaps said already what it will not say again.
        """
        theirs = {(lease.shard_count, lease.shard_id, lease.epoch - 1) for lease in leases}
        ours = and_(
            _session.c.shard_count == leases[0].shard_count, _session.c.shard_id.in_([lease.shard_id for lease in leases])
        )
        of_another_count = _session.c.shard_count != leases[0].shard_count  # over with the change of the count
        async with self.database.transaction() as connection:
            await fence(connection, leases)
            rows = (await connection.execute(delete(_session).where(or_(ours, of_another_count)).returning(_session))).all()
        return [
            GatewaySession(ShardId(row.shard_id), row.session_id, row.sequence, row.resume_url, row.intents)
            for row in rows
            if (row.shard_count, row.shard_id, row.epoch) in theirs and row.left_at_ms >= oldest_ms
        ]


async def _leave_session(connection: AsyncConnection, lease: Lease, session: GatewaySession, now_ms: int) -> None:
    key = {"shard_count": lease.shard_count, "shard_id": lease.shard_id}
    await connection.execute(delete(_session).filter_by(**key))
    await connection.execute(
        insert(_session).values(
            **key,
            epoch=lease.epoch,
            session_id=session.session_id,
            sequence=session.sequence,
            resume_url=session.resume_url,
            intents=session.intents,
            left_at_ms=now_ms,
        )
    )


async def _lock_deployment(connection: AsyncConnection, now_ms: int) -> None:
    """Leases change hands one process at a time: the deployment's only row is locked until the commit."""
    deployment = schema.deployment
    await bulk_upsert(connection, deployment, ("id", "created_at_ms"), [(1, now_ms)])
    await connection.execute(select(deployment.c.id).with_for_update())


async def _take(connection: AsyncConnection, lease: Lease, holder: str, expires_at_ms: int) -> Lease:
    key = (_lease.c.shard_count == lease.shard_count, _lease.c.shard_id == lease.shard_id)
    epoch = await connection.scalar(select(_lease.c.epoch).where(*key))
    if epoch is None:
        await connection.execute(
            insert(_lease).values(
                shard_count=lease.shard_count,
                shard_id=lease.shard_id,
                holder=holder,
                epoch=1,
                expires_at_ms=expires_at_ms,
                alive_at_ms=0,
                connected=False,
            )
        )
        return Lease(lease.shard_count, lease.shard_id, 1)
    await connection.execute(
        update(_lease).where(*key).values(holder=holder, epoch=epoch + 1, expires_at_ms=expires_at_ms, connected=False)
    )
    return Lease(lease.shard_count, lease.shard_id, epoch + 1)
