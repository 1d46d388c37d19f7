"""``/log/…``: the transparency log for monitors, witnesses and whoever holds a receipt. Public, cacheable, without limits."""

from __future__ import annotations

import re
from asyncio import to_thread
from typing import Annotated

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from api.errors import BadAddressError, declared
from api.parameters import Services
from api.schemas.transparency_log import ConsistencyBody
from attendance.core import write_proof_file
from attendance.domain.records import b64
from attendance.errors import NotFoundError

_TAGS = ["log"]
_HEADERS = {"Access-Control-Allow-Origin": "*"}
# A tile never changes; the checkpoint grows every few seconds.
_IMMUTABLE = {**_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
_FRESH = {**_HEADERS, "Cache-Control": "public, max-age=5"}
_TILE = re.compile(
    r"(entries|[0-7])(/x[0-9]{3}){0,6}/[0-9]{3}(\.p/([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?", re.ASCII
)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CHECKPOINT_EXAMPLE = (
    "attendance.example.org/log\n300\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n"
    "\u2014 attendance.example.org/log "
    "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"
)
_PROOF_EXAMPLE = f"c2sp.org/tlog-proof@v1\nindex 17\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n{_CHECKPOINT_EXAMPLE}"
_NOTHING = "nothing was published yet"


@get(
    "/log/checkpoint",
    operation_id="getLogCheckpoint",
    summary="The log's checkpoint",
    description="A signed note (C2SP tlog-checkpoint): origin, size, root.",
    tags=_TAGS,
    security=[{}],
    media_type="text/plain; charset=utf-8",
    responses=declared(404, 500, 503),
    text_example=_CHECKPOINT_EXAMPLE,
)
async def get_checkpoint(services: Services) -> Response[bytes]:
    """The checkpoint."""
    note = await to_thread(services.log.files.checkpoint)
    if note is None:
        raise NotFoundError(_NOTHING)
    return Response(note, media_type="text/plain; charset=utf-8", headers=_FRESH)


@get(
    "/log/tile/{tile:path}",
    operation_id="getLogTile",
    summary="A tile of the log",
    description="Hashes as `<L>/<N>` and entries as `entries/<N>`, partial ones with `.p/<W>` (C2SP tlog-tiles).",
    tags=_TAGS,
    security=[{}],
    media_type="application/octet-stream",
    responses=declared(400, 404, 500, 503),
    text_example="32 bytes for each hash; a bundle has 2 bytes of length before each entry",
)
async def get_tile(services: Services, tile: Annotated[str, PathParameter(description="The tile's path")]) -> Response[bytes]:
    """A tile's bytes."""
    path = tile.removeprefix("/")
    if not _TILE.fullmatch(path):
        raise BadAddressError("this is no tile's path")
    data = await to_thread(services.log.reader.files.read, f"tile/{path}")
    if data is None:
        raise NotFoundError("there is no such tile")
    return Response(data, media_type="application/octet-stream", headers=_IMMUTABLE)


@get(
    "/log/proof/{leaf_index:str}",
    operation_id="getLogProof",
    summary="That a record is in the log",
    description="A proof file (C2SP tlog-proof): the inclusion proof of a leaf, and the checkpoint that it ends in.",
    tags=_TAGS,
    security=[{}],
    media_type="text/plain; charset=utf-8",
    responses=declared(400, 404, 500, 503),
    text_example=_PROOF_EXAMPLE,
)
async def get_proof(
    services: Services, leaf_index: Annotated[str, PathParameter(description="Position in the log, from 0")]
) -> Response[bytes]:
    """A proof file."""
    index = _number(leaf_index, "leaf index")
    published = await services.log.published()
    if published is None or index >= published.size:
        raise NotFoundError("there is no such leaf in the published log")
    proof = await to_thread(services.log.reader.inclusion, published.size, index)
    file = write_proof_file(index, proof, published.note)
    return Response(file, media_type="text/plain; charset=utf-8", headers=_FRESH)


@get(
    "/log/consistency",
    operation_id="getLogConsistency",
    summary="That the log only grew",
    description="RFC 6962's consistency proof between two sizes that were published.",
    tags=_TAGS,
    security=[{}],
    responses=declared(400, 404, 422, 500, 503),
)
async def get_consistency(
    services: Services,
    old: Annotated[str, QueryParameter(name="from", description="The older size, from 1")],
    new: Annotated[str, QueryParameter(name="to", description="The newer size")],
) -> Response[ConsistencyBody]:
    """A consistency proof."""
    old_size, new_size = _number(old, "older size"), _number(new, "newer size")
    if not 0 < old_size <= new_size:
        raise BadAddressError("`from` must be from 1 to `to`")
    published = await services.log.published()
    if published is None or new_size > published.size:
        raise NotFoundError("the published log is not that large")
    proof = await to_thread(services.log.reader.consistency, old_size, new_size)
    return Response(
        ConsistencyBody(from_size=old_size, to_size=new_size, proof=[b64(digest) for digest in proof]), headers=_FRESH
    )


def _number(text: str, what: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) >= 2**63:
        raise BadAddressError(f"the {what} is not a number")
    return int(text)


ROUTES: list[ControllerRouterHandler] = [get_checkpoint, get_tile, get_proof, get_consistency]
