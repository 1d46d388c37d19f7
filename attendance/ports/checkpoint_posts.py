"""Which channels are posted the log's checkpoint today, and how it gets into the outbox of log destinations.

Every method is one transaction and raises UnavailableError while the database is away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID


class Post(NamedTuple):
    """A published checkpoint: its whole note, and the size that it names."""

    note: str
    size: int


class CheckpointPostStore(Protocol):
    """The destinations that want checkpoints."""

    async def due(self, now_ms: int, limit: int) -> Sequence[UUID]:
        """Up to ``limit`` destinations at work whose next checkpoint is due."""
        ...

    async def put(self, destination_id: UUID, message_id: UUID, post: Post | None, now_ms: int) -> bool:
        """Put the checkpoint into the outbox as a message of its own and move what is due to the next local day, together.

        Without ``post`` only what is due moves. False, and nothing changed: somebody else was faster, or nobody wants it any
        more. Dying before the commit: nothing happened; after it: whoever delivers log messages finds it.
        """
        ...
