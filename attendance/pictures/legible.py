"""Names in letters that the picture's font has. What it has not is spelled in Latin letters, never left as an empty box."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby

from anyascii import anyascii
from PIL import ImageFont

from attendance.domain.display_names import visible_name

_LETTERS = frozenset("LNM")  # general categories whose characters are spelled out; symbols and emoji are left out
_PROBE_SIZE = 20
_NO_CHARACTER = "\U0010ffff"


@cache
def font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    """Source Sans Pro in a weight (Regular, Semibold, Bold) and a size in pixels."""
    path = files("font_source_sans_pro") / "files" / f"SourceSansPro-{weight}.ttf"
    return ImageFont.truetype(str(path), size)


def legible(name: str, *, fallback: str, limit: int = 40) -> str:
    """The name in one line of letters that the font has.

    Args:
        name: any text.
        fallback: what stands for a name of which nothing is left, such as one of emoji only. In ASCII.
        limit: the most characters.
    """
    shown = visible_name(name, limit=limit, fallback="")
    if not all(has_glyph(character) for character in shown):
        parts = [_spelled("".join(run), known=known) for known, run in groupby(shown, key=has_glyph)]
        shown = visible_name(" ".join("".join(parts).split()), limit=limit, fallback="")
    # A name of punctuation alone is none that anybody can say; but it is theirs.
    return shown or fallback


def _spelled(run: str, *, known: bool) -> str:
    if known:
        return run
    letters = "".join(character if unicodedata.category(character)[0] in _LETTERS else " " for character in run)
    return "".join(character for character in anyascii(letters) if has_glyph(character))


@lru_cache(maxsize=8192)
def has_glyph(character: str) -> bool:
    """Whether the font can show a character."""
    probe = _probe()
    return character == " " or bytes(probe.getmask(character)) != bytes(probe.getmask(_NO_CHARACTER))


@cache
def _probe() -> ImageFont.FreeTypeFont:
    # Basic layout: the other one draws a mark that stands alone on a dotted circle, and so never as the empty box.
    return ImageFont.truetype(font("Semibold", _PROBE_SIZE).path, _PROBE_SIZE, layout_engine=ImageFont.Layout.BASIC)
