"""``/guilds/{guild_id}/roles``: rules that give a Discord role for enough credited time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from attendance.errors import NotFoundError
from dashboard.api_client import segment
from dashboard.errors import ApiRefused
from dashboard.lists import Listed, whole_list
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of
from dashboard.tiers import has_feature

SCOPES = ("period", "lifetime")
UNKNOWN_IDS = (404, 422)
_AWAY = 503
_MOST_RULES = 25
_NUMBER = re.compile(r"[0-9]{0,6}", re.ASCII)
_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_MINUTE_S, _HOUR_S = 60, 3600
_MOST_HOURS = 87_600  # ten years, the API's bound


class Rule(msgspec.Struct, frozen=True):
    """A rule, as ``GET /verified-roles`` lists it."""

    id: str
    role_id: str
    threshold_seconds: int
    scope: str
    channel_ids: list[str]
    remove_below: bool
    last_error: str | None


class Rules(msgspec.Struct, frozen=True):
    """``GET /verified-roles``: 25 at most."""

    items: list[Rule]


class Role(msgspec.Struct, frozen=True):
    """A role of the guild, as ``GET /roles`` lists it."""

    role_id: str
    name: str
    managed: bool


class Channel(msgspec.Struct, frozen=True):
    """A channel, as ``GET /channels`` lists it."""

    channel_id: str
    name: str
    kind: str
    parent_id: str | None


class Typed(msgspec.Struct, frozen=True):
    """What the form of a rule has, as it is typed."""

    role_id: str = ""
    hours: str = "10"
    minutes: str = "0"
    scope: str = "period"
    channel_ids: tuple[str, ...] = ()
    remove_below: bool = False


@get("/guilds/{guild_id:str}/roles")
async def show_rules(page: InGuild) -> Html:
    """The rules, and the form for another."""
    page.expect("read")
    if not await has_feature(page, "verified_roles"):
        return page.render("roles/locked.html")
    return await _show(page)


@post("/guilds/{guild_id:str}/roles", status_code=303)
async def add_rule(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Make a rule."""
    typed = await typed_of(request)
    errors = mistakes_of(page, typed)
    if errors:
        return await _show(page, typed, errors, status=422)
    try:
        rule = await page.api.post("/verified-roles", body_of(typed), Rule)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _show(page, typed, words_of(refused), status=refused.status)
    return page.redirect(f"{page.base}/roles/{segment(rule.id)}", Flash("good", "roles-added"))


@post("/guilds/{guild_id:str}/roles/{rule_id:str}/remove", status_code=303)
async def remove_rule(page: InGuild, rule_id: FromPath[str]) -> Html:
    """Remove a rule; members keep the role."""
    try:
        await page.api.delete(f"/verified-roles/{segment(rule_id)}")
    except ApiRefused as refused:
        if refused.status not in UNKNOWN_IDS:
            raise
        raise NotFoundError("there is no such rule") from refused
    return page.redirect(f"{page.base}/roles", Flash("good", "roles-removed"))


async def typed_of(request: Request[Any, Any, Any]) -> Typed:
    """The form of a rule, read."""
    form = await form_of(request)
    channels = tuple(text for text in (await request.form()).getall("channel_ids", []) if isinstance(text, str))
    return Typed(
        role_id=form.get("role_id", "").strip(),
        hours=form.get("hours", "").strip(),
        minutes=form.get("minutes", "").strip(),
        scope=form.get("scope", ""),
        channel_ids=channels,
        remove_below="remove_below" in form,
    )


def mistakes_of(page: GuildPage, typed: Typed) -> dict[str, str]:
    """What cannot even be asked of the API, by field."""
    mistakes = {}
    if not _ID.fullmatch(typed.role_id):
        mistakes["role_id"] = page.words("roles-bad-role")
    if not _NUMBER.fullmatch(typed.hours) or not _NUMBER.fullmatch(typed.minutes) or seconds_of(typed) < 1:
        mistakes["hours"] = page.words("roles-bad-time")
    elif seconds_of(typed) > _MOST_HOURS * _HOUR_S:
        mistakes["hours"] = page.words("roles-too-much-time", hours=_MOST_HOURS)
    return mistakes


def seconds_of(typed: Typed) -> int:
    """The threshold, from hours and minutes in digits."""
    return int(typed.hours or "0") * _HOUR_S + int(typed.minutes or "0") * _MINUTE_S


def body_of(typed: Typed) -> dict[str, object]:
    """The rule, as the API takes it."""
    return {
        "role_id": typed.role_id,
        "threshold_seconds": seconds_of(typed),
        "scope": typed.scope,
        "channel_ids": list(typed.channel_ids),
        "remove_below": typed.remove_below,
    }


def typed_from(rule: Rule) -> Typed:
    """The form of a rule that is there. Seconds beyond the last minute are not shown."""
    hours, rest = divmod(rule.threshold_seconds, _HOUR_S)
    minutes = str(rest // _MINUTE_S)
    return Typed(rule.role_id, str(hours), minutes, rule.scope, tuple(rule.channel_ids), rule.remove_below)


def words_of(refused: ApiRefused) -> dict[str, str]:
    """The API's words, by the field that they belong to."""
    named = {"threshold_seconds": "hours"}
    return {named.get(name, name): words for name, words in (refused.details or {"role_id": refused.message}).items()}


async def roles_of(page: GuildPage) -> list[Role]:
    """The guild's roles that somebody can be given; none where Discord cannot be asked, and then an id is typed."""
    try:
        roles = await whole_list(page.api, "/roles", Listed[Role])
    except ApiRefused as refused:
        if refused.status != _AWAY:
            raise
        return []
    return [role for role in roles if not role.managed and role.role_id != str(page.guild.guild_id)]


async def channels_of(page: GuildPage) -> list[Channel]:
    """Every channel and category, for the picker."""
    return await whole_list(page.api, "/channels", Listed[Channel])


async def rules_of(page: GuildPage) -> list[Rule]:
    """The guild's rules."""
    return (await page.api.get("/verified-roles", Rules, {"limit": _MOST_RULES})).items


async def _show(
    page: GuildPage, typed: Typed | None = None, errors: Mapping[str, str] | None = None, *, status: int = 200
) -> Html:
    rules, roles, channels = await asyncio.gather(rules_of(page), roles_of(page), channels_of(page))
    return page.render(
        "roles/roles.html",
        status=status,
        rules=rules,
        roles=roles,
        role_names={role.role_id: role.name for role in roles},
        channels=channels,
        channel_names={channel.channel_id: channel.name for channel in channels},
        values=typed or Typed(),
        errors=errors or {},
        scopes=SCOPES,
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_rules, add_rule, remove_rule)
