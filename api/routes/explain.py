"""``/stats/explain`` and ``/fairness/preview``: what time is made of, and what it would be under other rules."""

from __future__ import annotations

import asyncio

from litestar import Response, get, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import (
    From,
    Guild,
    Offset,
    Services,
    TableLimit,
    To,
    UserQuery,
    Who,
    instant,
    parse_channel,
    parse_user,
    table_limit,
)
from api.routes import GUILD
from api.schemas.explain import (
    ExplanationBody,
    MemberPreviewBody,
    PreviewBody,
    PreviewFairnessBody,
    StretchBody,
)
from api.schemas.wire import Strict
from api.shapes import given
from api.shapes_explain import explanation_body, preview_body, preview_members
from api.tables import Format, table
from attendance.services.access import Right
from attendance.services.fairness_preview import OtherRules


@get(
    f"{GUILD}/stats/explain",
    operation_id="explainStats",
    summary="What a member's time is made of",
    description="Every stretch between `from` and `to` (at most 366 days; by default the running period up to now) with its "
    "status and the rule behind it. While the journal holds them, also time in voice that opened no session: in untracked "
    "channels, in the AFK channel, while tracking was off, and, for the member alone, while they had opted out. Blind "
    "intervals always. Members may ask for their own without Manage Server.",
    tags=["reports"],
    guards=[requires(Right.OWN_STATS, own="user_id")],
    responses=guild_errors(),
)
async def explain_stats(
    *,
    services: Services,
    guild: Guild,
    caller: Who,
    member: UserQuery,
    from_: From = None,
    to: To = None,
    format_: Format = "json",
) -> Response[ExplanationBody]:
    """A member's time, explained."""
    user_id = parse_user(member)
    told = await services.explanations.explain(
        guild, user_id, instant(from_, "from"), instant(to, "to"), for_themselves=caller.user_id == user_id
    )
    body = await asyncio.to_thread(explanation_body, told)
    if format_ == "csv":
        return table("explanation", body.stretches, StretchBody, len(body.stretches))
    return Response(body)


@post(
    f"{GUILD}/fairness/preview",
    operation_id="previewFairness",
    summary="The last week under other rules",
    description="The body's members change, the others stay as they are; nothing is stored. Both sides are computed from the "
    "journal with one rule set for the whole time, also where the rules were changed within the week.",
    tags=["settings"],
    status_code=200,
    guards=[requires(Right.WRITE)],
    dto=Strict[PreviewFairnessBody],
    return_dto=None,
    responses=guild_errors(413),
)
async def preview_fairness(
    *,
    services: Services,
    guild: Guild,
    data: JSONBody[PreviewFairnessBody],
    format_: Format = "json",
    limit: TableLimit = None,
    offset: Offset = 0,
) -> Response[PreviewBody]:
    """Both sides of the comparison."""
    members = given(data)
    mode, channels = members.pop("tracking_mode", None), members.pop("tracked_channels", None)
    asked = OtherRules(members, mode, None if channels is None else frozenset(map(parse_channel, channels)))
    is_table = format_ == "csv"
    page = table_limit(limit, is_table=is_table)
    preview = await services.previews.preview(guild, asked, page, offset)
    items = preview_members(preview, page, offset)
    if is_table:
        return table("fairness-preview", items, MemberPreviewBody, len(preview.members))
    return Response(preview_body(preview, items))


ROUTES: list[ControllerRouterHandler] = [explain_stats, preview_fairness]
