"""`dashboard`: the whole dashboard on SQLite, with a Discord and an API of its own on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.dashboard_world import DashboardWorld, dashboard_world


@asynccontextmanager
async def serve(app: web.Application) -> AsyncIterator[str]:
    """The address of an app on a port of its own."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@pytest.fixture
async def dashboard(sqlite_accounts_database) -> AsyncIterator[DashboardWorld]:
    async with dashboard_world(sqlite_accounts_database, serve) as world:
        yield world
