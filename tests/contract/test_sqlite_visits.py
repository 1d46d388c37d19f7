"""SQLite's connections do a statement in one visit to their thread, and a statement that fails leaves them as they were."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from attendance.sql.database import open_database


@pytest.fixture
async def database(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'one.db'}")
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE number (value INTEGER PRIMARY KEY)"))
    yield database
    await database.close()


async def test_a_query_is_one_visit_and_all_its_rows(database, monkeypatch):
    async with database.transaction() as connection:
        await connection.exec_driver_sql("INSERT INTO number VALUES (?)", [(value,) for value in range(3)])
    visits = []
    visit = aiosqlite.Connection._execute

    async def counted(self, function, *arguments, **options):
        visits.append(function)
        return await visit(self, function, *arguments, **options)

    async with database.snapshot() as connection:
        await connection.execute(text("SELECT 1"))
        monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
        result = await connection.execute(text("SELECT value, value * 2 AS twice FROM number ORDER BY value"))
        assert [row._asdict() for row in result] == [{"value": value, "twice": value * 2} for value in range(3)]
        assert len(visits) == 1


async def test_what_a_statement_changed_is_counted(database):
    async with database.transaction() as connection:
        many = await connection.exec_driver_sql("INSERT INTO number VALUES (?)", [(value,) for value in range(5)])
        assert many.rowcount == 5
        assert (await connection.execute(text("UPDATE number SET value = value + 10 WHERE value > 2"))).rowcount == 2
        returned = await connection.execute(text("DELETE FROM number WHERE value = 13 RETURNING value"))
        assert returned.scalars().all() == [13]


async def test_a_statement_that_fails_changes_nothing_and_the_connection_goes_on(database):
    with pytest.raises(IntegrityError):
        async with database.transaction() as connection:
            await connection.exec_driver_sql("INSERT INTO number VALUES (?)", [(1,), (2,), (1,)])
    async with database.transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM number"))).scalar_one() == 0
        await connection.execute(text("INSERT INTO number VALUES (1)"))
    async with database.snapshot() as connection:
        assert (await connection.execute(text("SELECT value FROM number"))).scalars().all() == [1]


async def test_a_query_can_be_streamed(database):
    async with database.transaction() as connection:
        await connection.exec_driver_sql("INSERT INTO number VALUES (?)", [(value,) for value in range(3_000)])
    async with database.snapshot() as connection, connection.stream(text("SELECT value FROM number ORDER BY value")) as result:
        assert [value async for value in result.scalars()] == list(range(3_000))


async def test_closing_waits_for_the_thread_of_a_connection_whose_opening_was_cancelled(tmp_path, monkeypatch):
    database = open_database(f"sqlite:///{tmp_path / 'one.db'}")
    opening, go_on, threads = threading.Event(), threading.Event(), []
    connect = sqlite3.connect

    def slow(*arguments, **options):
        threads.append(threading.current_thread())
        opening.set()
        assert go_on.wait(60)
        return connect(*arguments, **options)

    monkeypatch.setattr(sqlite3, "connect", slow)

    async def use():
        async with database.transaction():
            pass

    doomed = asyncio.create_task(use())
    await asyncio.to_thread(opening.wait, 60)
    doomed.cancel()
    await asyncio.wait([doomed])
    closing = asyncio.create_task(database.close())
    assert threads[0].is_alive()
    go_on.set()
    await closing
    assert not threads[0].is_alive()
