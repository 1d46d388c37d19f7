"""Worked examples of the accounting text, one for each of its sentences, through the plain Python twin."""

from __future__ import annotations

import pytest

from tests.twin.examples import (
    AFK,
    ALICE,
    BOB,
    BOT,
    CAROL,
    FLOOR,
    HALL,
    ROOM,
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
from tests.twin.session import quarters

# Section 5, watching.


def test_leaving_voice_closes_with_leave() -> None:
    assert closed(voice(0, ALICE, ROOM), voice(5, ALICE, None)) == [(ALICE, ROOM, 0, 0, 0, 5, "leave")]


def test_entering_another_channel_closes_with_move_and_opens_a_new_stay() -> None:
    trace = [voice(0, ALICE, ROOM), voice(5, ALICE, HALL), voice(9, ALICE, None)]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "move"), (ALICE, HALL, 1, 0, 5, 9, "leave")]


def test_moving_into_the_afk_channel_closes_with_move_and_opens_nothing() -> None:
    trace = [rules(0, afk_channel_id=AFK), voice(0, ALICE, ROOM), voice(5, ALICE, AFK), voice(7, BOB, ROOM)]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "move")]
    assert still_open(*trace) == [(BOB, ROOM, 1, 0, 7, 7)]


def test_bots_have_no_sessions() -> None:
    assert still_open(voice(0, BOT, ROOM, "bot")) == []


def test_a_session_of_length_zero_is_dropped_and_its_stay_keeps_the_number() -> None:
    trace = [voice(0, ALICE, ROOM), voice(0, ALICE, HALL), voice(5, ALICE, None)]
    assert closed(*trace) == [(ALICE, HALL, 1, 0, 0, 5, "leave")]


def test_a_dropped_session_takes_no_part_number() -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "period_end"), line(5, "period_end"), voice(7, ALICE, None)]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "period"), (ALICE, ROOM, 0, 1, 5, 7, "leave")]
    assert [s.period_index for s in run(trace).closed] == [0, 2]


def test_a_snapshot_while_watching_closes_with_gap_who_is_elsewhere_and_keeps_who_is_not() -> None:
    trace = [voice(0, ALICE, ROOM), voice(0, BOB, ROOM), voice(0, CAROL, ROOM)]
    trace += [snapshot(5, (CAROL, ROOM), (BOB, HALL)), voice(9, CAROL, None)]
    assert closed(*trace) == [
        (ALICE, ROOM, 0, 0, 0, 5, "gap"),
        (BOB, ROOM, 1, 0, 0, 5, "gap"),
        (CAROL, ROOM, 2, 0, 0, 9, "leave"),
    ]
    assert run(trace).closed[2].timeline == ((0, 9, "counted"),)


def test_an_empty_snapshot_closes_everyone() -> None:
    assert closed(voice(0, ALICE, ROOM), snapshot(5)) == [(ALICE, ROOM, 0, 0, 0, 5, "gap")]


def test_the_last_of_two_states_in_a_snapshot_holds() -> None:
    assert still_open(snapshot(5, (ALICE, ROOM), (ALICE, HALL))) == [(ALICE, HALL, 0, 0, 5, 5)]


def test_closings_go_by_user_id_as_numbers_and_before_openings_that_do_too() -> None:
    trace = [snapshot(0, (CAROL, ROOM), (BOB, ROOM), (ALICE, ROOM)), line(5, "guild_left")]
    assert closed(*trace) == [
        (ALICE, ROOM, 0, 0, 0, 5, "guild_left"),
        (BOB, ROOM, 1, 0, 0, 5, "guild_left"),
        (CAROL, ROOM, 2, 0, 0, 5, "guild_left"),
    ]


def test_the_same_rules_again_cut_nothing_even_with_defaults_spelled_out_and_channels_reordered() -> None:
    trace = [rules(0, channels=[HALL, AFK]), voice(0, ALICE, ROOM), rules(5, channels=[AFK, HALL, AFK], mode="all")]
    assert closed(*trace) == []


def test_other_rules_cut_with_rules_where_still_tracked_and_with_untracked_where_not() -> None:
    trace = [voice(0, ALICE, ROOM), voice(0, BOB, HALL), rules(5, mode="allowlist", channels=[ROOM])]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "rules"), (BOB, HALL, 1, 0, 0, 5, "untracked")]
    assert still_open(*trace) == [(ALICE, ROOM, 0, 1, 5, 5)]


def test_rules_open_a_stay_for_who_is_in_a_channel_that_is_tracked_now() -> None:
    trace = [rules(0, mode="off"), voice(0, BOB, ROOM), voice(0, ALICE, ROOM), rules(5)]
    assert still_open(*trace) == [(ALICE, ROOM, 0, 0, 5, 5), (BOB, ROOM, 1, 0, 5, 5)]


def test_a_category_stands_for_its_channels_now_and_later() -> None:
    trace = [rules(0, mode="allowlist", channels=[FLOOR]), voice(0, ALICE, ROOM)]
    trace += [line(5, "channel", channel_id=ROOM, parent_id=FLOOR), line(9, "channel", channel_id=ROOM, parent_id=None)]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 5, 9, "untracked")]


def test_a_channel_line_that_changes_nothing_about_tracking_cuts_no_session() -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "channel", channel_id=ROOM, parent_id=FLOOR), voice(9, ALICE, None)]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 9, "leave")]


