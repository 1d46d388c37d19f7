"""SQLite's connections do a statement in one visit to their thread, and a statement that fails leaves them as they were."""

from __future__ import annotations

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
