"""``/guilds/{guild_id}/privacy/members/{user_id}``: the same about somebody else, for who manages the server."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from attendance.errors import InvalidInputError, NotFoundError
from dashboard.domain.ids import parse_user_id
from dashboard.downloads import download
from dashboard.page import Flash, GuildPage, Html, InGuild
from dashboard.pages.held_data import Change, change, held_of
from dashboard.viewers import confirmed

_MEMBER = "/guilds/{guild_id:str}/privacy/members/{user_id:str}"


class Named(msgspec.Struct, frozen=True):
    """``GET /stats``: what the guild calls them; their id where it does not know them."""

    display_name: str


@get(_MEMBER, guards=[confirmed])
async def show_member_privacy(page: InGuild, user_id: FromPath[str]) -> Html:
    """How it stands with them, and what a manager may do. One's own has its own page."""
    member = _other(page, user_id)
    if member == str(page.user_id):
        return page.redirect(f"{page.base}/privacy")
    return await _show(page, member)


@get(f"{_MEMBER}/data", guards=[confirmed])
async def download_member_data(page: InGuild, user_id: FromPath[str]) -> Stream:
    """Everything that is held of them."""
    return await download(page, f"/members/{_other(page, user_id)}/data")


@post(f"{_MEMBER}/opt-out", status_code=303, guards=[confirmed])
async def opt_member_out(page: InGuild, user_id: FromPath[str]) -> Html:
    """No sessions of theirs from now on."""
    return await _change(page, user_id, "opt-out", "privacy-they-opted-out")


@post(f"{_MEMBER}/opt-in", status_code=303, guards=[confirmed])
async def opt_member_in(page: InGuild, user_id: FromPath[str]) -> Html:
    """Sessions again; the API refuses what they asked for themselves."""
    return await _change(page, user_id, "opt-in", "privacy-they-opted-in")


@post(f"{_MEMBER}/erase", status_code=303, guards=[confirmed])
async def erase_member(page: InGuild, user_id: FromPath[str]) -> Html:
    """In 72 hours; they are told."""
    return await _change(page, user_id, "erase", "privacy-their-erasure-asked")


@post(f"{_MEMBER}/withdraw", status_code=303, guards=[confirmed])
async def withdraw_of_member(page: InGuild, user_id: FromPath[str]) -> Html:
    """Take back what one has asked for oneself."""
    return await _change(page, user_id, "withdraw", "privacy-withdrawn")


def _other(page: GuildPage, text: str) -> str:
    page.expect("erase")
    try:
        return str(parse_user_id(text))
    except InvalidInputError:
        raise NotFoundError("there is no such member") from None


async def _change(page: GuildPage, text: str, what: Change, done: str) -> Html:
    member = _other(page, text)
    refused = await change(page, member, what)
    if refused is not None:
        return await _show(page, member, refused=refused, status=HTTPStatus.CONFLICT)
    return page.redirect(f"{page.base}/privacy/members/{member}", Flash("good", done))


async def _show(page: GuildPage, member: str, *, refused: str | None = None, status: int = 200) -> Html:
    held, named = await asyncio.gather(held_of(page, member), page.api.get("/stats", Named, {"user_id": member}))
    return page.render("privacy/member.html", status=status, held=held, member=member, named=named, refused=refused)


ROUTES: tuple[ControllerRouterHandler, ...] = (
    show_member_privacy,
    download_member_data,
    opt_member_out,
    opt_member_in,
    erase_member,
    withdraw_of_member,
)
