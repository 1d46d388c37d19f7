"""An SVG drawing that stands in a page: named and described for who listens, coloured by classes, without inline style."""

from __future__ import annotations

import re
import unicodedata
from xml.etree import ElementTree as ET

from markupsafe import Markup

# XML 1.0 has no way to write these; names of members may hold them.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PHONE_PRINT = 18 / 11  # how much larger charts.css writes on a phone, where drawings shrink to the screen
_CHARACTER_PX = 6.1  # of a digit or letter at the 11 px of charts.css, rather too wide than too narrow


class Drawing:
    """An ``<svg role="img">`` with a title and a description; ``chart_id`` must be the page's only one.

    Attributes are given as keywords: ``class_`` is ``class``, underscores are hyphens. Numbers are rounded to a hundredth.
    """

    def __init__(self, chart_id: str, kind: str, width: float, height: float, *, title: str, description: str) -> None:
        self.id = chart_id
        self.root = ET.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": "plot",
                "data-kind": kind,
                "id": chart_id,
                "viewBox": f"0 0 {_number(width)} {_number(height)}",
                "width": _number(width),
                "height": _number(height),
                "role": "img",
                "aria-labelledby": f"{chart_id}-title {chart_id}-desc",
            },
        )
        self.add("title", title, id=f"{chart_id}-title")
        self.add("desc", description, id=f"{chart_id}-desc")

    def add(self, tag: str, text: str | None = None, *, into: ET.Element | None = None, **attributes: object) -> ET.Element:
        """Appends an element, to the drawing or into another one, and returns it."""
        element = ET.SubElement(
            self.root if into is None else into,
            tag,
            {_name(key): _number(value) for key, value in attributes.items() if value is not None},
        )
        if text is not None:
            element.text = _UNWRITABLE.sub("\ufffd", text)
        return element

    def markup(self) -> Markup:
        """The drawing as safe markup for a template; everything in it is escaped."""
        return Markup(ET.tostring(self.root, encoding="unicode"))  # noqa: S704 - ElementTree escaped it


def width_px(text: str) -> float:
    """About how wide a text is at the 11 px of charts.css, rather too wide; Chinese and emoji are twice that."""
    return sum(map(_columns, text)) * _CHARACTER_PX


def shortened(text: str, room_px: float) -> str:
    """A text cut to about a width, with an ellipsis where something was cut."""
    used = 0.0
    for index, character in enumerate(text):
        used += _columns(character) * _CHARACTER_PX
        if used > room_px:
            return text[: max(1, index - 1)].rstrip() + "…"
    return text


def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _name(keyword: str) -> str:
    return keyword if keyword in {"viewBox", "patternUnits", "patternTransform"} else keyword.rstrip("_").replace("_", "-")


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return _UNWRITABLE.sub("\ufffd", str(value))
