"""What a transaction promises when its task is cancelled, its connection dies, or the database is full."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Connection, event, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from attendance.errors import UnavailableError
from attendance.store import schema
from attendance.store.database import Database, bulk_insert, bulk_upsert, open_database
from tests.fixtures_database import MakeUrl

COLUMNS = ("guild_id", "user_id", "display_name", "bot")


@pytest.fixture
async def postgresql_database(migrated_database_url: MakeUrl) -> AsyncIterator[Database]:
    database = open_database(await migrated_database_url("postgresql"))
    yield database
    await database.close()


async def write(database: Database, first: int, count: int = 200) -> None:
    async with database.transaction() as connection:
        await connection.execute(select(schema.deployment.c.id))
        for user_id in range(first, first + count, 20):
            rows = [(1, user_id + extra, "x", False) for extra in range(20)]
            await bulk_upsert(connection, schema.member, COLUMNS, rows)


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_a_transaction_that_is_cancelled_at_any_await_leaves_nothing_behind_and_lets_the_next_in(
    database: Database, turns: int
) -> None:
    await write(database, 0)
    doomed = asyncio.create_task(write(database, 1_000))
    for _ in range(turns):
        await asyncio.sleep(0)
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    await write(database, 2_000)  # "another process is writing to it" if the write lock was left behind
    async with database.snapshot() as connection:
        stored = set(await connection.scalars(select(schema.member.c.user_id)))
    doomed_rows = {user_id for user_id in stored if 1_000 <= user_id < 2_000}
    assert len(doomed_rows) in (0, 200), "half of a transaction is stored"


async def end_connections(database: Database) -> None:
    connection = await asyncpg.connect(database.url.set(drivername="postgresql").render_as_string(hide_password=False))
    pids = await connection.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
    )
    for row in pids:
        await connection.execute("SELECT pg_terminate_backend($1)", row["pid"])
    await connection.close()


@pytest.mark.postgresql
@pytest.mark.parametrize("turns", [0, 2, 5, 9, 14, 20, 27, 35, 44])
async def test_a_server_that_ends_our_connection_anywhere_is_unavailable_and_then_back(
    postgresql_database: Database, turns: int
) -> None:
    database = postgresql_database
    await write(database, 0)
    doomed = asyncio.create_task(write(database, 1_000, 20_000))
    for _ in range(turns):
        await asyncio.sleep(0)
    await end_connections(database)
    result = (await asyncio.gather(doomed, return_exceptions=True))[0]
    assert result is None or isinstance(result, UnavailableError), repr(result)
    await write(database, 30_000)


@pytest.mark.slow
@pytest.mark.postgresql
async def test_a_server_that_ends_our_connection_during_a_copy_is_unavailable(
    postgresql_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attendance.store.database._COPY_S", 1.0)
    database = postgresql_database
    rows = [(1, user_id, "x" * 50, False) for user_id in range(200_000)]

    async def copy() -> None:
        async with database.transaction() as connection:
            await bulk_insert(connection, schema.member, COLUMNS, rows)

    doomed = asyncio.create_task(copy())
    await asyncio.sleep(0.05)
    while not doomed.done():
        await end_connections(database)
    with pytest.raises(UnavailableError):
        await doomed
    await write(database, 0)


@pytest.mark.postgresql
async def test_a_bulk_write_that_comes_first_belongs_to_its_transaction(postgresql_database: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with postgresql_database.transaction() as connection:
            await bulk_insert(connection, schema.member, COLUMNS, [(1, 1, "x", False)])
            raise ZeroDivisionError
    async with postgresql_database.snapshot() as connection:
        assert (await connection.execute(select(schema.member))).all() == []


async def test_a_value_that_does_not_fit_is_an_error_and_not_an_outage(database: Database) -> None:
    with pytest.raises((DBAPIError, asyncpg.DataError, OverflowError)):
        async with database.transaction() as connection:
            await bulk_upsert(connection, schema.member, COLUMNS, [(1, 2**70, "x", False)])


async def test_a_full_disk_is_said_and_leaves_whole_transactions(sqlite_database: Database) -> None:
    @event.listens_for(sqlite_database.writer.sync_engine, "connect")
    def small(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA max_page_count=150")
        cursor.close()

    with pytest.raises(UnavailableError, match="the disk is full"):  # noqa: PT012
        for first in range(0, 10**6, 2_000):
            await write(sqlite_database, first, 2_000)
    async with sqlite_database.snapshot() as connection:
        stored = sorted(await connection.scalars(select(schema.member.c.user_id)))
    assert stored == list(range(len(stored)))
    assert len(stored) % 2_000 == 0
    async with sqlite_database.snapshot() as connection:
        assert await connection.scalar(text("PRAGMA integrity_check")) == "ok"


async def test_a_read_only_file_is_said(sqlite_database: Database) -> None:
    @event.listens_for(sqlite_database.writer.sync_engine, "begin", insert=True)
    def only_reading(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only=1")

    with pytest.raises(UnavailableError, match="the database is not available: its file is read-only"):
        await write(sqlite_database, 0)


async def test_a_database_that_is_not_there_is_said(memory_path: Path) -> None:
    for url, words in (
        (f"sqlite:///{memory_path}/none/there.sqlite3", "its file cannot be opened"),
        ("postgresql://127.0.0.1:1/none", "nobody listens at its address"),
    ):
        database = open_database(url)
        with pytest.raises(UnavailableError, match=words):
            await write(database, 0)
        await database.close()
