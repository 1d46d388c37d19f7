from __future__ import annotations

from datetime import UTC, datetime

import pytest

from attendance.domain.schedule import (
    Anchor,
    Interval,
    Schedule,
    known_timezones,
    next_reset,
    next_resets,
    validate_schedule,
)
from attendance.errors import InvalidInputError


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def calendar(interval: Interval, timezone: str = "UTC", **members: int) -> Schedule:
    return Schedule(interval=interval, timezone=timezone, **members)


def rolling(interval: Interval, timezone: str = "UTC") -> Schedule:
    return Schedule(interval=interval, anchor=Anchor.ROLLING, timezone=timezone)


def test_off_has_no_resets() -> None:
    assert next_reset(Schedule(), 0, None) is None
    assert next_resets(Schedule(), 0, None, 5) == []


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        (calendar(Interval.HOURLY), "2026-05-01T10:00:00Z", "2026-05-01T11:00:00Z"),
        (calendar(Interval.HOURLY), "2026-05-01T10:59:59.999Z", "2026-05-01T11:00:00Z"),
        (calendar(Interval.DAILY, hour=6), "2026-05-01T05:59:59.999Z", "2026-05-01T06:00:00Z"),
        (calendar(Interval.DAILY, hour=6), "2026-05-01T06:00:00Z", "2026-05-02T06:00:00Z"),
        (calendar(Interval.WEEKLY, weekday=0), "2026-05-03T23:00:00Z", "2026-05-04T00:00:00Z"),
        (calendar(Interval.WEEKLY, weekday=6, hour=23), "2026-05-04T00:00:00Z", "2026-05-10T23:00:00Z"),
        (calendar(Interval.WEEKLY, weekday=2), "2025-12-31T00:00:00Z", "2026-01-07T00:00:00Z"),
        (calendar(Interval.MONTHLY), "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (calendar(Interval.MONTHLY, day=31), "2026-04-01T00:00:00Z", "2026-04-30T00:00:00Z"),
        (calendar(Interval.MONTHLY, day=29), "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"),
        (calendar(Interval.MONTHLY, day=30), "2028-02-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        (calendar(Interval.YEARLY, month=2, day=29), "2026-01-01T00:00:00Z", "2026-02-28T00:00:00Z"),
        (calendar(Interval.YEARLY, month=2, day=29), "2027-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        (calendar(Interval.YEARLY), "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (calendar(Interval.DAILY, "Asia/Kathmandu"), "2026-05-01T18:15:00Z", "2026-05-02T18:15:00Z"),
        (calendar(Interval.DAILY, "Pacific/Kiritimati"), "2026-05-01T09:59:00Z", "2026-05-01T10:00:00Z"),
    ],
)
def test_calendar_resets_are_strictly_after_the_instant(schedule: Schedule, after: str, expected: str) -> None:
    assert next_reset(schedule, ms(after), None) == ms(expected)


def test_a_calendar_does_not_look_at_the_last_reset() -> None:
    schedule = calendar(Interval.WEEKLY, "Europe/Berlin", weekday=3, hour=4)
    after = ms("2026-05-01T10:00:00Z")
    assert next_reset(schedule, after, None) == next_reset(schedule, after, after - 5) == next_reset(schedule, after, 0)


@pytest.mark.parametrize(
    ("schedule", "last", "expected"),
    [
        # without a change of clocks: the same time of day to the millisecond
        (rolling(Interval.DAILY), "2026-05-01T10:11:12.345Z", "2026-05-02T10:11:12.345Z"),
        (rolling(Interval.WEEKLY), "2026-05-01T10:11:12.345Z", "2026-05-08T10:11:12.345Z"),
        (rolling(Interval.MONTHLY), "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"),
        (rolling(Interval.MONTHLY), "2026-12-31T10:00:00Z", "2027-01-31T10:00:00Z"),
        (rolling(Interval.YEARLY), "2028-02-29T10:00:00Z", "2029-02-28T10:00:00Z"),
        # the local clock keeps its time while UTC moves
        (rolling(Interval.DAILY, "Europe/Berlin"), "2027-03-27T09:00:00Z", "2027-03-28T08:00:00Z"),
        (rolling(Interval.WEEKLY, "America/New_York"), "2026-10-28T16:00:00Z", "2026-11-04T17:00:00Z"),
        # 02:30 in Berlin is in the gap of 28 March 2027: the first instant after it
        (rolling(Interval.DAILY, "Europe/Berlin"), "2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z"),
        # 02:30 comes twice on 31 October 2027: the first
        (rolling(Interval.DAILY, "Europe/Berlin"), "2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z"),
        # a reset by hand in the second 02:30 is followed by the next day's only one
        (rolling(Interval.DAILY, "Europe/Berlin"), "2027-10-31T01:30:00Z", "2027-11-01T01:30:00Z"),
        # an hour is an hour
        (rolling(Interval.HOURLY, "Australia/Lord_Howe"), "2026-10-03T15:10:00Z", "2026-10-03T16:10:00Z"),
        (rolling(Interval.HOURLY, "Europe/Berlin"), "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"),
    ],
)
def test_rolling_resets_one_unit_after_the_last(schedule: Schedule, last: str, expected: str) -> None:
    assert next_reset(schedule, ms(last), ms(last)) == ms(expected)
    assert next_reset(schedule, ms(last) - 10, ms(last)) == ms(expected)


def test_a_rolling_month_from_the_31st_goes_on_from_the_day_it_was_clamped_to() -> None:
    last = ms("2026-01-31T10:00:00Z")
    assert [iso(at) for at in next_resets(rolling(Interval.MONTHLY), last, last, 3)] == [
        "2026-02-28T10:00:00Z",
        "2026-03-28T10:00:00Z",
        "2026-04-28T10:00:00Z",
    ]


def test_rolling_without_a_last_reset_starts_from_now() -> None:
    now = ms("2026-05-01T10:00:00Z")
    assert next_reset(rolling(Interval.DAILY), now, None) == ms("2026-05-02T10:00:00Z")


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval.HOURLY, "2026-05-01T12:07:00Z"),
        (Interval.DAILY, "2026-05-02T07:07:00Z"),
        (Interval.WEEKLY, "2026-05-06T07:07:00Z"),
        (Interval.MONTHLY, "2026-05-15T07:07:00Z"),
        (Interval.YEARLY, "2027-04-15T07:07:00Z"),
    ],
)
def test_rolling_steps_over_what_was_missed_and_keeps_its_time_of_day(interval: Interval, expected: str) -> None:
    last = ms("2026-04-15T07:07:00Z")
    assert next_reset(rolling(interval), ms("2026-05-01T11:30:00Z"), last) == ms(expected)


