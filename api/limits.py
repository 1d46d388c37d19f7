"""Where the API counts requests, and refuses what is too much."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.errors import TooManyRequestsError
from api.requests import services_of
from attendance.client_address import client_ip
from attendance.rate_limits import RateLimiter, ip_key


async def limit_by_ip(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard of the public verification routes.

    Raises:
        TooManyRequestsError: the client's minute is used up.
    """
    limiter: RateLimiter = connection.app.state.ip_limiter
    check(limiter, ip_key(client_address(connection)))


def client_address(connection: ASGIConnection[Any, Any, Any, Any]) -> IPv4Address | IPv6Address | None:
    """Who is at the other end, as far as trusted proxies say."""
    options = services_of(connection.app).options
    peer = connection.client.host if connection.client else None
    return client_ip(peer, connection.headers.getall("x-forwarded-for", []), options.trusted_proxies)


def check(limiter: RateLimiter, key: object) -> None:
    """Count, and refuse what is too much.

    Raises:
        TooManyRequestsError: with the seconds to wait.
    """
    wait = limiter.take(key)
    if wait is not None:
        raise TooManyRequestsError(wait)
