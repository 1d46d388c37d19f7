"""When a log destination is told next, in any time zone and across every change of its clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from attendance.domain.log_destinations import Frequency, next_due

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana",
     "Africa/Cairo", "Pacific/Apia", "Antarctica/Troll"]
)  # fmt: skip
INSTANTS = st.integers(1_700_000_000_000, 1_900_000_000_000)
LONGEST = {
    Frequency.HOURLY: timedelta(hours=2),
    Frequency.DAILY: timedelta(hours=26),
    Frequency.WEEKLY: timedelta(days=7, hours=2),
}


@settings(max_examples=100)
@given(st.sampled_from(list(LONGEST)), ZONES, INSTANTS)
def test_it_is_the_first_instant_of_the_next_local_hour_day_or_week(frequency: Frequency, zone: str, now_ms: int) -> None:
    due_ms = next_due(frequency, zone, now_ms)
    assert due_ms is not None
    assert timedelta() < timedelta(milliseconds=due_ms - now_ms) <= LONGEST[frequency]
    local, before = (datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone)) for ms in (due_ms, due_ms - 1))
    unit = {Frequency.HOURLY: "%Y-%m-%d %H %z", Frequency.DAILY: "%Y-%m-%d", Frequency.WEEKLY: "%G-%V"}[frequency]
    assert local.strftime(unit) != before.strftime(unit)
    assert next_due(frequency, zone, due_ms - 1) == due_ms
    assert next_due(Frequency.IMMEDIATE, zone, now_ms) is None
