"""``/health`` and ``/health/live``: public, not rate limited."""

from __future__ import annotations

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ControllerRouterHandler

from api.errors import declared
from api.parameters import Services
from api.schemas.health import HealthBody, LiveBody


@get(
    "/health",
    operation_id="getHealth",
    summary="Whether the service works",
    description="503 with `status: degraded` while the database is away or a shard is not connected to Discord.",
    tags=["health"],
    security=[{}],
    responses={
        503: ResponseSpec(HealthBody, description="Something is wrong; the body says what", generate_examples=False),
        **declared(500),
    },
)
async def get_health(services: Services) -> Response[HealthBody]:
    """The health check."""
    report = await services.health.report()
    body = HealthBody(
        status="ok" if report.is_ok else "degraded",
        database=report.database,
        gateway=report.gateway,
        version=report.version,
    )
    return Response(body, status_code=200 if report.is_ok else 503)


@get(
    "/health/live",
    operation_id="getLiveness",
    summary="Whether the process runs",
    description="For probes: a restart while the gateway reconnects would only blind it.",
    tags=["health"],
    security=[{}],
    responses=declared(500),
)
async def get_liveness() -> LiveBody:
    """The liveness probe."""
    return LiveBody()


ROUTES: list[ControllerRouterHandler] = [get_health, get_liveness]
