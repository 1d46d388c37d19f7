"""The verifier's files, as they are served; and all of it as one file that needs no server.

The files of ``api/verifier`` are what a browser runs: nothing is built. Only two things are put together here: the names and
the version that the service worker keeps, and the single file. Both are functions of the files alone, so that every deployment
of one version serves the same bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

SINGLE_FILE = "rollcall-verifier.html"
PAGE = "index.html"
_FOLDER = Path(__file__).parent / "verifier"
_SERVICE_WORKER = "service-worker.js"
_ENTRIES = ("worker.js", "page.js")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}  # the framework adds the charset
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z0-9_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b|\bimport\(", re.MULTILINE)


class ServedFile(NamedTuple):
    """A file's bytes, media type and strong ETag."""

    data: bytes
    media_type: str
    etag: str


@cache
def verifier_files() -> dict[str, ServedFile]:
    """Every file by its name; the page itself is `PAGE`."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
    texts[SINGLE_FILE] = single_file(texts)
    kept = sorted(texts.keys() - {PAGE, _SERVICE_WORKER})
    digest = sha256("".join(f"{name}\0{texts[name]}\0" for name in sorted(texts)).encode()).hexdigest()
    names = ", ".join(f'"{name}"' for name in kept)
    worker = _replaced(texts[_SERVICE_WORKER], 'const VERSION = "development";', f'const VERSION = "{digest[:16]}";')
    texts[_SERVICE_WORKER] = _replaced(worker, 'const FILES = ["page.js"];', f"const FILES = [{names}];")
    return {name: _served(name, text) for name, text in texts.items()}


def single_file(texts: dict[str, str]) -> str:
    """The page, its style and all of its code in one file, whose own policy lets nothing else run and nothing out.

    Args:
        texts: The verifier's files by name.
    """
    code = _script(texts)
    style = texts["page.css"]
    policy = (
        f"default-src 'none'; script-src '{_source(code)}'; style-src '{_source(style)}'; img-src data:; worker-src blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = texts[PAGE]
    for old, new in (
        (
            '<meta charset="utf-8">\n',
            f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
        ),
        ('<link rel="stylesheet" href="verify/page/page.css">', f"<style>{style}</style>"),
        ('<script type="module" src="verify/page/page.js"></script>\n', ""),
        ("</body>", f'<script id="code">{code}</script>\n</body>'),
    ):
        page = _replaced(page, old, new)
    return page


def _script(texts: dict[str, str]) -> str:
    """All modules as one script: each a function that gives its exports, those that it imports before it."""
    parts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in parts:
            return
        source = texts[name]
        for found in _IMPORT.finditer(source):
            add(found[2])
        exported = ", ".join(found[1] for found in _EXPORT.finditer(source))
        body = _EXPORT.sub("", _IMPORT.sub(lambda found: f"const {{{found[1]}}} = {_variable(found[2])};\n", source))
        if _LEFT_OVER.search(body) or "</script" in body:
            raise ValueError(f"{name} has an import or export in a form that the single file does not take")
        parts[name] = f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();\n"

    for entry in _ENTRIES:
        add(entry)
    return '"use strict";\n' + "".join(parts.values())


def _variable(name: str) -> str:
    return f"module_{name.removesuffix('.js')}"


def _source(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}"


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"the verifier's files have not exactly one {old!r}")
    return text.replace(old, new)


def _served(name: str, text: str) -> ServedFile:
    data = text.encode()
    return ServedFile(data, _TYPES[Path(name).suffix], f'"{sha256(data).hexdigest()}"')
