"""The app factory. Nothing is read from the environment and nothing happens at import."""

from __future__ import annotations

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from api import documentation
from api.auth import Tokens, caller_of
from api.documentation import describe, openapi_config
from api.errors import HANDLERS
from api.parameters import expect_whole_numbers, provide_guild, provide_services
from api.requests import mark_response
from api.routes import (
    analytics,
    attendance,
    corrections,
    discord,
    events,
    explain,
    exports,
    health,
    history,
    inbound,
    log_destinations,
    members,
    periods,
    receipts,
    reports,
    settings,
    signing,
    signing_verify,
    subscription,
    tokens,
    tracking,
    transparency_log,
    verified_roles,
    verify,
    verify_page,
    webhooks,
)
from api.services import ApiServices
from api.timing import RequestTimer
from attendance.head_requests import HeadAsGet, with_head
from attendance.rate_limits import RateLimiter

MAX_BODY_BYTES = 256 * 1024

# Each module's handlers carry their full path, their guards and their declared errors.
ROUTE_MODULES = (
    documentation,
    health,
    reports,
    explain,
    analytics,
    attendance,
    events,
    tracking,
    settings,
    members,
    verified_roles,
    subscription,
    periods,
    corrections,
    history,
    exports,
    discord,
    log_destinations,
    signing,
    signing_verify,
    receipts,
    tokens,
    webhooks,
    inbound,
    verify,
    verify_page,
    transparency_log,
)


def create_app(services: ApiServices) -> Litestar:
    """Build the API over its services.

    Raises:
        ConfigError: a JWT secret is too short.
    """
    app = build_app()
    serve_with(app, services)
    return app


def build_app() -> Litestar:
    """The API's routes and their description, over nothing yet: `serve_with` comes before the first request."""
    handlers: list[ControllerRouterHandler] = [route for module in ROUTE_MODULES for route in module.ROUTES]
    app = Litestar(
        route_handlers=handlers,
        state=State(),
        dependencies={
            "services": Provide(provide_services),
            "guild": Provide(provide_guild),
            "caller": Provide(caller_of),
        },
        exception_handlers=HANDLERS,
        before_request=expect_whole_numbers,
        before_send=[mark_response],
        middleware=[RequestTimer()],
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=openapi_config(),
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = HeadAsGet(app.asgi_handler)
    app.state.allowed_methods = {
        route.path_format: ", ".join(sorted(with_head(route.methods))) for route in app.routes if route.methods
    }
    describe(app)
    return app


def serve_with(app: Litestar, services: ApiServices) -> None:
    """Put an app over its services; whatever it kept for others before (rate limits) begins anew.

    Raises:
        ConfigError: a JWT secret is too short.
    """
    options = services.options
    app.state.tokens = Tokens(options.secrets, services.clock)
    app.state.user_limiter = RateLimiter(services.clock, options.requests_per_minute_user)
    app.state.dashboard_limiter = RateLimiter(services.clock, options.requests_per_minute_dashboard)
    app.state.ip_limiter = RateLimiter(services.clock, options.requests_per_minute_ip)
    app.state.services = services
