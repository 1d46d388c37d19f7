"""The dashboard over a real store and a real database, with Discord and the API played by small servers in the same process."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from aiohttp import web
from httpx import ASGITransport, AsyncClient, Response
from litestar import Litestar

from attendance.clock import FixedClock
from attendance.ids import SystemIds
from attendance.sql.database import Database
from dashboard.api_client import open_api_client
from dashboard.app import create_dashboard
from dashboard.services import DashboardServices
from dashboard.settings import DashboardSettings
from dashboard.static_files import StaticFile, StaticFiles
from dashboard.store.accounts import SqlAccountStore
from dashboard.store.activity import SqlActivityLog
from dashboard.store.erasure import SqlAccountErasure
from dashboard.store.sessions import SqlSessionStore
from dashboard.wiring import build_services

URL = "https://rollcall.example"
GUILD, OTHER_GUILD = 81_384_788_765_712_384, 99_384_788_765_712_384
MEMBER, OPERATOR = 166_201_366_228_762_624, 9
API_SECRET = "an api secret of thirty-two bytes, at least"
SECRET = "a dashboard secret of thirty-two bytes"
SERVICE_KEY = "a service key of thirty-two bytes, ok"
STATIC = StaticFiles(
    {
        "app-1.css": StaticFile(b"x" * 2000, gzip.compress(b"x" * 2000), "text/css"),
        "icon.svg": StaticFile(b"<svg/>", b"z" * 99, "image/svg+xml"),
    },
    {"app.css": "app-1.css", "app.js": "app-1.css", "dense-chart.js": "app-1.css", "icon.svg": "icon.svg"},
)  # fmt: skip


@dataclass
class Discord:
    """Discord's OAuth2 as far as signing in sees it: whoever is `user_id` consents. Away on demand."""

    user_id: int = MEMBER
    away: bool = False
    guilds: list[dict[str, Any]] = field(
        default_factory=lambda: [{"id": str(GUILD), "name": "Guild <one>", "icon": None, "owner": False, "permissions": "32"}]
    )
    lifetime_s: int = 604_800
    asked: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    refuses_code: bool = False

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/v10/oauth2/token", self._token)
        app.router.add_post("/api/v10/oauth2/token/revoke", self._revoke)
        app.router.add_get("/api/v10/users/@me", self._me)
        app.router.add_get("/api/v10/users/@me/guilds", self._guilds)
        return app

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.asked.append(str(form["grant_type"]))
        if self.away:
            return web.json_response({"message": "500: Internal Server Error", "code": 0}, status=500)
        if self.refuses_code:
            return web.json_response({"error": "invalid_grant", "error_description": 'Invalid "code" in request.'}, status=400)
        token = {
            "token_type": "Bearer",
            "access_token": f"access-{len(self.asked)}",
            "expires_in": self.lifetime_s,
            "refresh_token": f"refresh-{len(self.asked)}",
            "scope": "identify guilds",
        }
        return web.json_response(token)

    async def _revoke(self, request: web.Request) -> web.Response:
        self.revoked.append(str((await request.post())["token"]))
        return web.json_response({})

    async def _me(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"id": str(self.user_id), "username": f"user{self.user_id}", "global_name": "y u m e", "avatar": None}
        )

    async def _guilds(self, _request: web.Request) -> web.Response:
        self.asked.append("guilds")
        if self.away:
            return web.json_response({"message": "away", "code": 0}, status=503)
        return web.json_response(self.guilds)


@dataclass
class Api:
    """The API as far as pages see it: answers by method and path below the guild, and what was asked."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, Any], Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    away: bool = False  # cuts every connection
    routes: dict[str, Callable[[web.Request], Awaitable[web.Response]]] = field(default_factory=dict)  # before the answers

    def __post_init__(self) -> None:
        rights = ["export", "keys", "read", "write"]
        self.answers["GET /access"] = (
            200,
            {"present": True, "name": "Guild <one>", "timezone": "Europe/Berlin", "rights": rights},
        )

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/v1/guilds/{guild}{path:/.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, API_SECRET, algorithms=["HS256"], options={"verify_exp": False})
        assert claims["guild_id"] == request.match_info["guild"]
        body = await request.json() if request.can_read_body else None
        path = f"{request.method} {request.match_info['path']}"
        self.requests.append((request.method, request.path_qs, claims, body))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if self.away and request.transport is not None:
            request.transport.close()
        if path in self.routes:
            return await self.routes[path](request)
        status, answer = self.answers.get(path, (404, {"error": "there is nothing here"}))
        headers = {"Retry-After": "7"} if status == 429 else {}
        return web.json_response(answer, status=status, headers=headers)


@dataclass
class DashboardWorld:
    """The dashboard, everything around it, and a way to be a browser."""

    services: DashboardServices
    app: Litestar
    clock: FixedClock
    discord: Discord
    api: Api

    def browser(self, **options: Any) -> AsyncClient:
        """A new browser, without cookies."""
        return AsyncClient(transport=ASGITransport(self.app), base_url=URL, **options)

    async def signed_in(self, user_id: int = MEMBER) -> AsyncClient:
        """A browser that went through Discord."""
        browser = self.browser()
        self.discord.user_id = user_id
        answer = await sign_in(browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        return browser


async def sign_in(browser: AsyncClient, path: str = "/auth/login", **params: str) -> Response:
    """To Discord and back, with consent."""
    return await come_back(browser, await browser.get(path, params=params))


async def come_back(browser: AsyncClient, to_discord: Response, **params: str) -> Response:
    """Back from Discord, by what the first redirect said."""
    query = parse_qs(urlsplit(to_discord.headers["location"]).query)
    return await browser.get("/auth/callback", params={"state": query["state"][0]} | (params or {"code": "a-code"}))


def form_token(page: Response) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


@asynccontextmanager
async def dashboard_world(
    database: Database, serve: Callable[[web.Application], Any], *, static: StaticFiles = STATIC, **options: Any
) -> AsyncIterator[DashboardWorld]:
    """Everything, for as long as the block lasts; ``static`` are the styles and scripts, of which most tests need none."""
    clock, discord, api = FixedClock(), Discord(), Api()
    async with serve(discord.app()) as discord_url, serve(api.app()) as api_url:
        settings = DashboardSettings(
            **{
                "url": URL,
                "api_url": api_url,
                "public_api_url": "https://api.rollcall.example",
                "discord_api_url": f"{discord_url}/api/v10",
                "client_id": "1180000000000000512",
                "client_secret": "a client secret",
                "api_secret": API_SECRET,
                "secret": SECRET,
                "service_key": SERVICE_KEY,
                "return_origins": frozenset({"https://emuy.gg"}),
                "admin_user_ids": frozenset({OPERATOR}),
                "database_url": "unused",
                **options,
            }
        )
        async with open_api_client(settings.api_url, settings.api_secret, clock) as client:
            services = build_services(
                settings,
                clock,
                SystemIds(),
                static=static,
                api=client,
                sessions=SqlSessionStore(database),
                activity=SqlActivityLog(database),
                store=SqlAccountStore(database),
                erasure=SqlAccountErasure(database),
            )
            yield DashboardWorld(services, create_dashboard(services), clock, discord, api)
