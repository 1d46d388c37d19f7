"""``/events`` over a socket: a client that goes leaves nothing behind, and a server that stops ends its streams at once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from attendance.services import live_events
from attendance.services.live_events import LiveEvents
from tests.api_world import BASE, World

pytestmark = pytest.mark.slow


@asynccontextmanager
async def served(world: World) -> AsyncIterator[tuple[str, LiveEvents, uvicorn.Server, asyncio.Task[None]]]:
    app = world.app()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=120))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield "http://{}:{}".format(*listener.getsockname()), app.state.services.live_events, server, serving
    finally:
        app.state.services.live_events.stop()
        server.should_exit = True
        await serving
        listener.close()


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # there is nothing to be told by
            await asyncio.sleep(0)


async def test_a_client_that_goes_away_is_forgotten_and_the_looks_end(sqlite_world, monkeypatch):
    monkeypatch.setattr(live_events, "LOOK_SECONDS", 0.01)
    async with served(sqlite_world) as (url, live, _server, _serving), httpx.AsyncClient(base_url=url) as client:
        async with client.stream("GET", f"{BASE}/events", headers=sqlite_world.auth()) as answer:
            lines = answer.aiter_lines()
            seen = [await anext(lines) for _ in range(5)]
            assert seen[0] == "retry: 3000"
            assert "event: occupancy" in seen
            assert live._task is not None
        await until(lambda: not live._feeds and live._task is None)


async def test_a_server_that_stops_ends_its_streams_without_waiting_for_anything(sqlite_world):
    async with served(sqlite_world) as (url, live, server, serving), httpx.AsyncClient(base_url=url) as client:
        async with client.stream("GET", f"{BASE}/events", headers=sqlite_world.auth()) as answer:
            lines = answer.aiter_lines()
            while await anext(lines) != "event: occupancy":
                pass
            live.stop()
            server.should_exit = True
            rest = [line async for line in lines]
        async with asyncio.timeout(60):  # less than the grace that uvicorn gives to what does not end
            await asyncio.shield(serving)
    assert rest[-3:] == ["event: end", 'data: {"reason":"stopping"}', ""]
