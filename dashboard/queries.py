"""What the query of a list's page says: which page of it, which days. What makes no sense counts as not there."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Request

PAGE_LENGTH = 50
_OFFSET = re.compile(r"[0-9]{1,9}", re.ASCII)
_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}", re.ASCII)  # what the API takes, and what has a next day
_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


def offset_of(request: Request[Any, Any, Any], name: str = "offset") -> int:
    """``?offset=``, or another name where a page has several lists: how many entries come before this page's."""
    text = request.query_params.get(name, "")
    return int(text) if _OFFSET.fullmatch(text) else 0


def id_of(request: Request[Any, Any, Any], name: str) -> str | None:
    """A Discord id of the query, as text."""
    text = request.query_params.get(name, "").strip()
    return text if _ID.fullmatch(text) else None


def day_of(request: Request[Any, Any, Any], name: str) -> date | None:
    """A day of the query, ``YYYY-MM-DD``."""
    return day_of_text(request.query_params.get(name, ""))


def day_of_text(text: str) -> date | None:
    """A day as a form sends it, ``YYYY-MM-DD``, of the years 2000 to 2999; None if it is none."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def day_begins(day: date, zone: str) -> str:
    """The instant at which a day begins by a zone's clocks, RFC 3339 with its offset.

    Where the clocks skip midnight it is the first instant after it; where they show it twice, the first of the two.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return midnight.astimezone(ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")


def day_ends(day: date, zone: str) -> str:
    """The instant at which the next day begins."""
    return day_begins(day + timedelta(days=1), zone)
