"""The dashboard: beside the API in one process, or in a process of its own."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import structlog
import uvicorn

from attendance.clock import SystemClock
from attendance.config import Settings
from attendance.errors import ConfigError
from attendance.ids import SystemIds
from attendance.sql.database import Database, open_database
from attendance.wiring.http import HTTP, HttpServer, listen, url_of
from attendance.wiring.service import Service
from dashboard.domain.ids import UserId, parse_user_id
from dashboard.services import services_of
from dashboard.services.accounts import Accounts
from dashboard.services.erasure import AccountErasures
from dashboard.settings import dashboard_settings, database_url_of, is_wanted
from dashboard.store.accounts import SqlAccountStore
from dashboard.store.activity import SqlActivityLog
from dashboard.store.erasure import SqlAccountErasure
from dashboard.store.steps import STEPS
from dashboard.wiring import open_dashboard

log = structlog.get_logger("rollcall")


async def add_dashboard_beside(settings: Settings, resources: AsyncExitStack, service: Service) -> None:
    """In the API's process, where people can sign in at all."""
    if not is_wanted(settings):
        log.info("no dashboard: DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET are not set")
        return
    await _add(settings, resources, service, service.api_url or "")


async def add_dashboard_alone(settings: Settings, resources: AsyncExitStack, service: Service) -> None:
    """In a process of its own, which shares nothing with the API but its secret.

    Raises:
        ConfigError: it is not told where the API is, or with which secret to ask it.
    """
    if settings.api_url is None:
        raise ConfigError("ROLLCALL_API_URL must be set for a dashboard of its own")
    if settings.api_internal_secret is None:
        raise ConfigError("API_INTERNAL_SECRET must be set for a dashboard of its own: the API's")
    await _add(settings, resources, service, settings.api_url)


async def migrate_dashboard(settings: Settings) -> str | None:
    """Bring a dashboard's database that the settings name to this version's schema; its revision, None where none is named.

    An embedded one, in the data folder, is brought there by a start.

    Raises:
        ConfigError: the database holds something else, or is newer than this code.
        UnavailableError: it is away.
    """
    if settings.dashboard_database_url is None:
        return None
    database = open_database(settings.dashboard_database_url)
    try:
        await STEPS.upgrade(database)
    finally:
        await database.close()
    return STEPS.head_revision()


async def erase_from_dashboard(settings: Settings, user_id: str) -> None:
    """Erase somebody from the dashboard's database, whether it runs or not.

    Discord's tokens of their sessions are forgotten, and expire at Discord by themselves: no secret is needed here.

    Raises:
        InvalidInputError: it is no Discord id.
        NotFoundError: nobody with this id ever signed in.
        ConflictError: they are the last super admin.
        ConfigError: there is no such database, or it holds something else.
        UnavailableError: it is away.
    """
    asked = parse_user_id(user_id)
    database = open_database(database_url_of(settings))
    try:
        _expect_file(database)
        await STEPS.prepare(database)
        clock = SystemClock()
        configured = frozenset(UserId(one) for one in settings.admin_user_ids)
        log, store = SqlActivityLog(database), SqlAccountStore(database)
        accounts = Accounts(store=store, log=log, clock=clock, configured=configured)
        await AccountErasures(SqlAccountErasure(database), accounts, clock).erase(asked)
    finally:
        await database.close()


def _expect_file(database: Database) -> None:
    """SQLite would make a new one."""
    path = database.url.database
    if database.is_sqlite and path is not None and not Path(path).exists():
        raise ConfigError(f"there is no {path}: no dashboard ever ran here")


async def _add(settings: Settings, resources: AsyncExitStack, service: Service, api_url: str) -> None:
    listener = listen(settings.dashboard_host, settings.dashboard_port)
    resources.callback(listener.close)
    service.dashboard_url = settings.dashboard_url or url_of(listener)
    log.info("the dashboard listens", address=url_of(listener))  # behind a proxy people type another one
    own = dashboard_settings(settings, api_url=api_url, dashboard_url=service.dashboard_url)
    app = await resources.enter_async_context(open_dashboard(own, SystemClock(), SystemIds()))
    server = HttpServer(uvicorn.Config(app, **HTTP))
    service.stops.append(services_of(app).live.stop)  # before the dashboard waits for its running requests
    service.add("dashboard", lambda: server.serve(sockets=[listener]), server.ask_to_stop)
