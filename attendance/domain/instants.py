"""Instants as text: RFC 3339 outside, Unix milliseconds inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from attendance.errors import InvalidInputError

# 0001-01-01 and 9999-12-31: what both datetime and PostgreSQL can say.
MIN_INSTANT_MS = -62_135_596_800_000
MAX_INSTANT_MS = 253_402_300_799_999

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)


def to_rfc3339(at_ms: int) -> str:
    """The instant with milliseconds and ``Z``: ``2027-01-15T08:00:00.000Z``."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")[:-6] + "Z"  # for +00:00


def parse_rfc3339(text: str, *, name: str) -> int:
    """Read an RFC 3339 instant, any offset, down to the millisecond (the rest is cut off).

    Raises:
        InvalidInputError: it is not one; ``name`` is the field that the details name.
    """
    problem = InvalidInputError(f"{name} is not a time", details={name: "RFC 3339 with an offset, like 2027-01-15T08:00:00Z"})
    if not _RFC3339.fullmatch(text):
        raise problem
    # Cut to microseconds: more digits than six are refused by fromisoformat.
    text = re.sub(r"(\.\d{6})\d+", r"\1", text.upper())
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise problem from None
