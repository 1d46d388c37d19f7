from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from attendance.domain.schedule import Anchor, Interval, Schedule, known_timezones, next_reset, next_resets

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FROM = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
UNTIL = int(datetime(2040, 12, 31, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000

zones = st.sampled_from(sorted(known_timezones()))
instants = st.integers(FROM, UNTIL)
intervals = st.sampled_from([interval for interval in Interval if interval is not Interval.OFF])


@st.composite
def near_a_change_of_clocks(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and an instant within a day of one of its changes, where it has any; else any instant."""
    timezone = draw(zones)
    zone = ZoneInfo(timezone)
    month = draw(st.integers(0, 16 * 12 - 1))
    start = datetime(2024 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    at = start
    for day in range(31):
        at = start + timedelta(days=day)
        if at.astimezone(zone).utcoffset() != (at + timedelta(days=1)).astimezone(zone).utcoffset():
            break
    return timezone, int(at.timestamp()) * 1000 + draw(st.integers(-24 * 60, 24 * 60)) * MINUTE


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    return Schedule(
        interval=draw(intervals),
        anchor=draw(st.sampled_from(Anchor)),
        timezone=draw(zones),
        weekday=draw(st.integers(0, 6)),
        day=draw(st.integers(1, 31)),
        month=draw(st.integers(1, 12)),
        hour=draw(st.integers(0, 23)),
    )


def wall(zone: ZoneInfo, at_ms: int) -> datetime:
    return (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).replace(tzinfo=None, fold=0)


@given(schedules(), instants, st.none() | st.integers(0, 400 * 86_400_000), st.data())
def test_resets_ascend_lie_ahead_and_do_not_change_while_one_waits(
    schedule: Schedule, after: int, since_last: int | None, data: st.DataObject
) -> None:
    last = None if since_last is None else after - since_last
    resets = next_resets(schedule, after, last, 4)
    assert len(resets) == 4
    assert resets[0] > after
    assert all(left < right for left, right in pairwise(resets))

    between = data.draw(st.integers(after, resets[0] - 1))
    if schedule.anchor is Anchor.CALENDAR or last is not None:
        assert next_reset(schedule, between, last) == resets[0]
    if schedule.anchor is Anchor.CALENDAR:
        later = data.draw(st.integers(resets[0], resets[1] - 1))
        assert next_reset(schedule, later, None) == resets[1]


@given(near_a_change_of_clocks(), st.integers(0, 23))
@settings(max_examples=40)
def test_a_daily_reset_is_the_first_minute_whose_wall_has_reached_the_hour(place: tuple[str, int], hour: int) -> None:
    timezone, after = place
    zone = ZoneInfo(timezone)
    minutes = range(after - 30 * 3_600_000, after + 54 * 3_600_000, MINUTE)
    reached: dict[object, int] = {}
    for at in minutes:
        shown = wall(zone, at)
        for day in (shown.date(), shown.date() - timedelta(days=1)):
            if shown >= datetime.combine(day, datetime.min.time()) + timedelta(hours=hour):
                reached.setdefault(day, at)
    expected = sorted({at for at in reached.values() if at > after})
    found = next_resets(Schedule(Interval.DAILY, timezone=timezone, hour=hour), after, None, 2)
    assert found == expected[:2]


@given(near_a_change_of_clocks())
@settings(max_examples=40)
def test_an_hourly_reset_is_every_minute_at_which_the_wall_comes_to_a_full_hour(place: tuple[str, int]) -> None:
    timezone, after = place
    zone = ZoneInfo(timezone)
    expected = []
    shown = wall(zone, after)
    for at in range(after + MINUTE, after + 86_400_000, MINUTE):
        before, shown = shown, wall(zone, at)
        jumped_over_one = shown.replace(minute=0) > before  # the wall went from before a full hour to after it
        if shown.minute == 0 or jumped_over_one:
            expected.append(at)
    assert next_resets(Schedule(Interval.HOURLY, timezone=timezone), after, None, len(expected)) == expected
    assert len(expected) >= 20


@given(schedules(), instants)
def test_a_calendar_reset_is_never_further_than_its_unit(schedule: Schedule, after: int) -> None:
    longest = {
        Interval.HOURLY: timedelta(hours=2),
        Interval.DAILY: timedelta(days=1, hours=3),
        Interval.WEEKLY: timedelta(days=7, hours=3),
        Interval.MONTHLY: timedelta(days=32),
        Interval.YEARLY: timedelta(days=367),
    }[schedule.interval]
    for anchor in Anchor:
        reset = next_reset(
            Schedule(
                schedule.interval,
                anchor,
                schedule.timezone,
                schedule.weekday,
                schedule.day,
                schedule.month,
                schedule.hour,
            ),
            after,
            after,
        )
        assert reset is not None
        assert reset - after <= longest / timedelta(milliseconds=1)
