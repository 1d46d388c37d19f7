"""What the transparency log is kept in: rows for what must not be lost, files for what the world reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from attendance.domain.transparency_log import LogHead, WaitingRecord


class DeploymentKey(NamedTuple):
    """A key of the deployment, sealed under its master key."""

    kid: str
    public_key: bytes
    master_wrapped: str


class LogStore(Protocol):
    """The log's rows. Raises UnavailableError when the database is away."""

    async def head(self) -> LogHead | None:
        """The head; None before the log was created."""
        ...

    async def log_key(self) -> DeploymentKey | None:
        """The key that signs checkpoints."""
        ...

    async def create(self, key: DeploymentKey, origin: str, now_ms: int) -> None:
        """Store the first key and the empty head, unless somebody else was faster: theirs stand then."""
        ...

    async def waiting(self, limit: int) -> list[WaitingRecord]:
        """Records that are in no log yet; within a guild in chain order."""
        ...

    async def sequence(self, old: LogHead, new: LogHead, records: Sequence[WaitingRecord]) -> bool:
        """Give the records the next leaf indexes and move the head, in one transaction, if it still is ``old``.

        Returns False, and stores nothing, if it is not.
        """
        ...

    async def entries(self, first: int, end: int) -> bytes:
        """SHA-256 of the records of the leaves ``[first, end)``, one after the other."""
        ...

    async def take_back(self, old: LogHead, new: LogHead, entries: bytes, now_ms: int) -> int:
        """Repair after a restored backup, in one transaction.

        The entries that the tiles have and the database lost are stored, the head is moved, and ``chain.restored`` is queued
        before everything else in every guild that has a chain.

        Returns:
            How many guilds that are.

        Raises:
            ConflictError: The head is not ``old``.
        """
        ...


class LogFiles(Protocol):
    """What the world reads: tiles and the checkpoint, by their paths. Blocking: call from a thread.

    Who can write here can hide the log or show another; whoever kept a checkpoint, or verifies a proof, sees it.
    """

    def read(self, path: str) -> bytes | None:
        """A tile's bytes, or None."""
        ...

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Store tiles durably, each whole or not at all; one that is there with the same bytes stays.

        Raises:
            ConflictError: A tile is there with other bytes; it was left alone.
            UnavailableError: The folder cannot be written.
        """
        ...

    def checkpoint(self) -> bytes | None:
        """The published checkpoint, a signed note."""
        ...

    def publish(self, checkpoint: bytes, size: int) -> None:
        """Put a checkpoint in the place of the published one, durably and at once, unless that is as large already."""
        ...
