"""``/guilds/{guild_id}/logs``: channels in Discord that are told what happens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from dashboard.api_client import segment
from dashboard.errors import ApiRefused
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of

TYPES = ("session_end", "period_reset", "leaderboard", "signing", "checkpoint")
FREQUENCIES = ("immediate", "hourly", "daily", "weekly")
MOST_DESTINATIONS = 200
_ASKED_BY_DEFAULT = ("session_end", "period_reset", "leaderboard", "signing")
_NOT_FOUND = 404
# What Discord copies as a channel's link, or its id alone.
_CHANNEL = re.compile(r"(?:https://(?:(?:ptb|canary)\.)?discord\.com/channels/[0-9]+/)?([1-9][0-9]{0,18})/?", re.ASCII)


class Destination(msgspec.Struct, frozen=True):
    """A channel that is told, as ``GET /log-destinations`` lists it."""

    id: str
    channel_id: str
    types: list[str]
    frequency: str
    last_delivered_at: str | None
    last_error: str | None

    @property
    def is_disabled(self) -> bool:
        """Whether nothing is told any more until it is saved again."""
        return (self.last_error or "").startswith("disabled:")


class Destinations(msgspec.Struct, frozen=True):
    """``GET /log-destinations``."""

    items: list[Destination]


class Channel(msgspec.Struct, frozen=True):
    """A voice channel or stage: its text chat can be told too."""

    channel_id: str
    name: str
    kind: str


class Channels(msgspec.Struct, frozen=True):
    """``GET /channels``."""

    items: list[Channel]


class Typed(msgspec.Struct, frozen=True):
    """What was typed into the form of a new one."""

    channel: str = ""
    types: tuple[str, ...] = _ASKED_BY_DEFAULT
    frequency: str = "immediate"


@get("/guilds/{guild_id:str}/logs")
async def show_logs(page: InGuild) -> Html:
    """The channels, and the form for another."""
    page.expect("read")
    return await _show(page)


@post("/guilds/{guild_id:str}/logs", status_code=303)
async def add_destination(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Let a channel be told. One that is told already gets these types and this frequency."""
    form = await form_of(request)
    typed = Typed(form.get("channel", "").strip(), await _types_of(request), form.get("frequency", ""))
    link = _CHANNEL.fullmatch(typed.channel)
    if link is None:
        return await _show(page, typed, {"channel": page.words("logs-bad-channel")}, status=422)
    body = {"channel_id": link[1], "types": list(typed.types), "frequency": typed.frequency}
    try:
        await page.api.post("/log-destinations", body)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        errors = {{"channel_id": "channel"}.get(name, name): words for name, words in (refused.details or {}).items()}
        return await _show(page, typed, errors or {"channel": refused.message}, status=refused.status)
    return page.redirect(f"{page.base}/logs", Flash("good", "logs-added"))


@post("/guilds/{guild_id:str}/logs/{destination_id:str}", status_code=303)
async def change_destination(page: InGuild, request: Request[Any, Any, Any], destination_id: FromPath[str]) -> Html:
    """Choose what a channel is told, and how often. One that was disabled works again."""
    form = await form_of(request)
    path = f"/log-destinations/{segment(destination_id)}"
    try:
        await page.api.patch(f"{path}/types", {"types": list(await _types_of(request))})
        await page.api.patch(f"{path}/frequency", {"frequency": form.get("frequency", "")})
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _show(page, errors={"change": refused.message}, status=refused.status)
    return page.redirect(f"{page.base}/logs", Flash("good", "logs-changed"))


@post("/guilds/{guild_id:str}/logs/{destination_id:str}/remove", status_code=303)
async def remove_destination(page: InGuild, destination_id: FromPath[str]) -> Html:
    """Tell a channel nothing any more. One that is gone already is what was wanted."""
    try:
        await page.api.delete(f"/log-destinations/{segment(destination_id)}")
    except ApiRefused as refused:
        if refused.status != _NOT_FOUND:
            raise
    return page.redirect(f"{page.base}/logs", Flash("good", "logs-removed"))


async def _types_of(request: Request[Any, Any, Any]) -> tuple[str, ...]:
    return tuple(name for name in (await request.form()).getall("types", []) if isinstance(name, str))


async def _show(
    page: GuildPage, typed: Typed | None = None, errors: Mapping[str, str] | None = None, *, status: int = 200
) -> Html:
    found = await page.api.get("/log-destinations", Destinations, {"limit": MOST_DESTINATIONS})
    channels = await page.api.get("/channels", Channels, {"limit": MOST_DESTINATIONS})
    return page.render(
        "logs/logs.html",
        status=status,
        destinations=found.items,
        names={channel.channel_id: channel.name for channel in channels.items},
        values=typed or Typed(),
        errors=errors or {},
        types=TYPES,
        frequencies=FREQUENCIES,
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_logs, add_destination, change_destination, remove_destination)
