"""What the archiver needs from the store. Each method is one transaction, or says otherwise.

All of them raise UnavailableError while the database is away; whether a failing write was stored is then unknown.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from attendance.domain.ids import GuildId, UserId


class PeriodKey(NamedTuple):
    """Which period."""

    guild_id: GuildId
    period_index: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A period that one attempt works on. ``claimed_by`` is new for each attempt: it fences off every earlier one."""

    period: PeriodKey
    claimed_by: str


class Standing(NamedTuple):
    """A member's sums in a period: credited milliseconds, and sessions (at least one)."""

    user_id: UserId
    credited_ms: int
    session_count: int


class Entry(NamedTuple):
    """A line of the archive (records, section 2). ``position`` counts from 0 in the order of ``entries_root``."""

    position: int
    user_id: UserId
    rank: int
    credited_ms: int
    session_count: int
    salt: bytes
    leaf_sha256: bytes


@dataclass(frozen=True, slots=True)
class Archived:
    """What the archive of a period comes to."""

    entry_count: int
    entries_root: bytes


class PeriodStore(Protocol):
    """Closed periods on their way into the archive.

    Every write with a claim happens only while the claim stands, and extends it, in one transaction; otherwise it raises
    OwnershipLostError and has written nothing.
    """

    async def due(self, now_ms: int, limit: int) -> list[PeriodKey]:
        """Periods whose sessions are all stored and that nobody works on, the longest closed first."""
        ...

    async def claim(self, claim: Claim, now_ms: int, until_ms: int) -> bool:
        """Take the period, if it is closed and no other claim stands at ``now_ms``. False: someone else was faster."""
        ...

    async def drop_entries(self, claim: Claim, until_ms: int, limit: int) -> int:
        """Delete up to ``limit`` entries that an earlier attempt left; how many there were. 0: none are left."""
        ...

    def standings(self, period: PeriodKey, chunk: int) -> AsyncGenerator[list[Standing]]:
        """Everyone with a session in the period, in any order, ``chunk`` at a time, as of one instant."""
        ...

    async def add_entries(self, claim: Claim, until_ms: int, entries: Sequence[Entry]) -> None:
        """Write some entries."""
        ...

    async def finish(self, claim: Claim, entries: Sequence[Entry], archived: Archived, now_ms: int) -> None:
        """Write the last entries, mark the period archived, give the claim back, and queue the period's record.

        It happens once for a period, however often it is tried: only a closed period becomes an archived one.
        """
        ...

    async def release(self, claim: Claim) -> None:
        """Let another attempt begin at once. A claim that no longer stands is no error."""
        ...
