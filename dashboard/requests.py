"""Facts about one request: its id, where it came from, and whether a page or JSON is wanted."""

from __future__ import annotations

import re
from typing import Any

from litestar.connection import ASGIConnection
from litestar.types import Scope

from attendance.client_address import client_ip
from attendance.rate_limits import ip_key
from dashboard.services import services_of

Connection = ASGIConnection[Any, Any, Any, Any]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_KEY = "rollcall_request_id"
# JSON by the reference contract; everything else is for people.
_JSON_PATHS = re.compile(r"/auth/(me|permissions|validate|admin(/.*)?)/?", re.ASCII)


def request_id(scope: Scope) -> str:
    """The request's id: the caller's ``X-Request-Id`` where it is harmless, one of our own otherwise. The API gets the same."""
    state = scope["state"]
    if _KEY not in state:
        given = next((value for name, value in scope["headers"] if name.lower() == b"x-request-id"), b"")
        if _REQUEST_ID.fullmatch(given):
            state[_KEY] = given.decode("ascii")
        else:
            state[_KEY] = services_of(scope["litestar_app"]).ids.salt().hex()
    return str(state[_KEY])


def client_address(connection: Connection) -> str | None:
    """Who is at the other end, as far as trusted proxies say; without an IPv6 zone, which means nothing to others."""
    trusted = services_of(connection.app).settings.trusted_proxies
    peer = connection.client.host if connection.client else None
    address = client_ip(peer, connection.headers.getall("x-forwarded-for", []), trusted)
    return None if address is None else str(address).partition("%")[0]


def client_key(connection: Connection) -> object:
    """What counts as one client for rate limits."""
    trusted = services_of(connection.app).settings.trusted_proxies
    peer = connection.client.host if connection.client else None
    return ip_key(client_ip(peer, connection.headers.getall("x-forwarded-for", []), trusted))


def wants_json(path: str) -> bool:
    """Whether errors of this path are JSON."""
    return _JSON_PATHS.fullmatch(path) is not None


def local_address(connection: Connection) -> str:
    """Path and query of this request: where to come back to."""
    query = connection.scope["query_string"].decode("ascii", "replace")
    return connection.url.path + (f"?{query}" if query else "")
