"""A year of days as a grid: a column a week, a row a weekday, Monday first; on a phone two halves, one below the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from dashboard.charts.scale import checked, level
from dashboard.charts.svg import Drawing

_CELL = 13
_GAP = 3
_LEFT = 34
_TOP = 18
_DAYS = 7
_BETWEEN = 8  # of rows of weeks
_FEW, _HALF = 20, 30  # weeks: up to so many are drawn less wide, so that squares stay small and fit a phone
_ON_A_PHONE = 27  # weeks beside each other: half of the most that a year can have
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
    narrow: bool = False,
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
        narrow: the weeks stand in as many equal rows as a phone needs, the oldest above.

    Raises:
        ValueError: a value below zero.
    """
    most = int(checked([value for _, value in days]))
    if not days:
        return Drawing(chart_id, "calendar", 60, 60, title=title, description=description).markup()
    values = dict(days)
    first, last = min(values), max(values)
    monday = first - timedelta(days=first.weekday())
    weeks = _weeks(first, last)
    step = _CELL + _GAP
    rows = -(-weeks // _ON_A_PHONE) if narrow else 1
    per_row = -(-weeks // rows)
    row_height = _TOP + _DAYS * step + _BETWEEN
    kind = "calendar-narrow" if narrow else "few-weeks" if weeks <= _FEW else "half-year" if weeks <= _HALF else "calendar"
    # Nothing behind the last week: where it does not fit, the end shows first.
    columns = max(per_row, _FEW)
    drawing = Drawing(
        chart_id, kind, _LEFT + columns * step, rows * row_height - _BETWEEN, title=title, description=description
    )
    for index in range(rows):
        top, begins = index * row_height, monday + timedelta(weeks=index * per_row)
        for row in (0, 2, 4):
            drawing.add("text", weekdays[row], x=0, y=top + _TOP + row * step + _CELL - 2.5)
        ends = begins + timedelta(days=per_row * _DAYS - 1)
        _months(drawing, max(first, begins), min(last, ends), month, top=top)
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        week, row = divmod((day - monday).days, _DAYS)
        index, column = divmod(week, per_row)
        value = values.get(day)
        square = drawing.add(
            "rect",
            x=_LEFT + column * step,
            y=index * row_height + _TOP + row * step,
            width=_CELL,
            height=_CELL,
            rx=2.5,
            class_="cell outside" if value is None else f"cell level-{level(value, most)}",
        )
        if value is not None:
            drawing.add("title", text(day, value), into=square)
    return drawing.markup()


def calendar_of_any_width(days: Sequence[tuple[date, int]], *, chart_id: str, **words: Any) -> Markup:
    """`calendar`, and beside it the narrow one where the first would not fit a phone; the styles show one of the two."""
    wide = calendar(days, chart_id=chart_id, **words)
    known = [day for day, _ in days]
    if not known or _weeks(min(known), max(known)) <= _HALF:
        return wide
    return wide + calendar(days, chart_id=f"{chart_id}-narrow", narrow=True, **words)


def _weeks(first: date, last: date) -> int:
    return (last - first + timedelta(days=first.weekday())).days // _DAYS + 1


def _months(drawing: Drawing, first: date, last: date, month: Callable[[date], str], *, top: int) -> None:
    monday = first - timedelta(days=first.weekday())
    starts = [first, *_month_starts(first, last)]
    columns = [(day - monday).days // _DAYS for day in starts]
    for index, day in enumerate(starts):
        # A month of which only the last days are shown gives its room to the next one.
        if index + 1 < len(starts) and columns[index + 1] - columns[index] < _MONTH_ROOM:
            continue
        drawing.add("text", month(day), x=_LEFT + columns[index] * (_CELL + _GAP), y=top + 11)


def _month_starts(first: date, last: date) -> list[date]:
    starts = []
    day = first.replace(day=1)
    while (day := (day + timedelta(days=32)).replace(day=1)) <= last:
        starts.append(day)
    return starts
