"""What esbuild made: files with their content's hash in their names, held in memory, cached by browsers for good.

``dashboard/static/manifest.json`` maps the name that templates use to the file: ``{"app.css": "app-1A2B3C4D.css"}``. It is
made by ``make setup`` (dashboard/assets/build.mjs).
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from attendance.errors import ConfigError, NotFoundError
from dashboard.services import services_of

STATIC_FOLDER = Path(__file__).parent / "static"
FOR_GOOD = "public, max-age=31536000, immutable"

_TYPES = MappingProxyType(
    {
        ".css": "text/css",
        ".js": "text/javascript",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".ico": "image/x-icon",
        ".woff2": "font/woff2",
        ".json": "application/json",
        ".map": "application/json",
        ".txt": "text/plain",
    }
)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file's bytes, also in gzip, and what they are."""

    content: bytes
    zipped: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """Every file of the build, by name, and the names that templates use for them."""

    files: dict[str, StaticFile]
    names: dict[str, str]

    def url(self, name: str) -> str:
        """The address of ``app.css`` and the like.

        Raises:
            ConfigError: the build has no such file.
        """
        if name not in self.names:
            raise ConfigError(f"dashboard/static has no {name}: run make setup")
        return f"/static/{self.names[name]}"


def load_static_files(folder: Path = STATIC_FOLDER) -> StaticFiles:
    """Read a build.

    Raises:
        ConfigError: there is none, or it is damaged.
    """
    try:
        names = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        paths = [path for path in sorted(folder.iterdir()) if path.suffix in _TYPES and path.is_file()]
        contents = {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in paths}
    except (OSError, ValueError) as error:
        raise ConfigError(f"the dashboard's styles and scripts are not built: run make setup ({error})") from error
    if not isinstance(names, dict) or not set(names.values()) <= set(contents):
        raise ConfigError("dashboard/static/manifest.json names files that are not there: run make setup")
    files = {name: StaticFile(content, gzip.compress(content, 9, mtime=0), kind) for name, (content, kind) in contents.items()}
    return StaticFiles(files, names)


@get("/static/{name:str}", include_in_schema=False, opt={"open": True})
async def serve_static_file(name: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
    """One file of the build."""
    file = services_of(request.app).static.files.get(name)
    if file is None:
        raise NotFoundError("there is no such file")
    headers = {"Cache-Control": FOR_GOOD, "Vary": "Accept-Encoding"}
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "") and len(file.zipped) < len(file.content)
    if takes_gzip:
        headers["Content-Encoding"] = "gzip"
    return Response(file.zipped if takes_gzip else file.content, media_type=file.media_type, headers=headers)


ROUTES = (serve_static_file,)
