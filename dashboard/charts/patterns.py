"""Statuses as colour and pattern, the same in charts, legends and badges, so that colour is never alone."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from markupsafe import Markup

from dashboard.charts.svg import Drawing

# A tile of 8 by 8: lines as path data, or dots as centres. An empty tile is plain colour.
_LINES: dict[str, str] = {
    "bridged": "M-2 2 2 -2M0 8 8 0M6 10 10 6",
    "muted": "M0 2H8M0 6H8",
    "deafened": "M2 0V8M6 0V8",
    "solo": "M-2 6 2 10M0 0 8 8M6 -2 10 2",
    "blind": "M-2 2 2 -2M0 8 8 0M6 10 10 6M-2 6 2 10M0 0 8 8M6 -2 10 2",
    "afk": "M0 4H8",
    "off": "M4 0V8",
    "opted_out": "M0 8 8 0",
}
_DOTS: dict[str, tuple[tuple[int, int], ...]] = {
    "unwitnessed": ((2, 2), (6, 6)),
    "below_minimum": ((4, 4),),
    "corrected": ((2, 6), (6, 2)),
}

STATUSES = (
    "counted",
    "bridged",
    "unwitnessed",
    "muted",
    "deafened",
    "solo",
    "blind",
    "below_minimum",
    "untracked",
    "afk",
    "off",
    "opted_out",
    "corrected",
)
"""Every status that a stretch can have, credited ones first."""


def define(drawing: Drawing, statuses: Iterable[str]) -> dict[str, str]:
    """Adds the patterns of statuses to a drawing; returns the ``fill`` of each (``url(#…)``).

    Raises:
        ValueError: a status that is not one.
    """
    definitions = drawing.add("defs")
    fills = {}
    for status in sorted(set(statuses)):
        pattern_id = f"{drawing.id}-{status.replace('_', '-')}"
        tile = drawing.add("pattern", into=definitions, id=pattern_id, width=8, height=8, patternUnits="userSpaceOnUse")
        _draw(tile, _known(status))
        fills[status] = f"url(#{pattern_id})"
    return fills


def swatch(status: str) -> Markup:
    """A square of a status's colour and pattern, silent for who listens: its word stands beside it."""
    root = ET.Element(
        "svg",
        {"class": "swatch", "viewBox": "0 0 8 8", "width": "14", "height": "14", "aria-hidden": "true", "focusable": "false"},
    )
    _draw(root, _known(status))
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - ElementTree escaped it


def level_swatch(level: int) -> Markup:
    """A square of a calendar's or heatmap's level, 0 to 4."""
    root = ET.Element(
        "svg",
        {"class": "swatch", "viewBox": "0 0 8 8", "width": "14", "height": "14", "aria-hidden": "true", "focusable": "false"},
    )
    ET.SubElement(root, "rect", {"class": f"level-{int(level)}", "width": "8", "height": "8", "rx": "1"})
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - ElementTree escaped it


def _known(status: str) -> str:
    if status not in STATUSES:
        raise ValueError(f"no status: {status!r}")
    return status


def _draw(tile: ET.Element, status: str) -> None:
    ET.SubElement(tile, "rect", {"class": f"hatch-ground st-{status}", "width": "8", "height": "8"})
    if status in _LINES:
        ET.SubElement(tile, "path", {"class": "hatch", "d": _LINES[status]})
    for x, y in _DOTS.get(status, ()):
        ET.SubElement(tile, "circle", {"class": "hatch-dot", "cx": str(x), "cy": str(y), "r": "1.5"})
