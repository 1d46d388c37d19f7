"""How the credited time of many members is distributed: classes that double, quartiles, and what the first tenth has.

Everything is in milliseconds. A class is chosen by whole seconds, as lists show a member's time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Under a second (lists say 0 of these members), then up to a quarter of an hour, then each twice as far as the one before: the
# members of a server differ by factors, and equal steps would put nearly all of them into the first.
FIRST_EDGE_SECONDS = 1
SECOND_EDGE_SECONDS = 900
# The last one begins at 1,024 hours and has no end.
EDGES_SECONDS = (FIRST_EDGE_SECONDS, *(SECOND_EDGE_SECONDS << power for power in range(13)))


@dataclass(frozen=True, slots=True)
class AmountClass:
    """Members with ``[from_seconds, to_seconds)``, and what they have together; the last class has no end.

    The first holds also those whom a correction took below zero.
    """

    from_seconds: int
    to_seconds: int | None
    member_count: int
    credited_ms: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """What members have.

    ``classes`` reach without gaps from 0 to the last that has a member; they add up to ``member_count`` and ``credited_ms``.
    ``quartiles_ms`` are of the ``with_time_count`` members who have a second at least: the smallest of their times that a
    quarter, a half, three quarters of them do not exceed; None without any. ``top_ms`` is what the ``top_count`` of them with
    the most have: a tenth, rounded up.
    """

    member_count: int
    with_time_count: int
    credited_ms: int
    quartiles_ms: tuple[int, int, int] | None
    top_count: int
    top_ms: int
    classes: Sequence[AmountClass]


def distribution_of(amounts_ms: Iterable[int]) -> Distribution:
    """The distribution of these members' times."""
    ordered = sorted(amounts_ms)
    with_time = ordered[_place(ordered, FIRST_EDGE_SECONDS) :]
    top_count = -(-len(with_time) // 10)
    return Distribution(
        member_count=len(ordered),
        with_time_count=len(with_time),
        credited_ms=sum(ordered),
        quartiles_ms=_quartiles(with_time),
        top_count=top_count,
        top_ms=sum(with_time[len(with_time) - top_count :]),
        classes=_classes(ordered),
    )


def _classes(ordered: Sequence[int]) -> list[AmountClass]:
    classes: list[AmountClass] = []
    start, from_seconds = 0, 0
    for to_seconds in (*EDGES_SECONDS, None):
        if start == len(ordered):
            break
        end = len(ordered) if to_seconds is None else _place(ordered, to_seconds)
        classes.append(AmountClass(from_seconds, to_seconds, end - start, sum(ordered[start:end])))
        start, from_seconds = end, to_seconds or 0
    return classes


def _place(ordered: Sequence[int], seconds: int) -> int:
    """How many of the times are shorter."""
    return bisect_left(ordered, seconds * 1000)


def _quartiles(ordered: Sequence[int]) -> tuple[int, int, int] | None:
    if not ordered:
        return None
    lower, middle, upper = (ordered[-(-len(ordered) * quarter // 4) - 1] for quarter in (1, 2, 3))
    return lower, middle, upper
