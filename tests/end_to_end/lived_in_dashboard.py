"""The whole service as a process over weeks of made-up life, its dashboard behind a door of its own, and people at browsers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from litestar.handlers import HTTPRouteHandler
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from dashboard.app import ROUTE_MODULES
from dashboard.navigation import GROUPS
from simulator import DEFAULT_BOT_ID, DEFAULT_CLIENT_SECRET, DEMO_ADMIN_ID
from tests.end_to_end.processes import Discord, Running, api_of, rollcall, settings, simulated_discord
from tests.fixtures_demo import DemoData

PATIENCE_MS = 60_000
CHUNK_BYTES = 65_536


@dataclass
class Door:
    """A TCP port that stays the same while the service behind it comes and goes; without one it closes every connection."""

    port: int = 0
    behind: int | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.behind is None:
            writer.close()
            return
        try:
            from_service, to_service = await asyncio.open_connection("127.0.0.1", self.behind)
        except OSError:
            writer.close()
            return
        self._open |= {writer, to_service}
        try:
            await asyncio.gather(_carry(reader, to_service), _carry(from_service, writer))
        finally:
            self._open -= {writer, to_service}

    async def shut(self) -> None:
        """Nobody is let in, and who is inside is shown out."""
        self.behind = None
        for writer in list(self._open):
            writer.transport.abort()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def open_door() -> AsyncIterator[Door]:
    door = Door()
    inside: set[asyncio.Task[None]] = set()

    def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(door.let_in(reader, writer))
        inside.add(task)
        task.add_done_callback(inside.discard)

    server = await asyncio.start_server(come, "127.0.0.1", 0)
    door.port = server.sockets[0].getsockname()[1]
    try:
        yield door
    finally:
        server.close()
        await door.shut()
        await asyncio.gather(*inside, return_exceptions=True)


@dataclass
class House:
    """The service on a demo's data, as people reach it.

    Attributes:
        url: where the dashboard is, before and after a restart.
        api_url: where the API is; another port after a restart.
    """

    data: DemoData
    discord: Discord
    door: Door
    http: aiohttp.ClientSession
    service: Running | None = None
    api_url: str = ""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def url(self) -> str:
        return self.door.url

    @property
    def dashboard_database(self) -> Path:
        return self.data.folder / "dashboard.db"

    def guild(self, path: str = "") -> str:
        return f"{self.url}/guilds/{self.data.guild_id}{path}"

    async def start(self) -> None:
        environment = settings(
            self.discord,
            self.data.folder,
            ADMIN_USER_IDS=str(DEMO_ADMIN_ID),
            DISCORD_CLIENT_ID=str(DEFAULT_BOT_ID),
            DISCORD_CLIENT_SECRET=DEFAULT_CLIENT_SECRET,
            ROLLCALL_DASHBOARD_PORT="0",
            ROLLCALL_DASHBOARD_URL=self.url,
        )
        self.service = await self._stack.enter_async_context(rollcall("serve", **environment))
        self.api_url = (await self.service.says(r"Rollcall listens on (http://\S+)"))[1]
        self.door.behind = int((await self.service.says(r'127\.0\.0\.1:(\d+)", "event": "the dashboard listens'))[1])
        await self.control("redirect-uris", uri=f"{self.url}/auth/callback")
        async with api_of(self.service, self.data.guild_id, self.data.admin_id) as api:
            await api.until("/health", lambda body: body["status"] == "ok")
            await api.until("/access", lambda body: body["present"])

    async def stop(self) -> None:
        """End the service as a supervisor would, with whoever is inside."""
        await self.door.shut()
        if self.service is not None:
            code = await self.service.end()
            assert code == 0, self.service.said
        self.service = None

    async def leave(self) -> None:
        """Whatever state it is in: nothing of it runs any more."""
        await self.door.shut()
        await self._stack.aclose()

    async def control(self, path: str, **body: object) -> dict[str, object]:
        """The simulator's control API."""
        async with self.http.post(f"{self.discord.control}/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@asynccontextmanager
async def open_house(data: DemoData, speed: int = 0) -> AsyncIterator[House]:
    """A simulator whose world goes on where the data ends (``speed`` 0: nobody moves by themselves), and the service on it."""
    async with AsyncExitStack() as stack:
        lived = ("--lived-since", str(data.began_ms), "--speed", str(speed))
        discord = await stack.enter_async_context(simulated_discord(*lived))
        door = await stack.enter_async_context(open_door())
        http = await stack.enter_async_context(aiohttp.ClientSession())
        house = House(data, discord, door, http)
        stack.push_async_callback(house.leave)
        await house.start()
        yield house


@dataclass
class Visitor:
    """Somebody at a browser, whose context keeps who they are from page to page.

    Attributes:
        wrongs: what pages complained of in the console or broke over since they were last read, with the page's address.
    """

    house: House
    context: BrowserContext
    page: Page
    wrongs: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and message.location["url"].startswith(self.house.url):  # not the consent's
            self.wrongs.append(f"{message.location['url']}: {message.text}")

    async def open(self, address: str) -> int:
        """Go to a page; its status."""
        answer = await self.page.goto(address)
        assert answer is not None
        return answer.status

    async def until_whole(self) -> None:
        """Whatever comes after the page itself is there."""
        for what in ("[data-late]", "[data-dense-chart]:not(:has(canvas))"):
            await expect(self.page.locator(what)).to_have_count(0, timeout=PATIENCE_MS)

    async def sign_in(self, user_id: int, start: str | None = None) -> None:
        """From the dashboard's button through the simulator's page of consent."""
        await self.page.goto(start or self.house.url)
        await self.page.get_by_role("main").get_by_role("link", name="Sign in with Discord").click()
        await self.consent(user_id)
        await self.page.wait_for_url(f"{self.house.url}/**")

    async def consent(self, user_id: int, decision: str = "Authorize") -> None:
        await self.page.get_by_label("or somebody else, by id").fill(str(user_id))
        await self.page.get_by_role("button", name=decision).click()

    async def confirm(self) -> None:
        """Ask Discord anew who this is: what keys, erasure and roles want."""
        await self.page.goto(f"{self.house.url}/auth/confirm")


@asynccontextmanager
async def visitor(browser: Browser, house: House, **options: Any) -> AsyncIterator[Visitor]:
    """A browser without cookies."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    came = Visitor(house, context, page)
    page.on("console", came.hear)
    page.on("pageerror", lambda error: came.wrongs.append(f"{page.url}: {error}"))
    try:
        yield came
    finally:
        await context.close()


def pages_with_a_route() -> list[tuple[str, str]]:
    """Name and path of every page of the navigation that is there, and of those that it has no place for."""
    routes = [route for module in ROUTE_MODULES for route in module.ROUTES if isinstance(route, HTTPRouteHandler)]
    shown = [route for route in routes if "GET" in route.http_methods and route.fn.__annotations__["return"] == "Html"]
    paths = {path for route in shown for path in route.paths} - {"/guilds/{guild_id:str}/privacy/members"}  # leads on only
    named = {
        page.key: f"/guilds/{{guild_id}}{page.path}".replace("{viewer_id}", "{user_id}")
        for group in GROUPS
        for page in group.pages
    }
    known = {path.replace(":str}", "}") for path in paths}
    kept = {key: path for key, path in named.items() if path in known}
    wanted = ("{guild_id}", "{user_id}", "{channel_id}")
    for path in sorted(known - set(named.values())):
        if path == "/" or path.startswith(("/guilds/", "/admin/", "/account")):
            rest = path
            for name in wanted:
                rest = rest.replace(name, "")
            if "{" not in rest:
                kept[path.removeprefix("/guilds/{guild_id}").translate(_PLAIN).strip("-") or "home"] = path
    return sorted(kept.items())


_PLAIN = str.maketrans({"/": "-", "{": "", "}": "", "_": "-"})
