"""``/export/period/{index}``: a period as a signed archive, in parts if the caller wants it so."""

from __future__ import annotations

import re
from asyncio import to_thread
from collections.abc import AsyncGenerator
from typing import Annotated

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, PathParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, Services
from api.routes import GUILD
from api.schemas.exports import asked_range, is_current
from attendance.domain.subscriptions import Feature
from attendance.errors import NotFoundError
from attendance.services.access import Right
from attendance.services.period_exports import OpenedExport, digest_header

_CHUNK = 256 * 1024
_MEDIA_TYPE = "application/gzip"
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_MAX_INDEX = 2**31 - 1

Index = Annotated[str, PathParameter(description="The period's index", schema_extra={"pattern": "^(0|[1-9][0-9]{0,9})$"})]
Range = Annotated[str | None, HeaderParameter(name="Range", description="One range of bytes: `bytes=1000-`")]
IfRange = Annotated[str | None, HeaderParameter(name="If-Range", description="The `ETag` that the range is of")]
IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match", description="An `ETag` that the caller has")]


@get(
    f"{GUILD}/export/period/{{period_index:str}}",
    operation_id="exportPeriod",
    summary="A period as a signed archive",
    description="A BagIt folder in a `.tar.gz`: records, signatures, timelines, the leaderboard, proofs and keys, to be "
    "verified without us by stock tools or `rollcall verify`. The same bytes each time, until something in it is erased: "
    "`ETag` says which, `Digest` is their SHA-256. A broken download goes on with `Range` and `If-Range`. 409 while the period "
    "is not archived, signed and logged; the error says which.",
    tags=["exports"],
    media_type=_MEDIA_TYPE,
    text_example="the bytes of a .tar.gz, which docs/formats.md describes",
    guards=[requires(Right.EXPORT, pro=Feature.EXPORTS)],
    responses={
        **guild_errors(409),
        206: ResponseSpec(None, description="The range that was asked for", generate_examples=False),
        304: ResponseSpec(None, description="What the caller has is current", generate_examples=False),
        416: ResponseSpec(None, description="The archive ends before the range", generate_examples=False),
    },
)
async def export_period(
    *,
    services: Services,
    guild: Guild,
    period_index: Index,
    range_: Range = None,
    if_range: IfRange = None,
    if_none_match: IfNoneMatch = None,
) -> Response[bytes] | Stream:
    """The archive."""
    opened = await services.exports.open(guild, _period(period_index))
    kept = opened.kept
    etag = f'"{kept.sha256}"'
    headers = {
        "ETag": etag,
        "Digest": digest_header(kept),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="rollcall-{guild}-{kept.period_index}.tar.gz"',
    }
    span = asked_range(range_, kept.size) if if_range in (None, etag) else None
    if is_current(if_none_match, etag):
        await to_thread(opened.file.close)
        return Response(b"", status_code=304, headers=headers)
    if span is not None and span.start >= span.stop:
        await to_thread(opened.file.close)
        return Response(b"", status_code=416, headers={**headers, "Content-Range": f"bytes */{kept.size}"})
    status = 200
    if span is None:
        span = range(kept.size)
    else:
        status = 206
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{kept.size}"
    headers["Content-Length"] = str(len(span))
    return Stream(_parts(opened, span), status_code=status, media_type=_MEDIA_TYPE, headers=headers)


async def _parts(opened: OpenedExport, span: range) -> AsyncGenerator[bytes, None]:
    """The bytes of a range; the archive is closed at the end, also where the caller goes away."""
    try:
        offset = span.start
        while offset < span.stop:
            part = await to_thread(opened.file.read, offset, min(_CHUNK, span.stop - offset))
            if not part:
                return  # cut short by somebody's hand: the length that was promised tells the caller
            offset += len(part)
            yield part
    finally:
        opened.file.close()


def _period(text: str) -> int:
    if not _INDEX.fullmatch(text) or int(text) > _MAX_INDEX:
        raise NotFoundError("there is no such period")
    return int(text)


ROUTES: list[ControllerRouterHandler] = [export_period]
