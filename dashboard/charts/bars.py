"""Horizontal bars: a label, a length, a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from dashboard.charts.scale import checked
from dashboard.charts.svg import Drawing, shortened, width_px

_WIDTH = 360
_LABEL = 108
_LEAST_FIGURE, _MOST_FIGURE = 80, 140
_ROW = 28
_BAR = 14


def bars(
    rows: Sequence[tuple[str, int, str]],
    *,
    chart_id: str,
    title: str,
    description: str,
) -> Markup:
    """Rows of (label, value, the value in words) in the order given, each bar as long as its share of the largest.

    Anything above zero has at least a sliver, so that it can be seen. A long label is cut and whole when it is pointed at.

    Raises:
        ValueError: a value below zero.
    """
    most = checked([value for _, value, _ in rows])
    widest = max((width_px(words) + 8 for _, _, words in rows), default=0)
    room = _WIDTH - _LABEL - min(_MOST_FIGURE, max(_LEAST_FIGURE, widest))
    drawing = Drawing(chart_id, "bars", _WIDTH, max(1, len(rows)) * _ROW, title=title, description=description)
    for index, (label, value, words) in enumerate(rows):
        top = index * _ROW
        group = drawing.add("g")
        drawing.add("title", f"{label}: {words}", into=group)
        drawing.add("text", shortened(label, _LABEL - 12), into=group, class_="strong", x=0, y=top + 18)
        bar: dict[str, Any] = {"x": _LABEL, "y": top + (_ROW - _BAR) / 2, "height": _BAR, "rx": 3}
        drawing.add("rect", into=group, class_="track", width=room, **bar)
        if value:
            drawing.add("rect", into=group, class_="mark", width=max(2.0, room * value / most), **bar)
        drawing.add("text", words, into=group, x=_WIDTH, y=top + 18, text_anchor="end", class_="strong")
    return drawing.markup()
