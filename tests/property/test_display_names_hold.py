"""No text at all, cut or mixed in any way, gets through as markup, in hiding or on several lines."""

# ruff: noqa: RUF001 - names in several scripts are the point

from __future__ import annotations

import re
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from attendance.domain.display_names import NAMELESS, markdown_name, plain_name, visible_name

_NASTY = st.sampled_from(list("\\`*_~|<>#-[]():@.1 \n\u200b\u200c\u200d\u200e\u202e\u2066\u2069\u0301\u3164\ufe0f\ud800שׁا👩é"))
NAMES = st.text(st.one_of(_NASTY, st.characters()), max_size=120)
LIMITS = st.integers(1, 70)
_HIDDEN = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"


def _shows_something(text: str) -> bool:
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


@given(NAMES, LIMITS)
@example("e" + "\u0301" * 600, 3)
@example("\u200d" * 500 + "a", 70)
def test_a_visible_name_is_short_one_line_and_hides_nothing(name: str, limit: int) -> None:
    shown = visible_name(name, limit=limit)
    assert shown == NAMELESS or 1 <= len(shown) <= limit
    assert _shows_something(shown)
    assert shown == shown.strip()
    for character in shown:
        category = unicodedata.category(character)
        assert category not in _HIDDEN
        assert category != "Cf" or character in _JOINERS
    shown.encode("utf-8")


@given(NAMES, LIMITS)
def test_cleaning_twice_is_cleaning_once(name: str, limit: int) -> None:
    once = visible_name(name, limit=limit)
    assert visible_name(once, limit=max(limit, len(once))) == once


@given(NAMES, LIMITS)
def test_every_piece_of_markup_is_escaped_and_nothing_else_is_changed(name: str, limit: int) -> None:
    shown, marked = visible_name(name, limit=limit), markdown_name(name, limit=limit)
    unescaped = re.sub(r"\\([^0-9A-Za-z\s])", r"\1", marked.strip("\u2068\u2069"))  # as Discord's markdown does it
    assert unescaped == shown
    left = re.sub(r"\\[^0-9A-Za-z\s]", " ", marked)
    assert not re.search(r"[\\`*_~|<>#\-\[\]():@]", left)
    assert not re.search(r"\d\.", left)
    assert len(marked) <= 2 * max(limit, len(NAMELESS)) + 2


@given(NAMES)
def test_isolates_are_balanced(name: str) -> None:
    for shown in (plain_name(name), markdown_name(name)):
        assert shown.count("\u2068") == shown.count("\u2069") <= 1
        assert ("\u2068" in shown) == any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in shown)
