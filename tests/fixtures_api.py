"""`world` and `client`: a settled guild on both databases, and the API over it, in process."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import AsyncClient
from sqlalchemy import create_engine, insert

from attendance.store.database import open_database
from tests.api_world import START_MS, World, begin_anew, http_client, settled_rows


@pytest.fixture(autouse=True)
def _apps_are_free_again() -> None:
    begin_anew()


@pytest.fixture
async def world(database) -> World:
    world = World(database)
    await world.settle()
    return world


@pytest.fixture(scope="session")
def settled_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `World.settle` makes, in a file: most tests of the API begin with a copy of it."""
    path = tmp_path_factory.mktemp("settled") / "settled.sqlite3"
    shutil.copyfile(sqlite_template, path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for table, rows in settled_rows(START_MS).items():
            connection.execute(insert(table), rows)
    engine.dispose()
    return path


@pytest.fixture
async def sqlite_world(settled_template: Path, memory_path: Path) -> AsyncIterator[World]:
    path = memory_path / "settled.sqlite3"
    shutil.copyfile(settled_template, path)
    database = open_database(f"sqlite:///{path}")
    yield World(database)
    await database.close()


@pytest.fixture
async def client(world: World) -> AsyncIterator[AsyncClient]:
    async with http_client(world.app()) as client:
        yield client


@pytest.fixture
async def sqlite_client(sqlite_world: World) -> AsyncIterator[AsyncClient]:
    async with http_client(sqlite_world.app()) as client:
        yield client