def test_the_next_five_are_what_asking_one_by_one_gives() -> None:
    schedule = calendar(Interval.MONTHLY, "Europe/Berlin", day=31, hour=2)
    after = ms("2026-01-15T00:00:00Z")
    one_by_one = []
    for _ in range(5):
        following = next_reset(schedule, after, None)
        assert following is not None
        one_by_one.append(after := following)
    assert next_resets(schedule, ms("2026-01-15T00:00:00Z"), None, 5) == one_by_one
    assert [iso(at) for at in one_by_one] == [
        "2026-01-31T01:00:00Z",
        "2026-02-28T01:00:00Z",
        "2026-03-31T00:00:00Z",
        "2026-04-30T00:00:00Z",
        "2026-05-31T00:00:00Z",
    ]


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        (Schedule(weekday=7), "weekday"),
        (Schedule(weekday=-1), "weekday"),
        (Schedule(day=0), "day"),
        (Schedule(day=32), "day"),
        (Schedule(month=0), "month"),
        (Schedule(month=13), "month"),
        (Schedule(hour=24), "hour"),
        (Schedule(hour=-1), "hour"),
        (Schedule(timezone="Europe/Atlantis"), "timezone"),
        (Schedule(timezone=""), "timezone"),
        (Schedule(timezone="Europe"), "timezone"),
        (Schedule(timezone="europe/berlin"), "timezone"),
        (Schedule(timezone="../../etc/passwd"), "timezone"),
        (Schedule(timezone="/usr/share/zoneinfo/UTC"), "timezone"),
        (Schedule(timezone="localtime"), "timezone"),
        (Schedule(timezone="posixrules"), "timezone"),
        (Schedule(timezone="Europe/Berlin\x00"), "timezone"),
    ],
)
def test_what_is_wrong_is_named(schedule: Schedule, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        validate_schedule(schedule)
    assert list(caught.value.details) == [field]


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        next_reset(Schedule(Interval.DAILY, Anchor.CALENDAR, "Nowhere", 9, 99, 99, 99), 0, None)
    assert set(caught.value.details) == {"timezone", "weekday", "day", "month", "hour"}


def test_every_known_time_zone_can_be_reckoned_with() -> None:
    after = ms("2026-05-01T00:00:00Z")
    for timezone in known_timezones():
        reset = next_reset(calendar(Interval.DAILY, timezone), after, None)
        assert reset is not None
        assert after < reset <= after + 86_400_000
