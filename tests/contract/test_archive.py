from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select, update

from attendance.clock import FixedClock
from attendance.errors import OwnershipLostError, ProfileError
from attendance.ports.archiving import Archived, Claim, Entry, PeriodKey, Standing
from attendance.services.archive import CLAIM_MS
from attendance.store import schema
from attendance.store.database import Database, open_database
from attendance.store.periods import SqlPeriodStore
from tests.closed_periods import (
    GUILD,
    MEMBERS,
    PERIOD,
    assert_archived_once,
    close_period,
    entries,
    period_row,
    queued,
    sql_archiver,
)


def some_entries(first: int, count: int) -> list[Entry]:
    return [Entry(position, position, 1, 0, 1, bytes(16), bytes(32)) for position in range(first, first + count)]


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 8, 1000])
async def test_a_closed_period_is_ranked_hashed_and_queued(database: Database, chunk: int) -> None:
    await close_period(database)
    assert await sql_archiver(database, chunk=chunk).archive_due() == 1
    await assert_archived_once(database)


async def test_a_period_without_sessions_has_the_empty_root(database: Database) -> None:
    await close_period(database, members=[])
    assert await sql_archiver(database).archive_due() == 1
    await assert_archived_once(database, members=[])


async def test_members_without_a_session_in_the_period_have_no_entry(database: Database) -> None:
    members = [*MEMBERS, (99, 0, 0)]
    await close_period(database, members=members)
    await sql_archiver(database).archive_due()
    await assert_archived_once(database, members=members)


@pytest.mark.parametrize("state", ["running", "cut", "archived"])
async def test_only_closed_periods_are_archived(database: Database, state: str) -> None:
    await close_period(database, state=state)
    assert await sql_archiver(database).archive_due() == 0
    assert await entries(database) == []
    assert await queued(database) == []


async def test_archiving_again_changes_nothing(database: Database) -> None:
    await close_period(database)
    archiver = sql_archiver(database)
    await archiver.archive_due()
    before = await entries(database)
    assert await archiver.archive_due() == 0
    assert await entries(database) == before
    await assert_archived_once(database)


@pytest.mark.slow
async def test_every_closed_period_has_its_turn_the_longest_closed_first(database: Database) -> None:
    keys = [PeriodKey(GUILD, 4), PeriodKey(GUILD, 3), PeriodKey(GUILD + 1, 0)]
    for age, key in enumerate(keys):
        await close_period(database, key=key, ended_at_ms=5_000 - age)
    assert await sql_archiver(database).archive_due() == 3
    for key in keys:
        await assert_archived_once(database, key=key)
    assert [(row[0], row[3]) for row in await queued(database)] == [tuple(key) for key in reversed(keys)]


@pytest.mark.slow
async def test_more_periods_than_one_look_returns_are_archived_in_one_call(database: Database) -> None:
    for index in range(60):
        await close_period(database, members=[(1, index, 1)], key=PeriodKey(GUILD, index))
    assert await sql_archiver(database).archive_due() == 60


@pytest.mark.slow
async def test_two_archivers_at_once_archive_every_period_once(database: Database) -> None:
    keys = [PeriodKey(GUILD, index) for index in range(6)]
    for key in keys:
        await close_period(database, key=key)
    other = open_database(database.url.render_as_string(hide_password=False))
    try:
        done = await asyncio.gather(
            sql_archiver(database, name="one").archive_due(), sql_archiver(other, name="two").archive_due()
        )
    finally:
        await other.close()
    assert sum(done) == 6
    for key in keys:
        await assert_archived_once(database, key=key)


async def test_the_signer_is_woken_after_an_archive_and_only_then(database: Database) -> None:
    archiver = sql_archiver(database)
    await archiver.archive_due()
    assert not archiver.queued.is_set()
    await close_period(database)
    await archiver.archive_due()
    assert archiver.queued.is_set()


async def test_a_period_that_cannot_be_archived_does_not_hold_up_the_others(database: Database) -> None:
    broken, fine = PeriodKey(GUILD, 1), PeriodKey(GUILD, 2)
    await close_period(database, members=[(1, -1, 1)], key=broken, ended_at_ms=1_500)
    await close_period(database, key=fine)
    clock = FixedClock()
    archiver = sql_archiver(database, clock)
    with pytest.raises(ProfileError) as caught:
        await archiver.archive_due()
    assert caught.value.__notes__ == [f"while archiving period 1 of guild {GUILD}"]
    assert await archiver.archive_due() == 1
    await assert_archived_once(database, key=fine)
    clock.advance(CLAIM_MS + 1)
    with pytest.raises(ProfileError):
        await archiver.archive_due()
    assert (await period_row(database, broken)).state == "closed"


