"""A bare gateway client: it does exactly what a test tells it, wrong things included."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from simulator import Simulator
from simulator.intents import GUILD_VOICE_STATES, GUILDS

INTENTS = GUILDS | GUILD_VOICE_STATES
PATIENCE_S = 60.0


class GatewayClient:
    def __init__(self, sim: Simulator, socket: aiohttp.ClientWebSocketResponse, *, compressed: bool) -> None:
        self.sim = sim
        self.socket = socket
        self.sequence: int | None = None
        self.session_id = ""
        self._inflate = zlib.decompressobj() if compressed else None

    async def receive(self) -> dict[str, Any]:
        """The next payload; a closed socket is a ConnectionError."""
        message = await self.socket.receive(timeout=PATIENCE_S)
        if message.type is aiohttp.WSMsgType.BINARY:
            assert message.data.endswith(b"\x00\x00\xff\xff")
            assert self._inflate is not None
            payload = json.loads(self._inflate.decompress(message.data))
        elif message.type is aiohttp.WSMsgType.TEXT:
            payload = json.loads(message.data)
        else:
            raise ConnectionError(self.socket.close_code)
        if payload["op"] == 0:
            self.sequence = payload["s"]
        return payload

    async def until(self, op: int, name: str | None = None) -> dict[str, Any]:
        while True:
            payload = await self.receive()
            if payload["op"] == op and (name is None or payload["t"] == name):
                return payload

    async def event(self, name: str) -> dict[str, Any]:
        return (await self.until(0, name))["d"]

    async def close_code(self) -> int | None:
        """Read until the simulator closes, and say with which code."""
        with contextlib.suppress(ConnectionError):
            while True:
                await self.receive()
        return self.socket.close_code

    async def send(self, op: int, data: Any) -> None:
        await self.socket.send_json({"op": op, "d": data})

    async def identify(self, shard: tuple[int, int] = (0, 1), intents: int = INTENTS, **more: Any) -> dict[str, Any]:
        await self.send_identify(shard, intents, **more)
        ready = await self.event("READY")
        self.session_id = ready["session_id"]
        return ready

    async def send_identify(self, shard: tuple[int, int] = (0, 1), intents: int = INTENTS, **more: Any) -> None:
        data = {"token": self.sim.token, "intents": intents, "shard": list(shard), "properties": {}}
        await self.send(2, data | more)

    async def send_resume(self, session_id: str, sequence: int | None) -> None:
        await self.send(6, {"token": self.sim.token, "session_id": session_id, "seq": sequence})

    async def heartbeat(self) -> None:
        """A round trip: what was sent before has been handled when it returns."""
        await self.send(1, self.sequence)
        await self.until(11)


@contextlib.asynccontextmanager
async def gateway_client(
    sim: Simulator, *, compress: bool = False, hello: bool = True, version: str = "10"
) -> AsyncIterator[GatewayClient]:
    query = {"v": version, "encoding": "json"} | ({"compress": "zlib-stream"} if compress else {})
    async with aiohttp.ClientSession() as http, http.ws_connect(sim.gateway.url, params=query, max_msg_size=0) as socket:
        client = GatewayClient(sim, socket, compressed=compress)
        if hello:
            assert (await client.receive())["op"] == 10
        yield client


async def eventually(condition: Any) -> None:
    """Let the loop turn until ``condition()`` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for is state of the simulator, without an event
            await asyncio.sleep(0)
