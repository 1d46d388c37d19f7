"""What `open_service` builds, top to bottom."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from api.wiring import build_api_services
from attendance.clock import SystemClock
from attendance.config import Settings
from attendance.discord.rest import open_lookup
from attendance.domain.subscriptions import Billing
from attendance.errors import ConfigError
from attendance.store.data_folder import own_data_folder
from attendance.store.database import open_database
from attendance.store.migrate import prepare
from attendance.wiring.api import add_api, add_signer, api_parts
from attendance.wiring.dashboard import add_dashboard_alone, add_dashboard_beside
from attendance.wiring.gateway import add_gateway
from attendance.wiring.ground import Ground
from attendance.wiring.http import serve_metrics
from attendance.wiring.jobs import add_scheduler
from attendance.wiring.roles import Role
from attendance.wiring.service import Service


def open_service(settings: Settings, role: Role) -> AbstractAsyncContextManager[Service]:
    """Build every part of a role; nothing runs yet.

    Raises:
        ConfigError: settings, schema or data folder do not allow it.
        ConflictError: another process uses the data folder.
        UnavailableError: the database is away.
    """
    return _open_dashboard_alone(settings) if role is Role.DASHBOARD else _open_tracker(settings, role)


@asynccontextmanager
async def _open_tracker(settings: Settings, role: Role) -> AsyncIterator[Service]:
    if settings.is_embedded and role is not Role.ALL:
        raise ConfigError("roles run apart on PostgreSQL only: SQLite is for one process (set DATABASE_URL)")
    token = settings.discord_bot_token
    if token is None:
        raise ConfigError("DISCORD_BOT_TOKEN is not set")
    async with AsyncExitStack() as resources:
        if settings.is_embedded:
            resources.enter_context(own_data_folder(settings.data_dir))
        database = open_database(settings.database_url)
        resources.push_async_callback(database.close)
        await prepare(database)
        clock = SystemClock()
        ground = Ground(
            settings=settings,
            token=token,
            resources=resources,
            service=Service(settings),
            database=database,
            lookup=await resources.enter_async_context(open_lookup(token, settings.discord_api_url, clock)),
            billing=Billing(settings.billing, settings.pro_sku_ids),
            holder=f"{socket.gethostname()[:40]}:{os.getpid()}",
            clock=clock,
        )
        if role.includes(Role.SCHEDULER):
            await add_scheduler(ground)
        if role.includes(Role.API) or role.includes(Role.GATEWAY):  # slash commands are answered by the API's own services
            parts = await api_parts(ground)
            services = build_api_services(parts)
        if role.includes(Role.GATEWAY):
            await add_gateway(ground, services)
        if role.includes(Role.API):
            add_signer(ground, parts)
            add_api(ground, services)
        if role is Role.ALL:
            await add_dashboard_beside(settings, resources, ground.service)
        if settings.metrics_port is not None:
            resources.callback(serve_metrics(settings.api_host, settings.metrics_port))
        yield ground.service


@asynccontextmanager
async def _open_dashboard_alone(settings: Settings) -> AsyncIterator[Service]:
    """It has no connection to the tracker's database, and no bot."""
    async with AsyncExitStack() as resources:
        service = Service(settings)
        await add_dashboard_alone(settings, resources, service)
        yield service
