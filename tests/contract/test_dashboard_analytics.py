"""The page of analytics: heatmap, trend, and what was not seen."""

from __future__ import annotations

import html
import re

import pytest

from dashboard.pages.analytics import Blind, peak_hour, within
from tests.dashboard_world import GUILD

PAGE = f"/guilds/{GUILD}/analytics"
BREAKDOWNS = f"{PAGE}/breakdowns"
FROM, TO = "2026-01-01T00:00:00.000Z", "2026-01-08T00:00:00.000Z"
CELLS = [[0] * 24 for _ in range(7)]
CELLS[2][20] = 7200
BLIND = {
    "started_at": "2025-12-31T23:00:00.000Z",
    "ended_at": "2026-01-01T00:11:00.000Z",
    "seconds": 4260,
    "cause": "<stopped>",
    "ended_by": "resumed",
}
TREND = {
    "timezone": "Europe/Berlin",
    "unit": "day",
    "from": FROM,
    "to": TO,
    "seconds": 7200,
    "sessions": 2,
    "items": [
        {"date": "2026-01-01", "seconds": -60, "sessions": 0, "members": 0},
        {"date": "2026-01-07", "seconds": 7260, "sessions": 2, "members": 1},
    ],
    "total": 2,
}
DISTRIBUTION = {
    "timezone": "Europe/Berlin",
    "from": FROM,
    "to": TO,
    "members": 24,
    "members_with_time": 21,
    "seconds": 7000,
    "erased_seconds": 200,
    "quartiles": {"lower_seconds": 60, "median_seconds": 120, "upper_seconds": 900},
    "top_tenth": {"members": 3, "seconds": 3458, "share": 0.494},
    "items": [
        {"from_seconds": 0, "to_seconds": 1, "members": 3, "seconds": 0},
        {"from_seconds": 1, "to_seconds": 900, "members": 12, "seconds": 1500},
        {"from_seconds": 900, "to_seconds": 1800, "members": 6, "seconds": 2042},
        {"from_seconds": 1800, "to_seconds": 3600, "members": 0, "seconds": 0},
        {"from_seconds": 3600, "to_seconds": 7200, "members": 2, "seconds": 3458},
        {"from_seconds": 3686400, "to_seconds": None, "members": 1, "seconds": 0},
    ],
    "total": 6,
}
CHANNELS = {
    "timezone": "Europe/Berlin",
    "from": FROM,
    "to": TO,
    "seconds": 7200,
    "sessions": 2,
    "items": [
        {"channel_id": "50", "name": "<b>Lobby", "seconds": 7260, "sessions": 2, "members": 2},
        {"channel_id": "51", "name": "Stage", "seconds": -60, "sessions": 0, "members": 0},
    ],
    "total": 2,
}


@pytest.fixture
def world(dashboard):
    heatmap = {"timezone": "Europe/Berlin", "from": FROM, "to": TO, "cells": CELLS}
    dashboard.api.answers |= {
        "GET /analytics/heatmap": (200, heatmap),
        "GET /analytics/trend": (200, TREND),
        "GET /analytics/distribution": (200, DISTRIBUTION),
        "GET /analytics/channels": (200, CHANNELS),
        "GET /blind": (200, {"items": [BLIND], "total": 1}),
    }
    return dashboard


async def test_the_charts_have_tables_and_blind_time_stands_beside_the_numbers(world):
    page = await (await world.signed_in()).get(PAGE)
    assert page.status_code == 200
    assert "Wednesday, 20:00" in page.text
    assert "For 11\N{NO-BREAK SPACE}min of this range Rollcall did not see voice" in page.text  # what lies within it
    assert "&lt;stopped&gt;" in page.text
    assert page.text.count("<table") == 3
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page.text)


async def test_members_by_their_time_have_steps_a_median_and_what_the_top_tenth_has(world):
    text = (await (await world.signed_in()).get(BREAKDOWNS)).text
    for step in (
        "none",
        "under 15\N{NO-BREAK SPACE}min",
        "15\N{EN DASH}30 min",
        "30\N{EN DASH}60 min",
        "1\N{EN DASH}2 h",
        "1,024 h or more",
    ):
        assert step in text, step
    assert text.count("<table") == 2
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
    assert "49 %" in text
    assert "3 members together have 57\N{NO-BREAK SPACE}min" in text
    assert "21 of them with counted time" in text
    assert "3\N{NO-BREAK SPACE}min of the counted time above are of sessions that were erased since" in text
    world.api.answers["GET /analytics/distribution"] = (200, DISTRIBUTION | {"erased_seconds": 0})
    assert "erased" not in (await (await world.signed_in()).get(BREAKDOWNS)).text


async def test_channels_lead_to_their_pages_and_their_names_are_text(world):
    text = (await (await world.signed_in()).get(BREAKDOWNS)).text
    assert f'<a href="/guilds/{GUILD}/channels/50"><bdi>&lt;b&gt;Lobby</bdi></a>' in text
    assert "<b>Lobby" not in text
    assert "&lt;b&gt;Lobby: 2\N{NO-BREAK SPACE}h 01\N{NO-BREAK SPACE}min" in text  # the drawing's own


