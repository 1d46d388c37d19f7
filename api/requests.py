"""Facts about one request: its id, and the services behind its app."""

from __future__ import annotations

import re

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from api.services import ApiServices

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_KEY = "rollcall_request_id"


def services_of(app: Litestar) -> ApiServices:
    """The services that the app was created with."""
    services = app.state.services
    assert isinstance(services, ApiServices)  # noqa: S101  # create_app put it there
    return services


def request_id(scope: Scope) -> str:
    """The request's id: the caller's ``X-Request-Id`` where it is harmless, one of our own otherwise."""
    state = scope["state"]
    if _KEY not in state:
        given = next((value for name, value in scope["headers"] if name.lower() == b"x-request-id"), b"")
        if _REQUEST_ID.fullmatch(given):
            state[_KEY] = given.decode("ascii")
        else:
            state[_KEY] = services_of(scope["litestar_app"]).ids.salt().hex()
    return str(state[_KEY])


async def mark_response(message: Message, scope: Scope) -> None:
    """Before anything is sent: the request's id, and headers that keep answers out of caches and sniffers."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    headers["X-Request-Id"] = request_id(scope)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "no-store")
    if scope.get("method") == "OPTIONS" and "Allow" in headers:
        # Litestar's own OPTIONS handler knows only the methods of the path's first handler.
        headers["Allow"] = scope["litestar_app"].state.allowed_methods.get(scope["path_template"], headers["Allow"])
