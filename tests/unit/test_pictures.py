"""A leaderboard's picture is a PNG of a known size in which every name can be read."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from attendance.pictures.leaderboard import WIDTH, LeaderboardPicture, PictureLine, draw_leaderboard
from attendance.pictures.legible import has_glyph, legible


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Björn Łódź", "Björn Łódź"),
        ("Дмитрий", "Дмитрий"),
        ("Việt Ωμέγα", "Việt Ωμέγα"),
        ("日本 太郎", "RiBen TaiLang"),
        ("김철수", "GimCheolSu"),
        ("👩\u200d🔧 Ada 🎉", "Ada"),
        ("🔥🔥", "Member 8"),
        ("", "Member 8"),
        ("a日b", "aRib"),
    ],
)
def test_a_name_is_shown_or_spelled_and_never_an_empty_box(name: str, shown: str) -> None:
    assert legible(name, fallback="Member 8") == shown


@given(st.text(max_size=60))
def test_any_name_is_legible(name: str) -> None:
    shown = legible(name, fallback="Member 8")
    assert shown.strip()
    assert len(shown) <= 40
    assert all(has_glyph(character) for character in shown)


def picture(lines: int) -> LeaderboardPicture:
    rows = [
        PictureLine(rank, "x" * 200 if rank == 2 else "Ada", "1 h 00 min", 1 / rank, rank == 1) for rank in range(1, lines + 1)
    ]
    return LeaderboardPicture("A **guild** \u202ename", "This period", rows, "As of now")


@pytest.mark.parametrize("lines", [0, 1, 10])
def test_the_picture_is_a_png_of_its_size(lines: int) -> None:
    wanted = picture(lines)
    drawn = draw_leaderboard(wanted)
    image = Image.open(io.BytesIO(drawn))
    image.load()
    assert (image.format, image.size) == ("PNG", (WIDTH, wanted.height))
    assert len(drawn) < 200_000


def test_the_first_line_has_its_medal_its_light_and_a_full_bar() -> None:
    image = Image.open(io.BytesIO(draw_leaderboard(picture(2)))).convert("RGB")
    colours = {colour for _, colour in image.getcolors(1 << 20) or []}

    def near(wanted: tuple[int, int, int]) -> bool:
        return any(max(abs(a - b) for a, b in zip(wanted, colour, strict=True)) <= 6 for colour in colours)

    assert near((245, 197, 66)), "gold"
    assert near((199, 206, 217)), "silver"
    assert near((67, 196, 126)), "in voice now"
    assert near((120, 134, 255)), "the longest bar"
