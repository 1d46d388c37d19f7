"""The app factory. Nothing is read from the environment and nothing happens at import."""

from __future__ import annotations

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from attendance.head_requests import HeadAsGet
from dashboard import static_files
from dashboard.error_pages import HANDLERS
from dashboard.page import provide_page
from dashboard.pages import (
    account,
    admin_activity,
    admin_json,
    admin_roles,
    admin_users,
    analytics,
    analytics_breakdowns,
    audit,
    auth,
    channel,
    correction,
    exports,
    fairness,
    general,
    home,
    leaderboard,
    logs,
    member,
    member_privacy,
    member_timeline,
    overview,
    overview_live,
    panel,
    periods,
    privacy,
    receipt,
    role_rule,
    roles,
    sign_in,
    signing,
    signing_keys,
    subscription,
    tokens,
    tracking,
    webhooks,
)
from dashboard.security.csrf import refuse_forged_writes
from dashboard.security.headers import mark_response
from dashboard.security.own_host import lead_to_own_host
from dashboard.services import DashboardServices

MAX_BODY_BYTES = 256 * 1024

# Each module's handlers carry their full path and their guards.
ROUTE_MODULES = (
    static_files,
    home,
    account,
    sign_in,
    auth,
    admin_users,
    admin_roles,
    admin_activity,
    admin_json,
    overview,
    overview_live,
    analytics,
    analytics_breakdowns,
    tracking,
    fairness,
    periods,
    panel,
    general,
    audit,
    tokens,
    leaderboard,
    channel,
    logs,
    subscription,
    member,
    member_timeline,
    correction,
    receipt,
    privacy,
    member_privacy,
    signing,
    signing_keys,
    exports,
    webhooks,
    roles,
    role_rule,
)


def create_dashboard(services: DashboardServices) -> Litestar:
    """Build the dashboard over its services."""
    handlers: list[ControllerRouterHandler] = [route for module in ROUTE_MODULES for route in module.ROUTES]
    app = Litestar(
        route_handlers=handlers,
        state=State({"services": services}),
        dependencies={"page": Provide(provide_page)},
        guards=[refuse_forged_writes],
        before_request=lead_to_own_host,
        exception_handlers=HANDLERS,
        before_send=[mark_response],
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = HeadAsGet(app.asgi_handler)
    return app
