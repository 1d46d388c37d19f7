"""Forms' tokens: a signed double submit, bound to the session (OWASP CSRF Cheat Sheet).

The browser keeps ``<random>.<HMAC of session and random>`` in a cookie, and every form has the same in a field. Another
site can send neither the field nor, with ``SameSite=Lax``, the cookies; one that plants a cookie (a subdomain) cannot sign for
the session.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from dashboard.errors import ForgedRequestError
from dashboard.services import services_of
from dashboard.viewers import signed_in_of

FIELD = "_csrf_token"
HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_RANDOM_BYTES = 16


def make_token(key: bytes, session_key: bytes | None) -> str:
    """A token for this session; None is nobody's."""
    random = secrets.token_hex(_RANDOM_BYTES)
    return f"{random}.{_signature(key, session_key, random)}"


def is_valid(key: bytes, session_key: bytes | None, token: str) -> bool:
    """Whether it was made here for this session."""
    random, _, signature = token.partition(".")
    expected = _signature(key, session_key, random)
    return len(random) == 2 * _RANDOM_BYTES and hmac.compare_digest(signature.encode(), expected.encode())


def _signature(key: bytes, session_key: bytes | None, random: str) -> str:
    session = b"nobody" if session_key is None else session_key
    return hmac.new(key, session + b"|" + random.encode(), sha256).hexdigest()


async def refuse_forged_writes(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of the whole app: a write needs the token of its form.

    Not asked of a handler with ``opt={"csrf": False}``, nor of a request that carries ``Authorization``: no browser adds that
    by itself.

    Raises:
        ForgedRequestError: it is not there, or not this session's.
    """
    if connection.scope.get("method") in _SAFE or handler.opt.get("csrf") is False:
        return
    if connection.headers.get("authorization"):
        return
    if connection.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForgedRequestError("this was sent from another site")
    services = services_of(connection.app)
    kept = connection.cookies.get(services.cookies.csrf, "")
    given = connection.headers.get(HEADER) or await _field(connection)
    signed_in = await signed_in_of(connection)
    session_key = None if signed_in is None else signed_in.session.key
    if (
        not given
        or not hmac.compare_digest(kept.encode(), given.encode())
        or not is_valid(services.keys.forms, session_key, given)
    ):
        raise ForgedRequestError("this form is not valid any more: load the page anew")


async def _field(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    if not isinstance(connection, Request):
        return ""
    if not connection.headers.get("content-type", "").startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        return ""
    value = (await connection.form()).get(FIELD)
    return value if isinstance(value, str) else ""
