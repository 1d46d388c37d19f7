"""``/guilds/{guild_id}/settings/periods``: when periods end, and ending one now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.types import ControllerRouterHandler

from dashboard.errors import ApiRefused
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of

INTERVALS = ("hourly", "daily", "weekly", "monthly", "yearly", "off")
ANCHORS = ("calendar", "rolling")
NUMBERS = ("hour", "weekday", "day", "month")
_NUMBER = re.compile(r"[0-9]{1,2}", re.ASCII)
_KEY = re.compile(r"[0-9a-f-]{36}", re.ASCII)


class Schedule(msgspec.Struct, frozen=True):
    """``GET /reset-interval``. ``weekday`` 0 is Monday; ``next_resets`` are the next five instants at which periods end."""

    interval: str
    anchor: str
    timezone: str
    weekday: int
    day: int
    month: int
    hour: int
    next_resets: list[str]


class EndedPeriod(msgspec.Struct, frozen=True):
    """``POST /reset-now``."""

    period_index: int
    entry_count: int


@get("/guilds/{guild_id:str}/settings/periods")
async def show_periods(page: InGuild) -> Html:
    """The form, filled, and the instants that it comes to."""
    page.expect("read")
    return await _form(page)


@post("/guilds/{guild_id:str}/settings/periods", status_code=303)
async def change_periods(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Take the schedule to the API."""
    form = await form_of(request)
    typed: dict[str, object] = {name: form.get(name, "").strip() for name in ("interval", "anchor", "timezone")}
    for name in NUMBERS:
        text = form.get(name, "").strip()
        typed[name] = int(text) if _NUMBER.fullmatch(text) else text  # the API says what is wrong with it
    try:
        await page.api.patch("/reset-interval", typed)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _form(page, typed, refused.details or {"interval": refused.message}, status=refused.status)
    page.forget()  # the time zone heads every page
    return page.redirect(f"{page.base}/settings/periods", Flash("good", "periods-saved"))


@post("/guilds/{guild_id:str}/settings/periods/end", status_code=303)
async def end_period(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """End the running period. The key was made with the form: sent twice, it ends one period."""
    key = (await form_of(request)).get("key", "")
    if not _KEY.fullmatch(key):
        return await _form(page, None, {"end": page.words("periods-end-stale")}, status=422)
    try:
        ended: EndedPeriod = await page.api.post("/reset-now", kind=EndedPeriod, key=key)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _form(page, None, {"end": refused.message}, status=refused.status)
    said = Flash("good", "periods-ended", {"index": ended.period_index, "count": ended.entry_count})
    return page.redirect(f"{page.base}/settings/periods", said)


async def _form(
    page: GuildPage, typed: Mapping[str, object] | None = None, errors: Mapping[str, str] | None = None, *, status: int = 200
) -> Html:
    schedule = await page.api.get("/reset-interval", Schedule)
    return page.render(
        "settings/periods.html",
        status=status,
        tab="periods",
        values=msgspec.structs.asdict(schedule) if typed is None else typed,
        schedule=schedule,
        intervals=INTERVALS,
        anchors=ANCHORS,
        errors=errors or {},
        end_key=str(page.services.ids.session_id(page.services.clock.now_ms())),
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_periods, change_periods, end_period)
