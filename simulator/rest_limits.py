"""Rate limits of the REST API: a bucket for each route and major parameter, one over all routes, and their headers."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from aiohttp import web

from simulator.faults import RestFault
from simulator.rest_errors import json_response

_ROUTE_LIMITS = {
    "POST /channels/{channel_id}/messages": (5, 5.0),
    "GET /channels/{channel_id}/messages": (5, 5.0),
    "GET /guilds/{guild_id}/members": (10, 10.0),
    "GET /guilds/{guild_id}/members/{user_id}": (5, 1.0),
    "PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}": (10, 10.0),
    "DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}": (10, 10.0),
    "PUT /applications/{application_id}/commands": (5, 20.0),
}
_DEFAULT_LIMIT = (10, 1.0)
_UNLIMITED = frozenset({"POST /interactions/{interaction_id}/{token}/callback"})
_GLOBAL_WINDOW_S = 1.0


@dataclass(slots=True)
class _Bucket:
    limit: int
    window_s: float
    used: int = 0
    resets_at: float = 0.0

    def take(self, now: float) -> bool:
        if now >= self.resets_at:
            self.used, self.resets_at = 0, now + self.window_s
        self.used += 1
        return self.used <= self.limit


class RestLimits:
    """Counts requests. Times are Unix seconds; ``now`` comes in as an argument."""

    def __init__(self, global_requests_per_s: int, *, enforced: bool) -> None:
        self._enforced = enforced
        self._global = _Bucket(global_requests_per_s, _GLOBAL_WINDOW_S)
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def refuse(self, route: str, major: str, now: float) -> web.Response | None:
        """Count a request; return the 429 that it gets if a limit is passed."""
        if route in _UNLIMITED:
            return None
        bucket = self._bucket(route, major)
        within_global = self._global.take(now)
        within_route = bucket.take(now)
        if not self._enforced or (within_global and within_route):
            return None
        if not within_global:
            return _refusal(self._global.resets_at - now, "global")
        response = _refusal(bucket.resets_at - now, "user")
        self.write_headers(response, route, major, now)
        return response

    def refuse_for_fault(self, fault: RestFault, route: str, major: str, now: float) -> web.Response:
        """Return the 429 that a fault asks for; a user limit shows an emptied bucket, as a real one would."""
        if fault.scope == "user":
            bucket = self._bucket(route, major)
            bucket.used, bucket.resets_at = bucket.limit, now + fault.retry_after_s
        response = _refusal(fault.retry_after_s, fault.scope)
        if fault.scope != "global":
            self.write_headers(response, route, major, now)
        return response

    def write_headers(self, response: web.StreamResponse, route: str, major: str, now: float) -> None:
        """Put the bucket's state into a response's headers; Discord's first answers to interactions have none."""
        if route in _UNLIMITED:
            return
        bucket = self._bucket(route, major)
        response.headers["X-RateLimit-Bucket"] = hashlib.md5(route.encode(), usedforsecurity=False).hexdigest()
        response.headers["X-RateLimit-Limit"] = str(bucket.limit)
        response.headers["X-RateLimit-Remaining"] = str(max(bucket.limit - bucket.used, 0))
        response.headers["X-RateLimit-Reset"] = f"{_ceil_ms(bucket.resets_at):.3f}"
        response.headers["X-RateLimit-Reset-After"] = f"{_ceil_ms(max(bucket.resets_at - now, 0)):.3f}"

    def _bucket(self, route: str, major: str) -> _Bucket:
        limit, window_s = _ROUTE_LIMITS.get(route, _DEFAULT_LIMIT)
        return self._buckets.setdefault((route, major), _Bucket(limit, window_s))


def _ceil_ms(seconds: float) -> float:
    """Round up to milliseconds: who waits that long must not come a moment too early."""
    return math.ceil(seconds * 1_000) / 1_000


def _refusal(retry_after_s: float, scope: str) -> web.Response:
    retry_after_s = max(retry_after_s, 0.001)
    body: dict[str, object] = {
        "message": "You are being rate limited.",
        "retry_after": _ceil_ms(retry_after_s),
        "global": scope == "global",
    }
    response = json_response(body, 429)
    response.headers["Retry-After"] = str(math.ceil(retry_after_s))
    response.headers["X-RateLimit-Scope"] = scope
    if scope == "global":
        response.headers["X-RateLimit-Global"] = "true"
    return response
