"""``/guilds/{guild_id}/webhooks``: where events are posted, and what has become of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from attendance.errors import NotFoundError
from dashboard.api_client import segment
from dashboard.errors import ApiRefused
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of
from dashboard.queries import PAGE_LENGTH, offset_of
from dashboard.tiers import has_feature

EVENTS = ("session.completed", "period.archived", "signing.locked")
STATES = ("waiting", "delivered", "failed", "dropped")
_UNKNOWN_IDS = (404, 422)


class Webhook(msgspec.Struct, frozen=True):
    """``GET /webhooks/settings``. ``secret`` is there in the one answer that made it."""

    url: str | None
    secret_set: bool
    events: list[str]
    enabled: bool
    failing_since: str | None
    disabled_reason: str | None
    secret: str | None = None


class Delivery(msgspec.Struct, frozen=True):
    """A line of ``GET /webhooks/deliveries``."""

    id: str
    event: str
    session_id: str | None
    period_index: int | None
    state: str
    attempts: int
    created_at: str
    next_attempt_at: str | None
    delivered_at: str | None
    last_status: int | None
    last_error: str | None


class Deliveries(msgspec.Struct, frozen=True):
    """``GET /webhooks/deliveries``."""

    items: list[Delivery]
    total: int


class Attempt(msgspec.Struct, frozen=True):
    """One request. ``status`` is None where nothing was answered."""

    number: int
    at: str
    duration_ms: int
    status: int | None
    error: str | None


class DeliveryDetails(msgspec.Struct, frozen=True):
    """``GET /webhooks/deliveries/{id}``."""

    delivery: Delivery
    attempts: list[Attempt]


class Typed(msgspec.Struct, frozen=True):
    """What was typed into the form."""

    url: str
    events: tuple[str, ...]
    enabled: bool


@get("/guilds/{guild_id:str}/webhooks")
async def show_webhooks(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """The settings and the log of 30 days."""
    page.expect("read")
    if not await has_feature(page, "webhooks"):
        return page.render("webhooks/locked.html")
    return await _show(page, request)


@post("/guilds/{guild_id:str}/webhooks", status_code=200)
async def change_webhook(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Save the settings. A first address makes a secret, which is on this answer and on no other."""
    form = await form_of(request)
    chosen = tuple(name for name in (await request.form()).getall("events", []) if isinstance(name, str))
    typed = Typed(form.get("url", "").strip(), chosen, "enabled" in form)
    body = {"url": typed.url or None, "events": list(typed.events), "enabled": typed.enabled}
    try:
        saved = await page.api.patch("/webhooks/settings", body, Webhook)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        errors = refused.details or {"url": refused.message}
        return await _show(page, request, typed, errors, status=refused.status)
    if saved.secret is not None:
        return await _show(page, request, secret=saved.secret)
    return page.redirect(f"{page.base}/webhooks", Flash("good", "webhooks-saved"))


@post("/guilds/{guild_id:str}/webhooks/rotate", status_code=200)
async def rotate_secret(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Make another secret, shown on this answer only; the old one signs beside it for a day."""
    try:
        saved = await page.api.patch("/webhooks/settings", {"rotate_secret": True}, Webhook)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _show(page, request, errors={"rotate": refused.message}, status=refused.status)
    return await _show(page, request, secret=saved.secret)


@post("/guilds/{guild_id:str}/webhooks/test", status_code=303)
async def send_test(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Post something that tells nothing, and look at what comes of it."""
    try:
        delivery = await page.api.post("/webhooks/test", None, Delivery)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _show(page, request, errors={"test": refused.message}, status=refused.status)
    return page.redirect(f"{page.base}/webhooks/deliveries/{segment(delivery.id)}", Flash("info", "webhooks-tested"))


@get("/guilds/{guild_id:str}/webhooks/deliveries/{delivery_id:str}")
async def show_delivery(page: InGuild, delivery_id: FromPath[str]) -> Html:
    """A delivery and its attempts."""
    page.expect("read")
    return await _show_delivery(page, delivery_id)


@post("/guilds/{guild_id:str}/webhooks/deliveries/{delivery_id:str}/replay", status_code=303)
async def replay_delivery(page: InGuild, delivery_id: FromPath[str]) -> Html:
    """Post it once more, now."""
    path = f"/webhooks/deliveries/{segment(delivery_id)}"
    try:
        await page.api.post(f"{path}/replay", None, Delivery)
    except ApiRefused as refused:
        if refused.status in _UNKNOWN_IDS:
            raise NotFoundError("there is no such delivery") from refused
        if not refused.is_about_input:
            raise
        return await _show_delivery(page, delivery_id, refused.message, status=refused.status)
    return page.redirect(f"{page.base}{path}", Flash("good", "webhooks-replayed"))


async def _show_delivery(page: GuildPage, delivery_id: str, error: str | None = None, *, status: int = 200) -> Html:
    try:
        found = await page.api.get(f"/webhooks/deliveries/{segment(delivery_id)}", DeliveryDetails)
    except ApiRefused as refused:
        if refused.status not in _UNKNOWN_IDS:
            raise
        raise NotFoundError("there is no such delivery") from refused
    return page.render("webhooks/delivery.html", status=status, delivery=found.delivery, attempts=found.attempts, error=error)


async def _show(
    page: GuildPage,
    request: Request[Any, Any, Any],
    typed: Typed | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    secret: str | None = None,
    status: int = 200,
) -> Html:
    offset, state = offset_of(request), request.query_params.get("state", "")
    asked = {"limit": PAGE_LENGTH, "offset": offset, "state": state if state in STATES else None}
    webhook, log = await asyncio.gather(
        page.api.get("/webhooks/settings", Webhook), page.api.get("/webhooks/deliveries", Deliveries, asked)
    )
    address = f"{page.base}/webhooks" + (f"?state={state}" if state in STATES else "")
    return page.render(
        "webhooks/webhooks.html",
        status=status,
        webhook=webhook,
        values=typed or Typed(webhook.url or "", tuple(webhook.events), webhook.enabled),
        errors=errors or {},
        secret=secret,
        deliveries=log.items,
        total=log.total,
        limit=PAGE_LENGTH,
        offset=offset,
        state=state if state in STATES else "",
        address=address,
        events=EVENTS,
        states=STATES,
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (
    show_webhooks,
    change_webhook,
    rotate_secret,
    send_test,
    show_delivery,
    replay_delivery,
)
