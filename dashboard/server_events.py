"""Reading server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as the API sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from dashboard.errors import ApiAwayError

MOST_LINE_BYTES = 8 * 1024 * 1024  # everybody in voice in a very large guild


async def server_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, str]]:
    """Each event's name and id (empty: none). What they hold is not kept.

    Raises:
        ApiAwayError: what comes is no such stream.
    """
    rest, name, event_id = b"", "", ""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MOST_LINE_BYTES:
            raise ApiAwayError("the API's stream cannot be read")
        for line in lines:
            if not line:
                if name:
                    yield name, event_id
                name = ""
            elif line.startswith(b"event:"):
                name = line[6:].strip().decode("utf-8", "replace")
            elif line.startswith(b"id:"):
                event_id = line[3:].strip().decode("utf-8", "replace")
