"""hikari's REST client as the lookups use it: short waits, since somebody is waiting for the answer."""

from __future__ import annotations

import asyncio
import contextlib
import typing
from collections.abc import AsyncIterator

import hikari
from hikari.api import RESTClient
from hikari.impl import config
from hikari.impl.buckets import RESTBucketManager
from hikari.internal.routes import CompiledRoute

LOOKUP_SECONDS = 3.0
_RETRIES = 1


class GlobalLimitBuckets(RESTBucketManager):
    """hikari's buckets, with the limit over all routes held for every one of them.

    hikari 2.7 forgets it for a bucket of which it has seen no headers, such as a channel's first message: a 429 for everything
    is then asked again at once, and again, until it has passed. Discord shuts out who does that ten thousand times.
    """

    __slots__: typing.Sequence[str] = ("_all_until",)

    def __init__(self, max_rate_limit: float) -> None:
        super().__init__(max_rate_limit)
        self._all_until = 0.0

    def throttle(self, retry_after: float) -> None:
        """Discord says that everything is limited for so many seconds."""
        super().throttle(retry_after)
        self._all_until = max(self._all_until, asyncio.get_running_loop().time() + retry_after)

    def acquire_bucket(
        self, compiled_route: CompiledRoute, authentication: str | None
    ) -> contextlib.AbstractAsyncContextManager[None]:
        """A route's bucket, once nothing limits everything.

        Raises:
            RateLimitTooLongError: when it is entered, if that takes longer than we wait.
        """
        return self._acquire(super().acquire_bucket(compiled_route, authentication), compiled_route)

    @contextlib.asynccontextmanager
    async def _acquire(self, bucket: contextlib.AbstractAsyncContextManager[None], route: CompiledRoute) -> AsyncIterator[None]:
        wait = self._all_until - asyncio.get_running_loop().time()
        if wait > self.max_rate_limit:
            raise hikari.RateLimitTooLongError(
                route=route,
                is_global=True,
                retry_after=wait,
                max_retry_after=self.max_rate_limit,
                reset_at=0.0,
                limit=None,
                period=None,
            )
        if wait > 0:
            await asyncio.sleep(wait)
        async with bucket:
            yield


@contextlib.asynccontextmanager
async def open_rest(
    token: str, rest_url: str | None, *, patience_seconds: float = LOOKUP_SECONDS, retries: int = _RETRIES
) -> AsyncIterator[RESTClient]:
    """Open a client for the bot, for as long as the block lasts.

    Args:
        token: the bot's token.
        rest_url: Discord's REST address with `/api/v10`; None is Discord's own.
        patience_seconds: the longest rate limit that is waited for.
        retries: how often a request is made again after no answer, or a 5xx.
    """
    app = hikari.RESTApp(
        url=rest_url,
        max_rate_limit=patience_seconds,
        max_retries=retries,
        http_settings=config.HTTPSettings(force_close_transports=False),
    )
    app._bucket_manager = GlobalLimitBuckets(patience_seconds)  # noqa: SLF001  # hikari is pinned, and this is tested
    await app.start()
    try:
        async with app.acquire(token, hikari.TokenType.BOT) as rest:
            yield rest
    finally:
        await app.close()
