"""All services together, as the app gets them. Built by `dashboard.wiring`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litestar import Litestar

    from attendance.clock import Clock
    from attendance.ids import IdSource
    from attendance.rate_limits import RateLimiter
    from dashboard.api_client import ApiClient
    from dashboard.rendering import Templates
    from dashboard.security.auth_token import AuthTokens
    from dashboard.security.cookies import Cookies
    from dashboard.security.keys import Keys
    from dashboard.services.accounts import Accounts
    from dashboard.services.erasure import AccountErasures
    from dashboard.services.guild_access import GuildAccess
    from dashboard.services.live import Live
    from dashboard.services.offers import Offers
    from dashboard.services.roles import Roles
    from dashboard.services.sign_in import SignIn
    from dashboard.settings import DashboardSettings
    from dashboard.static_files import StaticFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardServices:
    """Everything that handlers use. ``sign_in_limiter`` counts by address."""

    settings: DashboardSettings
    clock: Clock
    ids: IdSource
    keys: Keys
    cookies: Cookies
    auth_tokens: AuthTokens
    static: StaticFiles
    templates: Templates
    content_security_policy: str
    api: ApiClient
    sign_in: SignIn
    guilds: GuildAccess
    accounts: Accounts
    erasures: AccountErasures
    roles: Roles
    offers: Offers
    sign_in_limiter: RateLimiter
    live: Live


def services_of(app: Litestar) -> DashboardServices:
    """The services that the app was created with."""
    services = app.state.services
    assert isinstance(services, DashboardServices)  # noqa: S101  # create_dashboard put it there
    return services
