"""The settings: one table of options. The only place that reads the environment.

The table drives parsing, ``rollcall config-dump``, ``rollcall serve --help`` and docs/settings.md (a test keeps it true).
Every option may also be given as a file, ``<NAME>_FILE``, whose first line is the value.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attendance import setting_values as kind
from attendance.domain.ids import ShardId, UserId
from attendance.errors import ConfigError
from attendance.setting_values import Network, Refused


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: its environment variable, how it is read, what holds without it, and what it is for."""

    name: str
    read: Callable[[str], Any]
    default: str | None
    help: str
    secret: bool = False


OPTIONS = (
    Option("DISCORD_BOT_TOKEN", kind.bot_token, None, "The bot's token, from Discord's developer portal.", secret=True),
    Option(
        "DATABASE_URL", kind.database_url, None, "Where everything is kept. Default: SQLite in the data folder.", secret=True
    ),
    Option(
        "API_INTERNAL_SECRET",
        kind.secret_key,
        None,
        "Signs the API's tokens (HS256), 32 bytes at least. Created in the data folder on SQLite; required on PostgreSQL.",
        secret=True,
    ),
    Option(
        "API_INTERNAL_SECRET_PREVIOUS",
        kind.secret_key,
        None,
        "The secret before the last rotation, still accepted.",
        secret=True,
    ),
    Option(
        "WEBHOOK_SECRET",
        kind.text,
        None,
        "What POST /webhooks/attendance must carry. Unset: the route answers 501.",
        secret=True,
    ),
    Option(
        "ROLLCALL_WEBHOOK_ALLOW",
        kind.networks,
        "",
        "Networks of your own that guilds' webhooks may reach, without TLS too: addresses or CIDR ranges. None by default.",
    ),
    Option("ADMIN_USER_IDS", kind.user_ids, "", "Discord users who operate this deployment, with commas between."),
    Option("ROLLCALL_DATA_DIR", kind.text, "./data", "The data folder: embedded database, lock, created secrets."),
    Option("ROLLCALL_API_HOST", kind.text, "127.0.0.1", "Address that the API listens on."),
    Option("ROLLCALL_API_PORT", kind.port, "8080", "Port that the API listens on; 0 for any free one."),
    Option("ROLLCALL_PUBLIC_URL", kind.http_url, None, "The address under which others reach this deployment."),
    Option(
        "ROLLCALL_TRUSTED_PROXIES", kind.networks, "", "Proxies whose X-Forwarded-For is believed: addresses or CIDR ranges."
    ),
    Option("ROLLCALL_METRICS_PORT", kind.port, None, "Port for Prometheus metrics. Unset: none are served."),
    Option("ROLLCALL_DISCORD_API_URL", kind.http_url, "https://discord.com/api/v10", "Discord's REST API, or a simulator's."),
    Option("ROLLCALL_MASTER_KEY_FILE", kind.text, None, "File of the master key that opens signing keys after a restart."),
    Option("ROLLCALL_SHARD_IDS", kind.shard_ids, None, "Shards of this process, such as 0-3,8. Default: all."),
    Option("ROLLCALL_SHARD_COUNT", kind.shard_count, None, "Shards of the whole deployment. Default: what Discord recommends."),
    Option("ROLLCALL_JOURNAL_DAYS", kind.journal_days, "8", "Days that the journal of events is kept behind its checkpoint."),
    Option("ROLLCALL_RATE_LIMIT_USER", kind.limit, "120", "Requests a minute for a user on /api/v1."),
    Option("ROLLCALL_RATE_LIMIT_IP", kind.limit, "60", "Requests a minute for an address on /verify."),
    Option(
        "ROLLCALL_BILLING", kind.switch, "off", "`on`: what is Pro needs a subscription. `off`: every guild has everything."
    ),
    Option(
        "ROLLCALL_PRO_SKU_IDS",
        kind.ids,
        "",
        "SKUs of this application whose entitlement makes a guild Pro, with commas between. Unset: any.",
    ),
    Option("DISCORD_CLIENT_ID", kind.discord_id, None, "The application's id. With its secret: there is a dashboard."),
    Option("DISCORD_CLIENT_SECRET", kind.text, None, "The application's OAuth2 secret: people sign in by it.", secret=True),
    Option("ROLLCALL_DASHBOARD_HOST", kind.text, "127.0.0.1", "Address that the dashboard listens on."),
    Option("ROLLCALL_DASHBOARD_PORT", kind.port, "8081", "Port that the dashboard listens on; 0 for any free one."),
    Option(
        "ROLLCALL_DASHBOARD_URL",
        kind.http_url,
        None,
        "The dashboard's public address. Discord sends people back to it: its portal needs `<address>/auth/callback`.",
    ),
    Option(
        "ROLLCALL_DASHBOARD_RETURN_ORIGINS",
        kind.http_urls,
        "",
        "Sites besides the dashboard that a sign-in may lead back to (`return_url`), with commas between.",
    ),
    Option(
        "ROLLCALL_DASHBOARD_SECRET",
        kind.secret_key,
        None,
        "Signs the dashboard's cookies and seals Discord's tokens, 32 bytes at least. Created in the data folder on SQLite.",
        secret=True,
    ),
    Option(
        "ROLLCALL_DASHBOARD_SERVICE_KEY",
        kind.secret_key,
        None,
        "What POST /auth/validate must carry (X-Service-Key), 32 bytes at least. Unset: nobody may ask.",
        secret=True,
    ),
    Option(
        "ROLLCALL_DASHBOARD_DATABASE_URL",
        kind.database_url,
        None,
        "Where the dashboard keeps users, sessions and roles. Default: SQLite in the data folder.",
        secret=True,
    ),
    Option("ROLLCALL_API_URL", kind.http_url, None, "The API as the dashboard reaches it. Default: the one of this process."),
    Option(
        "ROLLCALL_RATE_LIMIT_DASHBOARD",
        kind.limit,
        "1200",
        "Requests a minute for a user whose dashboard asks on their behalf.",
    ),
    Option("ROLLCALL_LOG_FORMAT", kind.text, "auto", "Log lines as `json` or `console`; `auto`: console on a terminal."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, read and checked. Paths are absolute; ``database_url`` carries its driver."""

    discord_bot_token: str | None
    database_url: str
    api_internal_secret: str | None
    api_internal_secret_previous: str | None
    webhook_secret: str | None
    webhook_allow: tuple[Network, ...]
    admin_user_ids: frozenset[UserId]
    data_dir: Path
    api_host: str
    api_port: int
    public_url: str | None
    trusted_proxies: tuple[Network, ...]
    metrics_port: int | None
    discord_api_url: str
    master_key_file: Path | None
    shard_ids: tuple[ShardId, ...] | None
    shard_count: int | None
    journal_days: int
    rate_limit_user: int
    rate_limit_ip: int
    billing: bool
    pro_sku_ids: frozenset[int]
    log_format: str
    discord_client_id: str | None
    discord_client_secret: str | None
    dashboard_host: str
    dashboard_port: int
    dashboard_url: str | None
    dashboard_return_origins: tuple[str, ...]
    dashboard_secret: str | None
    dashboard_service_key: str | None
    dashboard_database_url: str | None
    api_url: str | None
    rate_limit_dashboard: int

    @property
    def is_embedded(self) -> bool:
        """Whether the database is SQLite: one process, secrets created in the data folder."""
        return self.database_url.startswith("sqlite")


def given_options(names: Iterable[str]) -> dict[str, str]:
    """Those of these options that the environment has, as text: for a child that is to be given these and no others."""
    return {name: os.environ[name] for name in names if name in os.environ}


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read every option.

    Raises:
        ConfigError: naming every problem, one a line.
    """
    source = os.environ if environment is None else environment
    problems: list[str] = []
    values: dict[str, Any] = {}
    for option in OPTIONS:
        try:
            text = _given(option, source)
            values[_member(option)] = None if text is None else option.read(text)
        except Refused as refused:
            problems.append(f"{option.name} {refused}")
            values[_member(option)] = None
    problems += _cross_check(values)
    if problems:
        raise ConfigError("\n".join(problems))
    values["data_dir"] = Path(values["data_dir"]).absolute()
    values["master_key_file"] = Path(values["master_key_file"]).absolute() if values["master_key_file"] else None
    if values["database_url"] is None:
        values["database_url"] = f"sqlite+aiosqlite:///{values['data_dir'] / 'rollcall.db'}"
    return Settings(**values)


def dump_settings(environment: Mapping[str, str] | None = None) -> list[tuple[str, str, str]]:
    """Every option as (name, value, where from), secrets hidden, for ``config-dump``."""
    source = os.environ if environment is None else environment
    rows = []
    for option in OPTIONS:
        origin = "environment" if source.get(option.name) else "file" if source.get(f"{option.name}_FILE") else "default"
        try:
            text = _given(option, source)
        except Refused as refused:
            text, origin = None, f"refused: {refused}"
        shown = "" if text is None else "(hidden)" if option.secret and text else text
        rows.append((option.name, shown, origin))
    return rows


def _member(option: Option) -> str:
    return option.name.removeprefix("ROLLCALL_").lower()


def _given(option: Option, source: Mapping[str, str]) -> str | None:
    direct, file = source.get(option.name) or None, source.get(f"{option.name}_FILE") or None
    if any(text is not None and not _is_plain(text) for text in (direct, file)):
        raise Refused("has bytes that are no text")
    if direct is not None and file is not None:
        raise Refused(f"is given twice: also as {option.name}_FILE")
    if file is None:
        return direct if direct is not None else option.default
    try:
        content = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be read from {file} ({type(error).__name__})") from None
    if not _is_plain(content):
        raise Refused(f"has bytes that are no text in {file}")
    return content


def _is_plain(text: str) -> bool:
    """Whether it is valid Unicode without NUL (the environment may hand over anything)."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _cross_check(values: Mapping[str, Any]) -> list[str]:
    problems = []
    on_postgresql = (values["database_url"] or "sqlite").startswith("postgresql")
    if on_postgresql and values["api_internal_secret"] is None:
        problems.append("API_INTERNAL_SECRET must be set with PostgreSQL (32 bytes at least)")
    if on_postgresql and not values["master_key_file"]:
        problems.append("ROLLCALL_MASTER_KEY_FILE must be set with PostgreSQL (create one: rollcall master-key FILE)")
    if on_postgresql and values["discord_client_secret"] and values["dashboard_secret"] is None:
        problems.append("ROLLCALL_DASHBOARD_SECRET must be set with PostgreSQL (32 bytes at least)")
    if (values["discord_client_id"] is None) != (values["discord_client_secret"] is None):
        problems.append("DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET belong together: set both or neither")
    if values["shard_ids"] and values["shard_count"] is None:
        problems.append("ROLLCALL_SHARD_COUNT must be set with ROLLCALL_SHARD_IDS")
    if values["shard_ids"] and values["shard_count"] and max(values["shard_ids"]) >= values["shard_count"]:
        problems.append("ROLLCALL_SHARD_IDS names a shard that ROLLCALL_SHARD_COUNT does not have")
    if values["log_format"] not in ("auto", "json", "console"):
        problems.append("ROLLCALL_LOG_FORMAT must be auto, json or console")
    return problems
