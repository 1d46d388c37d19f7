"""Local hours, days, weeks and months over UTC quarter-hours.

Sums are kept by UTC quarter-hour, and every zone of today is a multiple of it away from UTC. So a range of quarters is cut
where the zone's offset changes, and within one stretch local time is plain arithmetic, which a database can do as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from attendance.domain.reporting import QUARTER_MS
from attendance.domain.schedule import first_instant, known_timezones
from attendance.errors import InvalidInputError

MAX_DAYS = 366
HOURS_OF_WEEK = 168
QUARTERS_OF_DAY = 96
QUARTERS_OF_HOUR = 4
# 1 January 1970 was a Thursday: this many quarters after a Monday's midnight.
EPOCH_QUARTER_OF_WEEK = 3 * QUARTERS_OF_DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)
# No zone changes its clocks twice within so many quarters.
_STEP = 24


class Unit(StrEnum):
    """What a trend is told by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Stretch(NamedTuple):
    """Quarters ``[from_quarter, to_quarter)`` in which local time is UTC plus ``shift`` quarters."""

    from_quarter: int
    to_quarter: int
    shift: int

    def clipped(self, from_quarter: int) -> Stretch:
        """What of it is not before ``from_quarter``; it may be empty."""
        return Stretch(max(self.from_quarter, from_quarter), self.to_quarter, self.shift)


class LocalUnit(NamedTuple):
    """A local day, week (its Monday) or month (its first day) as far as it lies in a range: ``[from_ms, to_ms)``."""

    first_day: date
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class LocalRange:
    """Whole local days, the last of them today: instants ``[from_ms, to_ms)`` (Unix milliseconds) of ``timezone``."""

    timezone: str
    first_day: date
    last_day: date

    @property
    def from_ms(self) -> int:
        """The first day's first instant."""
        return _midnight(self.timezone, self.first_day)

    @property
    def to_ms(self) -> int:
        """The first instant after the last day."""
        return _midnight(self.timezone, self.last_day + timedelta(days=1))

    @property
    def quarters(self) -> tuple[int, int]:
        """The first quarter and the first one after the last."""
        return self.from_ms // QUARTER_MS, -(-self.to_ms // QUARTER_MS)

    def stretches(self) -> list[Stretch]:
        """The range cut where the zone's offset changes, in order."""
        return stretches(self.timezone, *self.quarters)

    def units(self, unit: Unit) -> list[LocalUnit]:
        """The range cut into days, weeks or months, in order; the first and the last may be parts."""
        days = [self.first_day + timedelta(days=number) for number in range((self.last_day - self.first_day).days + 1)]
        firsts = [day for index, day in enumerate(days) if index == 0 or first_day_of(unit, day) == day]
        bounds = [*(_midnight(self.timezone, day) for day in firsts), self.to_ms]
        return [LocalUnit(first_day_of(unit, day), bounds[index], bounds[index + 1]) for index, day in enumerate(firsts)]


def last_days(timezone: str, now_ms: int, days: int) -> LocalRange:
    """The last ``days`` local days, today included.

    Raises:
        InvalidInputError: there is no such time zone.
    """
    if timezone not in known_timezones():
        raise InvalidInputError(
            "there is no such time zone", details={"tz": "a time zone of the IANA database, such as Europe/Berlin"}
        )
    today = (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(ZoneInfo(timezone)).date()
    return LocalRange(timezone, today - timedelta(days=days - 1), today)


def first_day_of(unit: Unit, day: date) -> date:
    """The day itself, its week's Monday or its month's first."""
    if unit is Unit.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit is Unit.MONTH else day


def stretches(timezone: str, from_quarter: int, to_quarter: int) -> list[Stretch]:
    """Quarters ``[from_quarter, to_quarter)`` cut where the zone's offset changes, in order."""
    zone = ZoneInfo(timezone)
    found: list[Stretch] = []
    start, shift = from_quarter, _shift(zone, from_quarter)
    known = from_quarter  # the last quarter that was seen to have ``shift``
    while known < to_quarter:
        ahead = min(known + _STEP, to_quarter)
        if _shift(zone, ahead) == shift:
            known = ahead
            continue
        while ahead - known > 1:
            middle = (known + ahead) // 2
            known, ahead = (middle, ahead) if _shift(zone, middle) == shift else (known, middle)
        if ahead < to_quarter:
            found.append(Stretch(start, ahead, shift))
            start, shift = ahead, _shift(zone, ahead)
        known = ahead
    if start < to_quarter:
        found.append(Stretch(start, to_quarter, shift))
    return found


def local_day(number: int) -> date:
    """The date of a local day's number: local quarters since the epoch by `QUARTERS_OF_DAY`."""
    return _EPOCH_DAY + timedelta(days=number)


def hour_of_week(quarter: int, shift: int) -> int:
    """0 (Monday's first hour) to 167 of a UTC quarter in a stretch with ``shift``."""
    return (quarter + shift + EPOCH_QUARTER_OF_WEEK) // QUARTERS_OF_HOUR % HOURS_OF_WEEK


def by_local(parts: Sequence[Stretch], quarters: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(quarter, shift, milliseconds) of those ``quarters`` that lie in one of the stretches, which are in order."""
    return [
        (quarter, part.shift, credited_ms)
        for quarter, credited_ms in quarters
        for part in parts
        if part.from_quarter <= quarter < part.to_quarter
    ]


def _shift(zone: ZoneInfo, quarter: int) -> int:
    offset = (_EPOCH + timedelta(milliseconds=quarter * QUARTER_MS)).astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(milliseconds=QUARTER_MS)


def _midnight(timezone: str, day: date) -> int:
    return first_instant(ZoneInfo(timezone), datetime.combine(day, time()))