# -- the store's contract ----------------------------------------------------------------------------------------------


async def test_a_claim_keeps_others_out_until_it_runs_out(database: Database) -> None:
    await close_period(database)
    store = SqlPeriodStore(database)
    first, second = Claim(PERIOD, "first"), Claim(PERIOD, "second")
    assert await store.due(1_000, 10) == [PERIOD]
    assert await store.claim(first, 1_000, 2_000)
    assert await store.due(2_000, 10) == []
    assert not await store.claim(second, 2_000, 9_000)
    assert await store.due(2_001, 10) == [PERIOD]
    assert await store.claim(second, 2_001, 9_000)
    with pytest.raises(OwnershipLostError):
        await store.add_entries(first, 99_000, some_entries(0, 2))
    assert await entries(database) == []


async def test_every_write_extends_the_claim(database: Database) -> None:
    await close_period(database)
    store = SqlPeriodStore(database)
    claim = Claim(PERIOD, "first")
    await store.claim(claim, 1_000, 2_000)
    await store.add_entries(claim, 3_000, some_entries(0, 1))
    assert (await period_row(database)).claimed_until_ms == 3_000
    await store.drop_entries(claim, 4_000, 10)
    assert (await period_row(database)).claimed_until_ms == 4_000


async def test_a_released_period_can_be_claimed_at_once_and_a_lost_claim_releases_nothing(database: Database) -> None:
    await close_period(database)
    store = SqlPeriodStore(database)
    first, second = Claim(PERIOD, "first"), Claim(PERIOD, "second")
    await store.claim(first, 1_000, 2_000)
    await store.release(first)
    assert await store.claim(second, 1_000, 2_000)
    await store.release(first)
    assert (await period_row(database)).claimed_by == "second"


async def test_leftovers_are_dropped_in_bounded_steps(database: Database) -> None:
    await close_period(database)
    store = SqlPeriodStore(database)
    claim = Claim(PERIOD, "first")
    await store.claim(claim, 1_000, 2_000)
    await store.add_entries(claim, 2_000, some_entries(0, 7))
    assert [await store.drop_entries(claim, 2_000, 3) for _ in range(4)] == [3, 3, 1, 0]
    assert await entries(database) == []


async def test_no_write_happens_without_the_claim(database: Database) -> None:
    await close_period(database)
    store = SqlPeriodStore(database)
    mine, not_mine = Claim(PERIOD, "mine"), Claim(PERIOD, "not mine")
    await store.claim(mine, 1_000, 2_000)
    await store.add_entries(mine, 2_000, some_entries(0, 1))
    for write in (
        store.add_entries(not_mine, 9_000, some_entries(1, 1)),
        store.drop_entries(not_mine, 9_000, 10),
        store.finish(not_mine, some_entries(1, 1), Archived(2, bytes(32)), 1_000),
    ):
        with pytest.raises(OwnershipLostError):
            await write
    assert len(await entries(database)) == 1
    row = await period_row(database)
    assert (row.state, row.claimed_by, row.claimed_until_ms) == ("closed", "mine", 2_000)
    assert await queued(database) == []


async def test_finishing_twice_queues_one_record(database: Database) -> None:
    await close_period(database)
    store = SqlPeriodStore(database)
    claim = Claim(PERIOD, "first")
    await store.claim(claim, 1_000, 2_000)
    await store.finish(claim, some_entries(0, 1), Archived(1, bytes(32)), 1_000)
    with pytest.raises(OwnershipLostError):
        await store.finish(claim, some_entries(1, 1), Archived(1, bytes(32)), 1_000)
    assert len(await queued(database)) == 1
    assert len(await entries(database)) == 1


async def test_an_archived_period_cannot_be_claimed(database: Database) -> None:
    await close_period(database)
    await sql_archiver(database).archive_due()
    assert not await SqlPeriodStore(database).claim(Claim(PERIOD, "late"), 2**60, 2**61)


async def test_standings_come_in_chunks_and_as_of_one_instant(database: Database) -> None:
    await close_period(database)
    found: list[Standing] = []
    async for chunk in SqlPeriodStore(database).standings(PERIOD, 3):
        assert 1 <= len(chunk) <= 3
        found += chunk
        async with database.transaction() as connection:
            await connection.execute(update(schema.period_member).values(credited_ms=77))
    assert sorted(found) == sorted(MEMBERS)
    async with database.snapshot() as connection:
        assert await connection.scalar(select(func.max(schema.period_member.c.credited_ms))) == 77
