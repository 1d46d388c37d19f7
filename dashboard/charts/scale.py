"""Scales: from values to levels, ticks and lengths."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

LEVELS = 4  # above zero, as in charts.css

# Steps of an axis that counts, and of one that is seconds: quarters of an hour, hours, days.
_COUNT_STEPS = (1, 2, 5, 10)
_SECOND_STEPS = (60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


def level(value: int, most: int) -> int:
    """The level of a cell: 0 for nothing, then 1 to ``LEVELS`` by the share of the largest value.

    Raises:
        ValueError: a value below zero.
    """
    if value < 0:
        raise ValueError("a value below zero has no level")
    return 0 if value == 0 or most <= 0 else min(LEVELS, ceil(LEVELS * value / most))


def ticks(most: float, *, seconds: bool = False, wanted: int = 4) -> list[int]:
    """Round numbers from 0 to at least ``most``, about ``wanted`` steps; of seconds the steps are minutes, hours, days.

    The last one is the axis's end, at least 1.
    """
    if most <= 0:
        return [0, 60 if seconds else 1]
    rough = most / wanted
    step = _second_step(rough) if seconds else _count_step(rough)
    return [step * index for index in range(ceil(most / step) + 1)]


def checked(values: Sequence[int | float]) -> float:
    """The largest of values that cannot be below zero; 0 for none.

    Raises:
        ValueError: a value below zero.
    """
    if any(value < 0 for value in values):
        raise ValueError("lengths and counts are not below zero")
    return max(values, default=0)


def _count_step(rough: float) -> int:
    if rough <= 1:
        return 1
    magnitude = 10 ** floor(log10(rough))
    return next(int(magnitude * step) for step in _COUNT_STEPS if magnitude * step >= rough)


def _second_step(rough: float) -> int:
    for step in _SECOND_STEPS:
        if step >= rough:
            return step
    return _count_step(rough / 86_400) * 86_400
