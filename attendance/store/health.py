"""The leases, for health checks."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from attendance.ports.health import LeaseState
from attendance.store.database import Database
from attendance.store.schema import shard_lease


@dataclass(frozen=True, slots=True)
class SqlHealthSource:
    """`HealthSource` over the `shard_lease` table."""

    database: Database

    async def leases(self) -> list[LeaseState]:
        """Every lease of the shard count that is in use: the one whose leases expire last."""
        query = select(
            shard_lease.c.shard_count, shard_lease.c.shard_id, shard_lease.c.connected, shard_lease.c.expires_at_ms
        ).order_by(shard_lease.c.expires_at_ms.desc())
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query)).all()
        return [
            LeaseState(row.shard_id, row.connected, row.expires_at_ms) for row in rows if row.shard_count == rows[0].shard_count
        ]
