"""Bearer tokens, and the guard of every route under ``/api/v1/guilds/{guild_id}``.

A bearer token is a JWT that the dashboard made for one of its users, or an API token (``rc_…``) that a program keeps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import jwt
from jwt.types import Options
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.errors import NotAuthenticatedError
from api.limits import check, client_address
from api.requests import services_of
from attendance.domain.audit import Actor, Via
from attendance.domain.ids import MAX_SNOWFLAKE, GuildId, UserId, parse_snowflake
from attendance.domain.subscriptions import Feature
from attendance.domain.tokens import SECRET_PREFIX
from attendance.errors import ConfigError, ForbiddenError, InvalidInputError
from attendance.ports.clock import Clock
from attendance.services.access import Caller, Right

MIN_SECRET_BYTES = 32
MAX_LIFETIME_SECONDS = 60
LEEWAY_SECONDS = 5
# {"address": "203.0.113.7"}: made by our own dashboard, for a user who asks from there (docs/access.md).
DASHBOARD_CLAIM = "dashboard"

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]

# Times are judged here with the injected clock; nothing but user_id, guild_id and exp is required of a token.
_DECODING: Options = {
    "require": ["user_id", "guild_id", "exp"],
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """Reads JWTs: HS256 only, short-lived, for one user in one guild."""

    secrets: tuple[bytes, ...] = field(repr=False)
    clock: Clock

    def __post_init__(self) -> None:
        if not self.secrets or any(len(secret) < MIN_SECRET_BYTES for secret in self.secrets):
            raise ConfigError(f"API_INTERNAL_SECRET must have at least {MIN_SECRET_BYTES} bytes")

    def read(self, token: str, address: str | None = None) -> Caller:
        """The caller that a JWT speaks for, who asks from ``address``.

        Raises:
            NotAuthenticatedError: it is not one that we accept. It says why only where that helps nobody else.
        """
        claims = self._claims(token)
        self._check_times(claims)
        user_id, guild_id = UserId(_id_claim(claims, "user_id")), GuildId(_id_claim(claims, "guild_id"))
        if DASHBOARD_CLAIM not in claims:
            return Caller(user_id, guild_id, Actor(user_id, Via.API, address))
        # Signed, so it is believed where a header would not be: the dashboard says from where its user asks.
        return Caller(user_id, guild_id, Actor(user_id, Via.API, _dashboard_claim(claims)), by_dashboard=True)

    def _claims(self, token: str) -> dict[str, Any]:
        for secret in self.secrets:
            try:
                claims: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], options=_DECODING)
            except jwt.InvalidSignatureError:
                continue  # perhaps it was made before the secret was changed
            except (jwt.PyJWTError, ValueError, RecursionError):
                break
            return claims
        raise NotAuthenticatedError("the token is not valid")

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self.clock.now_ms() / 1000
        expires = _number_claim(claims, "exp")
        if expires + LEEWAY_SECONDS <= now:
            raise NotAuthenticatedError("the token has expired")
        if expires > now + MAX_LIFETIME_SECONDS + LEEWAY_SECONDS:
            raise NotAuthenticatedError(f"the token lives longer than {MAX_LIFETIME_SECONDS} seconds")
        if "nbf" in claims and _number_claim(claims, "nbf") > now + LEEWAY_SECONDS:
            raise NotAuthenticatedError("the token is not valid yet")


def _dashboard_claim(claims: dict[str, Any]) -> str | None:
    """The address of the dashboard's user; None where the dashboard does not know it."""
    match claims[DASHBOARD_CLAIM]:
        case {"address": str(address)}:
            try:
                return str(ip_address(address)).partition("%")[0]
            except ValueError:
                raise NotAuthenticatedError("the token is not valid") from None
        case {"address": None}:
            return None
        case _:
            raise NotAuthenticatedError("the token is not valid")


def _number_claim(claims: dict[str, Any], name: str) -> float:
    value = claims[name]
    # NaN compares false with everything, so a token with it would never expire.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        raise NotAuthenticatedError("the token is not valid")
    return value


def _id_claim(claims: dict[str, Any], name: str) -> int:
    value = claims[name]
    if isinstance(value, str):
        try:
            return parse_snowflake(value, name=name)
        except InvalidInputError:
            raise NotAuthenticatedError("the token is not valid") from None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SNOWFLAKE:
        raise NotAuthenticatedError("the token is not valid")
    return value


def requires(right: Right, *, own: str | None = None, own_session: str | None = None, pro: Feature | None = None) -> Guard:
    """A guard: token (401), rate limit (429), then `Access.authorise` for the path's guild (403, 404).

    An API token has a rate of its own.

    ``own`` is the parameter, of the path or else of the query, that names the member whom the request is about;
    ``own_session`` the path parameter that names their session. ``pro`` is a feature that the guild's subscription must have
    (403). The handlers find the caller by `caller_of`.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        services = services_of(connection.app)
        caller = await _caller(connection)
        state = connection.app.state
        limiter = state.dashboard_limiter if caller.by_dashboard else state.user_limiter
        check(limiter, caller.user_id if caller.token is None else caller.token.token_id)
        try:
            guild_id = GuildId(parse_snowflake(str(connection.path_params["guild_id"]), name="guild_id"))
        except InvalidInputError:
            # No token can be for a guild that cannot be: the same answer as for any other guild.
            raise ForbiddenError("the token is for another guild") from None
        subject = (
            _subject(connection, own) if own_session is None else await _session_subject(connection, guild_id, own_session)
        )
        await services.access.authorise(caller, guild_id, right, subject=subject)
        if pro is not None:
            await services.subscriptions.require(guild_id, pro)
        connection.state.caller = caller

    return guard


async def _caller(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    scheme, _, rest = connection.headers.get("authorization", "").partition(" ")
    token = rest.strip()
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticatedError("a bearer token is needed")
    address = _address_of(connection)
    if not token.startswith(SECRET_PREFIX):
        tokens: Tokens = connection.app.state.tokens
        return tokens.read(token, address)
    found = await services_of(connection.app).tokens.recognise(token)
    if found is None:
        raise NotAuthenticatedError("the token is not valid")
    return Caller(found.created_by, found.guild_id, Actor(found.created_by, Via.TOKEN, address, found.token_id), found)


def _address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    address = client_address(connection)
    # Without a zone, which has any length and means nothing to others.
    return None if address is None else str(address).partition("%")[0]


def _subject(connection: ASGIConnection[Any, Any, Any, Any], own: str | None) -> UserId | None:
    value = (connection.path_params if own in connection.path_params else connection.query_params).get(own) if own else None
    try:
        return None if value is None else UserId(parse_snowflake(value))
    except InvalidInputError:
        return None


async def _session_subject(connection: ASGIConnection[Any, Any, Any, Any], guild_id: GuildId, name: str) -> UserId | None:
    try:
        session_id = UUID(str(connection.path_params[name]))
    except ValueError:
        return None
    return await services_of(connection.app).receipts.subject(guild_id, session_id)


async def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Dependency: the caller, whom a `requires` guard has verified."""
    caller = request.state.caller
    assert isinstance(caller, Caller)  # noqa: S101  # the guard put it there
    return caller
