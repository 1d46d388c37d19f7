"""Posts the log's published checkpoint once a day where a guild wants it: a copy that we cannot change afterwards.

It runs where the log is published, since that is where the checkpoint lies; delivering is `attendance.services.log_delivery`.
"""

from __future__ import annotations

from dataclasses import dataclass

from attendance.ports.checkpoint_posts import CheckpointPostStore, Post
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.services.log_reading import PublicLog

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class CheckpointPosts:
    """Puts what is due into the outbox. Any number of processes may look: each day's checkpoint is put there once."""

    store: CheckpointPostStore
    log: PublicLog
    clock: Clock
    ids: IdSource

    async def look(self) -> int:
        """Put the published checkpoint where it is due; to how many channels it goes.

        Whatever was missed (nobody was running for days) is one post. Before anything was published a day passes without.

        Raises:
            UnavailableError: The database or the log's folder is away; it stays due.
        """
        put = 0
        while found := await self.store.due(self.clock.now_ms(), _AT_ONCE):
            published = await self.log.published()
            post = None if published is None else Post(published.note.decode("utf-8"), published.size)
            for destination_id in found:
                now_ms = self.clock.now_ms()
                moved = await self.store.put(destination_id, self.ids.session_id(now_ms), post, now_ms)
                put += moved and post is not None
        return put
