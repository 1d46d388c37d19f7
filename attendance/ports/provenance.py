"""What a database was recorded from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MADE_UP = "made up by rollcall demo-history"
"""The source of what no gateway ever said."""


@dataclass(frozen=True, slots=True)
class Source:
    """A host of Discord's REST API, or `MADE_UP`; ``since_ms``: when it was first noted, or its first made-up instant."""

    name: str
    since_ms: int
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Provenance:
    """Every source, and whether anything at all was recorded (which databases older than the sources may be, without one)."""

    sources: Sequence[Source]
    is_empty: bool

    @property
    def made_up(self) -> Source | None:
        """What was made up, if anything was."""
        return next((source for source in self.sources if source.name == MADE_UP), None)


class ProvenanceStore(Protocol):
    """Keeps the sources. Each method is one transaction."""

    async def read(self) -> Provenance:
        """What there is."""
        ...

    async def note(self, host: str, now_ms: int) -> Provenance:
        """Note that from now on this host is recorded from; returns what stood before."""
        ...

    async def begin_made_up(self, since_ms: int) -> Provenance:
        """Note that history is being made up, if nothing was ever recorded; returns what stood before."""
        ...

    async def finish_made_up(self) -> None:
        """Note that all of it is there."""
        ...
