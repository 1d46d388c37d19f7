"""``POST /webhooks/attendance``: attendance that other systems report, under the operator's secret."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Annotated, Any

from litestar import Response, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, JSONBody
from litestar.types import ControllerRouterHandler

from api.errors import NotAuthenticatedError, NotOfferedError, declared
from api.limits import check, client_address
from api.parameters import Services
from api.requests import services_of
from api.schemas.webhooks import ReportAttendanceBody, ReportedAttendanceBody
from api.schemas.wire import Strict
from api.shapes_webhooks import external_attendance, reported_attendance
from attendance.rate_limits import ip_key

_HEADER = "x-webhook-secret"


async def has_webhook_secret(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard: the operator's secret. Who guesses is slowed like who verifies, who knows it is not.

    Raises:
        NotOfferedError: ``WEBHOOK_SECRET`` is not set.
        NotAuthenticatedError: the header is missing or another one.
        TooManyRequestsError: too many wrong ones from that address.
    """
    expected = services_of(connection.app).options.webhook_secret
    if expected is None:
        raise NotOfferedError("not implemented: WEBHOOK_SECRET is not set")
    # Digests have one length: how long the comparison takes says nothing of the secret's.
    given = sha256(connection.headers.get(_HEADER, "").encode("latin-1", "replace")).digest()
    if not hmac.compare_digest(given, sha256(expected).digest()):
        check(connection.app.state.ip_limiter, (_HEADER, ip_key(client_address(connection))))
        raise NotAuthenticatedError(f"the header {_HEADER} is missing or wrong")


@post(
    "/webhooks/attendance",
    operation_id="reportAttendance",
    summary="Report attendance that happened elsewhere",
    description="A meeting, a class. Recorded as `attendance.external` and shown as `external_seconds`; in no leaderboard, "
    "role or total of what was seen in voice. 201 the first time, 200 for the same report again under its `id`.",
    tags=["webhooks"],
    status_code=201,
    security=[{}],
    guards=[has_webhook_secret],
    dto=Strict[ReportAttendanceBody],
    return_dto=None,
    responses={
        200: ResponseSpec(ReportedAttendanceBody, description="It was reported already", generate_examples=False),
        **declared(401, 404, 409, 413, 422, 429, 500, 501, 503),
    },
)
async def report_attendance(
    services: Services,
    data: JSONBody[ReportAttendanceBody],
    webhook_secret: Annotated[str | None, HeaderParameter(name=_HEADER, description="The operator's `WEBHOOK_SECRET`")] = None,
) -> Response[ReportedAttendanceBody]:
    """Record a report."""
    del webhook_secret  # the guard has read it
    report = external_attendance(data)
    is_new = await services.external_reports.report(report)
    return Response(reported_attendance(report), status_code=201 if is_new else 200)


ROUTES: list[ControllerRouterHandler] = [report_attendance]
