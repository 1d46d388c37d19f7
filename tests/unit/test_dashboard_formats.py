"""Lengths and instants as people read them; addresses of the same page; who is offered which page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.durations import duration_iso, duration_text, round_duration_text
from dashboard.instants import instant_iso, instant_text, parsed_instant, time_zones
from dashboard.links import page_numbers, with_query
from dashboard.navigation import GROUPS, guild_navigation
from dashboard.words import Words

t = Words("en")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 00 min"),
        (11_220, "3 h 07 min"),
        (11_279, "3 h 07 min"),
        (3_600_000, "1,000 h 00 min"),
        (-61, "\u22121 min"),
    ],
)
def test_a_length_is_rounded_down_to_what_is_shown(seconds: int, text: str) -> None:
    assert duration_text(seconds, t).replace("\u00a0", " ") == text


def test_number_and_unit_stay_on_one_line() -> None:
    assert duration_text(11_220, t) == "3\u00a0h 07\u00a0min"


def test_round_lengths_of_an_axis_are_short() -> None:
    assert [round_duration_text(seconds, t).replace("\u00a0", " ") for seconds in (0, 1800, 7200, 9000)] == [
        "0 s",
        "30 min",
        "2 h",
        "2 h 30 min",
    ]


def test_a_length_for_machines_is_never_below_zero() -> None:
    assert (duration_iso(11_220), duration_iso(-5)) == ("PT11220S", "PT0S")


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-28T21:39:37.123Z",
        "2026-11-28T22:39:37.123+01:00",
        1_795_901_977_123,
        datetime(2026, 11, 28, 21, 39, 37, 123_000, tzinfo=UTC),
        datetime(2026, 11, 28, 23, 39, 37, 123_000, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_an_instant_is_one_whatever_it_was_written_as(value: str | int | datetime) -> None:
    assert instant_iso(value) == "2026-11-28T21:39:37.123Z"
    assert instant_text(value, "Europe/Berlin") == "28 Nov 2026, 22:39"
    assert instant_text(value, "Asia/Kathmandu", "date") == "29 Nov 2026"
    assert instant_text(value, "UTC", "time") == "21:39"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        parsed_instant("2026-11-28T21:39:37")


@given(st.integers(0, 4_102_444_800_000))
def test_milliseconds_are_kept(at_ms: int) -> None:
    assert round(parsed_instant(instant_iso(at_ms)).timestamp() * 1000) == at_ms


def test_zones_that_are_offered_are_places() -> None:
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= set(time_zones())
    assert not [zone for zone in time_zones() if zone.startswith(("Etc/", "posix", "SystemV"))]


def test_a_query_is_set_anew_in_place_of_the_old_one() -> None:
    url = "https://elsewhere.example/guilds/1/leaderboard?search=a%26b&sort=rank&offset=50#x"
    assert with_query(url, sort="seconds", offset=None) == "/guilds/1/leaderboard?search=a%26b&sort=seconds"
    assert with_query("/x?a=1", a="") == "/x"
    assert with_query("/x", q="ä ?") == "/x?q=%C3%A4+%3F"


@pytest.mark.parametrize("url", ["//evil.example/x", "https://evil.example//y", "/\\evil.example"])
def test_a_link_stays_on_this_site(url: str) -> None:
    link = with_query(url, a=1)
    assert link.startswith("/")
    assert not link.startswith(("//", "/\\"))


@given(st.integers(1, 400), st.integers(1, 400))
def test_pages_are_the_ends_and_the_neighbours_in_order(current: int, last: int) -> None:
    last = max(current, last)
    numbers = page_numbers(current, last)
    known = [number for number in numbers if number is not None]
    assert known == sorted(set(known))
    assert {1, current, last} <= set(known) <= set(range(1, last + 1))
    assert len(numbers) <= 7
    for before, here, after in zip(numbers, numbers[1:], numbers[2:], strict=False):
        if here is None:  # never in place of a single page
            assert before is not None
            assert after is not None
            assert after - before > 2


def test_a_member_is_offered_what_is_theirs_and_who_manages_everything() -> None:
    own = [link.href for _, links in guild_navigation(7, 9, {"self"}) for link in links]
    assert own == ["/guilds/7/members/9", "/guilds/7/privacy"]
    everything = [link.key for _, links in guild_navigation(7, 9, {"self", "read", "manage"}) for link in links]
    assert everything == [page.key for group in GROUPS for page in group.pages]
    readable = [link.key for _, links in guild_navigation(7, 9, {"self", "read"}) for link in links]
    assert "tokens" not in readable


def test_every_page_and_group_has_words() -> None:
    missing = [
        key
        for group in GROUPS
        for key in (f"ui-nav-group-{group.key}", *(f"ui-nav-{page.key}" for page in group.pages))
        if key not in t
    ]
    assert missing == []
