"""A value over time: with axes, or as a small line within text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from markupsafe import Markup

from dashboard.charts.scale import checked, ticks
from dashboard.charts.svg import PHONE_PRINT, Drawing, width_px

_WIDTH = 640
_HEIGHT = 200
_LEAST_LEFT = 30
_RIGHT = 12
_TOP = 10
_BOTTOM = 24
_LABELS = 6

_SPARK_WIDTH = 112.0
_SPARK_HEIGHT = 28.0


def trend(
    points: Sequence[tuple[str, int | None]],
    *,
    chart_id: str,
    title: str,
    description: str,
    value_text: Callable[[int], str],
    tick_text: Callable[[int], str] | None = None,
    seconds: bool = False,
) -> Markup:
    """Points (label, value) at equal distances as a line over a ground; ``None`` is a gap. A single point is a dot.

    Args:
        points: oldest first; labels are written where there is room for them.
        chart_id: the page's only one of that id.
        title: what it shows.
        description: what one would see in it, in words.
        value_text: a value in words, for pointing at.
        tick_text: a round value in words, for the axis; the same unless given.
        seconds: the values are seconds, so the axis has round hours.

    Raises:
        ValueError: a value below zero.
    """
    marks = ticks(checked([value for _, value in points if value is not None]), seconds=seconds)
    drawing = Drawing(chart_id, "trend", _WIDTH, _HEIGHT, title=title, description=description)
    words = [(tick_text or value_text)(mark) for mark in marks]
    left = max(_LEAST_LEFT, *(ceil(width_px(text) * PHONE_PRINT) + 8 for text in words))
    floor, end = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT

    def y(value: float) -> float:
        return floor - (floor - _TOP) * value / marks[-1]

    def x(index: int) -> float:
        return (left + end) / 2 if len(points) == 1 else left + (end - left) * index / (len(points) - 1)

    for mark, text in zip(marks, words, strict=True):
        drawing.add("path", class_="grid" if mark else "axis", d=f"M{left:.2f} {y(mark):.2f}H{end}")
        drawing.add("text", text, x=left - 8, y=y(mark) + 4, text_anchor="end")
    for run in _runs([value for _, value in points]):
        line = " ".join(f"{x(index):.2f},{y(value):.2f}" for index, value in run)
        if len(run) > 1:
            drawing.add("polygon", class_="area", points=f"{x(run[0][0]):.2f},{floor} {line} {x(run[-1][0]):.2f},{floor}")
            drawing.add("polyline", class_="line", points=line)
        else:
            drawing.add("circle", class_="dot", cx=x(run[0][0]), cy=y(run[0][1]), r=4)
    _labels(drawing, [label for label, _ in points], x)
    # Broad invisible bands are easier to point at than a line.
    band = (end - left) / max(1, len(points))
    for index, (label, value) in enumerate(points):
        if value is not None:
            start, stop = max(left, x(index) - band / 2), min(end, x(index) + band / 2)
            place: dict[str, Any] = {"x": start, "y": _TOP, "width": stop - start, "height": floor - _TOP}
            area = drawing.add("rect", fill="none", pointer_events="all", **place)
            drawing.add("title", f"{label}: {value_text(value)}", into=area)
    return drawing.markup()


def sparkline(values: Sequence[int | None], *, label: str) -> Markup:
    """A small line within text, without axes, from zero up; ``label`` says in words what it shows.

    Raises:
        ValueError: a value below zero.
    """
    most = checked([value for value in values if value is not None]) or 1
    drawing = Drawing("", "spark", _SPARK_WIDTH, _SPARK_HEIGHT, title="", description="")
    for part in list(drawing.root):
        drawing.root.remove(part)
    for attribute in ("id", "aria-labelledby"):
        drawing.root.attrib.pop(attribute)
    drawing.root.attrib |= {"class": "spark", "aria-label": label, "preserveAspectRatio": "none"}
    room = _SPARK_HEIGHT - 4

    def x(index: int) -> float:
        return _SPARK_WIDTH / 2 if len(values) == 1 else 2 + (_SPARK_WIDTH - 4) * index / (len(values) - 1)

    for run in _runs(values):
        spots = [(x(index), _SPARK_HEIGHT - 2 - room * value / most) for index, value in run]
        line = " ".join(f"{left:.2f},{top:.2f}" for left, top in spots)
        if len(run) > 1:
            drawing.add(
                "polygon", class_="area", points=f"{spots[0][0]:.2f},{_SPARK_HEIGHT} {line} {spots[-1][0]:.2f},{_SPARK_HEIGHT}"
            )
            drawing.add("polyline", class_="line", points=line)
        else:
            drawing.add("circle", class_="dot", cx=spots[0][0], cy=spots[0][1], r=2.5)
    return drawing.markup()


def _runs(values: Sequence[int | None]) -> list[list[tuple[int, int]]]:
    """Unbroken runs of (index, value)."""
    runs: list[list[tuple[int, int]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((index, value))
    return [run for run in runs if run]


def _labels(drawing: Drawing, labels: Sequence[str], x: Callable[[int], float]) -> None:
    every = max(1, -(-len(labels) // _LABELS))
    for index in range(0, len(labels), every):
        anchor = "start" if index == 0 and len(labels) > 1 else "end" if index == len(labels) - 1 and index else "middle"
        drawing.add("text", labels[index], x=x(index), y=_HEIGHT - 6, text_anchor=anchor)
