"""``/guilds/{guild_id}/exports``: periods as files that anybody can check.

The API builds an archive at the first request for it, which may take minutes, and answers when it has it; later requests
for it get it at once, and who gives up waiting does not stop the build. So a page asks for the first byte and waits a moment
only.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, TypeAlias

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from attendance.errors import NotFoundError
from dashboard.downloads import download
from dashboard.errors import ApiRefused, ApiSilentError
from dashboard.page import GuildPage, Html, InGuild
from dashboard.pages.signing import archived_periods
from dashboard.queries import PAGE_LENGTH, offset_of
from dashboard.tiers import has_feature

PATIENCE_SECONDS = 2.0
_CONFLICT, _NO_SUCH_RANGE = 409, 416
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_SIZE = re.compile(r"bytes 0-0/([0-9]{1,18})", re.ASCII)
# By these a browser goes on with a download that broke off.
_OF_RESUMING = ("Range", "If-Range")


class Archive(msgspec.Struct, frozen=True):
    """An archive that is there: its length in bytes and its SHA-256 in hex."""

    size: int
    sha256: str


class NotYet(msgspec.Struct, frozen=True):
    """Why there is no archive of the period, in the API's words."""

    reason: str


# None: it is being made.
Asked: TypeAlias = Archive | NotYet | None


@get("/guilds/{guild_id:str}/exports")
async def show_exports(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """The archived periods."""
    page.expect("read")
    offset = offset_of(request)
    open_to_us, history = await asyncio.gather(has_feature(page, "exports"), archived_periods(page, offset))
    return page.render(
        "exports/exports.html",
        is_open=open_to_us,
        periods=history.items,
        total=history.total,
        limit=PAGE_LENGTH,
        offset=offset,
    )


@get("/guilds/{guild_id:str}/exports/{period_index:str}")
async def show_export(page: InGuild, period_index: FromPath[str], request: Request[Any, Any, Any]) -> Html:
    """How far one archive is: being made, there, or why not. Looking begins to make it."""
    page.expect("export")
    index = _index(period_index)
    found = await _ask(page, index) if await has_feature(page, "exports") else NotYet("")
    return page.render(
        "exports/export.html",
        index=index,
        archive=found if isinstance(found, Archive) else None,
        not_yet=found if isinstance(found, NotYet) else None,
        file_name=f"rollcall-{page.guild.guild_id}-{index}.tar.gz",
        # Only who has watched it being made wants it to begin by itself.
        starts="hx-request" in request.headers,
    )


@get("/guilds/{guild_id:str}/exports/{period_index:str}/download")
async def download_export(page: InGuild, period_index: FromPath[str], request: Request[Any, Any, Any]) -> Html | Stream:
    """The file, or a part of it; where it is still being made or cannot be, on to the page that says so."""
    index = _index(period_index)
    if not isinstance(await _ask(page, index), Archive):
        return page.redirect(f"{page.base}/exports/{index}")
    asked = {name: request.headers[name] for name in _OF_RESUMING if name in request.headers}
    try:
        return await download(page, _path(index), headers=asked)
    except ApiRefused as refused:
        if refused.status != _NO_SUCH_RANGE:
            raise
        return Response("", status_code=_NO_SUCH_RANGE)


async def _ask(page: GuildPage, index: str) -> Asked:
    """Ask for the first byte: what the whole would be is in the answer's headers."""
    try:
        async with page.api.stream(_path(index), headers={"Range": "bytes=0-0"}, silence_s=PATIENCE_SECONDS) as streamed:
            size = _SIZE.fullmatch(streamed.headers.get("Content-Range", ""))
            return Archive(int(size[1]) if size else 0, streamed.headers.get("ETag", "").strip('"'))
    except ApiSilentError:
        return None
    except ApiRefused as refused:
        if refused.status != _CONFLICT:
            raise
        return NotYet(refused.message)


def _path(index: str) -> str:
    return f"/export/period/{index}"


def _index(text: str) -> str:
    if not _INDEX.fullmatch(text):
        raise NotFoundError("there is no such period")
    return text


ROUTES: tuple[ControllerRouterHandler, ...] = (show_exports, show_export, download_export)
