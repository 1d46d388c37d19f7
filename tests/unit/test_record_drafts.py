"""Drafts, clipping, and what a timeline must be to give its sums."""

from __future__ import annotations

import hashlib
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from attendance.core import SigningKey, canonicalise
from attendance.domain.evidence import check_session, sum_timeline
from attendance.domain.records import (
    PeriodFacts,
    clip_intervals,
    key_activate_draft,
    key_retire_draft,
    key_revoke_draft,
    period_draft,
    session_draft,
    session_members,
)
from attendance.errors import InvalidRecordError
from tests.signing_world import SOFTWARE, a_session, b64url


def a_period(*, rules: int = 2, blind: int = 2, sessions: int = 3) -> PeriodFacts:
    return PeriodFacts(
        period_index=4,
        started_at_ms=1000,
        ended_at_ms=100_000,
        rules=[hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(rules)],
        blind=[(1000 + 10 * number, 1007 + 10 * number) for number in range(blind)],
        first_guild_seq=5 if sessions else None,
        last_guild_seq=9 if sessions else None,
        session_count=sessions,
        sessions_root=bytes(32),
        entry_count=2,
        entries_root=bytes(32),
    )


def signed(draft: bytes) -> dict[str, object]:
    ((record, _, _),) = SigningKey.generate().sign_chain(1, 0, None, 5, [(draft, bytes(16))])
    assert rfc8785.dumps(json.loads(record)) == record
    return json.loads(record)


def test_every_draft_becomes_a_record():
    drafts = [
        session_draft(a_session(1), SOFTWARE),
        period_draft(a_period()),
        key_activate_draft("x" * 43),
        key_activate_draft("x" * 43, replaces="k" * 43),
        key_retire_draft("x" * 43),
        key_revoke_draft("x" * 43, "k" * 43, reason='stolen "here" \u2028 \U0001f600', last_good_guild_seq=-1),
    ]
    types = [signed(draft)["type"] for draft in drafts]
    assert types == ["voice.session", "leaderboard.period", *["key.activate"] * 2, "key.retire", "key.revoke"]


def test_a_period_lists_the_first_hundred_rules_and_blind_intervals_and_counts_all():
    record = signed(period_draft(a_period(rules=300, blind=250)))
    assert (len(record["rules_sha256"]), record["rules_count"]) == (100, 300)
    assert (len(record["blind"]), record["blind_count"], record["blind_ms"]) == (100, 250, 250 * 7)
    assert record["rules_sha256"][1] == b64url(hashlib.sha256(bytes([1, 0])).digest())


def test_a_period_without_sessions_names_no_positions():
    record = signed(period_draft(a_period(sessions=0)))
    assert not {"first_guild_seq", "last_guild_seq"} & set(record)


@given(
    st.lists(st.tuples(st.integers(-50, 150), st.one_of(st.none(), st.integers(-50, 150)))),
    st.integers(0, 50),
    st.integers(50, 100),
)
def test_clipping_keeps_exactly_the_instants_inside(intervals, start, end):
    clipped = clip_intervals(intervals, start, end)
    for at in range(start - 2, end + 2):
        inside = start <= at < end
        for number, (first, last) in enumerate(intervals):
            covered = first <= at and (last is None or at < last)
            mine = clip_intervals([intervals[number]], start, end)
            assert any(left <= at < right for left, right in mine) == (inside and covered)
    assert all(left < right for left, right in clipped)


STATUSES = ("counted", "bridged", "unwitnessed", "deafened", "muted", "solo")


@given(st.lists(st.tuples(st.integers(1, 10**6), st.sampled_from(STATUSES)), min_size=1, max_size=20))
def test_sums_follow_from_any_partition(parts):
    at, timeline, sums = 7, [], dict.fromkeys(STATUSES, 0)
    for length, status in parts:
        if timeline and timeline[-1][2] == status:
            timeline[-1][1] += length
        else:
            timeline.append([at, at + length, status])
        at += length
        sums[status] += length
    assert sum_timeline(canonicalise(json.dumps(timeline).encode()), 7, at) == sums


@pytest.mark.parametrize(
    "timeline",
    [
        b"",
        b"{}",
        b"null",
        b"[[1,2]]",
        b'[[1,10,"asleep"]]',
        b'[["1",10,"counted"]]',
        b'[[true,10,"counted"]]',
        b'[[0,10,"counted"]]',
        b'[[1,9,"counted"]]',
        b'[[1,5,"counted"],[6,10,"muted"]]',
        b'[[1,5,"counted"],[4,10,"muted"]]',
        b'[[1,5,"counted"],[5,10,"counted"]]',
        b'[[1,1,"muted"],[1,10,"counted"]]',
        b'[[1,10,"counted"] ]',
        b'[[1,10.0,"counted"]]',
        b"[" * 50,
        b"\xff",
    ],
)
def test_a_timeline_that_is_no_canonical_partition_is_refused(timeline):
    with pytest.raises(InvalidRecordError):
        sum_timeline(timeline, 1, 10)


@given(st.binary(max_size=60))
def test_any_bytes_for_a_timeline_are_sums_or_our_error(timeline):
    try:
        sums = sum_timeline(timeline, 0, 10)
    except InvalidRecordError:
        return
    assert sum(sums.values()) == 10


def test_a_session_agrees_with_its_record_and_with_no_other():
    facts = a_session(3)
    record = session_members(facts)
    check_session(record, facts)
    for name in record:
        altered = {**record, name: "other"}
        with pytest.raises(InvalidRecordError):
            check_session(altered, facts)
    without = dict(record)
    del without["credited_ms"]
    with pytest.raises(InvalidRecordError):
        check_session(without, facts)


def test_a_session_below_the_minimum_is_credited_nothing():
    facts = a_session(3)._replace(below_minimum=True, credited_ms=0)
    check_session(session_members(facts), facts)
    generous = facts._replace(credited_ms=50_000)
    with pytest.raises(InvalidRecordError):
        check_session(session_members(generous), generous)
