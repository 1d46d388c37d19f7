"""Made-up history and recorded history never meet in one database."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from attendance.errors import ConfigError, ConflictError
from attendance.ports.clock import Clock
from attendance.ports.provenance import Provenance, ProvenanceStore, Source


@dataclass(frozen=True, slots=True)
class Provenances:
    """Keeps a deployment's sources apart."""

    store: ProvenanceStore
    clock: Clock

    async def note_gateway(self, host: str) -> None:
        """Note, before anything is recorded from a host, that it is: a later `begin` is refused because of it.

        Raises:
            ConfigError: the database holds made-up history, and the host is not a simulator on this machine.
        """
        if (await self.store.read()).made_up is not None and not _is_loopback(host):
            raise ConfigError(f"the database holds made-up history: it must not record {host} (use another data folder)")
        await self.store.note(host, self.clock.now_ms())

    async def begin(self, since_ms: int) -> Source | None:
        """Claim the database for history that begins at ``since_ms``; returns what is there already, whole.

        Raises:
            ConflictError: something was recorded here, or an earlier attempt did not come to its end.
        """
        before = await self.store.begin_made_up(since_ms)
        if before.made_up is not None and before.made_up.complete:
            return before.made_up
        if before.made_up is not None:
            raise ConflictError("history was being made up here and did not come to its end: delete the data folder")
        if before.sources or not before.is_empty:
            raise ConflictError(f"{_recorded(before)}: history is never made up where anything was recorded")
        return None

    async def finish(self) -> None:
        """All of it is there."""
        await self.store.finish_made_up()


def _recorded(before: Provenance) -> str:
    if not before.sources:
        return "the database was recorded from Discord by an earlier version"
    return f"the database was recorded from {', '.join(source.name for source in before.sources)}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
