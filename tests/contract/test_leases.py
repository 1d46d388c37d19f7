"""Who may write: leases, their epochs as fences, and what another count of shards means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from attendance.domain.ids import GuildId, ShardId
from attendance.domain.observations import GuildFacts
from attendance.domain.stream.batch import JournalBatch
from attendance.domain.stream.lines import Line, plain_text
from attendance.errors import OwnershipLostError, UnavailableError
from attendance.ports.gateway import GatewaySession
from attendance.ports.recording import Lease
from attendance.store import schema
from attendance.store.database import Database, open_database
from attendance.store.leases import SqlLeaseStore, fence
from attendance.store.recording import SqlJournalStore
from attendance.store.streams import SqlStreamStore
from tests.books import rows_of

NOW_MS = 1_800_000_000_000
LATER_MS = NOW_MS + 15_000
GUILD = GuildId(5 << 22)  # of shard 0 of 1, and of shard 1 of 2


@pytest.fixture
async def other_process(database: Database) -> AsyncIterator[Database]:
    other = open_database(database.url.render_as_string(hide_password=False))
    yield other
    await other.close()


async def take(database: Database, count: int, shard: int, holder: str, now_ms: int = NOW_MS) -> Lease | None:
    leases = await SqlLeaseStore(database).acquire(count, [ShardId(shard)], holder, now_ms, now_ms + 15_000)
    return leases[0] if leases else None


def a_line(seq: int) -> JournalBatch:
    line = Line(GUILD, seq, NOW_MS, None, "blind", plain_text(NOW_MS, "blind", GUILD))
    return JournalBatch(lines=[line], alive={ShardId(0): NOW_MS})


async def commit(database: Database, lease: Lease, batch: JournalBatch) -> None:
    await SqlJournalStore(database).commit(batch, {lease.shard_id: lease}, NOW_MS)


async def test_a_commit_that_waits_while_the_lease_changes_hands_writes_nothing(
    database: Database, other_process: Database
) -> None:
    lease = await take(database, 1, 0, "one")
    assert lease is not None
    await commit(database, lease, a_line(0))
    async with other_process.transaction() as connection:
        await connection.execute(update(schema.shard_lease).values(epoch=schema.shard_lease.c.epoch + 1))
        waiting = asyncio.create_task(commit(database, lease, a_line(1)))
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
    with pytest.raises(OwnershipLostError):
        await waiting
    assert len(await rows_of(database, schema.journal)) == 1


@pytest.mark.postgresql
@pytest.mark.parametrize(("count", "shard"), [(1, 0), (2, 1)])
async def test_whoever_takes_over_waits_for_the_projection_under_way_and_the_journal_does_not(
    migrated_database_url, count: int, shard: int
) -> None:
    url = await migrated_database_url("postgresql")
    database, other_process = open_database(url), open_database(url)
    lease = await take(database, 1, 0, "one")
    assert lease is not None
    async with database.transaction() as connection:
        await fence(connection, [lease])
        async with asyncio.timeout(30):
            await commit(database, lease, a_line(0))
        taking = asyncio.create_task(take(other_process, count, shard, "two", LATER_MS))
        await asyncio.wait([taking], timeout=0.2)
        assert not taking.done()
    assert await taking is not None
    with pytest.raises(OwnershipLostError):
        async with database.transaction() as connection:
            await fence(connection, [lease])
    await database.close()
    await other_process.close()


@pytest.mark.parametrize("counts", [(1, 2), (2, 1)])
async def test_leases_of_another_count_are_void_from_the_moment_of_the_change(
    database: Database, other_process: Database, counts: tuple[int, int]
) -> None:
    before, after = counts
    old = await take(database, before, 0, "one")
    assert old is not None
    assert await take(other_process, after, 0, "two") is None
    assert await take(other_process, after, 0, "two", LATER_MS) is not None
    with pytest.raises(OwnershipLostError):
        await commit(database, old, a_line(0))
    with pytest.raises(OwnershipLostError):
        await SqlLeaseStore(database).renew([old], LATER_MS, {}, {})


async def test_a_holder_that_changes_its_own_count_is_held_back_by_nothing_and_fences_its_past(database: Database) -> None:
    old = await take(database, 1, 0, "one")
    assert old is not None
    assert await take(database, 2, 0, "one") is not None
    with pytest.raises(OwnershipLostError):
        await commit(database, old, a_line(0))


async def test_signs_of_life_follow_a_guild_through_counts_of_shards(database: Database) -> None:
    streams = SqlStreamStore(database)

    async def alive_ms(lease: Lease) -> int:
        (stream,) = [stream for stream in await streams.load(lease) if stream.guild_id == GUILD]
        return stream.alive_at_ms

    first = await take(database, 1, 0, "one")
    assert first is not None
    batch = a_line(0)
    batch.new_guilds[GUILD] = NOW_MS
    batch.guilds[GUILD] = GuildFacts(GUILD, "guild", 1, None)
    await commit(database, first, batch)
    await SqlLeaseStore(database).renew([first], NOW_MS, {ShardId(0): NOW_MS + 700}, {})
    second = await take(database, 2, 1, "two", LATER_MS)
    assert second is not None
    assert await alive_ms(second) == NOW_MS + 700, "the old count's shard saw the guild last"
    await streams.adopt([second])
    await SqlLeaseStore(database).renew([second], LATER_MS, {ShardId(1): LATER_MS + 300}, {})
    assert await alive_ms(second) == LATER_MS + 300
    third = await take(database, 1, 0, "three", LATER_MS + 15_000)
    assert third is not None
    assert await alive_ms(third) == LATER_MS + 300, "and not what shard 0 of 1 said long ago"


async def test_whoever_is_known_to_be_alone_takes_over_at_once_and_fences_who_was_there(database: Database) -> None:
    first = await take(database, 1, 0, "one")
    assert first is not None
    assert await take(database, 1, 0, "two") is None
    (second,) = await SqlLeaseStore(database).acquire(1, [ShardId(0)], "two", NOW_MS, LATER_MS, alone=True) or []
    assert second.epoch == first.epoch + 1
    with pytest.raises(OwnershipLostError):
        await commit(database, first, a_line(0))
    (third,) = await SqlLeaseStore(database).acquire(2, [ShardId(1)], "three", NOW_MS, LATER_MS, alone=True) or []
    with pytest.raises(OwnershipLostError):
        await commit(database, second, a_line(0))
    await commit(database, third, JournalBatch(alive={ShardId(1): NOW_MS}))


def a_session(shard: int = 0) -> GatewaySession:
    return GatewaySession(ShardId(shard), "abc", 2**40, "wss://gateway.discord.gg", 129)


async def test_a_session_is_left_for_the_next_owner_and_for_nobody_twice(database: Database) -> None:
    store = SqlLeaseStore(database)
    first = await take(database, 1, 0, "one")
    assert first is not None
    await store.release([first], NOW_MS, [a_session()])
    second = await take(database, 1, 0, "two", NOW_MS)
    assert second is not None
    assert await store.take_sessions([second], NOW_MS) == [a_session()]
    assert await store.take_sessions([second], NOW_MS) == [], "who has begun to resume it may have been told something"
    await store.release([second], NOW_MS, [a_session()])
    await store.release([second], NOW_MS, [a_session()])


async def test_a_session_is_not_for_who_comes_later_or_after_another_owner(database: Database) -> None:
    store = SqlLeaseStore(database)
    first = await take(database, 1, 0, "one")
    assert first is not None
    await store.release([first], NOW_MS, [a_session()])
    assert await take(database, 1, 0, "one that dies before it takes the session", NOW_MS) is not None
    third = await take(database, 1, 0, "three", LATER_MS)
    assert third is not None
    assert await store.take_sessions([third], 0) == []
    await store.release([third], LATER_MS, [a_session()])
    fourth = await take(database, 1, 0, "four", LATER_MS)
    assert fourth is not None
    assert await store.take_sessions([fourth], LATER_MS + 1) == [], "too old"


async def test_who_lost_its_lease_leaves_no_session_and_takes_none(database: Database) -> None:
    store = SqlLeaseStore(database)
    first = await take(database, 1, 0, "one")
    second = await take(database, 1, 0, "two", LATER_MS)
    assert first is not None
    assert second is not None
    await store.release([first], LATER_MS, [a_session()])
    assert await rows_of(database, schema.gateway_session) == []
    with pytest.raises(OwnershipLostError):
        await store.take_sessions([first], 0)


async def test_a_shard_takes_its_own_session_and_leaves_the_others_where_they_are(database: Database) -> None:
    store = SqlLeaseStore(database)
    leases = await store.acquire(2, [ShardId(0), ShardId(1)], "one", NOW_MS, LATER_MS)
    assert leases is not None
    await store.release(leases, NOW_MS, [a_session(0), a_session(1)])
    for shard in (1, 0):
        lease = await take(database, 2, shard, f"owner of {shard}", NOW_MS)
        assert lease is not None
        assert await store.take_sessions([lease], 0) == [a_session(shard)]
    await store.release([lease], NOW_MS, [a_session(0)])
    other_count = await take(database, 1, 0, "one of one", LATER_MS)
    assert other_count is not None
    assert await store.take_sessions([other_count], 0) == []


@pytest.mark.postgresql
async def test_a_transaction_that_its_stopped_process_leaves_open_keeps_nobody_out(
    migrated_database_url, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attendance.store.leases._STUCK_MS", 100)
    monkeypatch.setattr("attendance.store.leases._LOCK_MS", 50)
    url = await migrated_database_url("postgresql")
    database, other_process = open_database(url), open_database(url)
    lease = await take(database, 1, 0, "one")
    assert lease is not None
    with pytest.raises(UnavailableError):  # noqa: PT012
        async with database.transaction() as connection:
            await connection.execute(update(schema.shard_lease).values(connected=True))
            while True:
                try:
                    assert await take(other_process, 1, 0, "two", LATER_MS) is not None
                except UnavailableError:
                    continue  # it waits behind the lock, not yet long enough
                break
    with pytest.raises(OwnershipLostError):
        await commit(database, lease, a_line(0))
    await database.close()
    await other_process.close()
