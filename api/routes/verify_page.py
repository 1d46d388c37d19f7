"""``/verify``: the page on which a browser checks receipts, exports and proofs by itself. Public, static, without rate limits.

The files lie in memory and cost nothing to serve, and a page that loads only in part is worse than none: so they are not
counted against the limit of ``/verify/session/…``, which asks the database.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import MediaType, Request, Response, get
from litestar.params import PathParameter
from litestar.types import ControllerRouterHandler

from api.verifier_files import PAGE, SINGLE_FILE, ServedFile, verifier_files
from attendance.errors import NotFoundError

# Only our own files run, nothing is written as HTML, and requests go to this server alone: when a session is asked for.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types rollcall"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Held against its ETag each time: a page of two versions would be worse than a request.
    "Cache-Control": "no-cache",
}


@get("/verify", include_in_schema=False, sync_to_thread=False)
def get_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    if request.scope["path"].endswith("/") or request.scope.get("raw_path", b"").endswith(b"/"):
        # Its addresses are relative, so that it works behind a prefix.
        return Response(b"", status_code=308, media_type=MediaType.TEXT, headers={**_HEADERS, "Location": "../verify"})
    return _answer(request, verifier_files()[PAGE], {})


@get("/verify/page/{name:str}", include_in_schema=False, sync_to_thread=False)
def get_page_file(
    request: Request[Any, Any, Any], name: Annotated[str, PathParameter(description="The file's name")]
) -> Response[bytes]:
    """One of the page's files."""
    found = verifier_files().get(name) if name != PAGE else None
    if found is None:
        raise NotFoundError("the page has no such file")
    more = {}
    if name == "service-worker.js":
        more["Service-Worker-Allowed"] = "../../verify"
    if name == SINGLE_FILE:
        more["Content-Disposition"] = f'attachment; filename="{SINGLE_FILE}"'
    return _answer(request, found, more)


def _answer(request: Request[Any, Any, Any], file: ServedFile, more: dict[str, str]) -> Response[bytes]:
    headers = {**_HEADERS, "ETag": file.etag, **more}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if file.etag in known:
        return Response(b"", status_code=304, media_type=file.media_type, headers=headers)
    return Response(file.data, media_type=file.media_type, headers=headers)


ROUTES: list[ControllerRouterHandler] = [get_page, get_page_file]
