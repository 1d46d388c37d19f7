"""``/signing/verify-session`` and ``/signing/verify-period``: the public verdicts, for the guild's own sessions and periods."""

from __future__ import annotations

from uuid import UUID

from litestar import post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, Services
from api.routes import GUILD
from api.routes.verify import MEANING
from api.schemas.signing import VerdictBody, VerifyPeriodBody, VerifySessionBody, verdict_body
from api.schemas.wire import Strict
from attendance.services.access import Right

_TAGS = ["signing"]


@post(
    f"{GUILD}/signing/verify-session",
    operation_id="verifyGuildSession",
    summary="Verify one of the guild's sessions",
    description=f"{MEANING} As `/verify/session/{{session_id}}`; 404 for another guild's session.",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.READ)],
    dto=Strict[VerifySessionBody],
    return_dto=None,
    responses=guild_errors(413),
)
async def verify_guild_session(services: Services, guild: Guild, data: JSONBody[VerifySessionBody]) -> VerdictBody:
    """A session's verdict."""
    return verdict_body(await services.verification.session(UUID(data.session_id), guild))


@post(
    f"{GUILD}/signing/verify-period",
    operation_id="verifyGuildPeriod",
    summary="Verify one of the guild's archived periods",
    description=f"{MEANING} As `/verify/period/{{guild_id}}/{{period_index}}`.",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.READ)],
    dto=Strict[VerifyPeriodBody],
    return_dto=None,
    responses=guild_errors(413),
)
async def verify_guild_period(services: Services, guild: Guild, data: JSONBody[VerifyPeriodBody]) -> VerdictBody:
    """A period's verdict."""
    return verdict_body(await services.verification.period(guild, data.period_index))


ROUTES: list[ControllerRouterHandler] = [verify_guild_session, verify_guild_period]
