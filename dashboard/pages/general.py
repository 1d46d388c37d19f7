"""``/guilds/{guild_id}/settings/general``: time zone, names, retention. The form that other forms are made after."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.types import ControllerRouterHandler

from dashboard.errors import ApiRefused
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of
from dashboard.viewers import confirmed

_DAYS = re.compile(r"[0-9]{1,5}", re.ASCII)


class General(msgspec.Struct, frozen=True):
    """What the first form changes: ``PATCH /settings`` as far as it goes."""

    timezone: str
    names_shown: bool


class Kept(msgspec.Struct, frozen=True):
    """``GET /settings``, as far as this page shows it. ``retention_days`` None keeps everything."""

    timezone: str
    names_shown: bool
    retention_days: int | None


@get("/guilds/{guild_id:str}/settings/general")
async def show_general(page: InGuild) -> Html:
    """The form, filled."""
    page.expect("read")
    return await _form(page)


@post("/guilds/{guild_id:str}/settings/general", status_code=303)
async def change_general(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Take what was typed to the API; refused, the form comes back with what was typed and the API's words beside it."""
    form = await form_of(request)
    typed = General(form.get("timezone", "").strip(), "names_shown" in form)
    try:
        await page.api.patch("/settings", typed)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _form(page, typed, errors=refused.details or {"timezone": refused.message}, status=refused.status)
    page.forget()  # the time zone heads every page
    return page.redirect(f"{page.base}/settings/general", Flash("good", "general-saved"))


@post("/guilds/{guild_id:str}/settings/general/retention", status_code=303, guards=[confirmed])
async def change_retention(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Keep sessions for so many days, or for good. What is older goes, so it must be confirmed who asks."""
    text = (await form_of(request)).get("retention_days", "").strip()
    if text and not _DAYS.fullmatch(text):
        return await _form(page, days=text, errors={"retention_days": page.words("general-bad-days")}, status=422)
    try:
        await page.api.patch("/settings", {"retention_days": int(text) if text else None})
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        # Its words are of JSON.
        return await _form(page, days=text, errors={"retention_days": page.words("general-bad-days")}, status=refused.status)
    return page.redirect(f"{page.base}/settings/general", Flash("good", "general-retention-saved"))


async def _form(
    page: GuildPage,
    values: General | None = None,
    *,
    days: str | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Html:
    kept = await page.api.get("/settings", Kept)
    return page.render(
        "settings/general.html",
        status=status,
        tab="general",
        values=values or kept,
        kept=kept,
        days=days if days is not None else kept.retention_days,
        errors=errors or {},
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_general, change_general, change_retention)
