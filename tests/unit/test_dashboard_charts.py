"""Charts are well-formed SVG without inline style, named and described, and as large as their values say."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from dashboard.charts.bars import bars
from dashboard.charts.calendar import calendar, calendar_of_any_width
from dashboard.charts.heatmap import heatmap
from dashboard.charts.histogram import histogram
from dashboard.charts.patterns import STATUSES, level_swatch, swatch
from dashboard.charts.scale import LEVELS, level, ticks
from dashboard.charts.svg import shortened, width_px
from dashboard.charts.timeline import Lane, Stretch, day_bounds, hour_ticks, timeline
from dashboard.charts.trend import sparkline, trend

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WORDS = {"title": "A title", "description": "A description"}
SVG = "{http://www.w3.org/2000/svg}"
HUGE = 2**62
HOUR_MS = 3_600_000

texts = st.text(max_size=30)
counts = st.one_of(st.just(0), st.integers(0, 100), st.integers(0, HUGE))


def parsed(markup: Markup) -> ET.Element:
    """The drawing; what every one of them must have is asserted."""
    assert "style=" not in markup
    assert "<style" not in markup
    root = ET.fromstring(markup)  # noqa: S314 - our own
    for name in ("x", "y", "width", "height", "d", "points", "cx", "cy"):
        assert not any("nan" in part.get(name, "") or "inf" in part.get(name, "") for part in root.iter())
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    return root


def named(markup: Markup) -> ET.Element:
    root = parsed(markup)
    title, description = (root.get("aria-labelledby") or "").split()
    assert root.find(f"{SVG}title[@id='{title}']").text == WORDS["title"]
    assert root.find(f"{SVG}desc[@id='{description}']").text == WORDS["description"]
    assert inside(root)
    return root


def inside(root: ET.Element) -> bool:
    """Whether every rectangle lies within the view box, to a hundredth."""
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for shape in root.iter(f"{SVG}rect"):
        x, y, w, h = (float(shape.get(name, "0")) for name in ("x", "y", "width", "height"))
        if w == 8 and h == 8 and "hatch-ground" in (shape.get("class") or ""):
            continue
        if x < -0.02 or y < -0.02 or x + w > width + 0.02 or y + h > height + 0.02 or w < 0 or h < 0:
            return False
    return True


def shapes(root: ET.Element, class_: str) -> list[ET.Element]:
    return [shape for shape in root.iter() if class_ in (shape.get("class") or "").split()]


def draw_calendar(days: list[tuple[date, int]], *, narrow: bool = False) -> ET.Element:
    return named(
        calendar(
            days,
            chart_id="c",
            weekdays=WEEKDAYS,
            month=lambda day: f"{day:%b}",
            text=lambda day, value: f"{day} {value}",
            narrow=narrow,
            **WORDS,
        )
    )


def draw_heatmap(cells: list[list[int]]) -> ET.Element:
    return named(
        heatmap(cells, chart_id="h", weekdays=WEEKDAYS, text=lambda day, hour, value: f"{day}/{hour}/{value}", **WORDS)
    )


def draw_bars(rows: list[tuple[str, int, str]]) -> ET.Element:
    return named(bars(rows, chart_id="b", **WORDS))


def draw_trend(points: list[tuple[str, int | None]], *, seconds: bool = False) -> ET.Element:
    return named(trend(points, chart_id="t", value_text=str, seconds=seconds, **WORDS))


def draw_histogram(classes: list[tuple[str, int]]) -> ET.Element:
    return named(histogram(classes, chart_id="d", count_text=str, **WORDS))


# calendar


def test_a_year_of_days_is_a_square_each_in_columns_that_start_on_monday() -> None:
    first = date(2026, 1, 1)  # a Thursday
    days = [(first + timedelta(days=index), index) for index in range(365)]
    squares = shapes(draw_calendar(days), "cell")
    assert len(squares) == 365
    assert [square.find(f"{SVG}title").text for square in squares] == [f"{day} {value}" for day, value in days]
    rows = sorted({float(square.get("y")) for square in squares})
    assert len(rows) == 7
    assert float(squares[0].get("y")) == rows[3]
    assert float(squares[4].get("y")) == rows[0]  # the first Monday
    assert float(squares[4].get("x")) > float(squares[3].get("x"))


def test_the_level_of_a_day_is_its_share_of_the_longest() -> None:
    days = [(date(2026, 3, 2) + timedelta(days=index), value) for index, value in enumerate([0, 1, 25, 26, 50, 75, 76, 100])]
    classes = [square.get("class") for square in shapes(draw_calendar(days), "cell")]
    assert classes == [f"cell level-{n}" for n in (0, 1, 1, 2, 2, 3, 4, 4)]


def test_a_day_that_is_not_known_is_an_empty_square_not_a_zero() -> None:
    days = [(date(2026, 3, 2), 5), (date(2026, 3, 4), 5)]
    squares = shapes(draw_calendar(days), "cell")
    assert [("outside" in square.get("class").split()) for square in squares] == [False, True, False]
    assert squares[1].find(f"{SVG}title") is None


def test_months_are_named_once_where_they_start_and_never_over_each_other() -> None:
    first = date(2025, 11, 28)
    root = draw_calendar([(first + timedelta(days=index), 1) for index in range(366)])
    names = [(text.text, float(text.get("x"))) for text in root.iter(f"{SVG}text") if text.get("y") == "11"]
    assert [name for name, _ in names] == ["Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    assert all(after - before >= 3 * 16 for (_, before), (_, after) in pairwise(names))


@pytest.mark.parametrize("count", [1, 7, 189, 190, 365, 371])
def test_on_a_phone_a_year_stands_in_two_halves_with_the_same_days(count: int) -> None:
    first = date(2026, 1, 1)
    days = [(first + timedelta(days=index), index) for index in range(count)]
    wide, narrow = draw_calendar(days), draw_calendar(days, narrow=True)
    said = [[square.find(f"{SVG}title").text for square in shapes(root, "cell")] for root in (wide, narrow)]
    assert said[0] == said[1]
    assert float(narrow.get("width")) <= 34 + 27 * 16
    places = [(square.get("x"), square.get("y")) for square in shapes(narrow, "cell")]
    assert len(set(places)) == count
    assert len({y for _, y in places}) <= (7 if count <= 186 else 14)


def test_only_what_would_not_fit_a_phone_is_drawn_twice() -> None:
    def drawings(count: int) -> int:
        days = [(date(2026, 1, 1) + timedelta(days=index), 1) for index in range(count)]
        words = {"weekdays": WEEKDAYS, "month": str, "text": lambda day, _: str(day)}
        return str(calendar_of_any_width(days, chart_id="c", **words, **WORDS)).count("<svg")

    assert [drawings(count) for count in (0, 182, 207, 208, 366)] == [1, 1, 1, 2, 2]


def test_a_calendar_of_nothing_and_of_one_day_can_be_drawn() -> None:
    assert shapes(draw_calendar([]), "cell") == []
    assert len(shapes(draw_calendar([(date(2026, 2, 28), 0)]), "cell")) == 1


# heatmap


def test_a_week_is_seven_rows_of_twenty_four_and_the_peak_has_a_frame() -> None:
    cells = [[0] * 24 for _ in range(7)]
    cells[4][21] = 7200
    root = draw_heatmap(cells)
    drawn = shapes(root, "cell")
    assert len(drawn) == 168
    assert drawn[4 * 24 + 21].get("class") == "cell level-4"
    assert drawn[4 * 24 + 21].find(f"{SVG}title").text == "4/21/7200"
    (frame,) = shapes(root, "highlight")
    assert (frame.get("x"), frame.get("y")) == (drawn[4 * 24 + 21].get("x"), drawn[4 * 24 + 21].get("y"))


def test_a_week_of_nothing_has_no_peak() -> None:
    assert shapes(draw_heatmap([[0] * 24 for _ in range(7)]), "highlight") == []


@pytest.mark.parametrize("cells", [[], [[0] * 24] * 6, [[0] * 23] * 7, [[0] * 24] * 6 + [[-1] * 24]])
def test_what_is_no_week_is_refused(cells: list[list[int]]) -> None:
    with pytest.raises(ValueError, match=r"seven days|below zero"):
        draw_heatmap(cells)


# bars


def test_bars_are_as_long_as_their_share_and_the_smallest_can_be_seen() -> None:
    root = draw_bars([("Ada", 200, "200"), ("Ben", 100, "100"), ("Cem", 1, "1"), ("Dee", 0, "0")])
    lengths = [float(bar.get("width")) for bar in shapes(root, "mark")]
    track = float(shapes(root, "track")[0].get("width"))
    assert lengths == [track, track / 2, 2.0]


def test_bars_leave_room_for_their_figures() -> None:
    root = draw_bars([("Lounge", 5_430_000, "1,508 h 38 min"), ("Stage", 1, "1 s")])
    track = shapes(root, "track")[0]
    assert float(track.get("x")) + float(track.get("width")) <= 360 - width_px("1,508 h 38 min")


def test_a_long_name_is_cut_and_whole_when_pointed_at() -> None:
    name = "王小明" * 20
    root = draw_bars([(name, 1, "1 s")])
    assert root.find(f"{SVG}g/{SVG}title").text == f"{name}: 1 s"
    assert root.find(f"{SVG}g/{SVG}text").text.endswith("…")
    assert width_px(root.find(f"{SVG}g/{SVG}text").text) <= 108


# trend


def test_a_trend_touches_the_axis_at_zero_and_the_last_tick_at_most() -> None:
    root = draw_trend([("a", 0), ("b", 50), ("c", 100)])
    (line,) = shapes(root, "line")
    spots = [tuple(map(float, spot.split(","))) for spot in line.get("points").split()]
    floor = float(shapes(root, "axis")[0].get("d").split(" ")[1].partition("H")[0])
    assert spots[0][1] == floor
    assert spots[1][1] == pytest.approx((spots[0][1] + spots[2][1]) / 2)
    assert spots[1][0] == pytest.approx((spots[0][0] + spots[2][0]) / 2)


def test_a_gap_parts_the_line_and_a_lonely_point_is_a_dot() -> None:
    root = draw_trend([("a", 1), ("b", 2), ("c", None), ("d", 3)])
    assert len(shapes(root, "line")) == 1
    assert len(shapes(root, "dot")) == 1
    assert [title.text for title in root.iter(f"{SVG}title")][1:] == ["a: 1", "b: 2", "d: 3"]


@pytest.mark.parametrize("points", [[], [("a", None)], [("a", 5)], [("a", 0), ("b", 0)]])
def test_little_or_nothing_is_still_a_trend(points: list[tuple[str, int | None]]) -> None:
    draw_trend(points)


def test_a_sparkline_is_named_and_has_neither_ids_nor_axes() -> None:
    root = parsed(sparkline([1, None, 3, 4], label="Rising"))
    assert root.get("aria-label") == "Rising"
    assert root.get("id") is None
    assert not list(root.iter(f"{SVG}text"))
    assert len(shapes(root, "line")) == 1
    assert len(shapes(root, "dot")) == 1
    parsed(sparkline([], label="Nothing"))
    parsed(sparkline([0], label="Nothing"))


# histogram


def test_columns_stand_for_their_counts() -> None:
    root = draw_histogram([("0", 10), ("1", 5), ("2", 0)])
    heights = [float(bar.get("height")) for bar in shapes(root, "mark")]
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.01)
    assert len(heights) == 2
    assert [group.find(f"{SVG}title").text for group in root.iter(f"{SVG}g")] == ["0: 10", "1: 5", "2: 0"]


def test_labels_of_many_classes_do_not_run_into_each_other() -> None:
    root = draw_histogram([(f"{hour} h to {hour + 1} h", 1) for hour in range(48)])
    labels = [text for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "middle"]
    assert all(float(after.get("x")) - float(before.get("x")) > width_px(before.text) for before, after in pairwise(labels))


# timeline


def draw_timeline(lanes: list[Lane], start_ms: int = 0, end_ms: int = 1000, *, narrow: bool = False) -> ET.Element:
    marks = [(0, "00")]
    return named(timeline(lanes, start_ms=start_ms, end_ms=end_ms, marks=marks, chart_id="day", narrow=narrow, **WORDS))


def test_stretches_are_clipped_to_the_scale_and_fill_it_exactly() -> None:
    stretches = [Stretch(-500, 250, "counted", "a"), Stretch(250, 1500, "muted", "b"), Stretch(2000, 3000, "solo", "out")]
    root = draw_timeline([Lane("Lounge", stretches)])
    first, second = shapes(root, "stretch")
    track = shapes(root, "track")[0]
    assert float(first.get("x")) == float(track.get("x"))
    assert float(first.get("width")) == pytest.approx(float(track.get("width")) / 4, abs=0.02)
    assert float(second.get("width")) == pytest.approx(float(track.get("width")) * 3 / 4, abs=0.02)
    assert [stretch.find(f"{SVG}title").text for stretch in (first, second)] == ["a", "b"]


def test_on_a_phone_lanes_have_their_names_above_them_and_marks_do_not_touch() -> None:
    lanes = [Lane("A channel with a long name", [Stretch(0, 500, "counted", "a")]), Lane("Lounge", [])]
    days = [(index * 100, f"{index} Nov") for index in range(11)]
    root = named(timeline(lanes, start_ms=0, end_ms=1000, marks=days, chart_id="day", narrow=True, **WORDS))
    assert float(root.get("width")) <= 358  # what a phone of 390 px leaves
    tracks = shapes(root, "track")
    names = shapes(root, "strong")
    assert [name.find(f"{SVG}title").text for name in names] == [lane.label for lane in lanes]
    assert all(float(name.get("y")) < float(track.get("y")) for name, track in zip(names, tracks, strict=True))
    texts = [text for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "middle"]
    middles = [(float(text.get("x")), len(text.text) * 6.1 / 2) for text in texts]
    assert all(one + half < other - less for (one, half), (other, less) in pairwise(middles))
    assert all(half <= middle <= 350 - half + 0.1 for middle, half in middles)
    assert len(texts) > 3


def test_a_moment_is_wide_enough_to_be_seen_even_at_the_end() -> None:
    root = draw_timeline(
        [Lane("x", [Stretch(0, 1, "counted", "a"), Stretch(86_399_999, 86_400_000, "blind", "b")])], 0, 86_400_000
    )
    assert [stretch.get("width") for stretch in shapes(root, "stretch")] == ["1.5", "1.5"]


def test_each_status_has_a_pattern_or_colour_of_its_own_that_its_swatch_repeats() -> None:
    lanes = [Lane("all", [Stretch(index, index + 1, status, status) for index, status in enumerate(STATUSES)])]
    root = draw_timeline(lanes, 0, len(STATUSES))
    patterns = {pattern.get("id"): pattern for pattern in root.iter(f"{SVG}pattern")}
    looks = set()
    for stretch in shapes(root, "stretch"):
        tile = patterns[stretch.get("fill").removeprefix("url(#").removesuffix(")")]
        drawn = [(part.tag.removeprefix(SVG), tuple(sorted(part.attrib.items()))) for part in tile]
        own = ET.fromstring(swatch(stretch.get("data-status")))  # noqa: S314 - our own
        assert [(part.tag, tuple(sorted(part.attrib.items()))) for part in own] == drawn
        looks.add(str(drawn))
    assert len(looks) == len(STATUSES)


def test_statuses_that_share_a_colour_differ_in_their_pattern() -> None:
    idle = [swatch(status).replace(f"st-{status}", "") for status in ("below_minimum", "untracked", "afk", "off", "opted_out")]
    assert len(set(idle)) == len(idle)


def test_a_status_that_is_none_and_a_scale_without_length_are_refused() -> None:
    with pytest.raises(ValueError, match="no status"):
        draw_timeline([Lane("x", [Stretch(0, 1, "sleeping", "a")])])
    with pytest.raises(ValueError, match="no status"):
        swatch("sleeping")
    with pytest.raises(ValueError, match="ends after"):
        draw_timeline([], 5, 5)


def test_a_timeline_without_lanes_can_be_drawn() -> None:
    assert shapes(draw_timeline([]), "stretch") == []


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 11, 28), "Europe/Berlin", 24),
        (date(2026, 3, 29), "Europe/Berlin", 23),
        (date(2026, 10, 25), "Europe/Berlin", 25),
        (date(2026, 4, 5), "Australia/Lord_Howe", 24.5),
        (date(2024, 9, 8), "America/Santiago", 23),  # there is no midnight that day
    ],
)
def test_a_local_day_is_as_long_as_its_clocks_say(day: date, zone: str, hours: float) -> None:
    start, end = day_bounds(day, zone)
    assert end - start == hours * HOUR_MS
    marks = hour_ticks(day, zone)
    assert all(start <= at < end for at, _ in marks)
    assert sorted({label for _, label in marks}) == [label for _, label in marks]
    assert {"03", "06", "09", "12", "15", "18", "21"} <= {label for _, label in marks}


# scales


@given(st.integers(1, HUGE), st.booleans())
def test_ticks_are_round_few_and_reach_over_the_largest(most: int, seconds: bool) -> None:  # noqa: FBT001
    marks = ticks(most, seconds=seconds)
    assert marks[0] == 0
    assert marks[-1] >= most
    assert 2 <= len(marks) <= 7
    assert len({after - before for before, after in pairwise(marks)}) == 1


def test_ticks_of_time_are_whole_minutes_hours_or_days() -> None:
    assert ticks(0, seconds=True) == [0, 60]
    assert ticks(3 * 3600, seconds=True) == [0, 3600, 7200, 10_800]
    assert ticks(40 * 3600, seconds=True) == [0, 43_200, 86_400, 129_600, 172_800]
    assert ticks(0) == [0, 1]
    assert ticks(7) == [0, 2, 4, 6, 8]


@given(counts, counts)
def test_levels_rise_with_their_values(one: int, other: int) -> None:
    most = max(one, other)
    low, high = sorted((one, other))
    assert 0 <= level(low, most) <= level(high, most) <= LEVELS
    assert (level(low, most) == 0) == (low == 0)


def test_nothing_below_zero_is_drawn() -> None:
    for refused in (
        lambda: level(-1, 5),
        lambda: draw_bars([("a", -1, "x")]),
        lambda: draw_calendar([(date(2026, 1, 1), -1)]),
        lambda: draw_trend([("a", -1)]),
        lambda: draw_histogram([("a", -1)]),
        lambda: sparkline([-1], label="x"),
    ):
        with pytest.raises(ValueError, match="below zero"):
            refused()


# whatever comes: each drawing is parsed and measured, so fewer of them

few = settings(max_examples=60)


@few
@given(st.lists(st.tuples(texts, counts, texts), max_size=8))
def test_bars_of_anything_are_well_formed(rows: list[tuple[str, int, str]]) -> None:
    assert len(shapes(draw_bars(rows), "track")) == len(rows)


@few
@given(st.lists(st.tuples(texts, st.none() | counts), max_size=12), st.booleans())
def test_a_trend_of_anything_is_well_formed(points: list[tuple[str, int | None]], seconds: bool) -> None:  # noqa: FBT001
    draw_trend(points, seconds=seconds)


@few
@given(st.lists(st.tuples(texts, counts), max_size=60))
def test_a_histogram_of_anything_is_well_formed(classes: list[tuple[str, int]]) -> None:
    draw_histogram(classes)


@few
@given(st.dictionaries(st.dates(date(2024, 1, 1), date(2024, 9, 1)), counts, max_size=20))
def test_a_calendar_of_anything_is_well_formed(days: dict[date, int]) -> None:
    assert len(
        [cell for cell in shapes(draw_calendar(list(days.items())), "cell") if "outside" not in cell.get("class")]
    ) == len(days)


@few
@given(
    st.lists(st.tuples(st.integers(-2000, 3000), st.integers(0, 2000), st.sampled_from(STATUSES), texts), max_size=10),
    texts,
)
def test_a_timeline_of_anything_is_well_formed(stretches: list[tuple[int, int, str, str]], label: str) -> None:
    lane = Lane(label, [Stretch(start, start + length, status, text) for start, length, status, text in stretches])
    draw_timeline([lane])


@given(st.text(max_size=80), st.integers(20, 300))
def test_a_shortened_text_fits(text: str, room: int) -> None:
    short = shortened(text, room)
    assert short == text or (short.endswith("…") and width_px(short[:-1]) <= max(room, 13))


def test_what_a_name_holds_is_text_in_a_drawing() -> None:
    root = draw_bars([("<script>alert(1)</script>&\x00", 1, '"')])
    assert root.find(f"{SVG}g/{SVG}title").text == '<script>alert(1)</script>&\ufffd: "'
    assert not list(root.iter(f"{SVG}script"))


def test_level_swatches_are_drawn() -> None:
    assert 'class="level-3"' in level_swatch(3)
