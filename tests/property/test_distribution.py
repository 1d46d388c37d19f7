"""A distribution against its own words: counted one by one, whatever the members have."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from attendance.domain.distribution import EDGES_SECONDS, distribution_of

amounts = st.lists(st.one_of(st.integers(-5_000, 5_000), st.integers(0, 366 * 86_400_000), st.integers(0, 2**50)), max_size=40)


@given(amounts)
@example([-1, 0, 999, 1_000, 899_999, 900_000, 1_799_999, 1_800_000])
def test_classes_meet_hold_everybody_once_and_end_with_the_longest(amounts_ms: list[int]) -> None:
    told = distribution_of(amounts_ms)
    assert sum(one.member_count for one in told.classes) == told.member_count == len(amounts_ms)
    assert sum(one.credited_ms for one in told.classes) == told.credited_ms == sum(amounts_ms)
    assert all(before.to_seconds == after.from_seconds for before, after in pairwise(told.classes))
    for one in told.classes:
        low = -(2**62) if one.from_seconds == 0 else one.from_seconds
        high = 2**62 if one.to_seconds is None else one.to_seconds
        inside = [amount for amount in amounts_ms if low <= amount // 1000 < high]
        assert (one.member_count, one.credited_ms) == (len(inside), sum(inside))
    assert not told.classes or told.classes[-1].member_count > 0


@given(amounts)
@example([1_000])
@example([1_000, 2_000, 3_000, 4_000, 5_000])
def test_quartiles_are_the_least_that_so_many_do_not_exceed_and_the_top_is_a_tenth(amounts_ms: list[int]) -> None:
    told = distribution_of(amounts_ms)
    with_time = [amount for amount in amounts_ms if amount >= 1000]
    assert told.with_time_count == len(with_time)
    for quarter, found in enumerate(told.quartiles_ms or (), start=1):
        assert found == min(x for x in with_time if 4 * sum(one <= x for one in with_time) >= quarter * len(with_time))
    assert (told.quartiles_ms is None) == (not with_time)
    assert len(with_time) <= 10 * told.top_count < len(with_time) + 10
    assert told.top_ms == sum(sorted(with_time, reverse=True)[: told.top_count])


def test_edges_double_up_to_more_than_a_month() -> None:
    assert EDGES_SECONDS[:4] == (1, 900, 1800, 3600)
    assert EDGES_SECONDS[-1] == 900 * 2**12 == 1024 * 3600
