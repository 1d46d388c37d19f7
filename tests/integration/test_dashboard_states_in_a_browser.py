"""States that a lived-in server does not have, in a real Chromium: each is looked at on a phone and a desk, light and dark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from aiohttp import web
from httpx import ASGITransport, AsyncClient
from playwright.async_api import Browser, Page, Route

from attendance.wiring.http import HTTP, HttpServer, listen, url_of
from dashboard.pages import home
from dashboard.static_files import load_static_files
from tests.dashboard_world import GUILD, MEMBER, DashboardWorld, come_back, dashboard_world, sign_in
from tests.fixtures_dashboard import serve
from tests.gallery.screens import RULES, SCREENSHOTS, complaints, is_wider_than_screen, photograph
from tests.glance import GLANCE, OVERVIEW, SIGNING, occupancy

pytestmark = pytest.mark.slow

HERE = f"/guilds/{GUILD}"
FROM, TO = "2026-12-18T23:00:00.000Z", "2027-01-15T23:00:00.000Z"
ALL = ["correct", "erase", "export", "keys", "panel_roles", "read", "tokens", "write"]
Answers = Mapping[str, tuple[int, Any]]


def nothing(**more: Any) -> tuple[int, Any]:
    """An empty list."""
    return 200, {"items": [], "total": 0, **more}


def access(*, present: bool = True, rights: list[str] | None = None) -> tuple[int, Any]:
    told = ALL if rights is None else rights
    return 200, {"present": present, "name": "The Reading Room", "timezone": "Europe/Berlin", "rights": told}


OPEN = {**SIGNING, "unlocked": True, "pending": 0, "oldest_pending_at": None, "auto_unlock": True, "kid": "k", "period": None}
NO_KEY = {**OPEN, "configured": False, "unlocked": False, "kid": None}
LOCKED = {**OPEN, "unlocked": False, "pending": 4, "oldest_pending_at": "2027-01-15T07:20:00.000Z"}
KEY = {
    "kid": "oKZag6Sga736WK_VglTg_hVjKkI4nHeCVuenzeB9puI",
    "public_key": "s8fvFvllZgevONQLBV2dDoKi5nnCxT4rKWBiwnTDyBc",
    "state": "active",
    "created_at": "2026-10-01T12:00:00.000Z",
    "first_guild_seq": 1042,
    "last_guild_seq": None,
}
SETTINGS = {"timezone": "Europe/Berlin", "names_shown": True, "retention_days": None, "read_roles": [], "write_roles": []}
NEVER = {
    "user_id": str(MEMBER),
    "display_name": "Ada",
    "period_index": 1,
    "seconds": 0,
    "sessions": 0,
    "rank": None,
    "live": False,
    "paused_seconds": {"deafened": 0, "muted": 0, "solo": 0},
    "unwitnessed_seconds": 0,
    "external_seconds": 0,
    "first_seen": None,
    "last_seen": None,
    "by_channel": [],
    "recent": [],
}
STATUSES = (
    *("counted", "bridged", "below_minimum", "unwitnessed", "deafened"),
    *("muted", "solo", "untracked", "afk", "off", "opted_out"),
)
UNEXPLAINED = {
    "user_id": str(MEMBER),
    "display_name": "Ada",
    "from": "2027-01-14T23:00:00.000Z",
    "to": TO,
    "as_of": "2027-01-15T08:00:00.000Z",
    "journal_from": None,
    "seconds": 0,
    "by_status": dict.fromkeys(STATUSES, 0),
    "blind_seconds": 0,
    "blind": [],
    "corrected_seconds": 0,
    "corrections": [],
    "stretches": [],
}
RANGE = {"timezone": "Europe/Berlin", "from": FROM, "to": TO}
WELL: Answers = GLANCE | {
    "GET /access": access(),
    "GET /settings": (200, SETTINGS),
    "GET /signing/status": (200, OPEN),
    "GET /signing/keys": (200, {"items": [KEY], "total": 1}),
    "GET /signing/public-key": (200, KEY),
    "GET /signing/history": nothing(),
}
# A server that has just been joined: nobody was ever in voice.
EMPTY: Answers = WELL | {
    "GET /overview": (
        200,
        OVERVIEW
        | {
            "period": None,
            "occupancy": {"members": 0, "channels": 0},
            "signing": {"configured": False, "unlocked": False, "pending": 0},
            "totals": {"seconds": 0, "sessions": 0, "members": 0},
            "blind_seconds": 0,
        },
    ),
    "GET /analytics/live-occupancy": (200, occupancy()),
    "GET /signing/status": (200, NO_KEY),
    "GET /signing/keys": nothing(),
    "GET /signing/public-key": (404, {"error": "there is no key"}),
    "GET /blind": nothing(),
    "GET /leaderboard": nothing(),
    "GET /sessions": nothing(),
    "GET /corrections": nothing(),
    "GET /audit": nothing(),
    "GET /channels": nothing(),
    "GET /text-channels": nothing(),
    "GET /tracked-channels": nothing(),
    "GET /log-destinations": nothing(),
    "GET /verified-roles": nothing(),
    "GET /roles": nothing(),
    "GET /subscription": (200, {"tier": "pro", "features": dict.fromkeys(("exports", "verified_roles", "webhooks"), True)}),
    "GET /analytics/heatmap": (200, {**RANGE, "cells": [[0] * 24 for _ in range(7)]}),
    "GET /analytics/trend": nothing(**RANGE, unit="day", seconds=0, sessions=0),
    "GET /analytics/channels": nothing(**RANGE, seconds=0, sessions=0),
    "GET /analytics/distribution": nothing(
        **RANGE,
        members=0,
        members_with_time=0,
        seconds=0,
        erased_seconds=0,
        quartiles=None,
        top_tenth={"members": 0, "seconds": 0, "share": None},
    ),
    "GET /stats": (200, NEVER),
    "GET /stats/days": nothing(),
    "GET /stats/explain": (200, UNEXPLAINED),
}
ABSENT = {
    "GET /access": access(present=False, rights=[]),
    "GET /bot-present": (200, {"present": False, "missing_permissions": []}),
}
LACKING = {
    "GET /bot-present": (200, {"present": True, "missing_permissions": ["View Channels", "Send Messages", "Embed Links"]})
}


async def cut(request: web.Request) -> web.Response:
    """Close the connection instead of answering."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@dataclass(frozen=True)
