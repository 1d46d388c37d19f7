"""``/verified-roles``: roles for members with enough time."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import DEFAULT_LIMIT, Guild, Limit, Offset, Services, TableLimit, Who, table_limit
from api.routes import GUILD
from api.schemas.verified_roles import DryRunBody, RuleBody, RuleRow, RunBody, SaveRuleBody
from api.schemas.wire import UUID_TEXT, Page, Strict
from api.shapes_verified_roles import dry_run_body, rule_body, rule_row, rule_terms, run_body
from api.tables import Format, listing, table
from attendance.domain.subscriptions import Feature
from attendance.services.access import Right

_TAGS = ["verified roles"]
_RULE = f"{GUILD}/verified-roles/{{rule_id:str}}"
RulePath: TypeAlias = Annotated[str, PathParameter(pattern=UUID_TEXT, description="The rule's id")]


@get(
    f"{GUILD}/verified-roles",
    operation_id="listVerifiedRoles",
    summary="The rules, in the order in which they were made",
    tags=_TAGS,
    guards=[requires(Right.READ, pro=Feature.VERIFIED_ROLES)],
    responses=guild_errors(),
)
async def list_verified_roles(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[RuleBody]]:
    """A page of rules."""
    rules, total = await services.verified_roles.page(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    if format_ == "csv":
        return table("verified-roles", [rule_row(rule) for rule in rules], RuleRow, total)
    return Response(Page(items=[rule_body(rule) for rule in rules], total=total))


@post(
    f"{GUILD}/verified-roles",
    operation_id="saveVerifiedRole",
    summary="Make a rule, or change one",
    description="201 for a new rule; 200 with an `id`, or where the guild has the same rule already. 422 with the reason for a "
    "role that the bot cannot give. A change is judged at the period's next end, or on demand; with another role, who has the "
    "old one keeps it.",
    tags=_TAGS,
    status_code=201,
    guards=[requires(Right.WRITE, pro=Feature.VERIFIED_ROLES)],
    dto=Strict[SaveRuleBody],
    return_dto=None,
    responses={
        200: ResponseSpec(RuleBody, description="Changed, or there already", generate_examples=False),
        **guild_errors(409, 413),
    },
)
async def save_verified_role(services: Services, guild: Guild, caller: Who, data: JSONBody[SaveRuleBody]) -> Response[RuleBody]:
    """Make or change a rule."""
    rule_id, terms = rule_terms(data)
    if rule_id is not None:
        changed = await services.verified_roles.change(caller.actor, guild, rule_id, terms)
        return Response(rule_body(changed), status_code=200)
    rule, created = await services.verified_roles.create(caller.actor, guild, terms)
    return Response(rule_body(rule), status_code=201 if created else 200)


@delete(
    _RULE,
    operation_id="deleteVerifiedRole",
    summary="Remove a rule",
    description="Members keep the role.",
    tags=_TAGS,
    guards=[requires(Right.WRITE, pro=Feature.VERIFIED_ROLES)],
    responses=guild_errors(),
)
async def delete_verified_role(services: Services, guild: Guild, caller: Who, rule_id: RulePath) -> None:
    """Remove a rule."""
    await services.verified_roles.remove(caller.actor, guild, UUID(rule_id))


@post(
    f"{_RULE}/dry-run",
    operation_id="dryRunVerifiedRole",
    summary="Who would get the role, and who would lose it",
    description="As a run would judge now: the last archived period, or all time. Nothing is changed. Discord is asked only "
    "whether the role can be given at all: a run still passes over who has it otherwise, or is a member no more.",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.READ, pro=Feature.VERIFIED_ROLES)],
    responses=guild_errors(),
)
async def dry_run_verified_role(
    *, services: Services, guild: Guild, rule_id: RulePath, limit: Limit = DEFAULT_LIMIT, offset: Offset = 0
) -> DryRunBody:
    """A dry run."""
    return dry_run_body(await services.verified_roles.dry_run(guild, UUID(rule_id), limit, offset))


@post(
    f"{_RULE}/run",
    operation_id="runVerifiedRole",
    summary="Judge a rule now",
    description="201 for a new run, 200 for one on demand that is not done yet. It works by itself, within Discord's limits; "
    "the list of runs says how far it is.",
    tags=_TAGS,
    status_code=201,
    guards=[requires(Right.WRITE, pro=Feature.VERIFIED_ROLES)],
    responses={
        200: ResponseSpec(RunBody, description="It is running already", generate_examples=False),
        **guild_errors(),
    },
)
async def run_verified_role(services: Services, guild: Guild, caller: Who, rule_id: RulePath) -> Response[RunBody]:
    """A run on demand."""
    run, created = await services.verified_roles.run(caller.actor, guild, UUID(rule_id))
    return Response(run_body(run), status_code=201 if created else 200)


@get(
    f"{_RULE}/runs",
    operation_id="listVerifiedRoleRuns",
    summary="Runs of a rule and how far they are, newest first",
    description="One for each period's end, and those on demand. Kept for 90 days.",
    tags=_TAGS,
    guards=[requires(Right.READ, pro=Feature.VERIFIED_ROLES)],
    responses=guild_errors(),
)
async def list_verified_role_runs(
    *,
    services: Services,
    guild: Guild,
    rule_id: RulePath,
    format_: Format = "json",
    limit: TableLimit = None,
    offset: Offset = 0,
) -> Response[Page[RunBody]]:
    """A page of runs."""
    size = table_limit(limit, is_table=format_ == "csv")
    runs, total = await services.verified_roles.run_page(guild, UUID(rule_id), size, offset)
    return listing("verified-role-runs", [run_body(run) for run in runs], RunBody, total, format_)


ROUTES: list[ControllerRouterHandler] = [
    list_verified_roles,
    save_verified_role,
    delete_verified_role,
    dry_run_verified_role,
    run_verified_role,
    list_verified_role_runs,
]
