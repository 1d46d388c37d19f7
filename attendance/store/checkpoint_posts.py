"""The day's checkpoint on its way into the outbox of log destinations. See `attendance.ports.checkpoint_posts`.

It is no announcement (`attendance.store.announcements`): nothing happened that a transaction decided, it does not gather with
what did, and it is posted whatever the destination's frequency.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select, update

from attendance.domain.announcements import LogType
from attendance.domain.log_destinations import next_checkpoint
from attendance.ports.checkpoint_posts import Post
from attendance.store.database import Database
from attendance.store.log_destinations import hold_destination, timezone_of
from attendance.store.schema import log_destination, log_item, log_message


@dataclass(frozen=True, slots=True)
class SqlCheckpointPosts:
    """`CheckpointPostStore` on a database."""

    database: Database

    async def due(self, now_ms: int, limit: int) -> Sequence[UUID]:
        """Destinations whose next checkpoint is due."""
        there = log_destination.c
        query = select(there.destination_id).where(there.checkpoint_due_at_ms <= now_ms, there.disabled_at_ms.is_(None))
        async with self.database.snapshot() as connection:
            return list(await connection.scalars(query.order_by(there.checkpoint_due_at_ms).limit(limit)))

    async def put(self, destination_id: UUID, message_id: UUID, post: Post | None, now_ms: int) -> bool:
        """Put the checkpoint into the outbox and move what is due to the next local day."""
        this = log_destination.c.destination_id == destination_id
        async with self.database.transaction() as connection:
            destination = await hold_destination(connection, this)
            if destination is None or destination.disabled_at_ms is not None:
                return False
            if destination.checkpoint_due_at_ms is None or destination.checkpoint_due_at_ms > now_ms:
                return False
            next_ms = next_checkpoint(destination, await timezone_of(connection, destination.guild_id), now_ms)
            await connection.execute(update(log_destination).where(this).values(checkpoint_due_at_ms=next_ms))
            if post is None:
                return True
            whose = {"destination_id": destination_id, "guild_id": destination.guild_id, "created_at_ms": now_ms}
            await connection.execute(
                insert(log_message).values(message_id=message_id, attempts=0, next_attempt_at_ms=now_ms, **whose)
            )
            body = json.dumps(post._asdict(), sort_keys=True)
            await connection.execute(
                insert(log_item).values(type=LogType.CHECKPOINT.value, body=body, message_id=message_id, **whose)
            )
        return True