class State:
    """A page, what the API says under it, and words that it must show."""

    path: str
    shows: str
    answers: Answers = field(default_factory=dict)
    base: Answers = field(default_factory=lambda: WELL)
    status: int = 200
    away: bool = False
    cuts: str | None = None


STATES = {
    "permissions": State(HERE, "The bot lacks permissions", LACKING),
    "stale": State(f"{HERE}/settings/general", "may be out of date", cuts="GET /blind"),
    "limited": State(
        f"{HERE}/settings/general", "Try again in 7 seconds", {"GET /settings": (429, {"error": "x"})}, status=429
    ),
    "fault": State("/", "That is our fault", status=500),
    "away": State(f"{HERE}/settings/general", "The API is away", away=True, status=503),
    "keys-locked": State(f"{HERE}/signing/keys", "Unlock", {"GET /signing/status": (200, LOCKED)}),
    "keys-none": State(
        f"{HERE}/signing/keys", "passphrase", {"GET /signing/status": (200, NO_KEY), "GET /signing/keys": nothing()}
    ),
    "absent": State(HERE, "The bot is not in this server", ABSENT, status=404),
    "absent-for-a-reader": State(HERE, "The bot is not in this server", ABSENT | {"GET /access": access(present=False)}),
    "nothing": State("/", "No servers"),
    **{
        f"empty{path.replace('/', '-') or '-overview'}": State(HERE + path, words, base=EMPTY)
        for path, words in {
            "": "What to do next",
            "/leaderboard": "Nobody has been in a tracked",
            f"/members/{MEMBER}": "Not seen yet",
            f"/members/{MEMBER}/timeline": "Nothing was seen",
            "/analytics": "Analytics",
            "/signing": "There is no signing key yet",
            "/exports": "No period has ended yet",
            "/audit": "Nothing has been changed yet",
            "/settings": "Settings",
            "/logs": "No channel is told anything",
            "/roles": "roles",
        }.items()
    },
}


class Visit:
    """The dashboard at an address of its own, and somebody at it."""

    def __init__(self, world: DashboardWorld, url: str) -> None:
        self.world, self.url = world, url

    async def cookies(self) -> list[dict[str, Any]]:
        """Those of who has signed in and confirmed."""
        self.world.discord.user_id = MEMBER
        client = AsyncClient(transport=ASGITransport(self.world.app), base_url=self.url)
        await sign_in(client)
        await come_back(client, await client.get("/auth/confirm"))
        client.cookies.delete("flash")
        return [{"name": one.name, "value": one.value or "", "url": self.url} for one in client.cookies.jar]

    async def page(self, browser: Browser, **options: Any) -> Page:
        context = await browser.new_context(reduced_motion="reduce", **options)
        await context.add_cookies(await self.cookies())  # type: ignore[arg-type]
        await context.route("**/events*", _hang_up)  # what is live has tests of its own
        return await context.new_page()


async def _hang_up(route: Route) -> None:
    await route.abort()


@pytest.fixture
async def visit(sqlite_accounts_database: Any) -> AsyncIterator[Visit]:
    listener = listen("127.0.0.1", 0)
    url = url_of(listener)
    async with dashboard_world(sqlite_accounts_database, serve, static=load_static_files(), url=url) as world:
        server = HttpServer(uvicorn.Config(world.app, **HTTP))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield Visit(world, url)
        finally:
            server.ask_to_stop()
            await serving


Look = Callable[[Page, str], Awaitable[list[str]]]


async def look_at(page: Page, name: str) -> list[str]:
    """What is wrong with it on any screen; a picture of each is kept."""
    wrong = []
    for width in (390, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            await photograph(page, SCREENSHOTS / f"state-{name}-{width}-{scheme}.png")
            rules = RULES if scheme == "light" else ["color-contrast"]
            wrong += [f"{width}, {scheme}: {one}" for one in await complaints(page, rules)]
        if await is_wider_than_screen(page):
            wrong.append(f"{width}: scrolls sideways")
    return wrong


@pytest.mark.parametrize("name", STATES)
async def test_a_state_is_said_in_words_and_fits_every_screen(
    browser: Browser, visit: Visit, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = STATES[name]
    api = visit.world.api
    api.answers.update(state.base | state.answers)
    if name == "nothing":
        visit.world.discord.guilds = []
    page = await visit.page(browser)
    if name == "fault":
        monkeypatch.setattr(home, "MOST_ASKED", "many")
    if state.cuts:
        api.routes[state.cuts] = cut
    api.away = state.away
    answer = await page.goto(visit.url + state.path)
    assert answer is not None
    assert answer.status == state.status
    assert state.shows in await page.locator("main").inner_text()
    assert await page.locator("h1").count() == 1
    assert await look_at(page, name) == []
