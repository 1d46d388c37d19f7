"""Streaks: days in a row with counted time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Streak:
    """So many days in a row, the last of them ``last``; 0 days have no last one."""

    days: int
    last: date | None


@dataclass(frozen=True, slots=True)
class Streaks:
    """What the days of a range say.

    Attributes:
        current: the one that today or yesterday is part of; today may still bring its time.
        longest: the longest; of equals the latest.
        days: on how many days there was any time.
    """

    current: Streak
    longest: Streak
    days: int


def reckon_streaks(seconds: Mapping[date, int], today: date) -> Streaks:
    """Streaks among days with their seconds. A day is part of one if it has a second at least; missing days have none."""
    filled = sorted(day for day, length in seconds.items() if length > 0)
    longest = running = Streak(0, None)
    for day in filled:
        running = Streak(running.days + 1 if running.last == day - _ONE else 1, day)
        if running.days >= longest.days:
            longest = running
    is_current = running.last is not None and running.last >= today - _ONE
    return Streaks(running if is_current else Streak(0, None), longest, len(filled))
