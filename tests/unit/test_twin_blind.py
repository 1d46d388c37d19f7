"""Worked examples of the accounting text, section 6 (blind intervals), through the plain Python twin."""

from __future__ import annotations

import pytest

from tests.twin.examples import (
    ALICE,
    BOB,
    BOT,
    CAROL,
    FLOOR,
    HALL,
    ROOM,
    Line,
    closed,
    line,
    rules,
    snapshot,
    still_open,
    the_session,
    timeline,
    voice,
)
from tests.twin.replay import run

# Section 6, blind intervals.


def test_an_untouched_channel_keeps_its_status_through_a_clean_resume_however_long() -> None:
    trace = [rules(0, pause_on_mute=True), voice(0, ALICE, ROOM, "mute"), line(5, "blind")]
    trace += [voice(6, BOB, HALL), line(10**9, "resumed"), voice(10**9 + 1, ALICE, None)]
    assert timeline(*trace) == [(0, 10**9 + 1, "muted")]


@pytest.mark.parametrize(("length", "status"), [(2000, "bridged"), (2001, "unwitnessed")])
def test_a_touched_channel_is_bridged_up_to_the_limit_and_unwitnessed_beyond(length: int, status: str) -> None:
    trace = [rules(0, bridge_gap_seconds=2), voice(0, ALICE, ROOM), line(5, "blind"), voice(6, BOB, ROOM)]
    trace += [line(5 + length, "resumed"), voice(9000, ALICE, None)]
    session = the_session(*trace)
    assert session.timeline == ((0, 5, "counted"), (5, 5 + length, status), (5 + length, 9000, "counted"))
    assert session.counted_ms == 9000 - (0 if status == "bridged" else length)


def test_uncertain_time_is_unwitnessed_unless_counted_on_both_sides() -> None:
    asked = rules(0, pause_on_mute=True)
    end = [line(8, "resumed"), voice(9, ALICE, None)]
    before = [asked, voice(0, ALICE, ROOM, "mute"), line(5, "blind"), voice(6, ALICE, ROOM), *end]
    assert timeline(*before) == [(0, 5, "muted"), (5, 8, "unwitnessed"), (8, 9, "counted")]
    after = [asked, voice(0, ALICE, ROOM), line(5, "blind"), voice(6, ALICE, ROOM, "mute"), *end]
    assert timeline(*after) == [(0, 5, "counted"), (5, 8, "unwitnessed"), (8, 9, "muted")]


def test_at_the_end_of_the_interval_company_is_judged_on_everyones_new_state() -> None:
    trace = [rules(0, pause_when_solo=True), voice(0, ALICE, ROOM), voice(0, BOB, ROOM), line(5, "blind")]
    trace += [voice(6, BOB, HALL), line(8, "resumed"), voice(9, ALICE, None)]
    session = next(s for s in run(trace).closed if str(s.user) == ALICE)
    assert session.timeline == ((0, 5, "counted"), (5, 8, "unwitnessed"), (8, 9, "solo"))


def test_the_status_before_an_interval_is_that_after_the_lines_of_its_first_instant() -> None:
    trace = [rules(0, pause_on_mute=True), voice(0, ALICE, ROOM, "mute"), voice(5, ALICE, ROOM), line(5, "blind")]
    trace += [snapshot(8, (ALICE, ROOM)), voice(9, ALICE, None)]
    assert timeline(*trace) == [(0, 5, "muted"), (5, 8, "bridged"), (8, 9, "counted")]


def test_who_was_taken_out_by_a_replay_closes_with_gap_even_if_back() -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "blind"), voice(6, ALICE, None), voice(7, ALICE, ROOM), line(8, "resumed")]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "gap")]
    assert still_open(*trace) == [(ALICE, ROOM, 1, 0, 8, 8)]


def test_a_bots_replay_touches_its_old_and_its_new_channel() -> None:
    trace = [voice(0, ALICE, ROOM), voice(0, BOB, HALL), voice(0, BOT, ROOM, "bot"), line(5, "blind")]
    trace += [voice(6, BOT, HALL, "bot"), line(8, "resumed"), line(9, "guild_left")]
    assert [[status for _, _, status in s.timeline] for s in run(trace).closed] == [["counted", "bridged", "counted"]] * 2