async def test_members_without_a_counted_second_have_neither_median_nor_top(world):
    nobody = {"members_with_time": 0, "quartiles": None, "top_tenth": {"members": 0, "seconds": 0, "share": None}}
    world.api.answers["GET /analytics/distribution"] = (200, DISTRIBUTION | nobody | {"items": DISTRIBUTION["items"][:1]})
    page = await (await world.signed_in()).get(BREAKDOWNS)
    assert page.status_code == 200
    assert "Median" not in page.text


async def test_the_forms_ask_for_range_zone_and_unit(world):
    viewer, query = await world.signed_in(), {"days": "90", "tz": "Asia/Tokyo", "unit": "week"}
    page = await viewer.get(PAGE, params=query)
    assert not [path for _, path, *_ in world.api.requests if "analytics/distribution" in path]  # the page waits for none of it
    breakdowns = f"{BREAKDOWNS}?days=90&amp;unit=week&amp;tz=Asia%2FTokyo"
    assert f'hx-get="{breakdowns}" hx-trigger="load"' in page.text
    assert f'<a href="{breakdowns}">' in page.text  # for who has no script
    back = await viewer.get(html.unescape(breakdowns))
    assert f'<a href="{PAGE}?days=90&amp;unit=week&amp;tz=Asia%2FTokyo">' in back.text
    asked = [path.partition("?") for _, path, *_ in world.api.requests]
    for name in ("heatmap", "distribution", "channels"):
        assert {query for path, _, query in asked if path.endswith(f"analytics/{name}")} == {"days=90&tz=Asia/Tokyo"}
    assert {query for path, _, query in asked if path.endswith("trend")} == {"days=90&tz=Asia/Tokyo&unit=week"}


@pytest.mark.parametrize(("days", "sent"), [("0", 1), ("999", 366), ("-1", 28), ("x", 28), ("1_0", 28)])
async def test_a_range_that_makes_no_sense_is_brought_within_bounds(world, days, sent):
    answer = await (await world.signed_in()).get(PAGE, params={"days": days, "unit": "<b>"})
    assert answer.status_code == 200
    assert any(f"heatmap?days={sent}" in path for _, path, *_ in world.api.requests)


async def test_a_time_zone_that_is_none_is_said_beside_the_field(world):
    world.api.answers["GET /analytics/heatmap"] = (422, {"error": "no", "details": {"tz": "no such <zone>"}})
    answer = await (await world.signed_in()).get(PAGE, params={"tz": '"><b>Mars'})
    assert answer.status_code == 422
    assert "no such &lt;zone&gt;" in answer.text
    assert "<b>Mars" not in answer.text


async def test_breakdowns_in_a_time_zone_that_is_none_lead_to_the_form_that_says_so(world):
    world.api.answers["GET /analytics/channels"] = (422, {"error": "no", "details": {"tz": "no such zone"}})
    answer = await (await world.signed_in()).get(BREAKDOWNS, params={"tz": "Mars/&x", "days": "7"})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{PAGE}?days=7&unit=day&tz=Mars%2F%26x"


async def test_breakdowns_that_the_api_cannot_answer_are_an_error_of_their_own(world):
    world.api.answers["GET /analytics/distribution"] = (503, {"error": "the database is away"})
    viewer = await world.signed_in()
    assert (await viewer.get(PAGE)).status_code == 200
    assert (await viewer.get(BREAKDOWNS)).status_code == 503


async def test_breakdowns_of_a_range_without_anybody_say_so(world):
    empty = {"members": 0, "members_with_time": 0, "seconds": 0, "quartiles": None, "items": [], "total": 0}
    world.api.answers["GET /analytics/distribution"] = (200, DISTRIBUTION | empty)
    world.api.answers["GET /analytics/channels"] = (200, CHANNELS | {"items": [], "total": 0})
    assert "Nothing was counted in this range" in (await (await world.signed_in()).get(BREAKDOWNS)).text


async def test_a_range_without_time_says_so(world):
    world.api.answers["GET /analytics/trend"] = (200, TREND | {"seconds": 0, "sessions": 0, "items": []})
    world.api.answers["GET /blind"] = (200, {"items": [], "total": 0})
    page = await (await world.signed_in()).get(PAGE)
    assert "Nothing was counted in this range" in page.text
    assert "Voice was watched all the time" in page.text
    assert "breakdowns" not in page.text


async def test_who_may_not_read_sees_no_analytics(world):
    world.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": []})
    viewer = await world.signed_in()
    assert [(await viewer.get(path)).status_code for path in (PAGE, BREAKDOWNS)] == [403, 403]


def test_the_peak_is_the_first_of_the_busiest_hours():
    cells = [[0] * 24 for _ in range(7)]
    assert peak_hour(cells) is None
    cells[1][3] = cells[4][2] = 60
    assert peak_hour(cells) == (1, 3)


@pytest.mark.parametrize(
    ("started", "ended", "seconds"),
    [
        ("2025-12-31T00:00:00Z", "2026-01-01T00:01:00Z", 60),
        ("2026-01-07T23:59:00Z", None, 60),
        ("2025-12-01T00:00:00Z", None, 7 * 86_400),
        ("2026-01-09T00:00:00Z", None, 0),
    ],
)
def test_blind_time_is_clipped_to_the_range(started, ended, seconds):
    assert within(Blind(started, ended, 0, ""), FROM, TO) == seconds
