"""Instants as people read them, in the guild's time zone. A script writes them anew in the viewer's (assets/src/times.js)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date, format_datetime

Style = Literal["datetime", "date", "time", "clock"]
DayStyle = Literal["full", "brief", "short"]

# The same forms as in assets/src/times.js, so that nothing jumps when the script has run; `clock`, to the second, stands only
# where the zone is the page's subject and no script changes it.
_PATTERNS: dict[Style, str] = {"datetime": "d MMM y, HH:mm", "date": "d MMM y", "time": "HH:mm", "clock": "HH:mm:ss"}

_DAY_PATTERNS: dict[DayStyle, str] = {"full": "EEE d MMM y", "brief": "EEE d MMM", "short": "d MMM"}


def parsed_instant(value: str | int | datetime) -> datetime:
    """An instant of the API: RFC 3339, or milliseconds since the epoch, or an aware datetime.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone")
        return value.astimezone(UTC)
    if isinstance(value, int):
        return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)
    return parsed_instant(datetime.fromisoformat(value))


def instant_text(value: str | int | datetime, zone: str, style: Style = "datetime", locale: str = "en") -> str:
    """An instant in a zone, to the minute (a ``clock`` to the second), rounded down: ``28 Nov 2026, 22:39``."""
    local = parsed_instant(value).astimezone(ZoneInfo(zone))
    return format_datetime(local, _PATTERNS[style], locale=locale)


def day_text(value: str, style: DayStyle = "full", locale: str = "en") -> str:
    """A local day of the API (``2026-11-28``): ``Sat 28 Nov 2026``, brief ``Sat 28 Nov``, short ``28 Nov``."""
    return format_date(date.fromisoformat(value), _DAY_PATTERNS[style], locale=locale)


def instant_iso(value: str | int | datetime) -> str:
    """An instant as ``<time datetime>`` takes it: UTC, milliseconds, ``Z``."""
    return parsed_instant(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """Names of places (``Europe/Berlin``) and ``UTC``, sorted: what a form offers. More are valid."""
    areas = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Arctic/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    )
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(areas)))
