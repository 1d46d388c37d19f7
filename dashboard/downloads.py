"""What the API gives as a file, passed on to the browser as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack

from litestar.response import Stream

from dashboard.api_client import Params, Streamed
from dashboard.page import GuildPage

# What a download may be told to be; everything else of the API's headers is between it and us.
_PASSED_ON = ("Content-Disposition", "Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Digest")


async def download(
    page: GuildPage, path: str, params: Params | None = None, headers: Mapping[str, str] | None = None
) -> Stream:
    """A file of the API's, as the viewer may have it. The API's answer is open until the browser has it all, or has gone.

    Raises:
        ApiRefused, ApiAwayError: before the first byte, so that a page can say why.
    """
    stack = AsyncExitStack()
    streamed = await stack.enter_async_context(page.api.stream(path, params, headers))
    kept = {name: streamed.headers[name] for name in _PASSED_ON if name in streamed.headers}
    return Stream(
        _parts(stack, streamed),
        status_code=streamed.status,
        media_type=streamed.headers.get("Content-Type", "application/octet-stream"),
        headers={**kept, "Cache-Control": "private, no-store"},
    )


async def _parts(stack: AsyncExitStack, streamed: Streamed) -> AsyncGenerator[bytes, None]:
    async with stack:
        async for part in streamed.chunks:
            yield part
