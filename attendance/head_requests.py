"""HEAD on whatever GET answers: the same status and headers, no body."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Message, Receive, ReceiveMessage, Scope, Send


def with_head(methods: Iterable[str]) -> set[str]:
    """The methods of a path, HEAD among them where GET is."""
    allowed = set(methods)
    return allowed | {"HEAD"} if "GET" in allowed else allowed


class HeadAsGet:
    """Stands before the router, which would answer 405: probes and monitors ask with HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        answered = asyncio.Event()

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
            elif message["type"] == "http.response.body" and not answered.is_set():
                answered.set()
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        async def receive_until_answered() -> ReceiveMessage:
            # What a GET would stream on and on ends with the head: to the stream, its reader is gone.
            if answered.is_set():
                return {"type": "http.disconnect"}
            asking = asyncio.ensure_future(receive())
            waiting = asyncio.ensure_future(answered.wait())
            try:
                await asyncio.wait([asking, waiting], return_when=asyncio.FIRST_COMPLETED)
                return asking.result() if asking.done() else {"type": "http.disconnect"}
            finally:
                asking.cancel()
                waiting.cancel()

        as_get = scope.copy()
        as_get["method"] = HttpMethod.GET
        await self._app(as_get, receive_until_answered, send_head)
