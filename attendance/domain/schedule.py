"""When a period ends: interval, anchor and IANA time zone to instants.

Reckoned with `zoneinfo` here and not by the timer's library, whose cron trigger loses local-midnight runs after a
spring clock change. One rule covers every change of clocks: a local clock time stands for the first instant at which
the local clock shows that time *or a later one*. So a time inside a gap is the first instant after the gap, and of the
two instants in a fold it is the first.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from itertools import count
from zoneinfo import ZoneInfo, available_timezones

from attendance.errors import InvalidInputError


class Interval(StrEnum):
    """How long a period is."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    OFF = "off"


class Anchor(StrEnum):
    """Calendar: at fixed local clock times. Rolling: the same local clock time one unit after the last reset."""

    CALENDAR = "calendar"
    ROLLING = "rolling"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A reset schedule as ``PATCH /reset-interval`` sets it. 0 is Monday; days 29 to 31 mean a shorter month's last.

    An interval uses what it needs: hourly nothing, daily ``hour``, weekly also ``weekday``, monthly also ``day``,
    yearly also ``month``. Rolling uses none of them. ``timezone`` always counts.
    """

    interval: Interval = Interval.OFF
    anchor: Anchor = Anchor.CALENDAR
    timezone: str = "UTC"
    weekday: int = 0
    day: int = 1
    month: int = 1
    hour: int = 0


_RANGES = {"weekday": (0, 6), "day": (1, 31), "month": (1, 12), "hour": (0, 23)}
_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})  # files beside the zones: no place, or only this machine's
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_HOUR = timedelta(hours=1)
_HOUR_MS = 3_600_000
# Clocks are set by three hours at most (Troll: two), except across the date line, and that is a gap: see `_full_hours`.
_HOURS_AROUND = 4


def next_reset(schedule: Schedule, after_ms: int, last_reset_ms: int | None) -> int | None:
    """The first reset strictly after ``after_ms`` (Unix milliseconds, UTC), or None when there are no resets.

    Calendar: ``last_reset_ms`` does not matter. Hourly means every full local hour, a fold's repeated one included.

    Rolling: one unit after the last reset, by the local clock (hourly: 3,600 seconds later, by any clock), and on by as
    many units as ``after_ms`` asks; each step is taken from the one before, so that 31 January is followed by 28
    February and 28 March, just as if each had been a reset. Without a last reset it starts at ``after_ms``.

    Raises:
        InvalidInputError: the schedule breaks a rule of `validate_schedule`.
    """
    if schedule.interval is Interval.OFF:
        return None
    validate_schedule(schedule)
    if schedule.anchor is Anchor.ROLLING:
        instants = _rolling(schedule, after_ms, after_ms if last_reset_ms is None else last_reset_ms)
    elif schedule.interval is Interval.HOURLY:
        instants = _full_hours(_zone(schedule.timezone), after_ms)
    else:
        instants = _calendar(schedule, after_ms)
    return next(instant for instant in instants if instant > after_ms)


def next_resets(schedule: Schedule, after_ms: int, last_reset_ms: int | None, count: int) -> list[int]:
    """The next ``count`` resets, ascending, as they will come if nobody resets by hand; empty when there are none."""
    resets: list[int] = []
    while len(resets) < count:
        following = next_reset(schedule, after_ms, last_reset_ms)
        if following is None:
            break
        resets.append(following)
        after_ms = last_reset_ms = following
    return resets


def validate_schedule(schedule: Schedule) -> None:
    """Check every member.

    Raises:
        InvalidInputError: ``details`` names each member that is out of range, or the unknown time zone.
    """
    details = {
        name: f"an integer from {low} to {high}"
        for name, (low, high) in _RANGES.items()
        if not low <= getattr(schedule, name) <= high
    }
    if schedule.timezone not in known_timezones():
        details["timezone"] = "a time zone of the IANA database, such as Europe/Berlin"
    if details:
        raise InvalidInputError("the reset schedule is not valid", details=details)


@cache
def known_timezones() -> frozenset[str]:
    """Every time zone name that a guild may choose."""
    return frozenset(available_timezones() - _NO_ZONES)


def first_instant(zone: ZoneInfo, wall: datetime) -> int:
    """The first instant (Unix milliseconds) at which the clocks of ``zone`` show ``wall`` (naive) or a later time.

    In a gap that is the first instant after it; in a fold, the first of the two.
    """
    early, late = (_instant(wall.replace(tzinfo=zone, fold=fold)) for fold in (1, 0))
    if early >= late or wall_clock(zone, late) == wall:
        return late
    # A gap: fold=1 reckons with the offset after it and lands before the change, fold=0 lands after it (PEP 495).
    while late - early > 1:
        middle = (early + late) // 2
        if wall_clock(zone, middle) >= wall:
            late = middle
        else:
            early = middle
    return late


def wall_clock(zone: ZoneInfo, at_ms: int) -> datetime:
    """What the clocks of ``zone`` show at an instant (Unix milliseconds), as a naive datetime."""
    return (_EPOCH + at_ms * _MILLISECOND).astimezone(zone).replace(tzinfo=None, fold=0)


def _instant(aware: datetime) -> int:
    return (aware - _EPOCH) // _MILLISECOND


@cache
def _zone(timezone: str) -> ZoneInfo:
    return ZoneInfo(timezone)


def _full_hours(zone: ZoneInfo, after_ms: int) -> Iterator[int]:
    """The full local hours around ``after_ms``, ascending, each instant once.

    Both instants of an hour that is shown twice; for an hour in a gap the first instant after it. A gap of any length
    needs no more hours than the first of those it swallows.
    """
    base = wall_clock(zone, after_ms).replace(minute=0, second=0, microsecond=0)
    instants: set[int] = set()
    for hours in range(-_HOURS_AROUND, _HOURS_AROUND + 1):
        wall = base + hours * _HOUR
        instants.add(first_instant(zone, wall))
        second = _instant(wall.replace(tzinfo=zone, fold=1))
        if wall_clock(zone, second) == wall:
            instants.add(second)
    yield from sorted(instants)


def _calendar(schedule: Schedule, after_ms: int) -> Iterator[int]:
    zone = _zone(schedule.timezone)
    at = time(schedule.hour)
    # A day early: in a fold the clock may show yesterday again.
    start = wall_clock(zone, after_ms).date() - timedelta(days=1)
    for day in _calendar_days(schedule, start):
        yield first_instant(zone, datetime.combine(day, at))


def _calendar_days(schedule: Schedule, start: date) -> Iterator[date]:
    """The dates of resets, ascending, from the unit that ``start`` lies in."""
    if schedule.interval is Interval.DAILY:
        yield from (start + timedelta(days=days) for days in count())
    elif schedule.interval is Interval.WEEKLY:
        first = start + timedelta(days=schedule.weekday - start.weekday())
        yield from (first + timedelta(weeks=weeks) for weeks in count())
    elif schedule.interval is Interval.MONTHLY:
        yield from (_clamped(start.year, start.month + months, schedule.day) for months in count())
    else:
        yield from (_clamped(start.year + years, schedule.month, schedule.day) for years in count())


def _rolling(schedule: Schedule, after_ms: int, last_reset_ms: int) -> Iterator[int]:
    if schedule.interval is Interval.HOURLY:
        yield last_reset_ms + max(1, (after_ms - last_reset_ms) // _HOUR_MS + 1) * _HOUR_MS
        return
    zone = _zone(schedule.timezone)
    while True:
        last_wall = wall_clock(zone, last_reset_ms)
        last_reset_ms = first_instant(zone, _one_unit_later(schedule.interval, last_wall))
        yield last_reset_ms


def _one_unit_later(interval: Interval, wall: datetime) -> datetime:
    if interval is Interval.DAILY:
        return wall + timedelta(days=1)
    if interval is Interval.WEEKLY:
        return wall + timedelta(weeks=1)
    if interval is Interval.MONTHLY:
        return datetime.combine(_clamped(wall.year, wall.month + 1, wall.day), wall.time())
    return datetime.combine(_clamped(wall.year + 1, wall.month, wall.day), wall.time())


def _clamped(year: int, month: int, day: int) -> date:
    """The date, or the month's last where it is shorter. ``month`` may count past 12."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))
