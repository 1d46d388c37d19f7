"""``/auth/login``, ``/auth/callback``, ``/auth/confirm``, ``/auth/logout``: the browser's way through Discord and back."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from litestar import Request, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from dashboard.domain.sessions import SESSION_MS, SignedIn
from dashboard.errors import SignInRefusedError, TooManyRequestsError
from dashboard.page import AnyPage, Flash, Html
from dashboard.requests import Connection, client_address, client_key
from dashboard.security.cookies import AUTH, FLOW_SECONDS
from dashboard.security.return_url import safe_return_url
from dashboard.services import services_of
from dashboard.services.sign_in import Browser

ReturnUrl: TypeAlias = Annotated[str | None, QueryParameter(name="return_url")]


async def limit_sign_ins(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard: so many a minute from one address.

    Raises:
        TooManyRequestsError: that many were there.
    """
    wait = services_of(connection.app).sign_in_limiter.take(client_key(connection))
    if wait is not None:
        raise TooManyRequestsError(wait)


@get("/auth/login", guards=[limit_sign_ins])
async def log_in(page: AnyPage, return_url: ReturnUrl = None, account: FromQuery[str | None] = None) -> Html:
    """To Discord's page of consent, which who has consented before does not see, unless ``account=choose``."""
    return _to_discord(page, return_url, chooses=account == "choose")


@get("/auth/confirm", guards=[limit_sign_ins])
async def confirm(page: AnyPage, return_url: ReturnUrl = None) -> Html:
    """To Discord's page of consent, and back into the same session, confirmed for ten minutes."""
    return _to_discord(page, return_url, confirms=page.session)


@get("/auth/callback", guards=[limit_sign_ins])
async def call_back(
    page: AnyPage,
    request: Request[Any, Any, Any],
    code: FromQuery[str | None] = None,
    state_: Annotated[str | None, QueryParameter(name="state")] = None,
    error: FromQuery[str | None] = None,
) -> Html:
    """Back from Discord."""
    services = page.services
    name = services.cookies.flow(state_ or "")
    flow = services.sign_in.open(request.cookies.get(name), state_)
    if error is not None or not code:
        raise SignInRefusedError("declined" if error == "access_denied" else "stale")
    browser = Browser(client_address(request), request.headers.get("user-agent"), request.cookies.get(AUTH))
    finished = await services.sign_in.finish(flow, code, browser)
    cookies = [services.cookies.drop(name)]
    if finished.token is None:
        return page.redirect(finished.return_url, Flash("good", "sign-in-confirmed"), cookies)
    cookies.append(services.cookies.set(AUTH, finished.token, seconds=SESSION_MS // 1000))
    return page.redirect(finished.return_url, cookies=cookies)


@get("/auth/logout")
async def log_out(page: AnyPage, request: Request[Any, Any, Any], return_url: ReturnUrl = None) -> Html:
    """End the session (the reference contract has GET)."""
    return await _end(page, request, return_url)


@post("/auth/logout", status_code=303)
async def log_out_by_form(page: AnyPage, request: Request[Any, Any, Any], return_url: ReturnUrl = None) -> Html:
    """End the session, from the button in the bar."""
    return await _end(page, request, return_url)


async def _end(page: AnyPage, request: Request[Any, Any, Any], return_url: str | None) -> Html:
    services = page.services
    if page.signed_in is not None:
        await services.sign_in.sign_out(page.signed_in, client_address(request))
    where = safe_return_url(return_url, services.settings.origins)
    return page.redirect(
        where, Flash("info", "sign-in-ended"), [services.cookies.drop(AUTH), services.cookies.drop(services.cookies.csrf)]
    )


def _to_discord(page: AnyPage, return_url: str | None, *, confirms: SignedIn | None = None, chooses: bool = False) -> Html:
    services = page.services
    where = safe_return_url(return_url, services.settings.origins)
    url, flow = services.sign_in.begin(where, confirms=confirms, chooses=chooses)
    kept = services.cookies.set(services.cookies.flow(flow.state), services.sign_in.seal(flow), seconds=FLOW_SECONDS)
    return page.redirect(url, cookies=[*services.cookies.worn_out(page.request.cookies), kept])


ROUTES: tuple[ControllerRouterHandler, ...] = (log_in, confirm, call_back, log_out, log_out_by_form)
