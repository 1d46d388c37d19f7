"""Pages of merged leaderboards against the naive way: put everything into one list and sort it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attendance.domain.ranking import begins_in_tie, live_above, live_lines, merged_page, ranked, window_for
from attendance.domain.reporting import by_day, overlap_ms, whole_seconds
from attendance.domain.standings import Standings

AS_OF = 100
users = st.integers(1, 30)
amounts = st.integers(0, 6)
stored_members = st.dictionaries(users, st.tuples(amounts, st.integers(1, 3)), max_size=20)
live_members = st.dictionaries(users, amounts, max_size=12)


def session(user: int, credited: int) -> tuple[int, int, str, int, int, int, int]:
    return (user, AS_OF - 50, "counted", AS_OF - credited, 0, 0, 0)


def naive(stored: dict[int, tuple[int, int]], live: dict[int, int]) -> list[tuple[int, int, int, int, bool]]:
    totals = {user: (credited, count, False) for user, (credited, count) in stored.items()}
    for user, credited in live.items():
        before = totals.get(user, (0, 0, False))
        totals[user] = (before[0] + credited, before[1] + 1, True)
    order = sorted(totals.items(), key=lambda item: (-item[1][0], item[0]))
    return [
        (1 + sum(1 for other in totals.values() if other[0] > credited), user, credited, count, is_live)
        for user, (credited, count, is_live) in order
    ]


def standings_of(stored: dict[int, tuple[int, int]]) -> Standings:
    return Standings(sorted((-credited, user, count) for user, (credited, count) in stored.items()))


@given(stored_members, live_members, st.integers(0, 40), st.integers(1, 10))
def test_a_page_is_what_sorting_everything_gives(stored, live, offset, limit):
    standings = standings_of(stored)
    lines = live_lines([session(*member) for member in live.items()], standings.stored_of, AS_OF)
    skip, count = window_for(offset, limit, lines)
    page = merged_page(standings.lines(count, skip), skip, lines, offset, limit)
    above = page.position
    if begins_in_tie(page):
        credited = -page.lines[0][0]
        above = standings.above(credited) + live_above(lines, credited)
    everything = naive(stored, live)
    assert [tuple(line) for line in ranked(page, above)] == everything[offset : offset + limit]
    assert len(standings) + lines.new_count == len(everything)


@given(stored_members, st.lists(st.tuples(amounts, users, st.integers(1, 3)), max_size=20))
def test_standings_that_change_are_those_made_anew(stored, changes):
    standings = standings_of(stored)
    for credited, user, count in changes:
        assert standings.stored_of(user) == stored.get(user)
        standings.put([(-credited, user, count)])
        stored = {**stored, user: (credited, count)}
    anew = standings_of(stored)
    assert standings.lines(100, 0) == anew.lines(100, 0)
    for user in range(32):
        assert standings.stored_of(user) == stored.get(user)
    for credited in range(8):
        assert standings.above(credited) == sum(1 for amount, _ in stored.values() if amount > credited)


@given(st.lists(st.integers(0, 10_000_000), max_size=50))
def test_parts_in_seconds_add_up_to_the_total(parts):
    seconds = whole_seconds(parts)
    assert sum(seconds) == sum(parts) // 1000
    assert all(abs(shown * 1000 - part) < 2000 for shown, part in zip(seconds, parts, strict=True))


@given(*(st.integers(0, 100) for _ in range(4)), st.integers(0, 100))
def test_clipping_to_two_halves_of_a_range_loses_nothing(a, b, c, d, cut):
    (start, end), (low, high) = sorted((a, b)), sorted((c, d))
    middle = min(max(cut, low), high)
    whole = overlap_ms(start, end, low, high)
    assert whole == overlap_ms(start, end, low, middle) + overlap_ms(start, end, middle, high)
    assert whole == len(set(range(start, end)) & set(range(low, high)))


@given(
    st.lists(st.tuples(st.integers(1_900_000, 2_100_000), st.integers(0, 900_000)), max_size=40),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]),
)
def test_days_add_up_to_their_quarters(quarters, timezone):
    days = by_day(quarters, timezone)
    assert sum(amount for _, amount in days) == sum(amount for _, amount in quarters)
    assert [day for day, _ in days] == sorted({day for day, _ in days})
