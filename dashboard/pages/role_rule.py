"""``/guilds/{guild_id}/roles/{rule_id}``: one rule, whom it would change, and its runs."""

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
from dashboard.page import Flash, GuildPage, Html, InGuild
from dashboard.pages.roles import (
    SCOPES,
    UNKNOWN_IDS,
    Rule,
    Typed,
    body_of,
    channels_of,
    mistakes_of,
    roles_of,
    rules_of,
    typed_from,
    typed_of,
    words_of,
)
from dashboard.queries import PAGE_LENGTH, offset_of

_RUNS_SHOWN = 20
_UNFINISHED = ("due", "judged")


class Run(msgspec.Struct, frozen=True):
    """A run and how far it is, as ``GET …/runs`` lists it. ``period_index`` is None on demand."""

    period_index: int | None
    state: str
    error: str | None
    created_at: str
    done_at: str | None
    waiting: int
    granted: int
    removed: int
    passed_over: int
    failed: int

    @property
    def is_unfinished(self) -> bool:
        """Whether it goes on by itself."""
        return self.state in _UNFINISHED

    @property
    def settled(self) -> int:
        """Members of whom it is done with."""
        return self.granted + self.removed + self.passed_over + self.failed


class Runs(msgspec.Struct, frozen=True):
    """``GET …/runs``."""

    items: list[Run]
    total: int


class JudgedMember(msgspec.Struct, frozen=True):
    """A member for whom something would change."""

    user_id: str
    display_name: str
    seconds: int
    action: str


class DryRun(msgspec.Struct, frozen=True):
    """``POST …/dry-run``. ``problem``: why the role cannot be given at all."""

    period_index: int | None
    problem: str | None
    grant: int
    remove: int
    keep: int
    items: list[JudgedMember]
    total: int


@get("/guilds/{guild_id:str}/roles/{rule_id:str}")
async def show_rule(page: InGuild, rule_id: FromPath[str]) -> Html:
    """The rule, its form and its last runs."""
    page.expect("read")
    return await _show(page, rule_id)


@post("/guilds/{guild_id:str}/roles/{rule_id:str}", status_code=303)
async def change_rule(page: InGuild, request: Request[Any, Any, Any], rule_id: FromPath[str]) -> Html:
    """Change the rule. A threshold that was not touched keeps its seconds, which the form does not show."""
    typed = await typed_of(request)
    errors = mistakes_of(page, typed)
    if errors:
        return await _show(page, rule_id, typed, errors, status=422)
    before = typed_from(await _rule(page, rule_id))
    body = {"id": rule_id, **body_of(typed)}
    if (typed.hours, typed.minutes) == (before.hours, before.minutes):
        del body["threshold_seconds"]
    try:
        await page.api.post("/verified-roles", body)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _show(page, rule_id, typed, words_of(refused), status=refused.status)
    return page.redirect(f"{page.base}/roles/{segment(rule_id)}", Flash("good", "roles-changed"))


@get("/guilds/{guild_id:str}/roles/{rule_id:str}/dry-run")
async def show_dry_run(page: InGuild, request: Request[Any, Any, Any], rule_id: FromPath[str]) -> Html:
    """Who would get the role and who would lose it, if it ran now. Nothing is changed by looking."""
    page.expect("read")
    offset = offset_of(request)
    try:
        path = f"/verified-roles/{segment(rule_id)}/dry-run?limit={PAGE_LENGTH}&offset={offset}"
        found, rule, roles = await asyncio.gather(page.api.post(path, None, DryRun), _rule(page, rule_id), roles_of(page))
    except ApiRefused as refused:
        if refused.status not in UNKNOWN_IDS:
            raise
        raise NotFoundError("there is no such rule") from refused
    return page.render(
        "roles/dry_run.html",
        rule=rule,
        role_names={role.role_id: role.name for role in roles},
        dry=found,
        total=found.total,
        limit=PAGE_LENGTH,
        offset=offset,
    )


@post("/guilds/{guild_id:str}/roles/{rule_id:str}/run", status_code=303)
async def run_rule(page: InGuild, rule_id: FromPath[str]) -> Html:
    """Judge the rule now. One that waits already is not asked for twice."""
    try:
        await page.api.post(f"/verified-roles/{segment(rule_id)}/run")
    except ApiRefused as refused:
        if refused.status not in UNKNOWN_IDS:
            raise
        raise NotFoundError("there is no such rule") from refused
    return page.redirect(f"{page.base}/roles/{segment(rule_id)}#runs", Flash("info", "roles-running"))


async def _rule(page: GuildPage, rule_id: str) -> Rule:
    for rule in await rules_of(page):
        if rule.id == rule_id:
            return rule
    raise NotFoundError("there is no such rule")


async def _show(
    page: GuildPage,
    rule_id: str,
    typed: Typed | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> Html:
    rule = await _rule(page, rule_id)
    runs, roles, channels = await asyncio.gather(
        page.api.get(f"/verified-roles/{segment(rule_id)}/runs", Runs, {"limit": _RUNS_SHOWN}),
        roles_of(page),
        channels_of(page),
    )
    return page.render(
        "roles/rule.html",
        status=status,
        rule=rule,
        runs=runs.items,
        roles=roles,
        role_names={role.role_id: role.name for role in roles},
        channels=channels,
        channel_names={channel.channel_id: channel.name for channel in channels},
        values=typed or typed_from(rule),
        errors=errors or {},
        scopes=SCOPES,
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_rule, change_rule, show_dry_run, run_rule)
