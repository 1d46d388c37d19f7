"""``/guilds/{guild_id}/settings``: which channels count."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.types import ControllerRouterHandler

from dashboard.api_client import GuildApi, segment
from dashboard.errors import ApiRefused
from dashboard.lists import Listed, whole_list
from dashboard.page import Flash, GuildPage, Html, InGuild
from dashboard.pages.rules_preview import ShownPreview, preview_of

MODES = ("All", "Allowlist", "Denylist", "Off")
_WITHOUT_LIST = ("All", "Off")
_NOT_FOUND = 404
_WRITES_AT_ONCE = 8


class Mode(msgspec.Struct, frozen=True):
    """``GET /overview``, as far as this page needs it."""

    tracking_mode: str


class Channel(msgspec.Struct, frozen=True):
    """A voice channel, stage or category, as ``GET /channels`` lists them."""

    channel_id: str
    name: str
    kind: str
    parent_id: str | None


class Tracked(msgspec.Struct, frozen=True):
    """A line of ``GET /tracked-channels``."""

    channel_id: str


@dataclass(frozen=True, slots=True)
class Tracking:
    """A mode and its list, and what the form was filled with (``before_mode``, ``before``).

    Only what differs is sent, so two people who change different channels at once do not undo each other.
    """

    mode: str
    channels: tuple[str, ...]
    before_mode: str
    before: tuple[str, ...]

    @property
    def added(self) -> list[str]:
        """What is to go on the list."""
        return [one for one in self.channels if one not in set(self.before)]

    @property
    def removed(self) -> list[str]:
        """What is to go off it."""
        return [one for one in self.before if one not in set(self.channels)]


@get("/guilds/{guild_id:str}/settings")
async def show_tracking(page: InGuild) -> Html:
    """The mode as cards, the list as a picker."""
    page.expect("read")
    return await _form(page)


@post("/guilds/{guild_id:str}/settings", status_code=303)
async def change_tracking(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Show what the mode and list chosen would change, or send what differs."""
    form = await request.form()
    chosen, before = (tuple(dict.fromkeys(map(str, form.getall(name, [])))) for name in ("channels", "was"))
    typed = Tracking(str(form.get("mode", "")), chosen, str(form.get("was_mode", "")), before)
    try:
        if form.get("do") == "preview":
            rules = {"tracking_mode": typed.mode, "tracked_channels": list(typed.channels)}
            return await _form(page, typed, shown=await preview_of(page, rules))
        await _send(page.api, typed)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        named = {"tracking_mode": "mode", "tracked_channels": "channels"}
        errors = {named.get(name, name): words for name, words in (refused.details or {}).items()}
        if errors.pop("channel_id", None):  # its words are about one, without saying which
            errors["channels"] = page.words("tracking-gone")
        return await _form(page, typed, errors or {"mode": refused.message}, status=refused.status)
    return page.redirect(f"{page.base}/settings", Flash("good", "tracking-saved"))


async def _send(api: GuildApi, typed: Tracking) -> None:
    """Send what differs.

    A list that is about to count is completed before its mode, one that is not is left until after it: in between nobody's time
    is cut by half a list.
    """
    if typed.mode in _WITHOUT_LIST:
        await _send_mode(api, typed)
        await _send_list(api, typed)
    else:
        await _send_list(api, typed)
        await _send_mode(api, typed)


async def _send_mode(api: GuildApi, typed: Tracking) -> None:
    if typed.mode != typed.before_mode:
        await api.patch("/tracking-mode", {"mode": typed.mode})


async def _send_list(api: GuildApi, typed: Tracking) -> None:
    turn = asyncio.Semaphore(_WRITES_AT_ONCE)

    async def add(channel_id: str) -> None:
        async with turn:
            await api.post("/tracked-channels", {"channel_id": channel_id})

    async def remove(channel_id: str) -> None:
        async with turn:
            try:
                await api.delete(f"/tracked-channels/{segment(channel_id)}")
            except ApiRefused as refused:
                if refused.status != _NOT_FOUND:  # off the list already is what was wanted
                    raise

    await asyncio.gather(*map(add, typed.added))
    await asyncio.gather(*map(remove, typed.removed))


async def _form(
    page: GuildPage,
    typed: Tracking | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    shown: ShownPreview | None = None,
    status: int = 200,
) -> Html:
    now, channels, tracked = await asyncio.gather(
        page.api.get("/overview", Mode),
        whole_list(page.api, "/channels", Listed[Channel]),
        whole_list(page.api, "/tracked-channels", Listed[Tracked]),
    )
    listed = tuple(line.channel_id for line in tracked)
    # After a refusal some of it may be done: what is there now is what the next attempt differs from.
    if typed is None:
        values = Tracking(now.tracking_mode, listed, now.tracking_mode, listed)
    elif errors:
        values = Tracking(typed.mode, typed.channels, now.tracking_mode, listed)
    else:
        values = typed
    return page.render(
        "settings/tracking.html",
        status=status,
        tab="tracking",
        modes=MODES,
        channels=channels,
        values=values,
        errors=errors or {},
        shown=shown,
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_tracking, change_tracking)
