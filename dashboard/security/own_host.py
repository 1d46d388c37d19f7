"""One address for one deployment: `localhost` and `127.0.0.1` are the same machine, but not to cookies or to Discord."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request, Response

from dashboard.requests import wants_json
from dashboard.services import services_of

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_IN_A_PATH = "/:@!$&'()*+,;=-._~"


def is_other_name(url: str, host: str) -> bool:
    """Whether a ``Host`` header names this machine's loopback by another name than ``url`` does, on the same port.

    >>> is_other_name("http://127.0.0.1:8081", "localhost:8081")
    True
    """
    own = urlsplit(url)
    try:
        asked = urlsplit(f"//{host}")
        same_port = (asked.port or 80) == (own.port or 80)
    except ValueError:
        return False
    names = {own.hostname, asked.hostname}
    return own.scheme == "http" and same_port and len(names) > 1 and names <= _LOOPBACK and asked.username is None


async def lead_to_own_host(request: Request[Any, Any, Any]) -> Response[str] | None:
    """Before a handler: a browser that opens a page by another name of loopback is sent to the settings' own.

    Signing in would fail there: Discord leads back to the settings' address, where the browser's cookie of the sign-in is not.
    Where it leads is the settings' host and no other, whatever was asked.
    """
    settings = services_of(request.app).settings
    if request.method != "GET" or wants_json(request.url.path) or "text/html" not in request.headers.get("accept", ""):
        return None
    if not is_other_name(settings.url, request.headers.get("host", "")):
        return None
    query = request.scope["query_string"].decode("ascii", "replace")
    where = settings.url + quote(request.scope["path"], safe=_IN_A_PATH) + (f"?{query}" if query else "")
    return Response("", status_code=302, headers={"Location": where})
