"""The one table from errors to HTTP answers, and the answers that each operation declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap

from api.requests import request_id
from api.schemas.wire import ErrorBody, in_words
from attendance.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    NotReadyError,
    RollcallError,
    UnavailableError,
)
from attendance.head_requests import with_head

_log = structlog.get_logger("api")


class NotAuthenticatedError(RollcallError):
    """No token, or not one that we accept (HTTP 401)."""

    code = "not_authenticated"


class BadAddressError(RollcallError):
    """A path that cannot be one of ours, where the contract says 400."""

    code = "bad_address"


class NotOfferedError(RollcallError):
    """Something that this deployment is not set up for (HTTP 501)."""

    code = "not_offered"


class TooManyRequestsError(RollcallError):
    """The caller's minute is used up (HTTP 429). ``retry_after`` in whole seconds."""

    code = "too_many_requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


# Subclasses are looked up by their nearest ancestor here; whatever is not here is a fault of ours (500).
STATUS: Mapping[type[RollcallError], HTTPStatus] = {
    BadAddressError: HTTPStatus.BAD_REQUEST,
    NotAuthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    NotOfferedError: HTTPStatus.NOT_IMPLEMENTED,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}

_MEANING = {
    400: "The address is malformed",
    401: "Missing or invalid token",
    403: "The caller may not do this",
    404: "Not there, or the bot is not in the guild",
    405: "The path has no such method",
    409: "It contradicts what is stored",
    413: "The body is over 256 KiB",
    422: "A value is not valid; `details` names it",
    429: "Too many requests; see `Retry-After`",
    500: "Internal error",
    501: "This deployment is not set up for it",
    503: "Something needed is away: the database, Discord, or the guild's owner. Try again",
}


def declared(*statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of an operation, for its OpenAPI entry."""
    return {status: ResponseSpec(ErrorBody, description=_MEANING[status], generate_examples=False) for status in statuses}


def guild_errors(*further: int) -> dict[int, ResponseSpec]:
    """The error answers that every operation on a guild has, and ``further`` ones."""
    return declared(401, 403, 404, 422, 429, 500, 503, *further)


def on_rollcall_error(request: Request[Any, Any, Any], error: RollcallError) -> Response[ErrorBody]:
    """Answer an error that was raised on purpose."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is None:
        return on_unexpected_error(request, error)
    headers = {}
    if isinstance(error, TooManyRequestsError | NotReadyError):
        headers["Retry-After"] = str(error.retry_after)
    elif status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    elif status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(status, error.message, error.details, headers)


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[ErrorBody]:
    """Answer what Litestar itself refuses: an unknown path or method, a long body, a parameter that does not fit."""
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return on_unexpected_error(request, error)
    if status is HTTPStatus.BAD_REQUEST:  # the contract keeps 400 for the public routes, which raise their own
        details = _parameter_problems(error) if isinstance(error, ValidationException) else {}
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, "the request is not valid", details, {})
    messages = {
        HTTPStatus.NOT_FOUND: "there is nothing here",
        HTTPStatus.METHOD_NOT_ALLOWED: "this path has no such method",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is over 256 KiB",
    }
    headers = dict(error.headers or {})
    if "allow" in headers:
        headers["allow"] = ", ".join(sorted(with_head(headers["allow"].split(", "))))
    return _answer(status, messages.get(status, status.phrase.lower()), {}, headers)


def on_unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """The dispatch point for faults of ours: logged with the request's id, told without any detail."""
    _log.error(
        "request failed", request_id=request_id(request.scope), method=request.method, path=request.url.path, exc_info=error
    )
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error", {}, {})


# Where a handler's argument cannot have, or does not have, the name that callers know.
_PUBLIC_NAMES = {
    "actor_filter": "actor_id",
    "channel_filter": "channel_id",
    "data": "body",
    "format_": "format",
    "from_": "from",
    "idempotency_key": "Idempotency-Key",
    "last_event_id": "Last-Event-ID",
    "member": "user_id",
    "state_": "state",
    "user_filter": "user_id",
}
_MISSING = re.compile(r"Missing required \w+ parameter '([^']+)'")


def _parameter_problems(error: ValidationException) -> dict[str, str]:
    """Litestar lists ``{"key": …, "message": …}``, and has only a sentence where a required parameter is not there."""
    if not isinstance(error.extra, list):
        missing = _MISSING.match(error.detail)
        return {missing[1]: "required"} if missing else {}
    problems = {}
    for item in error.extra:
        if isinstance(item, dict):
            key = str(item.get("key", "request"))
            # Litestar's message for a body that is not there is the repr of a KeyError.
            problems[_PUBLIC_NAMES.get(key, key)] = (
                "required" if key == "data" else in_words(str(item.get("message", "not valid")))
            )
    return problems


def _answer(status: HTTPStatus, message: str, details: dict[str, str], headers: dict[str, str]) -> Response[ErrorBody]:
    return Response(ErrorBody(message, details or None), status_code=status, headers=headers, media_type="application/json")


HANDLERS: ExceptionHandlersMap = {
    RollcallError: on_rollcall_error,
    HTTPException: on_http_exception,
    Exception: on_unexpected_error,
}
