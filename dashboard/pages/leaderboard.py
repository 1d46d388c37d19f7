"""``/guilds/{guild_id}/leaderboard``: who was there how long, in the running period or an archived one."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
from litestar import Request, get
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from dashboard.downloads import download
from dashboard.page import Html, InGuild
from dashboard.queries import PAGE_LENGTH, offset_of

MOST_PERIODS = 200
_INDEX = re.compile(r"[0-9]{1,9}", re.ASCII)
_MOST_SEARCHED = 100


class Line(msgspec.Struct, frozen=True):
    """A member's place. ``user_id`` and ``display_name`` are None after an erasure."""

    rank: int
    user_id: str | None
    display_name: str | None
    seconds: int
    sessions: int
    live: bool
    corrected_seconds: int


class Leaderboard(msgspec.Struct, frozen=True):
    """``GET /leaderboard``."""

    items: list[Line]
    total: int


class ArchivedPeriod(msgspec.Struct, frozen=True):
    """A period that is over, as ``GET /signing/history`` lists it, newest first."""

    period_index: int
    started_at: str
    ended_at: str
    state: str
    entry_count: int
    kid: str | None = None


class ArchivedPeriods(msgspec.Struct, frozen=True):
    """``GET /signing/history``."""

    items: list[ArchivedPeriod]
    total: int


@get("/guilds/{guild_id:str}/leaderboard")
async def show_leaderboard(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """A page of it, with the periods to choose from."""
    page.expect("read")
    period, search = _period(request), _search(request)
    offset = offset_of(request)
    asked = {"period_index": period, "search": search or None, "limit": PAGE_LENGTH, "offset": offset}
    board, periods = await asyncio.gather(
        page.api.get("/leaderboard", Leaderboard, asked),
        page.api.get("/signing/history", ArchivedPeriods, {"limit": MOST_PERIODS}),
    )
    return page.render(
        "leaderboard/leaderboard.html",
        lines=board.items,
        total=board.total,
        limit=PAGE_LENGTH,
        offset=offset,
        periods=periods.items,
        period=next((one for one in periods.items if str(one.period_index) == period), None),
        chosen=period or "",
        search=search,
        url=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    )


@get("/guilds/{guild_id:str}/leaderboard.csv")
async def download_leaderboard(page: InGuild, request: Request[Any, Any, Any]) -> Stream:
    """The whole of it as a table."""
    page.expect("read")
    asked = {"period_index": _period(request), "search": _search(request) or None, "format": "csv"}
    return await download(page, "/leaderboard", asked)


def _period(request: Request[Any, Any, Any]) -> str | None:
    text = request.query_params.get("period", "")
    return text if _INDEX.fullmatch(text) else None


def _search(request: Request[Any, Any, Any]) -> str:
    return request.query_params.get("search", "").strip()[:_MOST_SEARCHED]


ROUTES: tuple[ControllerRouterHandler, ...] = (show_leaderboard, download_leaderboard)
