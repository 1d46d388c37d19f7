"""A distribution: how many fall into each class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

from markupsafe import Markup

from dashboard.charts.scale import checked, ticks
from dashboard.charts.svg import PHONE_PRINT, Drawing, width_px

_WIDTH = 640
_HEIGHT = 200
_LEAST_LEFT = 30
_RIGHT = 8
_TOP = 10
_BOTTOM = 24


def histogram(
    classes: Sequence[tuple[str, int]],
    *,
    chart_id: str,
    title: str,
    description: str,
    count_text: Callable[[int], str],
) -> Markup:
    """Classes (label, count) in the order given as columns from zero; labels are written where there is room for them.

    Raises:
        ValueError: a count below zero.
    """
    marks = ticks(checked([count for _, count in classes]))
    drawing = Drawing(chart_id, "histogram", _WIDTH, _HEIGHT, title=title, description=description)
    start = max(_LEAST_LEFT, *(ceil(width_px(count_text(mark)) * PHONE_PRINT) + 8 for mark in marks))
    floor, end = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for mark in marks:
        top = floor - (floor - _TOP) * mark / marks[-1]
        drawing.add("path", class_="grid" if mark else "axis", d=f"M{start:.2f} {top:.2f}H{end}")
        drawing.add("text", count_text(mark), x=start - 8, y=top + 4, text_anchor="end")
    room = (end - start) / max(1, len(classes))
    widest = max((width_px(label) * PHONE_PRINT + 8 for label, _ in classes), default=room)
    every = max(1, ceil(widest / room))
    for index, (label, count) in enumerate(classes):
        left = start + index * room
        height = (floor - _TOP) * count / marks[-1]
        column = drawing.add("g")
        drawing.add("title", f"{label}: {count_text(count)}", into=column)
        drawing.add("rect", into=column, x=left, y=_TOP, width=room, height=floor - _TOP, fill="none", pointer_events="all")
        if count:
            height = max(1.5, height)
            drawing.add(
                "rect",
                into=column,
                class_="mark",
                x=left + room * 0.08,
                y=floor - height,
                width=room * 0.84,
                height=height,
                rx=1.5,
            )
        if index % every == 0:
            drawing.add("text", label, into=column, x=left + room / 2, y=_HEIGHT - 6, text_anchor="middle")
    return drawing.markup()
