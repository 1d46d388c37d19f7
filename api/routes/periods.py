"""``/reset-interval`` and ``/reset-now``."""

from __future__ import annotations

from litestar import get, patch, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, IdempotencyKey, Services, Who
from api.routes import GUILD
from api.schemas.settings import ChangeResetIntervalBody, EndedPeriodBody, ResetIntervalBody
from api.schemas.wire import Strict
from api.shapes import ended_period, given, reset_interval
from attendance.services.access import Right
from attendance.services.commands import Request

_TAGS = ["periods"]


@get(
    f"{GUILD}/reset-interval",
    operation_id="getResetInterval",
    summary="When periods end",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_reset_interval(services: Services, guild: Guild) -> ResetIntervalBody:
    """The reset schedule."""
    return reset_interval(await services.settings.schedule(guild))


@patch(
    f"{GUILD}/reset-interval",
    operation_id="changeResetInterval",
    summary="Choose when periods end",
    description="Only the members given change. `timezone` is the guild's one time zone, for days in reports too.",
    tags=_TAGS,
    guards=[requires(Right.WRITE)],
    dto=Strict[ChangeResetIntervalBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def change_reset_interval(
    services: Services,
    guild: Guild,
    caller: Who,
    data: JSONBody[ChangeResetIntervalBody],
    idempotency_key: IdempotencyKey = None,
) -> ResetIntervalBody:
    """Change the reset schedule."""
    request = Request(guild, caller.actor, idempotency_key)
    return reset_interval(await services.settings.change_schedule(request, given(data)))


@post(
    f"{GUILD}/reset-now",
    operation_id="resetNow",
    summary="End the running period now",
    description="Answers with the period that ended. With an `Idempotency-Key` a retry answers with the same one; without "
    "it, each request ends a period.",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.WRITE)],
    responses=guild_errors(409),
)
async def reset_now(services: Services, guild: Guild, caller: Who, idempotency_key: IdempotencyKey = None) -> EndedPeriodBody:
    """End the period."""
    return ended_period(await services.resets.reset_now(Request(guild, caller.actor, idempotency_key)))


ROUTES: list[ControllerRouterHandler] = [get_reset_interval, change_reset_interval, reset_now]
