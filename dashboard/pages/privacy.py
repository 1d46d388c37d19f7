"""``/guilds/{guild_id}/privacy``: what is held of the viewer, and what they may do about it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from litestar import Request, get, post
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from attendance.errors import ConflictError
from dashboard.downloads import download
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of, invite_url
from dashboard.pages.account import leave
from dashboard.pages.held_data import Change, change, concerned_in, held_of, retention_of
from dashboard.queries import PAGE_LENGTH, id_of
from dashboard.viewers import confirmed


@get("/guilds/{guild_id:str}/privacy")
async def show_privacy(page: InGuild) -> Html:
    """Their own; for who manages the server, a way to somebody else's."""
    if not page.guild.present and not page.may("read"):
        return page.render("overview/absent.html", status=404, invite_href=invite_url(page.services, page.guild.guild_id))
    return await _show(page)


@get("/guilds/{guild_id:str}/privacy/data")
async def download_own_data(page: InGuild) -> Stream:
    """Everything that is held of them, as one file."""
    return await download(page, f"/members/{page.user_id}/data")


@post("/guilds/{guild_id:str}/privacy/opt-out", status_code=303)
async def opt_out(page: InGuild) -> Html:
    """No sessions of theirs from now on."""
    return await _change(page, "opt-out", "privacy-opted-out")


@post("/guilds/{guild_id:str}/privacy/opt-in", status_code=303)
async def opt_in(page: InGuild) -> Html:
    """Sessions again."""
    return await _change(page, "opt-in", "privacy-opted-in")


@get("/guilds/{guild_id:str}/privacy/erase", guards=[confirmed])
async def ask_to_erase(page: InGuild) -> Html:
    """What would go and what would stay, before anything is asked for."""
    held = await held_of(page, str(page.user_id))
    return page.render("privacy/erase.html", held=held)


@post("/guilds/{guild_id:str}/privacy/erase", status_code=303, guards=[confirmed])
async def erase(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Ask for it: in 72 hours. And, where they want that too, leave the dashboard at once."""
    leaves = (await form_of(request)).get("account") == "on"
    asked = await _change(page, "erase", "privacy-erasure-asked")
    # The server's first: what it refuses they can still read, signed in.
    return await _leave(page) if leaves and asked.status_code == HTTPStatus.SEE_OTHER else asked


@post("/guilds/{guild_id:str}/privacy/withdraw", status_code=303)
async def withdraw(page: InGuild) -> Html:
    """Take it back. Without a new confirmation: it keeps what is there."""
    return await _change(page, "withdraw", "privacy-withdrawn")


@get("/guilds/{guild_id:str}/privacy/members")
async def find_member(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """From an id that was typed to that member's page."""
    page.expect("erase")
    member = id_of(request, "user_id")
    if member is None:
        return await _show(page, errors={"user_id": page.words("privacy-bad-id")}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return page.redirect(f"{page.base}/privacy/members/{member}")


async def _change(page: GuildPage, what: Change, done: str) -> Html:
    refused = await change(page, str(page.user_id), what)
    if refused is not None:
        return await _show(page, refused=refused, status=HTTPStatus.CONFLICT)
    return page.redirect(f"{page.base}/privacy", Flash("good", done))


async def _leave(page: GuildPage) -> Html:
    try:
        cookies = await leave(page)
    except ConflictError:
        return page.redirect(f"{page.base}/privacy", Flash("warn", "privacy-account-kept"))
    return page.redirect("/", Flash("good", "privacy-account-erased"), cookies)


async def _show(
    page: GuildPage, *, refused: str | None = None, errors: dict[str, str] | None = None, status: int = 200
) -> Html:
    held, preferences, concerned = await asyncio.gather(
        held_of(page, str(page.user_id)), retention_of(page), concerned_in(page)
    )
    return page.render(
        "privacy/privacy.html",
        status=status,
        held=held,
        preferences=preferences,
        concerned=concerned,
        listed_at=f"{page.base}/privacy?{page.request.url.query}",
        limit=PAGE_LENGTH,
        refused=refused,
        errors=errors or {},
        typed=page.request.query_params.get("user_id", ""),
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (
    show_privacy,
    download_own_data,
    opt_out,
    opt_in,
    ask_to_erase,
    erase,
    withdraw,
    find_member,
)
