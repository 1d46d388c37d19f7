"""``/audit`` and ``/rules``: who changed what, and the rules that records point to."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import Annotated, TypeAlias

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import From, Guild, Offset, Services, TableLimit, To, instant, parse_user, table_limit
from api.routes import GUILD
from api.schemas.history import AuditEntryBody, AuditRowBody, RulesBody, RulesVersionBody
from api.schemas.wire import DECIMAL_ID, Page
from api.shapes_history import audit_entry, audit_row, rules_body, rules_version
from api.tables import Format, listing, table
from attendance.ports.audit import AuditFilter
from attendance.services.access import Right

_TAGS = ["settings"]

Action: TypeAlias = Annotated[
    str | None, QueryParameter(pattern=r"^[a-z_]{1,20}\.[a-z_]{1,20}$", description="Only these, such as `fairness.update`")
]
Actor: TypeAlias = Annotated[
    str | None, QueryParameter(name="actor_id", pattern=DECIMAL_ID, description="Only what this user changed")
]
# 32 bytes leave two bits of the last digit at zero: other digits there would be another name for the same rules.
Digest: TypeAlias = Annotated[
    str,
    PathParameter(
        pattern=r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", description="SHA-256 of the rules, base64url, as records name it"
    ),
]


@get(
    f"{GUILD}/audit",
    operation_id="listChanges",
    summary="Who changed which setting, newest first",
    description="Rules, channels, keys, destinations, webhooks, roles, tokens, corrections: what it was before and what after, "
    "who did it, how, and from where. An entry is written with the change itself, and is never edited.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_changes(
    *,
    services: Services,
    guild: Guild,
    action: Action = None,
    actor_filter: Actor = None,
    from_: From = None,
    to: To = None,
    format_: Format = "json",
    limit: TableLimit = None,
    offset: Offset = 0,
) -> Response[Page[AuditEntryBody]]:
    """A page of the audit."""
    actor_id = None if actor_filter is None else parse_user(actor_filter)
    which = AuditFilter(guild, action, actor_id, instant(from_, "from"), instant(to, "to"))
    is_table = format_ == "csv"
    entries, total = await services.history.changes(which, table_limit(limit, is_table=is_table), offset)
    if is_table:
        return table("audit", [audit_row(entry) for entry in entries], AuditRowBody, total)
    names = await services.history.names_in(guild, entries)
    return Response(Page(items=[audit_entry(entry, names) for entry in entries], total=total))


@get(
    f"{GUILD}/rules",
    operation_id="listRules",
    summary="Every version of the rules, newest first",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_rules(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[RulesVersionBody]]:
    """A page of versions."""
    lines, total = await services.history.versions(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    return listing("rules", [rules_version(line) for line in lines], RulesVersionBody, total, format_)


@get(
    f"{GUILD}/rules/{{rules_sha256:str}}",
    operation_id="getRules",
    summary="The rules that a record names",
    description="Served for ever. `rules` is the canonical JSON that `rules_sha256` is over, as text.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_rules(services: Services, guild: Guild, rules_sha256: Digest) -> RulesBody:
    """Rules by their digest."""
    return rules_body(await services.history.version_of(guild, urlsafe_b64decode(rules_sha256 + "=")))


ROUTES: list[ControllerRouterHandler] = [list_changes, list_rules, get_rules]
