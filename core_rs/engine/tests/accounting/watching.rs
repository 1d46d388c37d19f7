//! Sections 3 to 5: what an input does while the connection is up.
use crate::trace::*;

#[test]
fn a_member_who_enters_and_leaves_voice_has_one_session() {
    assert_eq!(
        closed(&[join(1_000, 1, 10), leave(4_000, 1)]),
        ["u1 c10 s0.0 p0 leave: 1000-4000 counted"]
    );
}

#[test]
fn entering_another_channel_closes_with_move_and_opens_a_new_stay_there() {
    let run = run(&[join(0, 1, 10), join(5, 1, 11), leave(9, 1)]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s0.0 p0 move: 0-5 counted",
            "u1 c11 s1.0 p0 leave: 5-9 counted"
        ]
    );
}

#[test]
fn entering_an_untracked_channel_closes_with_move_too_and_opens_nothing() {
    let run = run(&[
        rules(0, r#""mode":"denylist","channels":["11"]"#),
        join(0, 1, 10),
        join(5, 1, 11),
        join(8, 1, 12),
    ]);
    assert_eq!(run.closed(), ["u1 c10 s0.0 p0 move: 0-5 counted"]);
    assert_eq!(run.open(), ["u1 c12 s1.0 p0 open: "]);
}

#[test]
fn the_afk_channel_is_never_tracked() {
    let run = run(&[
        rules(0, r#""mode":"all","afk_channel_id":"10""#),
        join(0, 1, 10),
        leave(5, 1),
    ]);
    assert!(run.closed.is_empty());
}

#[test]
fn bots_have_no_sessions_and_are_no_company() {
    let lines = [
        rules(0, SOLO),
        is_in(0, 9, 10, "b"),
        join(0, 1, 10),
        leave(5, 9),
        leave(7, 1),
    ];
    assert_eq!(closed(&lines), ["u1 c10 s0.0 p0 leave: 0-7 solo"]);
}

#[test]
fn leaving_without_having_been_in_voice_is_nothing() {
    assert!(closed(&[leave(0, 1), leave(5, 1)]).is_empty());
}

#[test]
fn a_state_like_the_last_one_changes_nothing() {
    assert_eq!(
        closed(&[join(0, 1, 10), join(3, 1, 10), leave(5, 1)]),
        ["u1 c10 s0.0 p0 leave: 0-5 counted"]
    );
}

#[test]
fn of_the_pauses_deafened_comes_before_muted_before_solo() {
    let lines = [
        rules(0, ALL_PAUSES),
        is_in(0, 1, 10, "mDMd"),
        is_in(10, 1, 10, "D"),
        is_in(20, 1, 10, "mM"),
        is_in(30, 1, 10, "M"),
        is_in(40, 1, 10, ""),
        join(50, 2, 10),
        leave(60, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-20 deafened, 20-40 muted, 40-50 solo, 50-60 counted"]
    );
}

#[test]
fn flags_do_not_matter_without_their_rule() {
    assert_eq!(
        closed(&[is_in(0, 1, 10, "mMdD"), leave(5, 1)]),
        ["u1 c10 s0.0 p0 leave: 0-5 counted"]
    );
    let lines = [
        rules(0, r#""pause_on_mute":true"#),
        is_in(0, 1, 10, "dD"),
        is_in(5, 1, 10, "dDm"),
        leave(8, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-5 counted, 5-8 muted"]
    );
    let lines = [
        rules(0, r#""pause_on_deafen":true"#),
        is_in(0, 1, 10, "mM"),
        is_in(5, 1, 10, "d"),
        leave(8, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-5 counted, 5-8 deafened"]
    );
}

#[test]
fn company_counts_whatever_its_mute_deaf_or_opt_out() {
    let lines = [
        rules(0, ALL_PAUSES),
        opt_out(0, 3, true),
        join(0, 1, 10),
        is_in(10, 2, 10, "mMdD"),
        join(20, 3, 10),
        leave(30, 2),
        leave(40, 3),
        leave(50, 1),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u2 c10 s1.0 p0 leave: 10-30 deafened",
            "u1 c10 s0.0 p0 leave: 0-10 solo, 10-40 counted, 40-50 solo",
        ]
    );
}

#[test]
fn a_move_changes_the_solitude_of_those_in_both_channels() {
    let lines = [
        rules(0, SOLO),
        join(0, 1, 10),
        join(0, 2, 10),
        join(0, 3, 11),
        join(10, 2, 11),
        join(20, 3, 10),
        guild_left(30),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u2 c10 s1.0 p0 move: 0-10 counted",
            "u3 c11 s2.0 p0 move: 0-10 solo, 10-20 counted",
            "u1 c10 s0.0 p0 guild_left: 0-10 counted, 10-20 solo, 20-30 counted",
            "u2 c11 s3.0 p0 guild_left: 10-20 counted, 20-30 solo",
            "u3 c10 s4.0 p0 guild_left: 20-30 counted",
        ]
    );
}

#[test]
fn events_at_one_instant_apply_in_input_order_and_segments_of_length_zero_vanish() {
    let lines = [
        rules(0, ALL_PAUSES),
        join(0, 1, 10),
        join(0, 2, 10),
        is_in(10, 1, 10, "m"),
        is_in(10, 1, 10, "d"),
        is_in(10, 1, 10, ""),
        is_in(20, 1, 10, "m"),
        is_in(30, 1, 10, "d"),
        is_in(30, 1, 10, "m"),
        leave(40, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-20 counted, 20-40 muted"]
    );
}

#[test]
fn a_session_without_length_is_dropped_and_its_stay_keeps_the_number() {
    let run = run(&[
        join(0, 1, 10),
        leave(0, 1),
        join(5, 1, 10),
        join(5, 1, 11),
        leave(9, 1),
    ]);
    assert_eq!(run.closed(), ["u1 c11 s2.0 p0 leave: 5-9 counted"]);
    assert_eq!(run.closed[0].ordinal, 0);
}

#[test]
fn a_dropped_part_takes_no_part_number() {
    let mute = r#""pause_on_mute":true"#;
    let run = run(&[
        join(0, 1, 10),
        rules(0, mute),
        period_end(0),
        period_end(5),
        rules(5, ""),
        leave(9, 1),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s0.0 p1 period: 0-5 counted",
            "u1 c10 s0.1 p2 leave: 5-9 counted"
        ]
    );
}

#[test]
fn other_rules_cut_every_session_and_the_stays_go_on() {
    let run = run(&[
        join(0, 2, 10),
        is_in(1, 1, 10, "m"),
        rules(10, r#""pause_on_mute":true"#),
        leave(20, 1),
        leave(30, 2),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s1.0 p0 rules: 1-10 counted",
            "u2 c10 s0.0 p0 rules: 0-10 counted",
            "u1 c10 s1.1 p0 leave: 10-20 muted",
            "u2 c10 s0.1 p0 leave: 10-30 counted",
        ]
    );
    assert_ne!(
        run.closed[0].account.rules.sha256,
        run.closed[2].account.rules.sha256
    );
}

#[test]
fn the_same_rules_again_change_nothing_whatever_their_spelling() {
    let lines = [
        rules(0, r#""mode":"allowlist","channels":["10","9"]"#),
        join(0, 1, 10),
        rules(
            5,
            r#""channels":["9","10","9"],"mode":"allowlist","bridge_gap_seconds":120,"afk_channel_id":null,"new":1"#,
        ),
        leave(9, 1),
    ];
    assert_eq!(closed(&lines), ["u1 c10 s0.0 p0 leave: 0-9 counted"]);
}

#[test]
fn rules_complete_the_defaults_and_not_the_rules_before() {
    let lines = [rules(0, SOLO), join(0, 1, 10), rules(5, ""), leave(9, 1)];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 rules: 0-5 solo",
            "u1 c10 s0.1 p0 leave: 5-9 counted"
        ]
    );
}

#[test]
fn rules_close_what_they_no_longer_track_and_open_what_they_track_now() {
    let run = run(&[
        rules(0, r#""mode":"allowlist","channels":["10"]"#),
        join(0, 3, 10),
        join(0, 2, 11),
        join(0, 1, 11),
        is_in(0, 9, 11, "b"),
        rules(10, r#""mode":"allowlist","channels":["11"]"#),
        guild_left(20),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u3 c10 s0.0 p0 untracked: 0-10 counted",
            "u1 c11 s1.0 p0 guild_left: 10-20 counted",
            "u2 c11 s2.0 p0 guild_left: 10-20 counted",
        ]
    );
}

#[test]
fn mode_off_tracks_nothing() {
    let lines = [
        join(0, 1, 10),
        rules(5, r#""mode":"off""#),
        join(6, 2, 10),
        rules(8, ""),
        guild_left(9),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 untracked: 0-5 counted",
            "u1 c10 s1.0 p0 guild_left: 8-9 counted",
            "u2 c10 s2.0 p0 guild_left: 8-9 counted",
        ]
    );
}

#[test]
fn continuing_stays_and_new_ones_open_together_in_ascending_order() {
    // User 1 is in a channel that becomes tracked, user 2 goes on: the new stay gets the next number either way.
    let run = run(&[
        rules(0, r#""mode":"denylist","channels":["11"]"#),
        join(0, 2, 10),
        join(0, 3, 11),
        join(0, 1, 11),
        rules(10, ""),
    ]);
    assert_eq!(
        run.open(),
        [
            "u1 c11 s1.0 p0 open: ",
            "u2 c10 s0.1 p0 open: ",
            "u3 c11 s2.0 p0 open: "
        ]
    );
}

#[test]
fn a_period_ends_for_all_at_once_and_sessions_keep_the_index_in_force() {
    let run = run(&[
        join(0, 2, 10),
        join(0, 1, 10),
        period_end(10),
        period_end(20),
        leave(25, 1),
        leave(30, 2),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s1.0 p0 period: 0-10 counted",
            "u2 c10 s0.0 p0 period: 0-10 counted",
            "u1 c10 s1.1 p1 period: 10-20 counted",
            "u2 c10 s0.1 p1 period: 10-20 counted",
            "u1 c10 s1.2 p2 leave: 20-25 counted",
            "u2 c10 s0.2 p2 leave: 20-30 counted",
        ]
    );
    let ordinals: Vec<u64> = run.closed.iter().map(|session| session.ordinal).collect();
    assert_eq!(ordinals, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_period_can_end_with_nobody_there() {
    let run = run(&[period_end(5), join(6, 1, 10), leave(7, 1)]);
    assert_eq!(run.closed(), ["u1 c10 s0.0 p1 leave: 6-7 counted"]);
}

#[test]
fn a_channel_that_enters_or_leaves_a_listed_category_is_the_only_one_concerned() {
    let lines = [
        rules(0, r#""mode":"allowlist","channels":["50"]"#),
        parent(0, 10, Some(50)),
        join(0, 1, 10),
        join(0, 2, 11),
        is_in(0, 8, 11, "b"),
        opt_out(0, 4, true),
        join(0, 4, 11),
        parent(10, 11, Some(50)),
        parent(15, 11, Some(50)),
        parent(20, 10, Some(51)),
        parent(30, 11, None),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 untracked: 0-20 counted",
            "u2 c11 s1.0 p0 untracked: 10-30 counted"
        ]
    );
}

#[test]
fn a_new_category_that_changes_no_tracking_cuts_nothing() {
    let lines = [
        join(0, 1, 10),
        parent(5, 10, Some(50)),
        parent(6, 10, None),
        leave(9, 1),
    ];
    assert_eq!(closed(&lines), ["u1 c10 s0.0 p0 leave: 0-9 counted"]);
}

#[test]
fn a_category_known_before_anyone_joins_counts() {
    let lines = [
        parent(0, 10, Some(50)),
        rules(0, r#""mode":"denylist","channels":["50"]"#),
        join(0, 1, 10),
        join(3, 2, 11),
        guild_left(9),
    ];
    assert_eq!(closed(&lines), ["u2 c11 s0.0 p0 guild_left: 3-9 counted"]);
}

#[test]
fn opting_out_closes_and_opting_in_opens_a_new_stay_and_again_changes_nothing() {
    let run = run(&[
        rules(0, SOLO),
        join(0, 1, 10),
        join(0, 2, 10),
        opt_out(10, 1, true),
        opt_out(11, 1, true),
        join(12, 1, 11),
        join(13, 1, 10),
        opt_out(20, 1, false),
        opt_out(21, 1, false),
        guild_left(30),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s0.0 p0 opted_out: 0-10 counted",
            "u1 c10 s2.0 p0 guild_left: 20-30 counted",
            "u2 c10 s1.0 p0 guild_left: 0-12 counted, 12-13 solo, 13-30 counted",
        ]
    );
}

#[test]
fn opting_in_outside_a_tracked_channel_opens_nothing() {
    let run = run(&[
        rules(0, r#""mode":"denylist","channels":["10"]"#),
        opt_out(0, 1, true),
        join(0, 1, 10),
        opt_out(5, 1, false),
        opt_out(6, 2, true),
        opt_out(6, 2, false),
    ]);
    assert!(run.open().is_empty());
}

#[test]
fn a_deleted_channel_closes_its_sessions_and_forgets_the_states_in_it() {
    let run = run(&[
        rules(0, SOLO),
        join(0, 2, 10),
        join(0, 1, 10),
        is_in(0, 9, 10, "b"),
        join(0, 3, 11),
        deleted(10, 10),
        deleted(11, 10),
        join(20, 1, 10),
        leave(25, 2),
        leave(30, 1),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s1.0 p0 channel_deleted: 0-10 counted",
            "u2 c10 s0.0 p0 channel_deleted: 0-10 counted",
            "u1 c10 s3.0 p0 leave: 20-30 solo",
        ]
    );
    assert_eq!(run.open(), ["u3 c11 s2.0 p0 open: 0-30 solo"]);
}

#[test]
fn leaving_the_guild_forgets_states_and_keeps_rules_categories_opt_outs_and_counters() {
    let run = run(&[
        rules(0, r#""mode":"allowlist","channels":["50"]"#),
        parent(0, 10, Some(50)),
        opt_out(0, 2, true),
        join(0, 1, 10),
        join(0, 2, 10),
        period_end(5),
        guild_left(10),
        guild_left(11),
        leave(12, 1),
        opt_out(12, 2, true),
        join(15, 2, 10),
        join(15, 3, 10),
        join(15, 4, 11),
        leave(20, 3),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s0.0 p0 period: 0-5 counted",
            "u1 c10 s0.1 p1 guild_left: 5-10 counted",
            "u3 c10 s1.0 p1 leave: 15-20 counted",
        ]
    );
}

#[test]
fn guilds_know_nothing_of_each_other() {
    let other = |line: String| line.replace(r#""guild_id":"7""#, r#""guild_id":"8""#);
    let run = run(&[
        rules(100, SOLO),
        join(100, 1, 10),
        other(join(0, 2, 10)),
        other(period_end(5)),
        other(leave(9, 2)),
        leave(109, 1),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u2 c10 s0.0 p0 period: 0-5 counted",
            "u2 c10 s0.1 p1 leave: 5-9 counted",
            "u1 c10 s0.0 p0 leave: 100-109 solo"
        ]
    );
    assert_eq!(run.closed[0].account.guild_id, 8);
}

#[test]
fn ids_are_numbers_when_they_are_ordered_and_zero_is_one() {
    let big = 9_223_372_036_854_775_807;
    let run = run(&[
        join(0, 10, 0),
        join(0, 9, 0),
        join(0, big, 0),
        join(0, 0, 0),
        period_end(5),
    ]);
    let users: Vec<u64> = run
        .closed
        .iter()
        .map(|session| session.account.user_id)
        .collect();
    assert_eq!(users, [0, 9, 10, big]);
}

#[test]
fn a_user_who_turns_into_a_bot_ends_as_if_they_left() {
    let lines = [
        join(0, 1, 10),
        is_in(5, 1, 10, "b"),
        join(8, 1, 10),
        leave(9, 1),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 leave: 0-5 counted",
            "u1 c10 s1.0 p0 leave: 8-9 counted"
        ]
    );
}
