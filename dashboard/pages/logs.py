"""``/guilds/{guild_id}/logs``: channels in Discord that are told what happens."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from dashboard.api_client import segment
from dashboard.errors import ApiRefused
from dashboard.lists import Listed, whole_list
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of

TYPES = ("session_end", "period_reset", "leaderboard", "signing", "checkpoint")
FREQUENCIES = ("immediate", "hourly", "daily", "weekly")
MOST_DESTINATIONS = 200
_ASKED_BY_DEFAULT = ("session_end", "period_reset", "leaderboard", "signing")
_NOT_FOUND = 404
_AWAY = 503
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


class TextChannel(msgspec.Struct, frozen=True):
    """A channel with messages, as ``GET /text-channels`` lists it."""

    channel_id: str
    name: str
    kind: str
    category: str | None
    missing_permissions: list[str]


class Typed(msgspec.Struct, frozen=True):
    """What was typed into the form of a new one: a channel of the list, or a pasted one."""

    picked: str = ""
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
    picked, pasted = form.get("picked", ""), form.get("channel", "").strip()
    typed = Typed(picked, pasted, await _types_of(request), form.get("frequency", ""))
    link = _CHANNEL.fullmatch(pasted or picked)
    wrong = _what_is_wrong(typed, link[1] if link else None)
    if link is None or wrong:
        return await _show(page, typed, {name: page.words(key) for name, key in wrong.items()}, status=422)
    body = {"channel_id": link[1], "types": list(typed.types), "frequency": typed.frequency}
    try:
        await page.api.post("/log-destinations", body)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        where = "channel" if pasted else "picked"
        errors = {{"channel_id": where}.get(name, name): words for name, words in (refused.details or {}).items()}
        return await _show(page, typed, errors or {where: refused.message}, status=refused.status)
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


def _what_is_wrong(typed: Typed, channel_id: str | None) -> dict[str, str]:
    """Keys of words by field, where no one channel is meant."""
    if not typed.channel:
        return {} if channel_id else {"picked": "logs-no-channel"}
    if channel_id is None:
        return {"channel": "logs-bad-channel"}
    return {"channel": "logs-two-channels"} if typed.picked not in ("", channel_id) else {}


async def _types_of(request: Request[Any, Any, Any]) -> tuple[str, ...]:
    return tuple(name for name in (await request.form()).getall("types", []) if isinstance(name, str))


async def _text_channels(page: GuildPage) -> Sequence[TextChannel] | None:
    """What a channel is picked from; None where Discord cannot be asked, and then one is pasted."""
    if not page.may("write"):
        return ()
    try:
        return await whole_list(page.api, "/text-channels", Listed[TextChannel])
    except ApiRefused as refused:
        if refused.status != _AWAY:
            raise
        return None


async def _show(
    page: GuildPage, typed: Typed | None = None, errors: Mapping[str, str] | None = None, *, status: int = 200
) -> Html:
    found = await page.api.get("/log-destinations", Destinations, {"limit": MOST_DESTINATIONS})
    told = {destination.channel_id for destination in found.items}
    spoken, text = await asyncio.gather(whole_list(page.api, "/channels", Listed[Channel]), _text_channels(page))
    names = {one.channel_id: one.name for one in spoken} | {one.channel_id: one.name for one in text or ()}
    offered = [one for one in text or () if not one.missing_permissions and one.channel_id not in told]
    return page.render(
        "logs/logs.html",
        status=status,
        destinations=found.items,
        names=names,
        is_discord_away=text is None,
        offered_channels=[(name, list(group)) for name, group in itertools.groupby(offered, key=lambda one: one.category)],
        values=typed or Typed(),
        errors=errors or {},
        types=TYPES,
        frequencies=FREQUENCIES,
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_logs, add_destination, change_destination, remove_destination)
