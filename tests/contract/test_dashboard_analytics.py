"""The page of analytics: heatmap, trend, and what was not seen."""

from __future__ import annotations

import re

import pytest

from dashboard.pages.analytics import Blind, peak_hour, within
from tests.dashboard_world import GUILD

PAGE = f"/guilds/{GUILD}/analytics"
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


@pytest.fixture
def world(dashboard):
    heatmap = {"timezone": "Europe/Berlin", "from": FROM, "to": TO, "cells": CELLS}
    dashboard.api.answers |= {
        "GET /analytics/heatmap": (200, heatmap),
        "GET /analytics/trend": (200, TREND),
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


async def test_the_forms_ask_for_range_zone_and_unit(world):
    await (await world.signed_in()).get(PAGE, params={"days": "90", "tz": "Asia/Tokyo", "unit": "week"})
    asked = [path.partition("?") for _, path, *_ in world.api.requests]
    assert {query for path, _, query in asked if path.endswith("heatmap")} == {"days=90&tz=Asia/Tokyo"}
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


async def test_a_range_without_time_says_so(world):
    world.api.answers["GET /analytics/trend"] = (200, TREND | {"seconds": 0, "sessions": 0, "items": []})
    world.api.answers["GET /blind"] = (200, {"items": [], "total": 0})
    page = await (await world.signed_in()).get(PAGE)
    assert "Nothing was counted in this range" in page.text
    assert "Voice was watched all the time" in page.text


async def test_who_may_not_read_sees_no_analytics(world):
    world.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": []})
    assert (await (await world.signed_in()).get(PAGE)).status_code == 403


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
