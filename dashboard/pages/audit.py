"""``/guilds/{guild_id}/audit``: who changed what, newest first."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from litestar import Request, get
from litestar.types import ControllerRouterHandler

from dashboard.page import GuildPage, Html, InGuild
from dashboard.pages.audit_values import differences, names_in
from dashboard.queries import PAGE_LENGTH, day_begins, day_ends, day_of, id_of, offset_of

# What a filter offers: the actions that the audit knows today. Any other may be typed into the address.
ACTIONS = (
    "fairness.update",
    "log_destination.create",
    "log_destination.disable",
    "log_destination.delete",
    "log_destination.update",
    "member.erase",
    "member.erase_withdraw",
    "opt_out.add",
    "opt_out.remove",
    "period.reset",
    "preferences.update",
    "reset_interval.update",
    "role_rule.create",
    "role_rule.delete",
    "role_rule.run",
    "role_rule.update",
    "rules.update",
    "session.correct",
    "signing_key.change_passphrase",
    "signing_key.generate",
    "signing_key.lock",
    "signing_key.revoke",
    "signing_key.rotate",
    "signing_key.unlock",
    "subscription.update",
    "token.create",
    "token.revoke",
    "tracked_channel.add",
    "tracked_channel.remove",
    "tracking_mode.update",
    "webhook.disable",
    "webhook.replay",
    "webhook.test",
    "webhook.update",
)
_ACTION = re.compile(r"[a-z_]{1,20}\.[a-z_]{1,20}", re.ASCII)


class Entry(msgspec.Struct, frozen=True):
    """A change, as ``GET /audit`` lists it."""

    at: str
    action: str
    target: str | None
    target_name: str | None
    actor_id: str | None
    actor_name: str | None
    via: str
    address: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Entries(msgspec.Struct, frozen=True):
    """``GET /audit``."""

    items: list[Entry]
    total: int


@get("/guilds/{guild_id:str}/audit")
async def show_audit(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """A page of the audit, narrowed by kind, person and days."""
    page.expect("read")
    action = request.query_params.get("action", "")
    action = action if _ACTION.fullmatch(action) else ""
    actor, first, last = id_of(request, "actor_id"), day_of(request, "from"), day_of(request, "to")
    offset = offset_of(request)
    asked = {
        "action": action or None,
        "actor_id": actor,
        "from": None if first is None else day_begins(first, page.guild.zone),
        "to": None if last is None else day_ends(last, page.guild.zone),
        "limit": PAGE_LENGTH,
        "offset": offset,
    }
    found = await page.api.get("/audit", Entries, asked)
    words = page.services.templates.words
    names = await names_in(page, (side for entry in found.items for side in (entry.before, entry.after) if side))
    return page.render(
        "audit/audit.html",
        entries=[(entry, differences(words, names, entry.before, entry.after)) for entry in found.items],
        total=found.total,
        limit=PAGE_LENGTH,
        offset=offset,
        url=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
        chosen={"action": action, "actor_id": actor, "from": first, "to": last},
        actions=offered(page, action),
        did={one.action: words_of(page, one.action) for one in found.items},
    )


def offered(page: GuildPage, chosen: str) -> list[tuple[str, str]]:
    """What the filter offers: actions and their words, by the words."""
    known = {*ACTIONS, *([chosen] if chosen else [])}
    return sorted(((action, words_of(page, action)) for action in known), key=lambda pair: pair[1])


def words_of(page: GuildPage, action: str) -> str:
    """What was done, in words; an action of a newer API by its name."""
    return page.words(f"audit-did-{action.replace('.', '-')}") if action in ACTIONS else action


ROUTES: tuple[ControllerRouterHandler, ...] = (show_audit,)
