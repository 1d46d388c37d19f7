"""A year of days as a grid: a column a week, a row a weekday, Monday first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from markupsafe import Markup

from dashboard.charts.scale import checked, level
from dashboard.charts.svg import Drawing

_CELL = 13
_GAP = 3
_LEFT = 34
_TOP = 18
_DAYS = 7
_FEW, _HALF = 20, 30  # weeks: up to so many are drawn less wide, so that squares stay small and fit a phone
_MONTH_ROOM = 3  # weeks that a month's name needs before the next one


def calendar(
    days: Sequence[tuple[date, int]],
    *,
    chart_id: str,
    title: str,
    description: str,
    weekdays: Sequence[str],
    month: Callable[[date], str],
    text: Callable[[date, int], str],
) -> Markup:
    """Days with a value each (seconds, say) as squares in five levels by their share of the largest.

    Args:
        days: any order, each day once; days between the first and the last that are missing are drawn as empty squares.
        chart_id: the page's only one of that id.
        title: what it shows.
        description: what one would see in it, in words.
        weekdays: seven short names, Monday first; every other one is written.
        month: the short name of a day's month.
        text: what a square says when it is pointed at.

    Raises:
        ValueError: a value below zero.
    """
    most = int(checked([value for _, value in days]))
    if not days:
        return Drawing(chart_id, "calendar", 60, 60, title=title, description=description).markup()
    values = dict(days)
    first, last = min(values), max(values)
    monday = first - timedelta(days=first.weekday())
    weeks = (last - monday).days // _DAYS + 1
    step = _CELL + _GAP
    kind = "few-weeks" if weeks <= _FEW else "half-year" if weeks <= _HALF else "calendar"
    # Nothing behind the last week: where it does not fit, the end shows first.
    columns = max(weeks, _FEW)
    drawing = Drawing(chart_id, kind, _LEFT + columns * step, _TOP + _DAYS * step, title=title, description=description)
    for row in (0, 2, 4):
        drawing.add("text", weekdays[row], x=0, y=_TOP + row * step + _CELL - 2.5)
    _months(drawing, first, last, monday, month)
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        week, row = divmod((day - monday).days, _DAYS)
        value = values.get(day)
        square = drawing.add(
            "rect",
            x=_LEFT + week * step,
            y=_TOP + row * step,
            width=_CELL,
            height=_CELL,
            rx=2.5,
            class_="cell outside" if value is None else f"cell level-{level(value, most)}",
        )
        if value is not None:
            drawing.add("title", text(day, value), into=square)
    return drawing.markup()


def _months(drawing: Drawing, first: date, last: date, monday: date, month: Callable[[date], str]) -> None:
    starts = [first, *_month_starts(first, last)]
    columns = [(day - monday).days // _DAYS for day in starts]
    for index, day in enumerate(starts):
        # A month of which only the last days are shown gives its room to the next one.
        if index + 1 < len(starts) and columns[index + 1] - columns[index] < _MONTH_ROOM:
            continue
        drawing.add("text", month(day), x=_LEFT + columns[index] * (_CELL + _GAP), y=11)


def _month_starts(first: date, last: date) -> list[date]:
    starts = []
    day = first.replace(day=1)
    while (day := (day + timedelta(days=32)).replace(day=1)) <= last:
        starts.append(day)
    return starts
