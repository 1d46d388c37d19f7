"""``/members/{user_id}/…``: what is held of a member, erasing it, and opting out; ``/opt-outs`` and ``/erasures`` of all."""

from __future__ import annotations

from litestar import Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, IdempotencyKey, MemberPath, Offset, Services, TableLimit, Who, parse_user, table_limit
from api.routes import GUILD
from api.schemas.members import ErasureBody, MemberDataBody, OptedOutBody, OptOutBody, PendingErasureBody
from api.schemas.wire import Page
from api.shapes_members import erasure_body, opt_out_body, opted_out_body, pending_erasure_body
from api.tables import Format, listing
from attendance.services.access import Right
from attendance.services.commands import Request
from attendance.services.member_data import chunks_of

_TAGS = ["privacy"]
_MEMBER = f"{GUILD}/members/{{user_id:str}}"


@get(
    f"{_MEMBER}/opt-out",
    operation_id="getOptOut",
    summary="Whether a member is opted out",
    tags=_TAGS,
    guards=[requires(Right.OWN_DATA, own="user_id")],
    responses=guild_errors(),
)
async def get_opt_out(services: Services, guild: Guild, user_id: MemberPath) -> OptOutBody:
    """The opt-out."""
    member = parse_user(user_id)
    return opt_out_body(member, await services.opt_outs.since(guild, member))


@post(
    f"{_MEMBER}/opt-out",
    operation_id="optOut",
    summary="Record no sessions of a member from now on",
    description="For the member themself, or who manages the guild. They still count as company for others.",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.ERASE, own="user_id")],
    responses=guild_errors(409),
)
async def opt_out(
    services: Services, guild: Guild, caller: Who, user_id: MemberPath, idempotency_key: IdempotencyKey = None
) -> OptOutBody:
    """Opt out."""
    member = parse_user(user_id)
    await services.opt_outs.change(Request(guild, caller.actor, idempotency_key), member, out=True)
    return opt_out_body(member, await services.opt_outs.since(guild, member))


@delete(
    f"{_MEMBER}/opt-out",
    operation_id="optIn",
    summary="Record a member's sessions again",
    description="What members opted out of themselves is undone only by them, or by an operator.",
    tags=_TAGS,
    guards=[requires(Right.ERASE, own="user_id")],
    responses=guild_errors(409),
)
async def opt_in(
    services: Services, guild: Guild, caller: Who, user_id: MemberPath, idempotency_key: IdempotencyKey = None
) -> None:
    """Opt in again."""
    request = Request(guild, caller.actor, idempotency_key)
    by_operator = services.access.is_operator(caller)
    await services.opt_outs.change(request, parse_user(user_id), out=False, by_operator=by_operator)


@get(
    f"{_MEMBER}/data",
    operation_id="getMemberData",
    summary="Everything that is held of a member",
    description="One JSON file. For the member themself, or who manages the guild.",
    tags=_TAGS,
    guards=[requires(Right.OWN_DATA, own="user_id")],
    media_type="application/json",
    responses={200: ResponseSpec(MemberDataBody, description="Everything", generate_examples=False), **guild_errors()},
)
async def get_member_data(services: Services, guild: Guild, user_id: MemberPath) -> Stream:
    """The data."""
    member = parse_user(user_id)
    file = await services.member_data.copy(guild, member)
    headers = {"Content-Disposition": f'attachment; filename="rollcall-{guild}-{member}.json"', "Cache-Control": "no-store"}
    return Stream(chunks_of(file), media_type="application/json", headers=headers)


@get(
    f"{_MEMBER}/erase",
    operation_id="getErasure",
    summary="How far an erasure is",
    description="404 if none was asked for, or a day after it was done or withdrawn: then nobody remembers whom it was about.",
    tags=_TAGS,
    guards=[requires(Right.OWN_DATA, own="user_id")],
    responses=guild_errors(),
)
async def get_erasure(services: Services, guild: Guild, user_id: MemberPath) -> ErasureBody:
    """The request."""
    return erasure_body(await services.erasures.state(guild, parse_user(user_id)))


@post(
    f"{_MEMBER}/erase",
    operation_id="requestErasure",
    summary="Erase what is held of a member, in 72 hours",
    description="201 for a new request, 200 if one stands already. The member is told by direct message, and can withdraw it "
    "until it is due. Then it cannot be undone: the hashes stay, so that everything else still verifies.",
    tags=_TAGS,
    status_code=201,
    guards=[requires(Right.ERASE, own="user_id")],
    responses={
        200: ResponseSpec(ErasureBody, description="It was asked for already", generate_examples=False),
        **guild_errors(),
    },
)
async def request_erasure(services: Services, guild: Guild, caller: Who, user_id: MemberPath) -> Response[ErasureBody]:
    """Ask for an erasure."""
    asked, created = await services.erasures.request(guild, parse_user(user_id), caller.actor)
    return Response(erasure_body(asked), status_code=201 if created else 200)


@delete(
    f"{_MEMBER}/erase",
    operation_id="withdrawErasure",
    summary="Withdraw an erasure that has not begun",
    description="For the member themself, who asked for it, or an operator. 409 once it has begun.",
    tags=_TAGS,
    guards=[requires(Right.ERASE, own="user_id")],
    responses=guild_errors(409),
)
async def withdraw_erasure(services: Services, guild: Guild, caller: Who, user_id: MemberPath) -> None:
    """Withdraw it."""
    by_operator = services.access.is_operator(caller)
    await services.erasures.withdraw(guild, parse_user(user_id), caller.actor, by_operator=by_operator)


@get(
    f"{GUILD}/opt-outs",
    operation_id="listOptOuts",
    summary="Members who have opted out, the newest first",
    description="For who manages the guild, who may ask it of each member too: neither for panel roles nor for API tokens.",
    tags=_TAGS,
    guards=[requires(Right.ERASE)],
    responses=guild_errors(),
)
async def list_opt_outs(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[OptedOutBody]]:
    """A page of opt-outs."""
    lines, total = await services.opt_outs.page(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    return listing("opt-outs", [opted_out_body(line) for line in lines], OptedOutBody, total, format_)


@get(
    f"{GUILD}/erasures",
    operation_id="listErasures",
    summary="Erasures that wait or are under way, the next to be due first",
    description="For who manages the guild, who may ask it of each member too: neither for panel roles nor for API tokens. "
    "What ended is not in it.",
    tags=_TAGS,
    guards=[requires(Right.ERASE)],
    responses=guild_errors(),
)
async def list_erasures(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[PendingErasureBody]]:
    """A page of requests."""
    pending, total = await services.erasures.pending(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    return listing("erasures", [pending_erasure_body(one) for one in pending], PendingErasureBody, total, format_)


ROUTES: list[ControllerRouterHandler] = [
    get_opt_out,
    opt_out,
    opt_in,
    get_member_data,
    get_erasure,
    request_erasure,
    withdraw_erasure,
    list_opt_outs,
    list_erasures,
]