def test_the_afk_channel_is_untracked_though_it_is_listed() -> None:
    trace = [rules(0, mode="allowlist", channels=[AFK], afk_channel_id=AFK), voice(0, ALICE, AFK)]
    assert still_open(*trace) == []


def test_an_opted_out_member_has_no_session_but_is_company() -> None:
    trace = [rules(0, pause_when_solo=True), voice(0, ALICE, ROOM), voice(0, BOB, ROOM)]
    trace += [line(5, "opt_out", user_id=ALICE, out=True), line(6, "opt_out", user_id=ALICE, out=True)]
    trace += [line(8, "opt_out", user_id=ALICE, out=False), voice(9, BOB, None)]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "opted_out"), (BOB, ROOM, 1, 0, 0, 9, "leave")]
    assert run(trace).closed[1].timeline == ((0, 9, "counted"),)
    assert still_open(*trace) == [(ALICE, ROOM, 2, 0, 8, 9)]


def test_a_deleted_channel_forgets_states_and_is_not_remembered_as_deleted() -> None:
    trace = [voice(0, ALICE, ROOM), line(5, "channel_deleted", channel_id=ROOM), rules(6, mode="denylist")]
    assert closed(*trace) == [(ALICE, ROOM, 0, 0, 0, 5, "channel_deleted")]
    assert still_open(*trace) == []
    assert still_open(*trace, voice(8, ALICE, ROOM)) == [(ALICE, ROOM, 1, 0, 8, 8)]


def test_a_guild_that_was_left_keeps_rules_opt_outs_period_and_stay_numbers() -> None:
    trace = [rules(0, afk_channel_id=AFK), voice(0, ALICE, ROOM), line(1, "opt_out", user_id=BOB, out=True)]
    trace += [line(2, "period_end"), line(5, "guild_left"), snapshot(9, (ALICE, HALL), (BOB, HALL), (CAROL, AFK))]
    assert [s.reason for s in run(trace).closed] == ["period", "guild_left"]
    assert still_open(*trace) == [(ALICE, HALL, 1, 0, 9, 9)]
    assert run(trace).still_open()[0].period_index == 1


# Section 4, statuses.


@pytest.mark.parametrize(
    ("flag", "status"), [("self_deaf", "deafened"), ("deaf", "deafened"), ("self_mute", "muted"), ("mute", "muted")]
)
def test_deaf_and_mute_pause_where_the_rules_say_so(flag: str, status: str) -> None:
    trace = [voice(0, ALICE, ROOM, flag), voice(5, ALICE, ROOM), voice(9, ALICE, None)]
    assert timeline(*trace) == [(0, 9, "counted")]
    asked = rules(0, pause_on_mute=True, pause_on_deafen=True)
    assert timeline(asked, *trace) == [(0, 5, status), (5, 9, "counted")]


def test_deafened_comes_before_muted_and_muted_before_solo() -> None:
    trace = [rules(0, pause_on_mute=True, pause_on_deafen=True, pause_when_solo=True), voice(0, ALICE, ROOM, "mute")]
    trace += [voice(3, ALICE, ROOM, "mute", "deaf"), voice(6, ALICE, ROOM), voice(9, ALICE, None)]
    assert timeline(*trace) == [(0, 3, "muted"), (3, 6, "deafened"), (6, 9, "solo")]


def test_neither_a_bot_nor_who_is_elsewhere_is_company_but_a_deaf_human_is() -> None:
    trace = [rules(0, pause_when_solo=True), voice(0, ALICE, ROOM), voice(2, BOT, ROOM, "bot"), voice(2, BOB, HALL)]
    trace += [voice(4, BOB, ROOM, "self_deaf"), voice(6, BOB, HALL), voice(9, ALICE, None)]
    session = next(s for s in run(trace).closed if str(s.user) == ALICE)
    assert session.timeline == ((0, 4, "solo"), (4, 6, "counted"), (6, 9, "solo"))


def test_a_status_of_length_zero_vanishes_and_its_neighbours_merge() -> None:
    trace = [rules(0, pause_on_mute=True), voice(0, ALICE, ROOM), voice(4, ALICE, ROOM, "mute"), voice(4, ALICE, ROOM)]
    assert timeline(*trace, voice(9, ALICE, None)) == [(0, 9, "counted")]


# Sections 7 and 9.


def test_the_minimum_is_of_the_whole_stay_so_far_under_the_sessions_own_rules() -> None:
    trace = [rules(0, min_session_seconds=2), voice(0, ALICE, ROOM), line(1500, "period_end"), voice(2000, ALICE, None)]
    first, second = run(trace).closed
    assert (first.below_minimum, first.counted_ms, first.credited_ms) == (True, 1500, 0)
    assert (second.below_minimum, second.counted_ms, second.credited_ms) == (False, 500, 500)


def test_a_session_still_open_while_blind_is_reckoned_to_the_beginning() -> None:
    assert still_open(voice(0, ALICE, ROOM), line(5, "blind"), voice(9, BOB, ROOM)) == [(ALICE, ROOM, 0, 0, 0, 5)]


def test_an_open_session_of_length_zero_is_listed() -> None:
    assert still_open(voice(5, ALICE, ROOM)) == [(ALICE, ROOM, 0, 0, 5, 5)]


def test_credited_time_falls_into_quarters_of_an_hour_also_before_the_epoch() -> None:
    session = the_session(voice(-900_001, ALICE, ROOM), voice(900_001, ALICE, None))
    assert quarters(session) == [(-2, 1), (-1, 900_000), (0, 900_000), (1, 1)]
