"""Two bars a row: what is, and what would be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from dashboard.charts.scale import checked
from dashboard.charts.svg import Drawing, shortened

_WIDTH = 520
_LABEL = 128
_FIGURE = 150
_ROW = 44
_BAR = 12
_BARS = (("mark-soft", 6), ("mark", 22))


class Compared(NamedTuple):
    """A label, and both sides as values and in words."""

    label: str
    before: int
    after: int
    before_words: str
    after_words: str


def compared_bars(rows: Sequence[Compared], *, chart_id: str, title: str, description: str) -> Markup:
    """Rows in the order given, each with the paler bar of ``before`` over that of ``after``; both have their words beside them.

    Raises:
        ValueError: a value below zero.
    """
    most = checked([value for row in rows for value in (row.before, row.after)])
    room = _WIDTH - _LABEL - _FIGURE
    drawing = Drawing(chart_id, "bars", _WIDTH, max(1, len(rows)) * _ROW, title=title, description=description)
    for index, row in enumerate(rows):
        top = index * _ROW
        group = drawing.add("g")
        drawing.add("title", f"{row.label}: {row.before_words}, {row.after_words}", into=group)
        drawing.add("text", shortened(row.label, _LABEL - 12), into=group, class_="strong", x=0, y=top + 24)
        sides = ((row.before, row.before_words), (row.after, row.after_words))
        for (value, words), (kind, below) in zip(sides, _BARS, strict=True):
            if value:
                width = max(2.0, room * value / most)
                drawing.add("rect", into=group, class_=kind, x=_LABEL, y=top + below, width=width, height=_BAR, rx=2)
            drawing.add("text", words, into=group, x=_WIDTH, y=top + below + 10, text_anchor="end")
    return drawing.markup()
