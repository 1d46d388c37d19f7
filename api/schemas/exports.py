"""The headers by which a download is resumed (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.ASCII | re.IGNORECASE)


def asked_range(header: str | None, size: int) -> range | None:
    """The bytes that a ``Range`` header asks for: None for all, an empty range where there are none.

    What is not one range of bytes is ignored, as the standard allows.
    """
    match = None if header is None else _RANGE.fullmatch(header)
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return range(max(0, size - int(suffix)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)


def is_current(header: str | None, etag: str) -> bool:
    """Whether an ``If-None-Match`` header names the entity tag."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags
