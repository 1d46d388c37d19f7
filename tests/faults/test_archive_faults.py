"""An archiver dies, fails or only sleeps between any two of its writes; then another one, or itself, goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from attendance.clock import FixedClock
from attendance.errors import UnavailableError
from attendance.ports.archiving import Archived, Claim, Entry, PeriodKey, Standing
from attendance.services.archive import CLAIM_MS
from attendance.store.database import Database
from attendance.store.periods import SqlPeriodStore
from tests.closed_periods import an_archiver, assert_archived_once, close_period, queued, sql_archiver

T = TypeVar("T")

# claim, drop (nothing there), three chunks, finish with the last
WRITES = 6


class Killed(BaseException):
    """SIGKILL, as far as the code can tell: nothing of this process runs any more."""


@dataclass
class BrokenStore:
    """Breaks at one write: ``before`` (failed and not stored) or ``after`` it (failed but stored)."""

    store: SqlPeriodStore
    at: int
    when: str
    error: type[BaseException]
    writes: int = 0
    dead: bool = False
    log: list[str] = field(default_factory=list)

    async def due(self, now_ms: int, limit: int) -> list[PeriodKey]:
        return await self.store.due(now_ms, limit)

    async def claim(self, claim: Claim, now_ms: int, until_ms: int) -> bool:
        return await self._write("claim", self.store.claim(claim, now_ms, until_ms))

    async def drop_entries(self, claim: Claim, until_ms: int, limit: int) -> int:
        return await self._write("drop", self.store.drop_entries(claim, until_ms, limit))

    def standings(self, period: PeriodKey, chunk: int) -> AsyncGenerator[list[Standing]]:
        return self.store.standings(period, chunk)

    async def add_entries(self, claim: Claim, until_ms: int, entries: Sequence[Entry]) -> None:
        await self._write("add", self.store.add_entries(claim, until_ms, entries))

    async def finish(self, claim: Claim, entries: Sequence[Entry], archived: Archived, now_ms: int) -> None:
        await self._write("finish", self.store.finish(claim, entries, archived, now_ms))

    async def release(self, claim: Claim) -> None:
        if self.dead:
            raise Killed
        await self.store.release(claim)

    async def _write(self, name: str, write: Coroutine[object, object, T]) -> T:
        self.writes += 1
        self.log.append(name)
        breaks = self.writes == self.at
        if breaks and self.when == "before":
            write.close()
            self._break()
        result = await write
        if breaks:
            self._break()
        return result

    def _break(self) -> None:
        self.dead = self.error is Killed
        raise self.error("broken here")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, WRITES + 1))
async def test_another_archiver_finishes_what_a_killed_one_began(database: Database, at: int, when: str) -> None:
    await close_period(database)
    clock = FixedClock()
    store = BrokenStore(SqlPeriodStore(database), at, when, Killed)
    with pytest.raises(Killed):
        await an_archiver(store, clock).archive_due()

    other = sql_archiver(database, clock, "two")
    if (at, when) not in {(1, "before"), (WRITES, "after")}:
        assert await other.archive_due() == 0, "the claim of the dead archiver still stands"
    clock.advance(CLAIM_MS + 1)
    assert await other.archive_due() == (0 if (at, when) == (WRITES, "after") else 1)
    await assert_archived_once(database)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, WRITES + 1))
async def test_an_archiver_goes_on_at_once_after_the_database_failed_a_write(database: Database, at: int, when: str) -> None:
    await close_period(database)
    clock = FixedClock()
    store = BrokenStore(SqlPeriodStore(database), at, when, UnavailableError)
    archiver = an_archiver(store, clock)
    with pytest.raises(UnavailableError):
        await archiver.archive_due()
    if (at, when) == (1, "after"):
        clock.advance(CLAIM_MS + 1)  # nobody knows of that claim: it must run out
    done = await archiver.archive_due()
    assert done == (0 if (at, when) == (WRITES, "after") else 1)
    await assert_archived_once(database)


async def test_the_writes_are_those_that_the_tables_above_break(database: Database) -> None:
    await close_period(database)
    store = BrokenStore(SqlPeriodStore(database), 0, "never", Killed)
    await an_archiver(store, FixedClock()).archive_due()
    assert store.log == ["claim", "drop", "add", "add", "add", "finish"]
    assert len(store.log) == WRITES


@pytest.mark.parametrize("first", range(3, WRITES + 1))
@pytest.mark.parametrize("second", range(1, WRITES + 4))
async def test_two_deaths_in_a_row_leave_one_archive(database: Database, first: int, second: int) -> None:
    await close_period(database)
    clock = FixedClock()
    for at in (first, second):
        store = BrokenStore(SqlPeriodStore(database), at, "after", Killed)
        with suppress(Killed):
            await an_archiver(store, clock).archive_due()
        clock.advance(CLAIM_MS + 1)
    await sql_archiver(database, clock, "three").archive_due()
    await assert_archived_once(database)


@dataclass
class SleepyStore(BrokenStore):
    """Stops before one write, as a stopped process does, until it is woken."""

    asleep: asyncio.Event = field(default_factory=asyncio.Event)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def _write(self, name: str, write: Coroutine[object, object, T]) -> T:
        self.writes += 1
        self.log.append(name)
        if self.writes == self.at:
            self.asleep.set()
            try:
                await self.woken.wait()
            finally:
                if not self.woken.is_set():
                    write.close()
        return await write


@pytest.mark.parametrize("at", range(2, WRITES + 1))
async def test_a_sleeper_that_was_replaced_writes_nothing_more(database: Database, at: int) -> None:
    await close_period(database)
    clock = FixedClock()
    store = SleepyStore(SqlPeriodStore(database), at, "before", Killed)
    sleeper = asyncio.create_task(an_archiver(store, clock).archive_due())
    await store.asleep.wait()
    clock.advance(CLAIM_MS + 1)

    assert await sql_archiver(database, clock, "two").archive_due() == 1
    store.woken.set()
    assert await sleeper == 0
    await assert_archived_once(database)


@pytest.mark.parametrize("at", range(2, WRITES + 1))
@pytest.mark.parametrize("progress", range(2, WRITES + 1))
async def test_a_sleeper_that_wakes_while_another_is_at_work_is_fenced_off(database: Database, at: int, progress: int) -> None:
    await close_period(database)
    clock = FixedClock()
    sleepy = SleepyStore(SqlPeriodStore(database), at, "before", Killed)
    sleeper = asyncio.create_task(an_archiver(sleepy, clock).archive_due())
    await sleepy.asleep.wait()
    clock.advance(CLAIM_MS + 1)

    busy = SleepyStore(SqlPeriodStore(database), progress, "before", Killed)
    worker = asyncio.create_task(an_archiver(busy, clock, "two").archive_due())
    await busy.asleep.wait()
    sleepy.woken.set()
    assert await sleeper == 0
    busy.woken.set()
    assert await worker == 1
    await assert_archived_once(database)


@pytest.mark.parametrize("at", range(2, WRITES + 1))
async def test_a_cancelled_archiver_gives_its_claim_back(database: Database, at: int) -> None:
    await close_period(database)
    clock = FixedClock()
    store = SleepyStore(SqlPeriodStore(database), at, "before", Killed)
    task = asyncio.create_task(an_archiver(store, clock).archive_due())
    await store.asleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await queued(database) == []
    assert await sql_archiver(database, clock, "two").archive_due() == 1
    await assert_archived_once(database)
