"""``/``: what this is, for strangers; the viewer's servers for who is signed in. And the choice of light or dark."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, get, post
from litestar.types import ControllerRouterHandler

from dashboard.api_client import Asking
from dashboard.page import AnyPage, Html, form_of
from dashboard.requests import client_address, request_id
from dashboard.security.cookies import THEME, THEME_SECONDS
from dashboard.security.return_url import safe_return_url
from dashboard.services.guild_access import ListedGuild

MOST_ASKED = 100  # servers whose bot is asked after; accounts may be in 200


@get("/", opt={"public": True})
async def show_home(page: AnyPage) -> Html:
    """The picker, or the landing page."""
    if page.signed_in is None:
        return page.render("home/landing.html")
    guilds = await page.services.guilds.listed(page.signed_in)
    asking = Asking(page.user_id, client_address(page.request), request_id(page.request.scope))
    asked = [page.services.guilds.is_present(asking, guild.guild_id) for guild in guilds[:MOST_ASKED]]
    present = dict(zip((guild.guild_id for guild in guilds), await asyncio.gather(*asked), strict=False))
    picks = [(guild.manages, _pick(page, guild, present=present.get(guild.guild_id))) for guild in guilds]
    return page.render(
        "home/servers.html",
        managed=[pick for manages, pick in picks if manages],
        others=[pick for manages, pick in picks if not manages],
    )


@post("/appearance", status_code=303)
async def choose_appearance(page: AnyPage, request: Request[Any, Any, Any]) -> Html:
    """Light, dark, or as the system has it; kept by the browser alone."""
    theme = (await form_of(request)).get("theme", "auto")
    cookies = page.services.cookies
    kept = cookies.set(THEME, theme, seconds=THEME_SECONDS) if theme in ("light", "dark") else cookies.drop(THEME)
    return page.redirect(_where_from(page, request), cookies=[kept])


def _where_from(page: AnyPage, request: Request[Any, Any, Any]) -> str:
    own = page.services.settings.url
    return safe_return_url(request.headers.get("referer", "").removeprefix(own) or "/", frozenset())


def _pick(page: AnyPage, guild: ListedGuild, *, present: bool | None) -> dict[str, Any]:
    """A place to go. A page about a server without the bot says how to add it, to those who may."""
    note = {None: None, True: "home-bot-here", False: "home-bot-add" if guild.manages else "home-bot-absent"}[present]
    return {
        "label": guild.name,
        "href": f"/guilds/{guild.guild_id}",
        "icon_url": guild.icon_url,
        "note": None if note is None else page.words(note),
    }


ROUTES: tuple[ControllerRouterHandler, ...] = (show_home, choose_appearance)
