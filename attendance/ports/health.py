"""What a health check asks of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LeaseState:
    """One shard's lease as it stands."""

    shard_id: int
    connected: bool
    expires_at_ms: int


class HealthSource(Protocol):
    """Reads the leases, and thereby finds out whether the database answers."""

    async def leases(self) -> list[LeaseState]:
        """Every lease of the shard count that is in use; none before a gateway ever ran.

        Raises:
            UnavailableError: the database is away.
        """
        ...
