"""Stretches of time on one scale, coloured and patterned by what they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dashboard.charts.patterns import define
from dashboard.charts.svg import Drawing, shortened, width_px

_BAND = 20
_BOTTOM = 20
_LEAST_PX = 1.5
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class _Shape:
    """Where things are: names of lanes stand beside them, or above them where ``name_y`` is within the lane's head."""

    kind: str
    width: int
    left: int
    right: int
    lane: int
    band_top: int
    name_y: int
    name_room: int


_WIDE = _Shape("timeline", width=720, left=92, right=10, lane=30, band_top=5, name_y=19, name_room=82)
_NARROW = _Shape("timeline-narrow", width=350, left=10, right=10, lane=46, band_top=20, name_y=14, name_room=340)


@dataclass(frozen=True)
class Stretch:
    """``[start_ms, end_ms)`` of one status; ``text`` is what it says when it is pointed at."""

    start_ms: int
    end_ms: int
    status: str
    text: str


@dataclass(frozen=True)
class Lane:
    """Stretches in one row: of a day, a channel, or of what nobody watched."""

    label: str
    stretches: Sequence[Stretch]


def day_bounds(day: date, zone: str) -> tuple[int, int]:
    """A local day as ``[start_ms, end_ms)``: 23 or 25 hours long where the clocks change."""
    start, end = (_midnight(which, zone) for which in (day, day + timedelta(days=1)))
    return start, end


def hour_ticks(day: date, zone: str, every: int = 3) -> list[tuple[int, str]]:
    """Instants of a local day at which the clock shows a multiple of ``every`` hours, with what it shows; each only once."""
    start, end = day_bounds(day, zone)
    marks: dict[str, int] = {}
    for at_ms in range(start, end, _HOUR_MS // 4):  # zones change by quarters of an hour
        local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
        if local.hour % every == 0 and local.minute == 0:
            marks.setdefault(f"{local.hour:02d}", at_ms)
    return [(at_ms, label) for label, at_ms in marks.items()]


def timeline(
    lanes: Sequence[Lane],
    *,
    start_ms: int,
    end_ms: int,
    marks: Sequence[tuple[int, str]],
    chart_id: str,
    title: str,
    description: str,
    narrow: bool = False,
) -> Markup:
    """Lanes of stretches between two instants; stretches are clipped to them, what lies outside is not drawn.

    A stretch too short to be seen is drawn a pixel and a half wide. Its status decides colour and pattern. A ``narrow`` one
    fits a phone: lanes have their names above them, and of marks only those are named that have the room.

    Raises:
        ValueError: the end is not after the start, or a stretch has a status that is none.
    """
    if end_ms <= start_ms:
        raise ValueError("a timeline ends after it starts")
    shape = _NARROW if narrow else _WIDE
    room = shape.width - shape.left - shape.right
    bottom = max(1, len(lanes)) * shape.lane
    drawing = Drawing(chart_id, shape.kind, shape.width, bottom + _BOTTOM, title=title, description=description)
    fills = define(drawing, (stretch.status for lane in lanes for stretch in lane.stretches))

    def x(at_ms: int) -> float:
        return shape.left + room * (min(max(at_ms, start_ms), end_ms) - start_ms) / (end_ms - start_ms)

    named_to = -1.0  # where the last name ended
    for at_ms, label in marks:
        if start_ms <= at_ms <= end_ms:
            drawing.add("path", class_="grid", d=f"M{x(at_ms):.2f} 0V{bottom}")
            half = width_px(label) / 2
            middle = min(max(x(at_ms), half), shape.width - half)
            if not narrow or middle - half > named_to:
                drawing.add("text", label, x=middle, y=bottom + 14, text_anchor="middle")
                named_to = middle + half + 4
    for index, lane in enumerate(lanes):
        top = index * shape.lane + shape.band_top
        name = drawing.add(
            "text", shortened(lane.label, shape.name_room), class_="strong", x=0, y=index * shape.lane + shape.name_y
        )
        drawing.add("title", lane.label, into=name)
        drawing.add("rect", class_="track", x=shape.left, y=top, width=room, height=_BAND, rx=3)
        for stretch in lane.stretches:
            if stretch.end_ms <= start_ms or stretch.start_ms >= end_ms:
                continue
            left, right = x(stretch.start_ms), x(stretch.end_ms)
            width = max(_LEAST_PX, right - left)
            band = drawing.add(
                "rect",
                class_="stretch",
                data_status=stretch.status,
                fill=fills[stretch.status],
                x=min(left, shape.width - shape.right - width),
                y=top,
                width=width,
                height=_BAND,
            )
            drawing.add("title", stretch.text, into=band)
    return drawing.markup()


def timeline_of_any_width(lanes: Sequence[Lane], *, chart_id: str, **rest: Any) -> Markup:
    """`timeline`, and beside it the narrow one; the styles show one of the two."""
    return timeline(lanes, chart_id=chart_id, **rest) + timeline(lanes, chart_id=f"{chart_id}-narrow", narrow=True, **rest)


def _midnight(day: date, zone: str) -> int:
    """The first instant of a local day. Where a gap begins at midnight zoneinfo gives the gap's end."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
