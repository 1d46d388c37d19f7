"""The gallery as a small site on loopback, under the dashboard's own content security policy, with live events to command."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from jinja2 import ChoiceLoader, FileSystemLoader

from dashboard.rendering import TEMPLATE_FOLDER, Templates
from dashboard.security.headers import content_security_policy
from dashboard.static_files import load_static_files
from dashboard.words import Words
from tests.gallery.values import gallery_context

HERE = Path(__file__).parent


@dataclass
class GallerySite:
    """What the site shows and how its event stream behaves.

    `slot` is the live part as a fresh page has it; `asked` counts pages. A stream is told events by `tell`, ended by `hang_up`,
    and refused while `refuses` is true.
    """

    slot: str = "as the page came"
    refuses: bool = False
    asked: int = 0
    resumed_from: list[str] = field(default_factory=list)
    refused: int = 0
    posted: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""
    _streams: set[asyncio.Queue[bytes | None]] = field(default_factory=set)
    _opened: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.static = load_static_files()
        self.templates = Templates(Words("en"), self.static)
        self.templates.environment.loader = ChoiceLoader([FileSystemLoader(TEMPLATE_FOLDER), FileSystemLoader(HERE)])
        self.context = gallery_context(self.templates.words)

    def page(self, **values: object) -> str:
        return self.templates.render(
            "gallery.html", {**self.context, "theme": "auto", "slot": self.slot, "calm": False, **values}
        )

    def tell(self, name: str, data: str, event_id: int) -> None:
        lines = "".join(f"data: {line}\n" for line in data.split("\n"))
        for stream in self._streams:
            stream.put_nowait(f"id: {event_id}\nevent: {name}\n{lines}\n".encode())

    def hang_up(self) -> None:
        for stream in self._streams:
            stream.put_nowait(None)

    async def until_connected(self, times: int = 1) -> None:
        """Until so many streams were opened in all."""
        async with asyncio.timeout(30), self._opened:
            await self._opened.wait_for(lambda: len(self.resumed_from) >= times)

    async def until_refused(self) -> None:
        """Until a stream was refused."""
        async with asyncio.timeout(30), self._opened:
            await self._opened.wait_for(lambda: self.refused > 0)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/gallery", self._gallery)
        app.router.add_get("/static/{name}", self._static)
        app.router.add_get("/events", self._events)
        app.router.add_post("/{path:.*}", self._post)
        return app

    async def _gallery(self, request: web.Request) -> web.Response:
        self.asked += 1
        policy = content_security_policy("https://discord.com")
        calm = "calm" in request.query  # nothing takes the focus
        body = self.page(theme=request.cookies.get("theme", "auto"), calm=calm)
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": policy})

    async def _static(self, request: web.Request) -> web.Response:
        file = self.static.files[request.match_info["name"]]
        return web.Response(body=file.content, headers={"Content-Type": file.media_type})

    async def _post(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.posted.append((request.path, form))
        answer = web.Response(status=303, headers={"Location": "/gallery"})
        if "theme" in form:
            answer.set_cookie("theme", form["theme"], httponly=True, samesite="Lax")
        return answer

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self.refuses:
            async with self._opened:
                self.refused += 1
                self._opened.notify_all()
            return web.Response(status=503, text=json.dumps({"error": "away"}))
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await answer.prepare(request)
        await answer.write(b"retry: 100\n\n")
        stream: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._streams.add(stream)
        async with self._opened:
            self.resumed_from.append(request.headers.get("Last-Event-ID") or request.query.get("last_event_id", ""))
            self._opened.notify_all()
        try:
            while (chunk := await stream.get()) is not None:
                await answer.write(chunk)
        except ConnectionResetError:
            pass  # the page was closed
        finally:
            self._streams.discard(stream)
        return answer


@asynccontextmanager
async def gallery_site(port: int = 0) -> AsyncIterator[GallerySite]:
    """The site, served; `url` is its address."""
    site = GallerySite()
    runner = web.AppRunner(site.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        site.url = "http://{}:{}".format(*runner.addresses[0][:2])
        yield site
    finally:
        site.hang_up()
        await runner.cleanup()
