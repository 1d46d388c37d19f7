"""Turns closed periods into archives: ranked, salted, hashed, written in chunks, and queued to be signed.

What happens if we die here: after `claim`, nothing; the claim runs out. Between chunks, some entries stand; the next
attempt deletes them, since their salts are its own to choose, and begins anew. In `finish`, either everything happened or
nothing. A process that was only slow finds its claim gone at its next write and stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from attendance.core import leaderboard_entries
from attendance.domain.ids import UserId
from attendance.errors import OwnershipLostError, UnavailableError
from attendance.ports.archiving import Archived, Claim, Entry, PeriodKey, PeriodStore
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.signing import Wake

# Long enough for the slowest single step, ranking, of a million members; short enough for a dead archiver to be replaced.
CLAIM_MS = 15_000
# On SQLite a chunk's transaction keeps the journal waiting: this many rows take 10 to 60 ms, on a busy machine too.
ENTRIES_A_CHUNK = 2_000
_PERIODS_A_LOOK = 50
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Archiver:
    """Archives periods. Any number of processes may run one; each period is archived once.

    Attributes:
        holder: names this process in claims, for people who look; at most 40 characters of it are kept.
        queued: set after each archived period, since a record waits to be signed then.
    """

    store: PeriodStore
    clock: Clock
    ids: IdSource
    holder: str
    queued: Wake = field(default_factory=asyncio.Event)
    entries_a_chunk: int = ENTRIES_A_CHUNK

    async def archive_due(self) -> int:
        """Archive every period that is closed and in nobody's hands; how many this process archived.

        Raises:
            UnavailableError: the database is away; what was being archived is taken up again later.
        """
        archived = 0
        while periods := await self.store.due(self.clock.now_ms(), _PERIODS_A_LOOK):
            done = [await self._archive(period) for period in periods]
            if not any(done):
                break  # every one was taken by another process
            archived += sum(done)
        return archived

    async def _archive(self, period: PeriodKey) -> bool:
        """Archive one period, unless another attempt has it or takes it over."""
        claim = Claim(period, f"{self.holder[:40]}/{self.ids.salt()[:8].hex()}")
        now_ms = self.clock.now_ms()
        if not await self.store.claim(claim, now_ms, now_ms + CLAIM_MS):
            return False
        try:
            await self._drop_leftovers(claim)
            await self._write(claim, await self._ranked(period))
        except OwnershipLostError:
            return False
        except (UnavailableError, asyncio.CancelledError):
            with suppress(UnavailableError):  # then the claim runs out by itself
                await self.store.release(claim)
            raise
        except Exception as error:
            # The claim is kept until it runs out, so that a period that cannot be archived does not hold up the others.
            error.add_note(f"while archiving period {period.period_index} of guild {period.guild_id}")
            raise
        self.queued.set()
        return True

    async def _drop_leftovers(self, claim: Claim) -> None:
        while await self.store.drop_entries(claim, self._until_ms(), self.entries_a_chunk):
            pass

    async def _ranked(self, period: PeriodKey) -> _Ranking:
        # Plain tuples: the garbage collector forgets those, while a hundred thousand named ones cost it 0.1 s at a time.
        sums: list[tuple[int, int, int]] = []
        async with aclosing(self.store.standings(period, self.entries_a_chunk)) as chunks:
            async for chunk in chunks:
                sums += [(member.user_id, member.credited_ms, member.session_count) for member in chunk]
        return await asyncio.to_thread(_rank, sums, self.ids.salt(len(sums)))

    async def _write(self, claim: Claim, ranking: _Ranking) -> None:
        count, size = len(ranking.ranked), self.entries_a_chunk
        last = max(0, (count - 1) // size * size)
        for start in range(0, last, size):
            await self.store.add_entries(claim, self._until_ms(), ranking.entries(start, start + size))
        archived = Archived(count, ranking.entries_root)
        await self.store.finish(claim, ranking.entries(last, count), archived, self.clock.now_ms())

    def _until_ms(self) -> int:
        return self.clock.now_ms() + CLAIM_MS


@dataclass(frozen=True, slots=True)
class _Ranking:
    """``ranked``: (user, rank, entry as JSON, leaf) in order; ``sums``: user to (user, credited milliseconds, sessions)."""

    ranked: Sequence[tuple[int, int, bytes, bytes]]
    entries_root: bytes
    sums: Mapping[int, tuple[int, int, int]]
    salts: bytes

    def entries(self, start: int, stop: int) -> list[Entry]:
        made = []
        for position, (user_id, rank, _json, leaf_sha256) in enumerate(self.ranked[start:stop], start):
            _, credited_ms, session_count = self.sums[user_id]
            salt = self.salts[_SALT_BYTES * position : _SALT_BYTES * (position + 1)]
            made.append(Entry(position, UserId(user_id), rank, credited_ms, session_count, salt, leaf_sha256))
        return made


def _rank(sums: list[tuple[int, int, int]], salts: bytes) -> _Ranking:
    ranked, entries_root = leaderboard_entries(sums, salts)
    return _Ranking(ranked, entries_root, {row[0]: row for row in sums}, salts)
