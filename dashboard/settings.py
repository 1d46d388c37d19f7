"""What the dashboard needs of the settings, checked for it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from attendance.config import Settings
from attendance.errors import ConfigError
from attendance.keys.api_secret import api_secret, kept_secret

DATABASE_FILE = "dashboard.db"  # in the data folder, unless another database is named

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """Addresses have no slash at the end.

    ``url`` is where people reach the dashboard, ``api_url`` where the dashboard reaches the API, ``public_api_url`` where
    people reach the API (its page for verification). ``secret`` signs cookies and seals Discord's tokens; ``api_secret`` signs
    what the API is asked with.
    """

    url: str
    api_url: str
    public_api_url: str
    discord_api_url: str
    client_id: str
    client_secret: str = field(repr=False)
    api_secret: str = field(repr=False)
    secret: str = field(repr=False)
    service_key: str | None = field(repr=False, default=None)
    return_origins: frozenset[str] = frozenset()
    admin_user_ids: frozenset[int] = frozenset()
    trusted_proxies: tuple[Network, ...] = ()
    database_url: str

    @property
    def is_https(self) -> bool:
        """Whether people reach it by TLS: then cookies are Secure."""
        return self.url.startswith("https://")

    @property
    def origins(self) -> frozenset[str]:
        """Where a sign-in may lead back to: the dashboard itself, and what the settings allow besides."""
        return self.return_origins | {origin_of(self.url)}

    @property
    def redirect_uri(self) -> str:
        """Where Discord sends people back to; it must be entered in Discord's developer portal letter by letter."""
        return f"{self.url}/auth/callback"

    @property
    def authorize_url(self) -> str:
        """Discord's page of consent: beside its REST API, without the version."""
        return self.discord_api_url.partition("/api")[0] + "/oauth2/authorize"

    def invite_url(self, guild_id: int) -> str:
        """Discord's page that adds the bot to a guild."""
        return f"{self.authorize_url}?client_id={self.client_id}&scope=bot+applications.commands&guild_id={guild_id}"


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, as browsers compare them."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" if parts.port in (None, default) else f"{parts.scheme}://{host}:{parts.port}"


def is_wanted(settings: Settings) -> bool:
    """Whether the deployment has a dashboard: it does as soon as Discord knows it as an application people sign in to."""
    return settings.discord_client_id is not None and settings.discord_client_secret is not None


def dashboard_settings(settings: Settings, *, api_url: str, dashboard_url: str) -> DashboardSettings:
    """Settings of a dashboard that listens on ``dashboard_url``, in front of an API on ``api_url`` unless others are set.

    Raises:
        ConfigError: something needed is not set.
    """
    if settings.discord_client_id is None or settings.discord_client_secret is None:
        raise ConfigError("DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET must be set for the dashboard")
    return DashboardSettings(
        url=settings.dashboard_url or dashboard_url,
        api_url=settings.api_url or api_url,
        public_api_url=settings.public_url or settings.api_url or api_url,
        discord_api_url=settings.discord_api_url,
        client_id=settings.discord_client_id,
        client_secret=settings.discord_client_secret,
        api_secret=api_secret(settings.api_internal_secret, settings.data_dir),
        secret=kept_secret("ROLLCALL_DASHBOARD_SECRET", settings.dashboard_secret, settings.data_dir),
        service_key=settings.dashboard_service_key,
        return_origins=frozenset(origin_of(url) for url in settings.dashboard_return_origins),
        admin_user_ids=frozenset(settings.admin_user_ids),
        trusted_proxies=settings.trusted_proxies,
        database_url=database_url_of(settings),
    )


def database_url_of(settings: Settings) -> str:
    """Where the dashboard keeps users, sessions and roles: SQLite in the data folder, unless another one is named."""
    return settings.dashboard_database_url or f"sqlite+aiosqlite:///{settings.data_dir / DATABASE_FILE}"
