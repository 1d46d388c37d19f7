"""``/guilds/{guild_id}/subscription``: the guild's tier; operators may set it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, get, post
from litestar.types import ControllerRouterHandler

from dashboard.errors import ApiRefused
from dashboard.instants import parsed_instant
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of
from dashboard.queries import day_ends, day_of_text
from dashboard.viewers import confirmed

TIERS = ("free", "pro")
FEATURES = ("exports", "verified_roles", "webhooks")


class Subscription(msgspec.Struct, frozen=True):
    """``GET /subscription``. ``renews_at``: when it ends unless it is renewed; None: never, or not known."""

    tier: str
    features: dict[str, bool]
    renews_at: str | None


@get("/guilds/{guild_id:str}/subscription")
async def show_subscription(page: InGuild) -> Html:
    """What the guild has, and for operators the form."""
    page.expect("read")
    return await _show(page)


@post("/guilds/{guild_id:str}/subscription", status_code=303, guards=[confirmed])
async def change_subscription(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Set the tier, for good or until the end of a day."""
    form = await form_of(request)
    tier, last = form.get("tier", ""), form.get("renews_at", "").strip()
    body: dict[str, str | None] = {"tier": tier}
    if tier == "pro":
        day = day_of_text(last)
        if last and day is None:
            errors = {"renews_at": page.words("subscription-bad-day")}
            return await _show(page, errors, tier=tier, last=last, status=422)
        body["renews_at"] = None if day is None else day_ends(day, page.guild.zone)
    try:
        await page.api.patch("/subscription", body)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        errors = dict(refused.details) or {"tier": refused.message}
        if "renews_at" in errors:
            errors["renews_at"] = page.words("subscription-past-day")
        return await _show(page, errors, tier=tier, last=last, status=refused.status)
    return page.redirect(f"{page.base}/subscription", Flash("good", "subscription-saved"))


async def _show(
    page: GuildPage,
    errors: Mapping[str, str] | None = None,
    *,
    tier: str | None = None,
    last: str | None = None,
    status: int = 200,
) -> Html:
    found = await page.api.get("/subscription", Subscription)
    return page.render(
        "subscription/subscription.html",
        status=status,
        subscription=found,
        features=FEATURES,
        tiers=TIERS,
        tier=found.tier if tier is None else tier,
        last_day=_last_day(found.renews_at, page.guild.zone) if last is None else last,
        errors=errors or {},
    )


def _last_day(ends_at: str | None, zone: str) -> str:
    """The day of which an instant is the end, as a form has it; so that saving again changes nothing."""
    if ends_at is None:
        return ""
    last = parsed_instant(ends_at) - timedelta(milliseconds=1)
    return last.astimezone(ZoneInfo(zone)).date().isoformat()


ROUTES: tuple[ControllerRouterHandler, ...] = (show_subscription, change_subscription)