def test_a_replay_of_flags_alone_touches() -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "blind"), voice(6, ALICE, ROOM, "mute"), line(8, "resumed")]
    assert timeline(*trace, voice(9, ALICE, None))[1] == (5, 8, "bridged")


def test_a_second_blind_forgets_the_replays_so_far_and_keeps_the_beginning() -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "blind"), voice(6, ALICE, None), line(7, "blind"), line(8, "resumed")]
    assert timeline(*trace, voice(9, ALICE, None)) == [(0, 9, "counted")]


def test_a_snapshot_discards_replays_and_makes_the_interval_uncertain_for_who_is_still_there() -> None:
    trace = [voice(0, ALICE, ROOM), voice(0, BOB, ROOM), line(5, "blind"), voice(6, ALICE, None)]
    trace += [snapshot(8, (ALICE, ROOM), (CAROL, ROOM)), voice(9, ALICE, None)]
    assert closed(*trace) == [(BOB, ROOM, 1, 0, 0, 5, "gap"), (ALICE, ROOM, 0, 0, 0, 9, "leave")]
    assert run(trace).closed[1].timeline == ((0, 5, "counted"), (5, 8, "bridged"), (8, 9, "counted"))
    assert still_open(*trace) == [(CAROL, ROOM, 2, 0, 8, 9)]


def test_resumed_while_watching_changes_nothing() -> None:
    assert timeline(voice(0, ALICE, ROOM), line(5, "resumed"), voice(9, ALICE, None)) == [(0, 9, "counted")]


def test_two_bridged_intervals_side_by_side_merge() -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "blind"), snapshot(6, (ALICE, ROOM)), line(6, "blind")]
    trace += [snapshot(8, (ALICE, ROOM)), voice(9, ALICE, None)]
    assert timeline(*trace) == [(0, 5, "counted"), (5, 8, "bridged"), (8, 9, "counted")]


@pytest.mark.parametrize(
    ("cut", "reason", "period"),
    [
        (line(6, "period_end"), "period", 1),
        (rules(6, pause_on_mute=True), "rules", 0),
        (line(6, "opt_out", user_id=ALICE, out=True), "opted_out", None),
        (rules(6, mode="off"), "untracked", None),
    ],
)
def test_a_cut_while_blind_closes_at_the_beginning_and_a_new_stay_opens_at_the_end(
    cut: Line, reason: str, period: int | None
) -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "blind"), cut]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, reason)]
    assert still_open(*trace) == []
    at_the_end = run([*trace, line(8, "resumed")]).still_open()
    assert [(s.stay, s.part, s.joined, s.period_index) for s in at_the_end] == ([] if period is None else [(1, 0, 8, period)])


def test_a_channel_deleted_while_blind_closes_at_the_beginning_and_forgets_its_states() -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "blind"), line(6, "channel_deleted", channel_id=ROOM), line(8, "resumed")]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "channel_deleted")]
    assert still_open(*trace) == []


def test_replays_before_a_deletion_are_applied_at_the_end_as_they_came() -> None:
    trace = [line(5, "blind"), voice(6, ALICE, ROOM), line(7, "channel_deleted", channel_id=ROOM), line(8, "resumed")]
    assert still_open(*trace) == [(ALICE, ROOM, 0, 0, 8, 8)]


def test_a_channel_that_changes_category_while_blind_cuts_at_the_beginning() -> None:
    trace = [rules(0, mode="denylist", channels=[FLOOR]), voice(0, ALICE, ROOM), line(5, "blind")]
    trace += [line(6, "channel", channel_id=ROOM, parent_id=FLOOR), line(7, "channel", channel_id=ROOM, parent_id=None)]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "untracked")]
    assert still_open(*trace, line(8, "resumed")) == [(ALICE, ROOM, 1, 0, 8, 8)]


def test_a_guild_left_while_blind_is_not_blind_any_more() -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "blind"), voice(6, BOB, ROOM), line(7, "guild_left"), voice(8, CAROL, ROOM)]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "guild_left")]
    assert still_open(*trace) == [(CAROL, ROOM, 1, 0, 8, 8)]


def test_a_session_that_opened_at_the_beginning_of_an_interval_and_closes_there_is_dropped() -> None:
    trace = [voice(5, ALICE, ROOM), line(5, "blind"), snapshot(8, (ALICE, HALL))]
    assert closed(*trace) == []
    assert still_open(*trace) == [(ALICE, HALL, 1, 0, 8, 8)]
