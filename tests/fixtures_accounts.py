"""`accounts_database`: the dashboard's own database, new for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from attendance.sql.database import Database, open_database
from dashboard.store.steps import STEPS
from tests.fixtures_empty_database import DIALECTS, create_database, drop_databases

_numbers = count()


@pytest.fixture(scope="session")
def accounts_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accounts") / "template.sqlite3"

    async def make() -> None:
        database = open_database(f"sqlite:///{path}")
        await STEPS.upgrade(database)
        await database.truncate_log()
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def sqlite_accounts_database(accounts_template: Path, memory_path: Path) -> AsyncIterator[Database]:
    path = memory_path / f"dashboard-{next(_numbers)}.sqlite3"
    shutil.copyfile(accounts_template, path)
    database = open_database(f"sqlite:///{path}")
    yield database
    await database.close()


@pytest.fixture
async def postgresql_accounts_database(postgresql_server_url: str) -> AsyncIterator[Database]:
    url = await create_database(postgresql_server_url)
    database = open_database(url)
    await STEPS.upgrade(database)
    yield database
    await database.close()
    await drop_databases([url])


@pytest.fixture(params=DIALECTS)
def accounts_database(request: pytest.FixtureRequest) -> Database:
    return request.getfixturevalue(f"{request.param}_accounts_database")
