"""Whether the service works: the database answers and every shard is connected."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from attendance import __version__
from attendance.errors import UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.health import HealthSource
from attendance.services.recording.recorder import LEASE_MS

# A probe must get its answer before its own time-out, even if the database hangs instead of refusing.
PATIENCE_SECONDS = 2.0
# An owner says every two seconds that it lives and what it sees. One that has missed three of these says nothing any more,
# whoever may take its lease over and when.
FRESH_MS = 6_000


@dataclass(frozen=True, slots=True)
class HealthReport:
    """``database``: ok or unavailable. ``gateway``: connected, disconnected or unknown (the database cannot say)."""

    database: Literal["ok", "unavailable"]
    gateway: Literal["connected", "disconnected", "unknown"]
    version: str

    @property
    def is_ok(self) -> bool:
        """Whether everything works."""
        return self.database == "ok" and self.gateway == "connected"


@dataclass(frozen=True, slots=True)
class Health:
    """The health check."""

    source: HealthSource
    clock: Clock
    patience_seconds: float = PATIENCE_SECONDS

    async def report(self) -> HealthReport:
        """What works. A gateway counts as connected while each of its shards holds a fresh lease that says so."""
        try:
            async with asyncio.timeout(self.patience_seconds):
                leases = await self.source.leases()
        except (UnavailableError, TimeoutError):
            return HealthReport(database="unavailable", gateway="unknown", version=__version__)
        now = self.clock.now_ms()
        stale = now + LEASE_MS - FRESH_MS  # of leases that were renewed longer ago than that
        connected = bool(leases) and all(lease.connected and lease.expires_at_ms > stale for lease in leases)
        return HealthReport(database="ok", gateway="connected" if connected else "disconnected", version=__version__)
