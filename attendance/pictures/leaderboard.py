"""A leaderboard as a picture: a dark card that looks well in Discord's dark and light themes."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, ImageDraw

from attendance.pictures.legible import font, legible

WIDTH = 1100
_MARGIN, _HEADER, _ROW, _FOOTER = 48, 150, 78, 64
_BACKGROUND, _CARD, _TRACK = (24, 25, 28), (35, 37, 42), (52, 55, 63)
_TEXT, _QUIET, _LIVE = (244, 245, 247), (165, 170, 181), (67, 196, 126)
_BAR, _BAR_TOP = (92, 108, 236), (120, 134, 255)
_MEDALS = {1: ((245, 197, 66), (61, 45, 4)), 2: ((199, 206, 217), (44, 48, 56)), 3: ((212, 145, 94), (56, 29, 9))}
_SHARPER = 2  # drawn twice as large and then shrunk: round corners and circles come out smooth
_RANK_BOX, _BAR_HEIGHT = 56, 8
_RANK_DIGITS = 3
_COLOURS = 255

# Pillow's fonts are not meant for several threads at once, and a picture takes a moment only.
_one_at_a_time = threading.Lock()


class PictureLine(NamedTuple):
    """A line: its rank, the name as the member chose it, the time in words, and its part (0 to 1) of the longest one."""

    rank: int
    name: str
    time: str
    part: float
    is_live: bool


@dataclass(frozen=True, slots=True)
class LeaderboardPicture:
    """What is drawn; 1 to 10 lines, or none with a note."""

    title: str
    subtitle: str
    lines: Sequence[PictureLine]
    footer: str

    @property
    def height(self) -> int:
        """In pixels."""
        return _HEADER + _ROW * max(1, len(self.lines)) + _FOOTER


def draw_leaderboard(picture: LeaderboardPicture) -> bytes:
    """The picture as PNG, `WIDTH` pixels wide and ``picture.height`` high. Blocks for 0.1 to 0.2 s: not for an event loop."""
    with _one_at_a_time:
        size = (WIDTH * _SHARPER, picture.height * _SHARPER)
        image = Image.new("RGB", size, _BACKGROUND)
        _Card(ImageDraw.Draw(image)).draw(picture)
        shrunk = image.resize((WIDTH, picture.height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    # Flat colours: a palette loses nothing that can be seen, and is a third of the size.
    shrunk.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()


class _Card:
    """Draws in the coordinates of the finished picture."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def draw(self, picture: LeaderboardPicture) -> None:
        self._text((_MARGIN, 40), legible(picture.title, fallback="Leaderboard", limit=60), "Bold", 44, WIDTH - 2 * _MARGIN)
        self._text((_MARGIN, 96), picture.subtitle, "Regular", 26, WIDTH - 2 * _MARGIN, _QUIET)
        for index, line in enumerate(picture.lines):
            self._line(_HEADER + index * _ROW, line)
        if not picture.lines:
            self._text((_MARGIN, _HEADER + 20), "Nobody has any time yet.", "Regular", 30, WIDTH - 2 * _MARGIN, _QUIET)
        self._text((_MARGIN, picture.height - 46), picture.footer, "Regular", 22, WIDTH - 2 * _MARGIN, _QUIET)

    def _line(self, top: int, line: PictureLine) -> None:
        self._box((_MARGIN - 16, top, WIDTH - _MARGIN + 16, top + _ROW - 10), 16, _CARD)
        self._rank(top, line.rank)
        left, right = _MARGIN + _RANK_BOX + 22, WIDTH - _MARGIN - 4
        time_width = self._width(line.time, "Semibold", 28)
        self._text((right - time_width, top + 10), line.time, "Semibold", 28, time_width + 1)
        room = right - time_width - left - 60
        name = legible(line.name, fallback=f"Member {line.rank}")
        used = self._text((left, top + 10), name, "Semibold", 28, room)
        if line.is_live:
            self._circle((left + used + 22, top + 29), 7, _LIVE)
        self._bar(left, right, top + 50, line.part)

    def _rank(self, top: int, rank: int) -> None:
        centre = (_MARGIN + _RANK_BOX // 2 - 6, top + (_ROW - 10) // 2)
        fill, ink = _MEDALS.get(rank, (_TRACK, _TEXT))
        text = str(rank)
        if len(text) <= _RANK_DIGITS:
            self._circle(centre, 25, fill)
        else:
            ink = _TEXT
        size = {1: 28, 2: 26, 3: 22}.get(len(text), 18)
        self._draw.text(_scaled(centre), text, fill=ink, font=font("Bold", size * _SHARPER), anchor="mm")

    def _bar(self, left: int, right: int, top: int, part: float) -> None:
        self._box((left, top, right, top + _BAR_HEIGHT), _BAR_HEIGHT // 2, _TRACK)
        length = round((right - left) * min(1.0, max(0.0, part)))
        if length > 0:
            colour = _BAR_TOP if part >= 1 else _BAR
            self._box((left, top, left + max(length, _BAR_HEIGHT), top + _BAR_HEIGHT), _BAR_HEIGHT // 2, colour)

    def _text(  # noqa: PLR0917 - where, what, how
        self, at: tuple[int, int], text: str, weight: str, size: int, room: int, fill: tuple[int, int, int] = _TEXT
    ) -> int:
        """Draw a text, cut to ``room`` pixels; returns the pixels it takes."""
        while text and self._width(text, weight, size) > room:
            text = text[:-2].rstrip() + "…" if len(text) > 2 else ""  # noqa: PLR2004 - one character and the ellipsis
        self._draw.text(_scaled(at), text, fill=fill, font=font(weight, size * _SHARPER))
        return self._width(text, weight, size)

    @staticmethod
    def _width(text: str, weight: str, size: int) -> int:
        return -(-round(font(weight, size * _SHARPER).getlength(text)) // _SHARPER)

    def _box(self, corners: tuple[int, int, int, int], radius: int, fill: tuple[int, int, int]) -> None:
        left, top, right, bottom = corners
        self._draw.rounded_rectangle((*_scaled((left, top)), *_scaled((right, bottom))), radius * _SHARPER, fill)

    def _circle(self, centre: tuple[int, int], radius: int, fill: tuple[int, int, int]) -> None:
        x, y = centre
        self._draw.ellipse((*_scaled((x - radius, y - radius)), *_scaled((x + radius, y + radius))), fill)


def _scaled(point: tuple[int, int]) -> tuple[int, int]:
    return point[0] * _SHARPER, point[1] * _SHARPER
