"""``/guilds/{guild_id}/settings/fairness``: what pauses time, and what other rules would have made of last week."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.types import ControllerRouterHandler

from dashboard.errors import ApiRefused
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of
from dashboard.pages.rules_preview import ShownPreview, preview_of

SWITCHES = ("pause_on_mute", "pause_on_deafen", "pause_when_solo", "exclude_afk")
NUMBERS = ("min_session_seconds", "bridge_gap_seconds")
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


class Fairness(msgspec.Struct, frozen=True):
    """``GET /fairness``."""

    pause_on_mute: bool
    pause_on_deafen: bool
    pause_when_solo: bool
    exclude_afk: bool
    min_session_seconds: int
    bridge_gap_seconds: int


@get("/guilds/{guild_id:str}/settings/fairness")
async def show_fairness(page: InGuild) -> Html:
    """The form, filled."""
    page.expect("read")
    return _form(page, msgspec.structs.asdict(await page.api.get("/fairness", Fairness)))


@post("/guilds/{guild_id:str}/settings/fairness", status_code=303)
async def change_fairness(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Show what the rules typed would change, or take them to the API."""
    form = await form_of(request)
    typed: dict[str, bool | int | str] = {name: name in form for name in SWITCHES}
    typed |= {name: form.get(name, "").strip() for name in NUMBERS}
    wrong = {name: page.words("fairness-bad-number") for name in NUMBERS if not _WHOLE.fullmatch(str(typed[name]))}
    if wrong:
        return _form(page, typed, wrong, status=422)
    typed |= {name: int(typed[name]) for name in NUMBERS}
    try:
        if form.get("do") == "preview":
            return _form(page, typed, shown=await preview_of(page, typed))
        await page.api.patch("/fairness", typed)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return _form(page, typed, refused.details or {"pause_on_mute": refused.message}, status=refused.status)
    return page.redirect(f"{page.base}/settings/fairness", Flash("good", "fairness-saved"))


def _form(
    page: GuildPage,
    values: Mapping[str, object],
    errors: Mapping[str, str] | None = None,
    *,
    shown: ShownPreview | None = None,
    status: int = 200,
) -> Html:
    return page.render(
        "settings/fairness.html",
        status=status,
        tab="fairness",
        values=values,
        errors=errors or {},
        switches=SWITCHES,
        numbers=NUMBERS,
        shown=shown,
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_fairness, change_fairness)
