"""Resets around changes of clocks, as tables: what the wall says is worked out by hand from the zone's published rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from attendance.domain.schedule import Interval, Schedule, next_resets

DAY = Interval.DAILY
HOUR = Interval.HOURLY


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def utc(at_ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%MZ")


# zone, interval, hour, after, the resets that follow (UTC)
TABLE = [
    # Berlin: 02:00 -> 03:00 at 01:00Z, 03:00 -> 02:00 at 01:00Z
    ("Europe/Berlin", DAY, 0, "2027-03-27T12:00Z", ["2027-03-27T23:00Z", "2027-03-28T22:00Z", "2027-03-29T22:00Z"]),
    ("Europe/Berlin", DAY, 2, "2027-03-27T12:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:00Z", "2027-03-30T00:00Z"]),
    ("Europe/Berlin", DAY, 3, "2027-03-27T12:00Z", ["2027-03-28T01:00Z", "2027-03-29T01:00Z", "2027-03-30T01:00Z"]),
    ("Europe/Berlin", DAY, 0, "2027-10-30T12:00Z", ["2027-10-30T22:00Z", "2027-10-31T23:00Z", "2027-11-01T23:00Z"]),
    ("Europe/Berlin", DAY, 2, "2027-10-30T12:00Z", ["2027-10-31T00:00Z", "2027-11-01T01:00Z", "2027-11-02T01:00Z"]),
    ("Europe/Berlin", HOUR, 0, "2027-03-27T23:30Z", ["2027-03-28T00:00Z", "2027-03-28T01:00Z", "2027-03-28T02:00Z"]),
    ("Europe/Berlin", HOUR, 0, "2027-10-30T23:30Z", ["2027-10-31T00:00Z", "2027-10-31T01:00Z", "2027-10-31T02:00Z"]),
    # London: 01:00 -> 02:00 and 02:00 -> 01:00, both at 01:00Z
    ("Europe/London", DAY, 0, "2027-03-27T12:00Z", ["2027-03-28T00:00Z", "2027-03-28T23:00Z", "2027-03-29T23:00Z"]),
    ("Europe/London", DAY, 1, "2027-03-27T12:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:00Z", "2027-03-30T00:00Z"]),
    ("Europe/London", DAY, 1, "2027-10-30T12:00Z", ["2027-10-31T00:00Z", "2027-11-01T01:00Z", "2027-11-02T01:00Z"]),
    # New York: 02:00 -> 03:00 at 07:00Z, 02:00 -> 01:00 at 06:00Z
    ("America/New_York", DAY, 0, "2027-03-13T12:00Z", ["2027-03-14T05:00Z", "2027-03-15T04:00Z", "2027-03-16T04:00Z"]),
    ("America/New_York", DAY, 2, "2027-03-13T12:00Z", ["2027-03-14T07:00Z", "2027-03-15T06:00Z", "2027-03-16T06:00Z"]),
    ("America/New_York", DAY, 1, "2027-11-06T12:00Z", ["2027-11-07T05:00Z", "2027-11-08T06:00Z", "2027-11-09T06:00Z"]),
    ("America/New_York", HOUR, 0, "2027-11-07T04:30Z", ["2027-11-07T05:00Z", "2027-11-07T06:00Z", "2027-11-07T07:00Z"]),
    # Sydney: 02:00 -> 03:00 at 16:00Z, 03:00 -> 02:00 at 16:00Z, a day early in UTC
    ("Australia/Sydney", DAY, 0, "2026-10-02T20:00Z", ["2026-10-03T14:00Z", "2026-10-04T13:00Z", "2026-10-05T13:00Z"]),
    ("Australia/Sydney", DAY, 2, "2026-10-02T20:00Z", ["2026-10-03T16:00Z", "2026-10-04T15:00Z", "2026-10-05T15:00Z"]),
    ("Australia/Sydney", DAY, 2, "2026-04-03T20:00Z", ["2026-04-04T15:00Z", "2026-04-05T16:00Z", "2026-04-06T16:00Z"]),
    # Lord Howe: half an hour. 02:00 -> 02:30 at 15:30Z; 02:00 -> 01:30 at 15:00Z
    ("Australia/Lord_Howe", DAY, 2, "2026-10-02T20:00Z", ["2026-10-03T15:30Z", "2026-10-04T15:00Z"]),
    ("Australia/Lord_Howe", DAY, 2, "2026-04-03T20:00Z", ["2026-04-04T15:30Z", "2026-04-05T15:30Z"]),
    ("Australia/Lord_Howe", DAY, 0, "2026-10-02T20:00Z", ["2026-10-03T13:30Z", "2026-10-04T13:00Z"]),
    ("Australia/Lord_Howe", HOUR, 0, "2026-10-03T14:00Z", ["2026-10-03T14:30Z", "2026-10-03T15:30Z", "2026-10-03T16:00Z"]),
    ("Australia/Lord_Howe", HOUR, 0, "2026-04-04T13:30Z", ["2026-04-04T14:00Z", "2026-04-04T15:30Z", "2026-04-04T16:30Z"]),
    # Chatham: three quarters of an hour off, 02:45 -> 03:45 at 14:00Z
    ("Pacific/Chatham", DAY, 3, "2026-09-25T20:00Z", ["2026-09-26T14:00Z", "2026-09-27T13:15Z"]),
    ("Pacific/Chatham", HOUR, 0, "2026-09-26T13:00Z", ["2026-09-26T13:15Z", "2026-09-26T14:00Z", "2026-09-26T14:15Z"]),
    # Kathmandu and Kolkata: no changes, odd offsets
    ("Asia/Kathmandu", DAY, 0, "2026-03-28T00:00Z", ["2026-03-28T18:15Z", "2026-03-29T18:15Z"]),
    ("Asia/Kathmandu", HOUR, 0, "2026-03-28T00:00Z", ["2026-03-28T00:15Z", "2026-03-28T01:15Z"]),
    ("Asia/Kolkata", HOUR, 0, "2026-03-28T00:00Z", ["2026-03-28T00:30Z", "2026-03-28T01:30Z"]),
    # São Paulo had its changes at midnight until 2019: a gap and a fold there
    ("America/Sao_Paulo", DAY, 0, "2018-11-03T12:00Z", ["2018-11-04T03:00Z", "2018-11-05T02:00Z", "2018-11-06T02:00Z"]),
    ("America/Sao_Paulo", DAY, 0, "2019-02-15T12:00Z", ["2019-02-16T02:00Z", "2019-02-17T03:00Z", "2019-02-18T03:00Z"]),
    ("America/Sao_Paulo", DAY, 23, "2019-02-15T12:00Z", ["2019-02-16T01:00Z", "2019-02-17T01:00Z", "2019-02-18T02:00Z"]),
    ("America/Sao_Paulo", DAY, 0, "2025-11-01T12:00Z", ["2025-11-02T03:00Z", "2025-11-03T03:00Z"]),
    # Cairo: a gap at midnight (a Friday in April); back at 24:00 of a Thursday, so 23:00 comes twice
    ("Africa/Cairo", DAY, 0, "2024-04-24T12:00Z", ["2024-04-24T22:00Z", "2024-04-25T22:00Z", "2024-04-26T21:00Z"]),
    ("Africa/Cairo", DAY, 0, "2024-10-30T12:00Z", ["2024-10-30T21:00Z", "2024-10-31T22:00Z", "2024-11-01T22:00Z"]),
    ("Africa/Cairo", DAY, 23, "2024-10-30T12:00Z", ["2024-10-30T20:00Z", "2024-10-31T20:00Z", "2024-11-01T21:00Z"]),
    # Beirut: the same on a Sunday
    ("Asia/Beirut", DAY, 0, "2024-03-30T12:00Z", ["2024-03-30T22:00Z", "2024-03-31T21:00Z", "2024-04-01T21:00Z"]),
    ("Asia/Beirut", DAY, 0, "2024-10-25T12:00Z", ["2024-10-25T21:00Z", "2024-10-26T22:00Z", "2024-10-27T22:00Z"]),
    # Santiago: gap at midnight in September, midnight's hour before is repeated in April
    ("America/Santiago", DAY, 0, "2024-09-07T12:00Z", ["2024-09-08T04:00Z", "2024-09-09T03:00Z", "2024-09-10T03:00Z"]),
    ("America/Santiago", DAY, 0, "2024-04-06T02:00Z", ["2024-04-06T03:00Z", "2024-04-07T04:00Z", "2024-04-08T04:00Z"]),
    # Havana: gap at midnight; in November 01:00 -> 00:00, so that midnight itself comes twice
    ("America/Havana", DAY, 0, "2024-03-09T12:00Z", ["2024-03-10T05:00Z", "2024-03-11T04:00Z", "2024-03-12T04:00Z"]),
    ("America/Havana", DAY, 0, "2024-11-02T12:00Z", ["2024-11-03T04:00Z", "2024-11-04T05:00Z", "2024-11-05T05:00Z"]),
    ("America/Havana", HOUR, 0, "2024-11-03T03:30Z", ["2024-11-03T04:00Z", "2024-11-03T05:00Z", "2024-11-03T06:00Z"]),
    # Asunción: its last gap at midnight before it stayed on summer time
    ("America/Asuncion", DAY, 0, "2024-10-05T12:00Z", ["2024-10-06T04:00Z", "2024-10-07T03:00Z"]),
    # Casablanca: an hour back for Ramadan, and forth again (10 March and 14 April 2024)
    ("Africa/Casablanca", DAY, 2, "2024-03-09T12:00Z", ["2024-03-10T01:00Z", "2024-03-11T02:00Z", "2024-03-12T02:00Z"]),
    ("Africa/Casablanca", DAY, 2, "2024-04-13T12:00Z", ["2024-04-14T02:00Z", "2024-04-15T01:00Z", "2024-04-16T01:00Z"]),
    # Dublin keeps "summer time" as its standard: the walls are London's
    ("Europe/Dublin", DAY, 1, "2027-03-27T12:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:00Z"]),
    # Apia left out 30 December 2011: its midnight is the 31st's, once
    ("Pacific/Apia", DAY, 0, "2011-12-29T00:00Z", ["2011-12-29T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"]),
    ("Pacific/Apia", HOUR, 0, "2011-12-30T08:30Z", ["2011-12-30T09:00Z", "2011-12-30T10:00Z", "2011-12-30T11:00Z"]),
    # Troll: two hours. 01:00 -> 03:00 and 03:00 -> 01:00, both at 01:00Z
    ("Antarctica/Troll", DAY, 2, "2026-03-28T12:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:00Z", "2026-03-31T00:00Z"]),
    ("Antarctica/Troll", DAY, 2, "2026-10-24T12:00Z", ["2026-10-25T00:00Z", "2026-10-26T02:00Z", "2026-10-27T02:00Z"]),
    ("Antarctica/Troll", HOUR, 0, "2026-10-24T23:30Z", ["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"]),
    # the Azores: a gap and a fold at midnight by the common European rule
    ("Atlantic/Azores", DAY, 0, "2027-03-27T12:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:00Z", "2027-03-30T00:00Z"]),
    ("Atlantic/Azores", DAY, 0, "2027-10-30T12:00Z", ["2027-10-31T00:00Z", "2027-11-01T01:00Z", "2027-11-02T01:00Z"]),
]


@pytest.mark.parametrize(("timezone", "interval", "hour", "after", "expected"), TABLE)
def test_resets_follow_the_wall_across_a_change_of_clocks(
    timezone: str, interval: Interval, hour: int, after: str, expected: list[str]
) -> None:
    schedule = Schedule(interval=interval, timezone=timezone, hour=hour)
    assert [utc(at) for at in next_resets(schedule, ms(after), None, len(expected))] == expected


@pytest.mark.parametrize(
    ("schedule", "lost"),
    [
        # what APScheduler 3.11's CronTrigger skips after 28 March 2027: a day, a weekly run, all of April
        (Schedule(Interval.DAILY, timezone="Europe/Berlin"), "2027-03-28T22:00Z"),
        (Schedule(Interval.WEEKLY, timezone="Europe/Berlin", weekday=0), "2027-03-28T22:00Z"),
        (Schedule(Interval.MONTHLY, timezone="Europe/Berlin", day=1), "2027-03-31T22:00Z"),
    ],
)
def test_no_run_at_local_midnight_is_lost_after_the_spring_change_in_berlin(schedule: Schedule, lost: str) -> None:
    assert ms(lost) in next_resets(schedule, ms("2027-03-26T12:00Z"), None, 3)


def test_a_year_of_days_in_every_zone_of_the_table_has_as_many_resets_as_days() -> None:
    for timezone in sorted({row[0] for row in TABLE}):
        for hour in (0, 2):
            schedule = Schedule(Interval.DAILY, timezone=timezone, hour=hour)
            resets = next_resets(schedule, ms("2026-01-01T12:00Z"), None, 365)
            assert abs(resets[-1] - resets[0] - 364 * 86_400_000) <= 2 * 3_600_000


def test_the_long_day_has_25_full_hours_and_the_short_one_23() -> None:
    schedule = Schedule(Interval.HOURLY, timezone="Europe/Berlin")
    for start, end, hours in (
        ("2027-10-30T22:00Z", "2027-10-31T23:00Z", 25),
        ("2027-03-27T23:00Z", "2027-03-28T22:00Z", 23),
    ):
        resets = next_resets(schedule, ms(start), None, hours)
        assert resets[-1] == ms(end)
        assert len(set(resets)) == hours
