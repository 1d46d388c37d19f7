"""Where a sign-in or sign-out may lead: to the dashboard itself, or to an origin that the settings allow."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from urllib.parse import urlsplit

from dashboard.settings import origin_of

HOME = "/"
MOST_CHARACTERS = 2_000

# Browsers take a backslash for a slash and drop tabs and line breaks: nothing of that kind, nothing that is not ASCII.
_PLAIN = re.compile(r"[!-\[\]-~]+", re.ASCII)


def safe_return_url(given: str | None, origins: AbstractSet[str]) -> str:
    """The address if it is allowed, the home page if not: a local path, or an address whose origin is in ``origins``.

    Nobody is told why theirs was not taken: it is either a mistake of a site's author or somebody's trap.
    """
    if given is None or len(given) > MOST_CHARACTERS or not _PLAIN.fullmatch(given):
        return HOME
    if given.startswith("/"):
        # "//host" is another site's; "/\host" cannot come this far.
        return HOME if given.startswith("//") else given
    try:
        parts = urlsplit(given)
        allowed = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        return given if allowed and origin_of(given) in origins else HOME
    except ValueError:
        return HOME
