"""The simulator as one HTTP server: REST, gateway and control API on one port."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from aiohttp import web

from simulator.burst import BurstReport, emit_burst
from simulator.changes import Change
from simulator.control import CONTROL_PREFIX, ControlApi
from simulator.control_interactions import InteractionControl
from simulator.control_oauth import OAuthControl
from simulator.demo_world import build_demo_world
from simulator.fault_desk import FaultDesk
from simulator.faults import Faults
from simulator.gateway import GATEWAY_PATH, Gateway
from simulator.lives import cast_of, life_changes, settled
from simulator.oauth_page import AuthorizePage
from simulator.patterns import HOUR_MS, voice_changes
from simulator.player import Player
from simulator.protocol import serve_socket
from simulator.rest import API_PREFIX, RestApi
from simulator.settings import Settings
from simulator.trace_input import build_trace_world, trace_changes
from simulator.world import World


class Simulator:
    """A local Discord. Build it, `start` it, and point a bot at `rest_url` with `token`.

    Attributes:
        world: the guilds and people; edit them with its methods.
        gateway: sessions and sockets, for looking at.
        faults: what is wrong at present.
        rest: REST, with `rest.requests` counted by route, `rest.messages.board` for what was posted, `rest.commands` and
            `rest.interactions` for the bot's commands and their use.
        player: plays the members' behaviour; `player.advance_to` lets tests do without waiting.
        port: the port it listens on, once started.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.world, changes, lived_ms = _world_and_changes(settings)
        self.faults = Faults()
        self.gateway = Gateway(settings, self.world, self.faults)
        self.rest = RestApi(settings, self.world, self.gateway, self.faults)
        speed = settings.speed or 1.0
        self.player = Player(self.world, changes, speed=speed, drained=self.gateway.drained)
        if settings.trace_file is None:
            # The day so far was lived before anybody looked: members are in voice at the first GUILD_CREATE.
            self.player.advance_to(lived_ms)
            self.world.truth.clear()
            for guild_id in self.world.guilds:
                self.world.note_snapshot(guild_id)
        self._desk = FaultDesk(self.world, self.gateway, self.faults, self.player)
        self._runner: web.AppRunner | None = None
        self._playing: asyncio.Task[None] | None = None
        self.port = 0

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.settings.token

    @property
    def base_url(self) -> str:
        """The server's root, without a slash at the end."""
        return f"http://{self.settings.host}:{self.port}"

    @property
    def rest_url(self) -> str:
        """What a bot needs as Discord's REST address."""
        return self.base_url + API_PREFIX

    @property
    def control_url(self) -> str:
        """Where the control API is."""
        return self.base_url + CONTROL_PREFIX

    async def start(self) -> None:
        """Bind the port and let the members live."""
        app = web.Application()
        self.rest.add_to(app)
        app.router.add_get(GATEWAY_PATH, self._socket)
        app.router.add_get(GATEWAY_PATH + "/", self._socket)
        ControlApi(self.world, self.gateway, self._desk, self.player, self.rest.guilds, self.rest.entitlements).add_to(app)
        AuthorizePage(self.world, self.rest.oauth).add_to(app)
        OAuthControl(self.rest.oauth).add_to(app, CONTROL_PREFIX)
        InteractionControl(self.rest.interactions).add_to(app, CONTROL_PREFIX)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        address = self.settings.public_address or f"{self.settings.host}:{self.port}"
        self.gateway.url = f"ws://{address}{GATEWAY_PATH}"
        if self.settings.trace_file is not None and self.settings.as_fast_as_possible:
            self._playing = asyncio.create_task(self.player.play_at_once())
        elif self.settings.speed > 0:
            self._playing = asyncio.create_task(self.player.play())

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        return await serve_socket(request, self.gateway)

    async def stop(self) -> None:
        """Cut every socket and free the port."""
        if self._playing is not None:
            self._playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._playing
        self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def fault(self, kind: str, **arguments: Any) -> int:
        """Do a fault of `FaultDesk` by name; return how many things it touched."""
        return self._desk.apply(kind, **arguments)

    async def burst(self, count: int, *, guild_id: int | None = None) -> BurstReport:
        """Emit ``count`` voice changes as fast as the sockets take them."""
        return await emit_burst(self.world, self.gateway, count, guild_id=guild_id)


def _world_and_changes(settings: Settings) -> tuple[World, Iterator[Change], int]:
    """The world, what happens in it, and up to which offset it has happened already."""
    if settings.trace_file is not None:
        return build_trace_world(settings, settings.trace_file), trace_changes(settings.trace_file), 0
    world = build_demo_world(settings)
    if settings.lived_since_ms:
        lived_ms = max(0, time.time_ns() // 1_000_000 - settings.lived_since_ms)
        return world, settled(life_changes(settings, world), lived_ms), lived_ms
    return world, voice_changes(settings.seed, cast_of(world)), settings.start_hour * HOUR_MS


@contextlib.asynccontextmanager
async def running_simulator(settings: Settings | None = None) -> AsyncIterator[Simulator]:
    """Run a simulator for as long as the block lasts."""
    simulator = Simulator(settings or Settings())
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop()


async def serve(settings: Settings, *, ready: asyncio.Future[Simulator] | None = None) -> None:
    """Run a simulator until cancelled. ``ready`` gets it once its port is bound."""
    async with running_simulator(settings) as simulator:
        if ready is not None:
            ready.set_result(simulator)
        await asyncio.Event().wait()
