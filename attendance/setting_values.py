"""How the text of a setting is read: one function a kind of value, which says in words why it refuses one."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from attendance.domain.ids import ShardId, UserId

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MIN_SECRET_BYTES = 32
_JOURNAL_DAYS = range(1, 366)
_MAX_SHARDS = 16_384
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


class Refused(Exception):  # noqa: N818  # caught by attendance.config alone: why a value is refused
    """The words that follow the option's name."""


def text(value: str) -> str:
    """Any text."""
    return value


def secret_key(value: str) -> str:
    """A secret that is long enough."""
    if len(value.encode()) < MIN_SECRET_BYTES:
        raise Refused(f"must have at least {MIN_SECRET_BYTES} bytes")
    return value


def bot_token(value: str) -> str:
    """A bot's token."""
    if not re.fullmatch(r"[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+", value):
        raise Refused("is not a bot token (three parts with dots between)")
    return value


def database_url(value: str) -> str:
    """A database's address, with our driver in it."""
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise Refused("is not a database URL") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise Refused("must begin with sqlite:// or postgresql://")
    if driver.startswith("sqlite") and url.database in (None, "", ":memory:"):
        raise Refused("names no file: a database in memory would lose everything (sqlite:////path/to/rollcall.db)")
    return url.set(drivername=driver).render_as_string(hide_password=False)


def port(value: str) -> int:
    """A port; 0 for any free one."""
    if not re.fullmatch(r"[0-9]{1,5}", value, re.ASCII) or int(value) > 65535:  # noqa: PLR2004  # 16 bits
        raise Refused("must be a port, 0 to 65535 (0: any free one)")
    return int(value)


def http_url(value: str) -> str:
    """An address without a slash at its end."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # read here: a port that is none is only noticed then
    except ValueError:
        raise Refused("must be an http:// or https:// URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Refused("must be an http:// or https:// URL")
    return value.rstrip("/")


def user_ids(value: str) -> frozenset[UserId]:
    """Ids of Discord users."""
    ids = [part.strip() for part in value.split(",") if part.strip()]
    if not all(re.fullmatch(r"[1-9][0-9]{0,18}", part, re.ASCII) for part in ids):
        raise Refused("must be Discord user ids with commas between")
    return frozenset(UserId(int(part)) for part in ids)


def networks(value: str) -> tuple[Network, ...]:
    """Addresses and CIDR ranges."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise Refused(f"must be addresses or CIDR ranges with commas between ({error})") from None


def shard_ids(value: str) -> tuple[ShardId, ...]:
    """Ids and ranges of shards, in order."""
    ids: set[int] = set()
    for part in value.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,5})(?:-([0-9]{1,5}))?\s*", part, re.ASCII)
        if match is None:
            raise Refused("must be shard ids or ranges with commas between, such as 0-3,8")
        ids.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    if not ids:
        raise Refused("names no shard")
    return tuple(ShardId(shard) for shard in sorted(ids))


def shard_count(value: str) -> int:
    """How many shards there are."""
    if not re.fullmatch(r"[1-9][0-9]{0,4}", value, re.ASCII) or int(value) > _MAX_SHARDS:
        raise Refused(f"must be 1 to {_MAX_SHARDS}")
    return int(value)


def journal_days(value: str) -> int:
    """How long the journal is kept."""
    if not re.fullmatch(r"[0-9]{1,3}", value, re.ASCII) or int(value) not in _JOURNAL_DAYS:
        raise Refused("must be 1 to 365")
    return int(value)


def switch(value: str) -> bool:
    """On or off."""
    if value.lower() not in ("on", "off"):
        raise Refused("must be on or off")
    return value.lower() == "on"


def ids(value: str) -> frozenset[int]:
    """Ids of anything of Discord's."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not all(re.fullmatch(r"[1-9][0-9]{0,18}", part, re.ASCII) for part in parts):
        raise Refused("must be Discord ids with commas between")
    return frozenset(int(part) for part in parts)


def limit(value: str) -> int:
    """A positive number."""
    if not re.fullmatch(r"[1-9][0-9]{0,6}", value, re.ASCII):
        raise Refused("must be a positive number")
    return int(value)


def http_urls(value: str) -> tuple[str, ...]:
    """Addresses with commas between."""
    return tuple(http_url(part.strip()) for part in value.split(",") if part.strip())


def discord_id(value: str) -> str:
    """One id, as text."""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", value, re.ASCII):
        raise Refused("must be a Discord id")
    return value
