"""A gateway that breaks the protocol in ways that no honest simulator does. hikari alone would end the shard for good."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from attendance.clock import SystemClock
from attendance.discord.gateway import Gateway, GatewaySettings
from attendance.domain.ids import ShardId
from attendance.domain.observations import PayloadUnreadable, ShardLost, ShardReady, ShardResumed
from attendance.errors import ConfigError
from tests.integration.gateway_rig import WaitableSink

pytestmark = pytest.mark.slow
TOKEN = "MTE4MDAwMDAwMDAwMDAwMDUxMg.x.y"
HELLO = {"op": 10, "d": {"heartbeat_interval": 30_000}}
USER = {"id": "1", "username": "bot", "discriminator": "0", "global_name": None, "avatar": None, "bot": True}
CUT = object()
HEAR = object()  # wait for what the client says: cut off before that, it would not look at what was sent


class RudeServer:
    """Plays one script a connection: dictionaries are sent as JSON, bytes as they are, a number closes with that code."""

    def __init__(self, scripts: list[list[Any]]) -> None:
        self._scripts = scripts
        self.url = ""
        self.heard: list[int] = []

    async def bot(self, _: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return web.json_response({"url": self.url, "shards": 1, "session_start_limit": limit})

    async def gateway(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        deflate = zlib.compressobj()
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        for step in script:
            if isinstance(step, int):
                await socket.close(code=step)
                return socket
            if step is CUT:
                request.transport.abort()
                return socket
            if step is HEAR:
                self.heard.append(json.loads((await socket.receive()).data)["op"])
                continue
            raw = step
            if isinstance(step, dict):
                raw = deflate.compress(json.dumps(step).encode()) + deflate.flush(zlib.Z_SYNC_FLUSH)
            await socket.send_bytes(raw)
        async for message in socket:
            if message.type is WSMsgType.BINARY or message.type is WSMsgType.TEXT:
                self.heard.append(json.loads(message.data)["op"])
        return socket


@contextlib.asynccontextmanager
async def rude_server(*scripts: list[Any]) -> AsyncIterator[RudeServer]:
    server = RudeServer(list(scripts))
    app = web.Application()
    app.router.add_get("/api/v10/gateway/bot", server.bot)
    app.router.add_get("/", server.gateway)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def gateway_to(server: RudeServer, sink: WaitableSink, **settings: Any) -> AsyncIterator[Gateway]:
    rest_url = server.url.replace("ws:", "http:") + "/api/v10"
    chosen = {"handshake_seconds": 5.0, "tick_seconds": 0.05} | settings
    gateway = Gateway(GatewaySettings(TOKEN, rest_url, shard_count=1, **chosen), sink, SystemClock())
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


def ready(server_url: str = "ws://127.0.0.1:1", **changes: Any) -> dict[str, Any]:
    data = {"v": 10, "user": USER, "guilds": [], "session_id": "s", "resume_gateway_url": server_url} | changes
    return {"op": 0, "t": "READY", "s": 1, "d": {key: value for key, value in data.items() if value is not ...}}


GARBAGE = {
    "bytes that are not zlib": b"\x01\x02\x03\x00\x00\xff\xff",
    "an op of another type": {"op": "0", "t": "READY", "s": 1, "d": {}},
    "a rate limit notice without its members": {"op": 0, "t": "RATE_LIMITED", "s": 2, "d": {}},
    "a dispatch without data": {"op": 0, "t": "RESUMED", "s": 2},
    "an invalid session without data": {"op": 9},
}


@pytest.mark.parametrize("what", GARBAGE)
async def test_garbage_after_ready_is_unreadable_and_a_new_session_follows(what: str) -> None:
    async with rude_server([HELLO, ready(), GARBAGE[what]], [HELLO, ready()]) as server:
        sink = WaitableSink()
        async with gateway_to(server, sink) as gateway:
            await sink.until(lambda: len(sink.of(ShardReady)) == 2)
            assert [kind for kind in sink.kinds() if kind != "ShardAlive"] == [
                "ShardReady",
                "PayloadUnreadable",
                "ShardLost unreadable",
                "ShardReady",
            ]
            assert sink.of(PayloadUnreadable)[0].guild_id is None
            assert gateway.connected(ShardId(0))
            assert gateway.failure is None


BAD_BEGINNINGS = {
    "a first frame that is not zlib": [b"\x01\x02\x03\x00\x00\xff\xff"],
    "a first frame that is no HELLO": [{"op": 11}],
    "a HELLO without interval": [{"op": 10, "d": {}}],
    "a HELLO that is a list": [{"op": 10, "d": []}],
    "a READY without session": [HELLO, ready(session_id=...)],
    "a READY whose guilds are no list": [HELLO, ready(guilds=None)],
    "a READY that hikari cannot read": [HELLO, ready(user=...)],
    "an early end": [HELLO, CUT],
    "an end before anything": [CUT],
    "a close that hikari takes for final": [HELLO, 4003],
    "an op 7 first": [{"op": 7, "d": None}],
    "an op 9": [HELLO, {"op": 9, "d": False}],
}


@pytest.mark.parametrize("what", BAD_BEGINNINGS)
async def test_a_bad_beginning_is_tried_again(what: str) -> None:
    async with rude_server(BAD_BEGINNINGS[what], [HELLO, ready()]) as server:
        sink = WaitableSink()
        async with gateway_to(server, sink) as gateway:
            await sink.until(lambda: gateway.connected(ShardId(0)) and len(sink.seen) > 0 and sink.kinds()[-1] == "ShardReady")
            assert gateway.failure is None
            assert len(sink.of(ShardLost)) == len(sink.of(ShardReady)) - 1


async def test_only_one_heartbeat_task_outlives_a_failed_handshake() -> None:
    hello = {"op": 10, "d": {"heartbeat_interval": 300}}
    async with rude_server([hello, CUT], [hello, CUT], [hello, ready()]) as server:
        sink = WaitableSink()
        async with gateway_to(server, sink, stall_heartbeats=100):
            await sink.first(ShardReady)
            # The server answers no heartbeat: the first that is due after READY ends the connection.
            await sink.first(ShardLost)
            assert server.heard.count(1) <= 2
            assert server.heard.count(2) == 1


async def test_a_session_whose_own_address_is_dead_is_resumed_at_the_common_one() -> None:
    resumed = {"op": 0, "t": "RESUMED", "s": 2, "d": {}}
    async with rude_server([HELLO, HEAR, ready(), CUT], [HELLO, resumed]) as server:
        sink = WaitableSink()
        async with gateway_to(server, sink):
            # Three attempts with hikari's growing pauses: 1, 1.9 and 3.4 s and up to a second more each.
            await sink.first(ShardResumed)
            assert sink.kinds() == ["ShardReady", "ShardLost disconnected", "ShardResumed"]
            await sink.until_elsewhere(lambda: 6 in server.heard)
            assert server.heard.count(2) == 1


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013, 4014])
async def test_close_codes_that_cannot_pass_end_the_gateway_with_a_reason(code: int) -> None:
    async with rude_server([HELLO, ready(), code]) as server:
        sink = WaitableSink()
        async with gateway_to(server, sink) as gateway:
            with pytest.raises(ConfigError, match=str(code)):
                await gateway.join()
            assert [kind for kind in sink.kinds() if kind != "ShardAlive"] == ["ShardReady", "ShardLost disconnected"]
            assert not gateway.connected(ShardId(0))
