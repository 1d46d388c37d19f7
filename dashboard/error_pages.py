"""The one table from errors to answers: a page for people, JSON where the reference contract has JSON."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from attendance.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    RollcallError,
    UnavailableError,
)
from dashboard.errors import (
    ApiAwayError,
    ApiRefused,
    BannedError,
    ConfirmationNeededError,
    DiscordAwayError,
    ForgedRequestError,
    NotOfferedError,
    NotSignedInError,
    SignInRefusedError,
    TooManyRequestsError,
)
from dashboard.page import ErrorPage, Page
from dashboard.requests import local_address, request_id, wants_json
from dashboard.security.cookies import AUTH
from dashboard.services import services_of
from dashboard.viewers import already_known

_log = structlog.get_logger("dashboard")
_AGAIN_SECONDS = 5

# Subclasses are looked up by their nearest ancestor here; whatever is not here is a fault of ours (500). The second is the
# page: words `error-<page>-title` and `error-<page>` of text/en/errors.ftl.
PAGES: Mapping[type[RollcallError], tuple[HTTPStatus, str]] = {
    SignInRefusedError: (HTTPStatus.BAD_REQUEST, "sign-in"),
    NotSignedInError: (HTTPStatus.UNAUTHORIZED, "signed-out"),
    ForgedRequestError: (HTTPStatus.FORBIDDEN, "forged"),
    BannedError: (HTTPStatus.FORBIDDEN, "banned"),
    ForbiddenError: (HTTPStatus.FORBIDDEN, "forbidden"),
    NotFoundError: (HTTPStatus.NOT_FOUND, "not-found"),
    ConflictError: (HTTPStatus.CONFLICT, "conflict"),
    InvalidInputError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"),
    TooManyRequestsError: (HTTPStatus.TOO_MANY_REQUESTS, "too-many"),
    NotOfferedError: (HTTPStatus.NOT_IMPLEMENTED, "not-offered"),
    DiscordAwayError: (HTTPStatus.SERVICE_UNAVAILABLE, "discord-away"),
    ApiAwayError: (HTTPStatus.SERVICE_UNAVAILABLE, "api-away"),
    UnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "away"),
}
_OF_API: Mapping[int, str] = {
    403: "forbidden",
    404: "not-found",
    409: "conflict",
    422: "invalid",
    429: "too-many",
    503: "api-away",
}
_OF_LITESTAR: Mapping[int, str] = {
    400: "invalid",
    404: "not-found",
    405: "not-found",
    413: "invalid",
}

Answer = Response[Any]


def on_rollcall_error(request: Request[Any, Any, Any], error: RollcallError) -> Answer:
    """Answer an error that was raised on purpose."""
    if isinstance(error, ConfirmationNeededError):
        return _to_confirmation(request)
    if isinstance(error, ApiRefused):
        return _on_api_refusal(request, error)
    found = next((PAGES[kind] for kind in type(error).__mro__ if kind in PAGES), None)
    if found is None:
        return on_unexpected_error(request, error)
    status, page = found
    headers = {}
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after)
    elif status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(_AGAIN_SECONDS)
    if isinstance(error, NotSignedInError) and error.had_session:
        page = "session-ended"
    return _answer(request, status, page, error, headers)


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Answer:
    """Answer what Litestar itself refuses."""
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return on_unexpected_error(request, error)
    told = RollcallError("the request is not valid" if status == HTTPStatus.BAD_REQUEST else status.phrase.lower())
    return _answer(request, status, _OF_LITESTAR.get(status, "invalid"), told, dict(error.headers or {}))


def on_unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Answer:
    """The dispatch point for faults of ours: logged with the request's id, told without any detail."""
    _log.error(
        "page failed", request_id=request_id(request.scope), method=request.method, path=request.url.path, exc_info=error
    )
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "fault", RollcallError("internal error"), {})


def _on_api_refusal(request: Request[Any, Any, Any], error: ApiRefused) -> Answer:
    if error.status not in _OF_API:  # 401: the two do not share a secret; 5xx: a fault of the API
        _log.error("the API refuses the dashboard", status=error.status, reason=error.message, path=request.url.path)
        away = ApiAwayError("the API does not answer as it should")
        return _answer(request, HTTPStatus.SERVICE_UNAVAILABLE, "api-away", away, {"Retry-After": str(_AGAIN_SECONDS)})
    after = error.retry_after or (_AGAIN_SECONDS if error.status == HTTPStatus.SERVICE_UNAVAILABLE else None)
    headers = {} if after is None else {"Retry-After": str(after)}
    return _answer(request, HTTPStatus(error.status), _OF_API[error.status], error, headers)


def _to_confirmation(request: Request[Any, Any, Any]) -> Answer:
    back = local_address(request) if request.method in ("GET", "HEAD") else _page_of(request)
    where = f"/auth/confirm?{urlencode({'return_url': back})}"
    # htmx follows a redirect within its own request, which cannot lead to Discord.
    headers = {"HX-Redirect": where} if request.headers.get("hx-request") else {"Location": where}
    return Response("", status_code=HTTPStatus.SEE_OTHER if "Location" in headers else HTTPStatus.OK, headers=headers)


def _page_of(request: Request[Any, Any, Any]) -> str:
    """The page whose form was sent: what the browser says, if it is one of ours; else the write's own path."""
    referrer = request.headers.get("referer", "")
    own = services_of(request.app).settings.url + "/"
    return "/" + referrer.removeprefix(own) if referrer.startswith(own) else request.url.path


def _answer(
    request: Request[Any, Any, Any], status: HTTPStatus, page: str, error: RollcallError, headers: dict[str, str]
) -> Answer:
    if wants_json(request.url.path):
        body: dict[str, Any] = {"error": error.message}
        if error.details:
            body["details"] = error.details
        return Response(body, status_code=status, headers=headers, media_type="application/json")
    answer: Answer = _page(request, status, page, error)
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


def _page(request: Request[Any, Any, Any], status: HTTPStatus, page: str, error: RollcallError) -> Answer:
    services = services_of(request.app)
    shown = ErrorPage(request, services, None if isinstance(error, NotSignedInError | BannedError) else already_known(request))
    back = local_address(request) if request.method == "GET" and not request.url.path.startswith("/auth/") else "/"
    answer = shown.render(
        "error.html",
        status=status,
        kind=page,
        message=_words_of(shown, error),
        request_id=request_id(request.scope) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None,
        retry_href=back if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS) else None,
        sign_in_href=f"/auth/login?{urlencode({'return_url': back})}",
        choose_href="/auth/login?account=choose",
    )
    if isinstance(error, NotSignedInError) and error.had_session:
        answer.cookies.append(services.cookies.drop(AUTH))
    return answer


def _words_of(page: Page, error: RollcallError) -> str | None:
    """What there is to say beside the page's own words."""
    if isinstance(error, SignInRefusedError):
        return page.words(f"sign-in-{error.why}")
    if isinstance(error, BannedError):
        return page.words("error-banned-reason", reason=error.reason)
    if isinstance(error, TooManyRequestsError):
        return page.words("error-too-many-wait", seconds=error.retry_after)
    if not isinstance(error, ApiRefused):
        return None
    if error.status == HTTPStatus.TOO_MANY_REQUESTS and error.retry_after is not None:  # the API's words do not say until when
        return page.words("error-too-many-wait", seconds=error.retry_after)
    return error.message


HANDLERS: ExceptionHandlersMap = {
    RollcallError: on_rollcall_error,
    HTTPException: on_http_exception,
    Exception: on_unexpected_error,
}
