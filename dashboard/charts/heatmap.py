"""The hours of a week as a grid: seven rows, Monday first, of twenty-four hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from dashboard.charts.scale import checked, level
from dashboard.charts.svg import Drawing

_WIDTH = 26
_HEIGHT = 22
_GAP = 2
_LEFT = 48  # room for what charts.css writes larger on a phone
_TOP = 18
_HOURS = 24
_DAYS = 7


def heatmap(
    cells: Sequence[Sequence[int]],
    *,
    chart_id: str,
    title: str,
    description: str,
    weekdays: Sequence[str],
    text: Callable[[int, int, int], str],
) -> Markup:
    """Seven rows of twenty-four values in five levels by their share of the largest, which has a frame.

    Args:
        cells: as ``/analytics/heatmap`` gives them: Monday first, hours from 0.
        chart_id: the page's only one of that id.
        title: what it shows.
        description: what one would see in it, in words.
        weekdays: seven short names, Monday first.
        text: what a cell says when it is pointed at, from weekday (0 is Monday), hour and value.

    Raises:
        ValueError: not seven rows of twenty-four, or a value below zero.
    """
    if len(cells) != _DAYS or any(len(row) != _HOURS for row in cells):
        raise ValueError("a week has seven days of twenty-four hours")
    most = int(checked([value for row in cells for value in row]))
    width, height = _WIDTH + _GAP, _HEIGHT + _GAP
    drawing = Drawing(chart_id, "heatmap", _LEFT + _HOURS * width, _TOP + _DAYS * height, title=title, description=description)
    for hour in range(0, _HOURS, 3):
        drawing.add("text", f"{hour:02d}", x=_LEFT + hour * width, y=11)
    for day, row in enumerate(cells):
        drawing.add("text", weekdays[day], x=0, y=_TOP + day * height + 15)
        for hour, value in enumerate(row):
            place: dict[str, Any] = {
                "x": _LEFT + hour * width,
                "y": _TOP + day * height,
                "width": _WIDTH,
                "height": _HEIGHT,
                "rx": 2.5,
            }
            cell = drawing.add("rect", class_=f"cell level-{level(value, most)}", **place)
            drawing.add("title", text(day, hour, value), into=cell)
    peak = next(((day, hour) for day in range(_DAYS) for hour in range(_HOURS) if most and cells[day][hour] == most), None)
    if peak is not None:
        drawing.add(
            "rect",
            class_="highlight",
            x=_LEFT + peak[1] * width,
            y=_TOP + peak[0] * height,
            width=_WIDTH,
            height=_HEIGHT,
            rx=2.5,
            pointer_events="none",
        )
    return drawing.markup()
