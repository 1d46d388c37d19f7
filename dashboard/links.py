"""Addresses within the dashboard: the same page with another query."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit


def with_query(url: str, **changes: object) -> str:
    """A path with parts of its query set anew; ``None`` or an empty text takes one out. Host and fragment are dropped.

    >>> with_query("/guilds/1/leaderboard?sort=rank&offset=50", sort="seconds", offset=None)
    '/guilds/1/leaderboard?sort=seconds'
    """
    parts = urlsplit(url)
    pairs = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in changes]
    pairs += [(key, str(value)) for key, value in changes.items() if value is not None and value != ""]
    path = "/" + parts.path.lstrip("/\\")  # `//host` and `/\\host` would lead elsewhere
    return path + (f"?{urlencode(pairs)}" if pairs else "")


def page_numbers(current: int, last: int) -> list[int | None]:
    """Numbers of pages to link from page ``current`` (from 1): the ends, the neighbours, ``None`` where some are left out.

    >>> page_numbers(6, 12)
    [1, None, 5, 6, 7, None, 12]
    """
    shown = sorted({1, last, *range(max(1, current - 1), min(last, current + 1) + 1)})
    numbers: list[int | None] = []
    for number in shown:
        if numbers and numbers[-1] is not None and number - numbers[-1] == 2:  # noqa: PLR2004 - one left out is shown instead
            numbers.append(number - 1)
        elif numbers and numbers[-1] is not None and number - numbers[-1] > 1:
            numbers.append(None)
        numbers.append(number)
    return numbers
