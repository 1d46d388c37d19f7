"""Stretches without a session and the past under other rules, from the Rust core, against the plain Python twin."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core import Engine, RulesComparison, presence_without_session
from attendance.errors import StateError, TraceError
from tests.strategies.traces import BOTS, HUMANS, Line, rule_sets, traces
from tests.twin.fold import Guild
from tests.twin.presence import credited_under, presence
from tests.twin.session import compact
from tests.twin.trace import read_line, read_rules

GUILD = 7
users = st.sampled_from((*HUMANS, BOTS[0]))
ends = st.integers(0, 5_000)


def of_guild(trace: list[Line]) -> list[bytes]:
    return [compact(line) for line in trace if line["guild_id"] == str(GUILD)]


def about(line: bytes, user: str) -> bool:
    """What the journal is asked for: everything but other members' voice states."""
    read = read_line(line)
    return read.type != "voice_state" or str(read.body[0].user) == user


def state_after(lines: list[bytes]) -> tuple[bytes | None, Guild]:
    """The saved state after these lines, and the twin's guild."""
    guild = Guild(GUILD)
    for line in lines:
        guild.apply(read_line(line))
    if not lines:
        return None, guild
    engine = Engine()
    engine.apply(lines)
    return engine.save(GUILD), guild


def last_at(lines: list[bytes]) -> int:
    return read_line(lines[-1]).at if lines else 0


@given(traces(), users, st.integers(0, 30), ends)
def test_presence_without_a_session_is_the_twins_from_any_state_and_without_the_others_lines(
    trace: list[Line], user: str, cut: int, after: int
) -> None:
    lines = of_guild(trace)
    head, tail = lines[:cut], lines[cut:]
    state, guild = state_after(head)
    end = last_at(lines) + after
    expected = presence(guild, int(user), tail, end)
    told = presence_without_session(GUILD, state, int(user), b"\n".join(tail), end)
    assert told == expected
    mine = [line for line in tail if about(line, user)]
    assert presence_without_session(GUILD, state, int(user), b"\n".join(mine), end) == expected


def rules_line(rules: dict[str, Any]) -> bytes:
    return compact({"at": 0, "guild_id": str(GUILD), "type": "rules", "rules": rules})


@given(trace=traces(), rules=st.tuples(rule_sets(), rule_sets()), cut=st.integers(0, 30), start=ends, after=ends)
def test_a_comparison_credits_what_the_twin_credits_under_each_rule_set(
    trace: list[Line], rules: tuple[dict[str, Any], dict[str, Any]], cut: int, start: int, after: int
) -> None:
    lines = of_guild(trace)
    head, tail = lines[:cut], lines[cut:]
    state, _ = state_after(head)
    start_ms, end = last_at(lines[: cut + 1]) - 2_500 + start, last_at(lines) + after
    comparison = RulesComparison(GUILD, state, start_ms, *map(rules_line, rules))
    for line in tail:
        comparison.feed(line)
    rows = comparison.finish(end)
    for side, given_rules in enumerate(rules):
        _, guild = state_after(head)
        expected = credited_under(map(read_line, tail), guild, start_ms, read_rules(given_rules), end)
        told = {row[0]: row[1 + 2 * side : 3 + 2 * side] for row in rows if row[2 + 2 * side]}
        assert told == {user: (credit.credited_ms, credit.sessions) for user, credit in expected.items()}
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


@pytest.mark.slow
@given(traces(), rule_sets(), st.integers(0, 30), ends)
def test_the_same_rules_on_both_sides_never_differ(trace: list[Line], rules: dict[str, Any], cut: int, start: int) -> None:
    lines = of_guild(trace)
    state, _ = state_after(lines[:cut])
    comparison = RulesComparison(GUILD, state, last_at(lines[: cut + 1]) - 2_500 + start, *[rules_line(rules)] * 2)
    comparison.feed(b"\n".join(lines[cut:]))
    assert all(row[1:3] == row[3:5] for row in comparison.finish(last_at(lines)))


def test_what_cannot_be_read_is_refused() -> None:
    rules = rules_line({})
    with pytest.raises(StateError):
        RulesComparison(GUILD, b"not a state", 0, rules, rules)
    with pytest.raises(TraceError):
        RulesComparison(GUILD, None, 0, rules, b"{}")
    with pytest.raises(ValueError, match="not a `rules` line"):
        RulesComparison(GUILD, None, 0, rules, compact({"at": 0, "guild_id": "7", "type": "blind"}))
    comparison = RulesComparison(GUILD, None, 0, rules, rules)
    with pytest.raises(TraceError):
        comparison.feed(compact({"at": 1, "guild_id": "8", "type": "blind"}))
    with pytest.raises(TraceError) as backwards:
        comparison.feed(b"\n".join(compact({"at": at, "guild_id": "7", "type": "blind"}) for at in (5, 4)))
    assert backwards.value.line_number == 2
    assert comparison.finish(9) == []
    for call in (lambda: comparison.finish(9), lambda: comparison.feed(rules)):
        with pytest.raises(StateError):
            call()
    with pytest.raises(TraceError):
        presence_without_session(GUILD, None, 9, b"{}", 0)
    with pytest.raises(StateError):
        presence_without_session(GUILD, b"", 9, b"", 0)
