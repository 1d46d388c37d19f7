"""Every write of a delivery failing both ways: not stored, and stored although it failed; and a process that dies there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.clock import FixedClock
from attendance.domain.log_destinations import Frequency
from attendance.errors import UnavailableError
from attendance.ports.log_deliveries import Answer, Outcome
from attendance.services.log_delivery import CLAIM_MS
from attendance.store.database import Database
from attendance.store.log_deliveries import SqlLogDeliveryStore
from tests.log_world import GATHERED, NOW, ChannelList, deliverer, destination, sessions, settle, stored, waiting


class Killed(BaseException):
    """SIGKILL, as far as the code can tell."""


class FaultyDatabase:
    """A database whose n-th write transaction fails: before its commit, or although it was committed."""

    def __init__(self, database: Database, failing: int, mode: str, error: type[BaseException]) -> None:
        self.database, self.failing, self.mode, self.error, self.transactions = database, failing, mode, error, 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.transactions += 1
        fails = self.transactions == self.failing
        async with self.database.transaction() as connection:
            yield connection
            if fails and self.mode == "not stored":
                raise self.error("the commit failed")
        if fails and self.mode == "stored":
            raise self.error("the commit was stored, but nobody said so")

    def snapshot(self):
        return self.database.snapshot()


# What Discord answers first, the number of write transactions until all is done, and how many messages are shown then.
STORIES = {
    "posted": ([], 2, 1),  # compose, finish
    "answer lost": ([Answer(Outcome.UNKNOWN, "away")], 4, 1),  # compose, postpone, claim, finish
    "limited": ([Answer(Outcome.LIMITED, retry_after_s=1)], 4, 1),
    "refused": ([Answer(Outcome.REFUSED, "50035")], 2, 0),  # compose, drop
    "gone": ([Answer(Outcome.GONE, "gone")], 2, 0),  # compose, disable
}
CASES = [(story, failing) for story, (_, writes, _) in STORIES.items() for failing in range(1, writes + 1)]


async def deliver_until_done(database: Database, faulty: FaultyDatabase, channels: ChannelList, clock: FixedClock) -> None:
    broken = deliverer(SqlLogDeliveryStore(faulty), channels, clock)
    for _ in range(3):
        with suppress(UnavailableError, Killed):
            await broken.deliver_due()
        clock.advance(2_500)
    clock.advance(CLAIM_MS)
    for _ in range(2):
        await deliverer(database, channels, clock, "two").deliver_due()
        clock.advance(CLAIM_MS)


@pytest.mark.parametrize("error", [UnavailableError, Killed])
@pytest.mark.parametrize("mode", ["not stored", "stored"])
@pytest.mark.parametrize(("story", "failing"), CASES)
async def test_whatever_write_fails_everything_is_told_once(sqlite_database, story, failing, mode, error) -> None:
    answers, writes, shown = STORIES[story]
    await settle(sqlite_database)
    await destination(sqlite_database)
    await sessions(sqlite_database, 3)
    faulty = FaultyDatabase(sqlite_database, failing, mode, error)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList(answers=list(answers))
    await deliver_until_done(sqlite_database, faulty, channels, clock)
    assert faulty.transactions >= min(failing, writes)
    # A refusal that was not stored is asked for again, and this Discord has no second refusal.
    again = shown == 0 and failing == writes and mode == "not stored"
    assert len(channels.posted) == shown + again
    assert await waiting(sqlite_database) == (0, 0)


@pytest.mark.postgresql
@pytest.mark.parametrize("mode", ["not stored", "stored"])
@pytest.mark.parametrize("failing", [1, 2])
async def test_whatever_write_fails_on_postgresql_everything_is_told_once(database, failing, mode) -> None:
    await settle(database)
    await destination(database)
    await sessions(database, 3)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList()
    await deliver_until_done(database, FaultyDatabase(database, failing, mode, UnavailableError), channels, clock)
    assert (len(channels.posted), await waiting(database)) == (1, (0, 0))


@pytest.mark.parametrize("mode", ["not stored", "stored"])
@pytest.mark.parametrize("failing", [1, 2, 3])
async def test_an_hourly_destination_is_told_in_its_hour_though_writes_fail(sqlite_database, failing, mode) -> None:
    await settle(sqlite_database)
    await destination(sqlite_database, Frequency.HOURLY)
    clock, channels = FixedClock(NOW + 3_600_000), ChannelList()
    faulty = FaultyDatabase(sqlite_database, failing, mode, UnavailableError)
    broken = deliverer(SqlLogDeliveryStore(faulty), channels, clock)
    for _ in range(2):
        with suppress(UnavailableError):
            await broken.deliver_due()  # passes the hour over
    await sessions(sqlite_database, 1, at_ms=clock.now_ms())
    clock.advance(3_600_000)
    await deliver_until_done(sqlite_database, faulty, channels, clock)
    assert (len(channels.posted), await waiting(sqlite_database)) == (1, (0, 0))
    assert (await stored(sqlite_database)).next_due_at_ms == NOW + 3 * 3_600_000
