"""How long each operation takes in the server, for the metrics."""

from __future__ import annotations

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.requests import services_of
from attendance.metrics import REQUESTS


class RequestTimer(ASGIMiddleware):
    """Observes `REQUESTS` by operation id and class of status."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Time one request, whatever becomes of it."""
        clock = services_of(scope["litestar_app"]).clock
        began = clock.monotonic()
        status = "5xx"

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        try:
            await next_app(scope, receive, note_status)
        finally:
            operation = getattr(scope.get("route_handler"), "operation_id", None)
            REQUESTS.labels(str(operation or "other"), status).observe(clock.monotonic() - began)
