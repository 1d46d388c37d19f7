"""The live overview over real sockets.

Who goes frees their place, a process that stops waits for nobody who looks, and who reads slowly costs the others nothing and
the process no memory.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import uvicorn

from attendance.wiring.http import HTTP, HttpServer
from dashboard.services.live import Live, Pace
from tests.dashboard_world import GUILD, URL, DashboardWorld

pytestmark = pytest.mark.slow

QUICK = Pace(rendering=0.0, figures=0.0, idle=60.0, retry=(0.0,), heartbeat=60.0, judging=60.0, judging_again=0.0)
SMALL_BYTES = 32 * 1024
HIGH_WATER_BYTES = 64 * 1024  # asyncio's: above it a writer waits
PATIENCE_S = 60


@dataclass
class Source:
    """A guild whose slot of voice is what a test says, as soon as it says so."""

    voice: str = "nobody"
    _happened: asyncio.Queue[tuple[str, str]] = field(default_factory=asyncio.Queue)

    def say(self, voice: str) -> None:
        self.voice = voice
        self._happened.put_nowait(("occupancy-change", ""))

    @asynccontextmanager
    async def events(
        self, _asking: object, _guild_id: int, _after: str | None
    ) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        yield self._told()

    async def _told(self) -> AsyncIterator[tuple[str, str]]:
        while True:
            yield await self._happened.get()

    async def occupancy(self, _asking: object, _guild_id: int) -> dict[str, str]:
        return {"voice": self.voice}

    async def everything(self, asking: object, guild_id: int) -> dict[str, str]:
        return await self.occupancy(asking, guild_id)

    def stale(self, _guild_id: int) -> dict[str, str]:
        return {}


@dataclass
class Looker:
    """Somebody who looks, at their end of a socket with little room."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seen: bytes = b""

    async def until(self, words: bytes) -> None:
        """Read on until something is said."""
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.seen:
                read = await self.reader.read(HIGH_WATER_BYTES)
                assert read, f"ended without saying {words!r}"
                self.seen += read

    async def to_the_end(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            while read := await self.reader.read(HIGH_WATER_BYTES):
                self.seen += read
        return self.seen

    async def leave(self) -> None:
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()


@dataclass
class Served:
    """The dashboard as it is served, and whoever looks."""

    world: DashboardWorld
    source: Source
    server: HttpServer
    serving: asyncio.Task[None]
    port: int
    cookie: str
    people: AsyncExitStack

    @property
    def live(self) -> Live:
        return self.world.services.live

    async def look(self) -> Looker:
        """Somebody more, who has seen how it stands."""
        end = socket.socket()
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
        end.setblocking(False)  # noqa: FBT003  # its only parameter
        await asyncio.get_running_loop().sock_connect(end, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=end)
        host = URL.removeprefix("https://")
        asked = f"GET /guilds/{GUILD}/events HTTP/1.1\r\nHost: {host}\r\nCookie: {self.cookie}\r\n\r\n"
        writer.write(asked.encode())
        looker = Looker(reader, writer)
        self.people.push_async_callback(looker.leave)
        await looker.until(b"event: voice")
        assert looker.seen.startswith(b"HTTP/1.1 200")
        return looker

    async def stop(self) -> None:
        """As `attendance.wiring` does: streams are ended before the server waits for its running requests."""
        self.live.stop()
        self.server.ask_to_stop()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.shield(self.serving)

    def waiting_bytes(self) -> int:
        """The most that waits in this process to be written to one of them."""
        return max(one.transport.get_write_buffer_size() for one in self.server.server_state.connections)


@asynccontextmanager
async def served(world: DashboardWorld, *, grace_s: float = 10 * PATIENCE_S) -> AsyncIterator[Served]:
    browser = await world.signed_in()
    cookie = "; ".join(f"{one.name}={one.value}" for one in browser.cookies.jar)
    source = Source()
    world.services.live.source, world.services.live.pace = source, QUICK
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BYTES)  # of every connection
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = HttpServer(uvicorn.Config(world.app, **{**HTTP, "timeout_graceful_shutdown": grace_s}, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with AsyncExitStack() as people:
            site = Served(world, source, server, serving, listener.getsockname()[1], cookie, people)
            people.push_async_callback(site.stop)
            yield site
        await world.services.live.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # there is nothing to be told by
            await asyncio.sleep(0)


async def test_who_goes_away_frees_their_place_and_the_last_one_ends_the_guilds_stream(dashboard):
    async with served(dashboard) as site:
        hangs_up, breaks_off, stays = [await site.look() for _ in range(3)]
        assert site.live.viewers == 3
        hangs_up.writer.close()
        breaks_off.writer.transport.abort()
        await until(lambda: site.live.viewers == 1)
        site.source.say("Ada")
        await stays.until(b"data: Ada")
        stays.writer.close()
        await until(lambda: site.live.feed(GUILD) is None)
        await until(lambda: not site.server.server_state.tasks)


async def test_a_process_that_stops_ends_every_stream_and_waits_for_none(dashboard):
    async with served(dashboard) as site:
        lookers = [await site.look() for _ in range(5)]
        stopping = asyncio.create_task(site.stop())
        for looker in lookers:
            said = await looker.to_the_end()
            assert said.count(b"event: end\ndata: stopping\n\n") == 1
            assert said.endswith(b"0\r\n\r\n")  # the answer is whole, not cut
        await stopping
        assert site.live.viewers == 0


async def test_a_process_that_stops_waits_for_who_reads_nothing_no_longer_than_for_any_request(dashboard):
    async with served(dashboard, grace_s=0.1) as site:
        await site.look()
        site.source.say("x" * 4 * 1024 * 1024)  # more than any socket takes
        await until(lambda: site.waiting_bytes() > HIGH_WATER_BYTES)
        await site.stop()  # or it would wait for more room until somebody kills it


async def test_who_goes_away_without_having_read_frees_their_place_too(dashboard):
    async with served(dashboard) as site:
        does_not_read = await site.look()
        site.source.say("x" * 4 * 1024 * 1024)
        await until(lambda: site.waiting_bytes() > HIGH_WATER_BYTES)
        assert site.live.viewers == 1
        does_not_read.writer.transport.abort()
        await until(lambda: site.live.feed(GUILD) is None)


async def test_who_reads_slowly_holds_nobody_up_and_costs_no_more_than_one_rendering(dashboard):
    page = "x" * 256 * 1024
    async with served(dashboard) as site:
        slow, *quick = [await site.look() for _ in range(4)]
        most = 0
        for number in range(40):  # ten megabytes
            site.source.say(f"{page} number {number}.")
            for looker in quick:
                looker.seen = b""
                await looker.until(b"number %d." % number)
            most = max(most, site.waiting_bytes())
        assert most <= HIGH_WATER_BYTES + len(page) + 1024
        assert len(site.live.feed(GUILD)._chunks) <= 2
        await slow.until(b"number 39.")  # and right again, without what was replaced meanwhile
        assert slow.seen.count(b"event: voice") < 20
