"""``/guilds/{guild_id}/audit``: who changed what, newest first."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, get
from litestar.types import ControllerRouterHandler

from dashboard.page import GuildPage, Html, InGuild
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
# Members of what changed that have words. They are called the same wherever they stand, but for a few that mean the same.
FIELDS = frozenset(
    {
        *("afk_channel_id", "anchor", "auto_unlock", "bridge_gap_seconds", "channel_id", "channel_ids", "channels"),
        *("correction_id", "credited_ms", "day", "disabled", "disabled_reason", "enabled", "ended_at_ms", "events"),
        *(
            "exclude_afk",
            "expires_at",
            "frequency",
            "hour",
            "interval",
            "kid",
            "last_good_guild_seq",
            "lost",
            "min_session_seconds",
        ),
        *("mode", "month", "name", "names_shown", "out", "pause_on_deafen", "pause_on_mute", "pause_when_solo", "period_index"),
        *(
            "read_roles",
            "reason",
            "remove_below",
            "renews_at",
            "retention_days",
            "role_id",
            "scope",
            "scopes",
            "secret",
            "state",
        ),
        *("threshold_seconds", "tier", "timezone", "tracking_mode", "types", "url", "weekday", "write_roles"),
    }
)
_ACTION = re.compile(r"[a-z_]{1,20}\.[a-z_]{1,20}", re.ASCII)


class Entry(msgspec.Struct, frozen=True):
    """A change, as ``GET /audit`` lists it."""

    at: str
    action: str
    target: str | None
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


@dataclass(frozen=True, slots=True)
class Difference:
    """One member of what changed, before and after, as text; None where there was none.

    ``name`` is the API's; ``label`` its words, or the name again where a newer API has one that is unknown here.
    """

    name: str
    label: str
    before: str | None
    after: str | None


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
    return page.render(
        "audit/audit.html",
        entries=[(entry, differences(page, entry.before, entry.after)) for entry in found.items],
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


def differences(page: GuildPage, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Difference]:
    """What is different, by name; a member that one side lacks was not there."""
    names = {**(before or {}), **(after or {})}
    return [Difference(name, _label(page, name), _text(page, before, name), _text(page, after, name)) for name in names]


def _label(page: GuildPage, name: str) -> str:
    return page.words(f"audit-field-{name}") if name in FIELDS else name


def _text(page: GuildPage, members: Mapping[str, Any] | None, name: str) -> str | None:
    if members is None or name not in members:
        return None
    value = members[name]
    if isinstance(value, bool):
        return page.words("audit-yes" if value else "audit-no")
    if value is None or value == []:
        return page.words("audit-unset")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


ROUTES: tuple[ControllerRouterHandler, ...] = (show_audit,)
