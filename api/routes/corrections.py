"""``/corrections``: what a hand adds to recorded time, or takes from it."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import (
    Guild,
    IdempotencyKey,
    Offset,
    Services,
    TableLimit,
    UserFilter,
    Who,
    parse_user,
    table_limit,
)
from api.routes import GUILD
from api.schemas.corrections import CorrectionBody, CorrectSessionBody
from api.schemas.wire import Page, Strict
from api.shapes_corrections import correction_body
from api.tables import Format, listing
from attendance.services.access import Right
from attendance.services.commands import Request

_TAGS = ["corrections"]


@post(
    f"{GUILD}/corrections",
    operation_id="correctSession",
    summary="Correct a recorded session",
    description="Never an edit: a signed record beside the session's own. It counts at the session's last millisecond, and the "
    "corrected session stays within 0 and its length (422). 409 while the session's own record waits for its signature. "
    "Archives stay as they are: later corrections stand beside them. With an `Idempotency-Key` a retry answers 200 with the "
    "same one.",
    tags=_TAGS,
    status_code=201,
    guards=[requires(Right.CORRECT)],
    dto=Strict[CorrectSessionBody],
    return_dto=None,
    responses={
        200: ResponseSpec(CorrectionBody, description="It was made already", generate_examples=False),
        **guild_errors(409, 413),
    },
)
async def correct_session(
    services: Services, guild: Guild, caller: Who, data: JSONBody[CorrectSessionBody], idempotency_key: IdempotencyKey = None
) -> Response[CorrectionBody]:
    """A correction."""
    request = Request(guild, caller.actor, idempotency_key)
    made, is_new = await services.corrections.correct(request, UUID(data.session_id), data.delta_seconds, data.note)
    names = await services.history.names(guild, [made.actor_id])
    return Response(correction_body(made, names), status_code=201 if is_new else 200)


@get(
    f"{GUILD}/corrections",
    operation_id="listCorrections",
    summary="Corrections, newest first",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_corrections(
    *,
    services: Services,
    guild: Guild,
    user_filter: UserFilter = None,
    format_: Format = "json",
    limit: TableLimit = None,
    offset: Offset = 0,
) -> Response[Page[CorrectionBody]]:
    """A page of corrections."""
    user_id = None if user_filter is None else parse_user(user_filter)
    made, total = await services.corrections.page(guild, user_id, table_limit(limit, is_table=format_ == "csv"), offset)
    names = await services.history.names(guild, (one.actor_id for one in made))
    return listing("corrections", [correction_body(one, names) for one in made], CorrectionBody, total, format_)


ROUTES: list[ControllerRouterHandler] = [correct_session, list_corrections]
