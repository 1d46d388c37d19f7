"""`database`: a database of today's schema for each test, on SQLite and on PostgreSQL, copied from a template made once."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import create_engine, make_url

from attendance.store.database import Database, open_database
from attendance.store.schema import metadata
from tests.fixtures_empty_database import create_database, drop_databases

_numbers = count()
MakeUrl = Callable[[str], Awaitable[str]]

_MEMORY = Path("/dev/shm")  # noqa: S108
_ENOUGH_BYTES = 512 * 2**20


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: tests kill processes, not machines, and a disk's fsync is most of their time."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ENOUGH_BYTES:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="rollcall-", dir=_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    return path


async def postgresql_template(server_url: str) -> str:
    """The template's name, made by the first test that needs it. Nobody may stay connected to it."""
    name = f"template_{os.getpid()}"
    connection = await asyncpg.connect(server_url)
    if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name):
        await connection.execute(f'CREATE DATABASE "{name}"')
        template = open_database(make_url(server_url).set(database=name).render_as_string(hide_password=False))
        async with template.transaction() as transaction:
            await transaction.run_sync(metadata.create_all)
        await template.close()
    await connection.close()
    return name


@pytest.fixture
async def migrated_database_url(request: pytest.FixtureRequest, memory_path: Path) -> AsyncIterator[MakeUrl]:
    """Call it with a dialect: the URL of a new database that has every table and no row."""
    made: list[str] = []

    async def make(dialect: str) -> str:
        if dialect == "sqlite":
            path = memory_path / f"rollcall-{next(_numbers)}.sqlite3"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        server_url = request.getfixturevalue("postgresql_server_url")
        template = await postgresql_template(server_url)
        made.append(await create_database(server_url, template=template))
        return made[-1]

    yield make
    await drop_databases(made)


@pytest.fixture
async def sqlite_database(migrated_database_url: MakeUrl) -> AsyncIterator[Database]:
    database = open_database(await migrated_database_url("sqlite"))
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, migrated_database_url: MakeUrl) -> AsyncIterator[Database]:
    database = open_database(await migrated_database_url(request.param))
    yield database
    await database.close()
