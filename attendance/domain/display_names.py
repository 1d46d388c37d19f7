"""Names that other people chose (members, channels, guilds), made harmless where Discord or a picture shows them.

A name is data: it must neither be read as markup nor ping anyone, spread its writing direction over what follows it, hide, or
pile up marks over the lines above. What makes a name legible is kept, letters of every script and emoji included.

`visible_name` stands alone (a line of a picture, a file's title). `plain_name` stands within a text that Discord shows as it is
(an embed's author or footer, an autocomplete choice). `markdown_name` stands within text that Discord reads as markdown (a
message, an embed's title, description and fields). A message with any of them is still sent with ``allowed_mentions`` none.
"""

from __future__ import annotations

import re
import unicodedata

MAX_VISIBLE_CHARACTERS = 64
"""Discord's members have 32 characters, channels and guilds 100: longer ones are cut, with an ellipsis."""

NAMELESS = "(no visible name)"

_MARKUP = re.compile(r"[\\`*_~|<>#\-\[\]():@]|(?<=\d)\.")
"""What Discord's markdown, mentions, emoji, timestamps and links are made of. A backslash before it shows it as it is."""

_JOINERS = "\u200c\u200d"
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs by category that show nothing
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES = frozenset({"Zs", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me", "Mc"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_MOST_MARKS = 4  # on one letter: what living scripts need at most, and no tower
_FIRST_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


def visible_name(name: str, *, limit: int = MAX_VISIBLE_CHARACTERS, fallback: str = NAMELESS) -> str:
    """The name in one line, with nothing invisible and no direction marks in it.

    Args:
        name: any text.
        limit: the most code points of the answer; 1 or more.
        fallback: the answer where nothing visible is left; not cut.

    Returns:
        At least one visible character. The same for what it has returned.
    """
    # Cut before as well: that bounds the work. Normalised after as well: what stood between a letter and its mark is gone.
    cleaned = unicodedata.normalize("NFC", _cleaned(unicodedata.normalize("NFC", name[: 8 * limit])))
    if len(cleaned) > limit:
        cleaned = cleaned[: limit - 1].rstrip(" " + _JOINERS) + "…"
    return cleaned or fallback


def plain_name(name: str, *, limit: int = MAX_VISIBLE_CHARACTERS, fallback: str = NAMELESS) -> str:
    """`visible_name` for the middle of a text: one written from right to left is isolated from what surrounds it."""
    return _isolated(visible_name(name, limit=limit, fallback=fallback))


def markdown_name(name: str, *, limit: int = MAX_VISIBLE_CHARACTERS, fallback: str = NAMELESS) -> str:
    """`plain_name` for a text that Discord reads as markdown: at most 2 * ``limit`` + 2 code points."""
    return _isolated(_MARKUP.sub(lambda found: "\\" + found[0], visible_name(name, limit=limit, fallback=fallback)))


def _cleaned(name: str) -> str:
    kept: list[str] = []
    marks, joiner = 0, ""
    for character in name:
        category = unicodedata.category(character)
        if character in _JOINERS:
            joiner = character
            continue
        if category in _SPACES or character in _BLANK_LETTERS or character in "\t\n\r\v\f":
            if kept and kept[-1] != " ":
                kept.append(" ")
            joiner = ""
            continue
        if category in _DROPPED:
            continue
        if category in _MARKS:
            marks += 1
            if marks > _MOST_MARKS or not kept or kept[-1] == " ":
                continue
        else:
            marks = 0
        # Joiners shape Persian and Indic words and join emoji; anywhere else they only hide.
        if joiner and kept and not kept[-1].isascii() and not character.isascii():
            kept.append(joiner)
        joiner = ""
        kept.append(character)
    return "".join(kept).rstrip()


def _isolated(name: str) -> str:
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in name):
        return _FIRST_ISOLATE + name + _POP_ISOLATE
    return name
