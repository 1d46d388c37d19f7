//! Section 6: what a blind interval does to sessions.
use crate::trace::*;

#[test]
fn a_snapshot_that_shows_the_member_in_the_same_channel_bridges_a_short_gap() {
    let lines = [
        join(0, 1, 10),
        blind(1_000),
        snapshot(121_000, &[(1, 10, "")]),
        leave(130_000, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-1000 counted, 1000-121000 bridged, 121000-130000 counted"]
    );
}

#[test]
fn a_gap_longer_than_the_bridge_is_unwitnessed() {
    let lines = [
        join(0, 1, 10),
        blind(1_000),
        snapshot(121_001, &[(1, 10, "")]),
        leave(130_000, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-1000 counted, 1000-121001 unwitnessed, 121001-130000 counted"]
    );
}

#[test]
fn a_bridge_of_zero_seconds_bridges_nothing_but_an_instant() {
    let lines = [
        rules(0, r#""bridge_gap_seconds":0"#),
        join(0, 1, 10),
        blind(10),
        snapshot(10, &[(1, 10, "")]),
        blind(20),
        snapshot(21, &[(1, 10, "")]),
        leave(30, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-20 counted, 20-21 unwitnessed, 21-30 counted"]
    );
}

#[test]
fn uncertain_time_is_bridged_only_between_two_counted_instants() {
    for (before, after, between) in [
        ("m", "", "unwitnessed"),
        ("", "m", "unwitnessed"),
        ("m", "m", "unwitnessed"),
        ("", "", "bridged"),
    ] {
        let lines = [
            rules(0, r#""pause_on_mute":true"#),
            is_in(0, 1, 10, before),
            blind(10),
            snapshot(20, &[(1, 10, after)]),
            leave(30, 1),
        ];
        let name = |flags: &str| if flags.is_empty() { "counted" } else { "muted" };
        let expected = format!(
            "u1 c10 s0.0 p0 leave: 0-10 {}, 10-20 {between}, 20-30 {}",
            name(before),
            name(after)
        );
        assert_eq!(closed(&lines), [expected]);
    }
}

#[test]
fn the_status_just_before_is_the_one_after_every_line_of_that_instant() {
    let muting = [
        rules(0, r#""pause_on_mute":true"#),
        join(0, 1, 10),
        is_in(10, 1, 10, "m"),
        blind(10),
        snapshot(20, &[(1, 10, "")]),
        leave(30, 1),
    ];
    assert_eq!(
        closed(&muting),
        ["u1 c10 s0.0 p0 leave: 0-10 counted, 10-20 unwitnessed, 20-30 counted"]
    );
}

#[test]
fn whoever_a_snapshot_misses_or_shows_elsewhere_closes_with_gap_at_the_start_of_the_interval() {
    let run = run(&[
        join(0, 3, 10),
        join(0, 2, 10),
        join(0, 1, 10),
        blind(10),
        snapshot(
            20,
            &[
                (5, 10, ""),
                (4, 10, ""),
                (2, 11, ""),
                (1, 10, ""),
                (9, 10, "b"),
            ],
        ),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u2 c10 s1.0 p0 gap: 0-10 counted",
            "u3 c10 s0.0 p0 gap: 0-10 counted"
        ]
    );
    assert_eq!(
        run.open(),
        [
            "u1 c10 s2.0 p0 open: 0-10 counted, 10-20 bridged",
            "u2 c11 s3.0 p0 open: ",
            "u4 c10 s4.0 p0 open: ",
            "u5 c10 s5.0 p0 open: ",
        ]
    );
}

#[test]
fn an_empty_snapshot_means_that_nobody_is_there() {
    let run = run(&[
        join(0, 1, 10),
        is_in(0, 9, 10, "b"),
        snapshot(20, &[]),
        rules(30, SOLO),
    ]);
    assert_eq!(run.closed(), ["u1 c10 s0.0 p0 gap: 0-20 counted"]);
    assert!(run.engine.guild(GUILD).unwrap().members().is_empty());
}

#[test]
fn a_snapshot_while_watching_is_a_blind_interval_of_length_zero() {
    let run = run(&[
        rules(0, SOLO),
        join(0, 1, 10),
        join(0, 2, 10),
        join(0, 3, 11),
        snapshot(10, &[(1, 10, ""), (2, 11, ""), (3, 11, "")]),
        leave(20, 1),
        guild_left(30),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u2 c10 s1.0 p0 gap: 0-10 counted",
            "u1 c10 s0.0 p0 leave: 0-10 counted, 10-20 solo",
            "u2 c11 s3.0 p0 guild_left: 10-30 counted",
            "u3 c11 s2.0 p0 guild_left: 0-10 solo, 10-30 counted",
        ]
    );
}

#[test]
fn of_two_states_for_one_user_in_a_snapshot_the_last_holds() {
    let run = run(&[
        join(0, 1, 10),
        snapshot(10, &[(1, 11, ""), (2, 10, ""), (1, 10, ""), (2, 12, "")]),
    ]);
    assert!(run.closed.is_empty());
    assert_eq!(
        run.open(),
        ["u1 c10 s0.0 p0 open: 0-10 counted", "u2 c12 s1.0 p0 open: "]
    );
}

#[test]
fn a_snapshot_discards_replays() {
    let lines = [
        join(0, 1, 10),
        blind(10),
        leave(12, 1),
        join(14, 1, 11),
        snapshot(20, &[(1, 10, "")]),
        leave(30, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-10 counted, 10-20 bridged, 20-30 counted"]
    );
}

#[test]
fn an_untouched_channel_keeps_its_status_through_a_resume() {
    let lines = [
        rules(0, r#""pause_on_mute":true,"bridge_gap_seconds":0"#),
        join(0, 1, 10),
        is_in(0, 2, 10, "m"),
        join(0, 3, 11),
        blind(10),
        leave(12, 3),
        resumed(900_000),
        guild_left(900_001),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u3 c11 s2.0 p0 gap: 0-10 counted",
            "u1 c10 s0.0 p0 guild_left: 0-900001 counted",
            "u2 c10 s1.0 p0 guild_left: 0-900001 muted",
        ]
    );
}

#[test]
fn a_touched_channel_is_uncertain_for_those_who_stayed() {
    let lines = [
        join(0, 1, 10),
        join(0, 2, 11),
        join(0, 3, 12),
        blind(10),
        join(12, 3, 11),
        resumed(20),
        guild_left(30),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u3 c12 s2.0 p0 gap: 0-10 counted",
            "u1 c10 s0.0 p0 guild_left: 0-30 counted",
            "u2 c11 s1.0 p0 guild_left: 0-10 counted, 10-20 bridged, 20-30 counted",
            "u3 c11 s3.0 p0 guild_left: 20-30 counted",
        ]
    );
}

#[test]
fn the_channel_that_a_replay_came_from_is_touched_too_even_in_between() {
    // User 9 was never seen in 10 by the states before or after: only between two replays.
    let lines = [
        join(0, 1, 10),
        blind(10),
        join(12, 9, 10),
        leave(13, 9),
        resumed(20),
        leave(30, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-10 counted, 10-20 bridged, 20-30 counted"]
    );
    let lines = [
        join(0, 1, 10),
        join(0, 2, 10),
        blind(10),
        join(12, 2, 11),
        resumed(20),
        leave(30, 1),
    ];
    assert_eq!(
        closed(&lines)[1],
        "u1 c10 s0.0 p0 leave: 0-10 counted, 10-20 bridged, 20-30 counted"
    );
}

#[test]
fn a_bots_replay_and_a_change_of_flags_alone_touch_too() {
    for replay in [
        is_in(12, 9, 10, "b"),
        is_in(12, 2, 10, "m"),
        is_in(12, 1, 10, ""),
    ] {
        let run = run(&[
            join(0, 1, 10),
            join(0, 2, 10),
            blind(10),
            replay,
            resumed(20),
        ]);
        assert_eq!(
            run.open()[0],
            "u1 c10 s0.0 p0 open: 0-10 counted, 10-20 bridged"
        );
        assert_eq!(
            run.open()[1],
            "u2 c10 s1.0 p0 open: 0-10 counted, 10-20 bridged"
        );
    }
}

#[test]
fn a_replay_that_took_the_member_out_closes_with_gap_even_if_they_are_back() {
    let run = run(&[
        join(0, 1, 10),
        blind(10),
        leave(12, 1),
        join(14, 1, 10),
        resumed(20),
    ]);
    assert_eq!(run.closed(), ["u1 c10 s0.0 p0 gap: 0-10 counted"]);
    assert_eq!(run.open(), ["u1 c10 s1.0 p0 open: "]);
}

#[test]
fn after_a_resume_everyone_in_a_tracked_channel_has_a_session() {
    let run = run(&[
        rules(0, r#""mode":"denylist","channels":["12"]"#),
        opt_out(0, 6, true),
        blind(10),
        join(11, 5, 10),
        join(11, 4, 10),
        join(12, 3, 12),
        is_in(12, 9, 10, "b"),
        join(12, 6, 10),
        resumed(20),
    ]);
    assert_eq!(
        run.open(),
        ["u4 c10 s0.0 p0 open: ", "u5 c10 s1.0 p0 open: "]
    );
}

#[test]
fn uncertain_time_is_judged_with_everyones_state_at_the_end() {
    // User 1 had company before. At the end the company is gone for good, or back.
    let before = [
        rules(0, SOLO),
        join(0, 1, 10),
        join(0, 2, 10),
        blind(10),
        leave(12, 2),
    ];
    let gone = [&before[..], &[resumed(20), leave(30, 1)]].concat();
    assert_eq!(
        closed(&gone)[1],
        "u1 c10 s0.0 p0 leave: 0-10 counted, 10-20 unwitnessed, 20-30 solo"
    );
    let back = [&before[..], &[join(14, 2, 10), resumed(20), leave(30, 1)]].concat();
    assert_eq!(
        closed(&back)[1],
        "u1 c10 s0.0 p0 leave: 0-10 counted, 10-20 bridged, 20-30 counted"
    );
    let replaced = [&before[..], &[resumed(20), leave(30, 1)]].concat();
    assert_eq!(closed(&replaced)[0], "u2 c10 s1.0 p0 gap: 0-10 counted");
}

#[test]
fn a_second_blind_changes_nothing_but_forgets_the_replays() {
    let lines = [
        join(0, 1, 10),
        join(0, 2, 10),
        blind(10),
        leave(12, 1),
        blind(15),
        resumed(20),
        leave(30, 1),
        leave(30, 2),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 leave: 0-30 counted",
            "u2 c10 s1.0 p0 leave: 0-30 counted"
        ]
    );
    let again = [
        join(0, 1, 10),
        blind(10),
        blind(15),
        snapshot(20, &[(1, 10, "")]),
        leave(30, 1),
    ];
    assert_eq!(
        closed(&again),
        ["u1 c10 s0.0 p0 leave: 0-10 counted, 10-20 bridged, 20-30 counted"]
    );
}

#[test]
fn a_resume_while_watching_changes_nothing() {
    assert_eq!(
        closed(&[join(0, 1, 10), resumed(5), leave(9, 1)]),
        ["u1 c10 s0.0 p0 leave: 0-9 counted"]
    );
}

#[test]
fn neighbouring_uncertain_intervals_merge() {
    let lines = [
        join(0, 1, 10),
        blind(10),
        snapshot(20, &[(1, 10, "")]),
        blind(20),
        snapshot(30, &[(1, 10, "")]),
        blind(30),
        snapshot(200_000, &[(1, 10, "")]),
        leave(200_001, 1),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 leave: 0-10 counted, 10-30 bridged, 30-200000 unwitnessed, 200000-200001 counted"
        ]
    );
}

#[test]
fn a_session_that_joined_at_the_last_watched_instant_and_is_gone_was_nothing() {
    let run = run(&[join(10, 1, 10), blind(10), snapshot(20, &[])]);
    assert!(run.closed.is_empty());
    assert_eq!(run.engine.guild(GUILD).unwrap().next_stay(), 1);
}

#[test]
fn a_session_that_joined_at_the_last_watched_instant_and_is_there_begins_uncertain() {
    let lines = [
        join(10, 1, 10),
        blind(10),
        snapshot(20, &[(1, 10, "")]),
        leave(30, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 10-20 bridged, 20-30 counted"]
    );
}

#[test]
fn rules_while_blind_close_at_its_start_and_nothing_opens_before_its_end() {
    let tail = [resumed(30), leave(40, 1), leave(40, 2)];
    let head = [
        join(0, 2, 10),
        join(0, 1, 11),
        blind(10),
        rules(20, r#""mode":"denylist","channels":["11"]"#),
    ];
    let lines = [&head[..], &tail].concat();
    assert_eq!(
        closed(&lines),
        [
            "u1 c11 s1.0 p0 untracked: 0-10 counted",
            "u2 c10 s0.0 p0 rules: 0-10 counted",
            "u2 c10 s2.0 p0 leave: 30-40 counted",
        ]
    );
    let same = [&[join(0, 2, 10), blind(10), rules(20, "")][..], &tail].concat();
    assert_eq!(closed(&same), ["u2 c10 s0.0 p0 leave: 0-40 counted"]);
    assert!(run(&head).open().is_empty());
}

#[test]
fn rules_that_come_and_go_while_blind_still_cut() {
    let lines = [
        join(0, 1, 10),
        blind(10),
        rules(20, SOLO),
        rules(21, ""),
        resumed(30),
        leave(40, 1),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 rules: 0-10 counted",
            "u1 c10 s1.0 p0 leave: 30-40 counted"
        ]
    );
}

#[test]
fn a_period_that_ends_while_blind_closes_at_its_start_and_the_index_grows_at_once() {
    let run = run(&[
        join(0, 1, 10),
        blind(10),
        period_end(20),
        period_end(21),
        resumed(30),
        leave(40, 1),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s0.0 p0 period: 0-10 counted",
            "u1 c10 s1.0 p2 leave: 30-40 counted"
        ]
    );
}

#[test]
fn a_category_changed_while_blind_closes_at_its_start_or_opens_at_its_end() {
    let lines = [
        rules(0, r#""mode":"allowlist","channels":["50"]"#),
        parent(0, 10, Some(50)),
        join(0, 1, 10),
        join(0, 2, 11),
        blind(10),
        parent(20, 10, None),
        parent(20, 11, Some(50)),
        resumed(30),
        guild_left(40),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 untracked: 0-10 counted",
            "u2 c11 s1.0 p0 guild_left: 30-40 counted"
        ]
    );
}

#[test]
fn a_category_that_comes_and_goes_while_blind_still_cuts() {
    let lines = [
        rules(0, r#""mode":"denylist","channels":["50"]"#),
        join(0, 1, 10),
        blind(10),
        parent(20, 10, Some(50)),
        parent(21, 10, None),
        snapshot(30, &[(1, 10, "")]),
        leave(40, 1),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 untracked: 0-10 counted",
            "u1 c10 s1.0 p0 leave: 30-40 counted"
        ]
    );
}

#[test]
fn an_opt_out_while_blind_closes_at_its_start_and_the_way_back_opens_at_its_end() {
    let lines = [
        join(0, 1, 10),
        join(0, 2, 10),
        blind(10),
        opt_out(20, 1, true),
        opt_out(21, 2, true),
        opt_out(22, 1, false),
        resumed(30),
        leave(40, 1),
        leave(40, 2),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u1 c10 s0.0 p0 opted_out: 0-10 counted",
            "u2 c10 s1.0 p0 opted_out: 0-10 counted",
            "u1 c10 s2.0 p0 leave: 30-40 counted",
        ]
    );
}

#[test]
fn an_opt_out_while_blind_touches_nobody_else() {
    let lines = [
        rules(0, SOLO),
        join(0, 1, 10),
        join(0, 2, 10),
        blind(10),
        opt_out(20, 2, true),
        resumed(30),
        leave(40, 1),
    ];
    assert_eq!(closed(&lines)[1], "u1 c10 s0.0 p0 leave: 0-40 counted");
}

#[test]
fn a_channel_deleted_while_blind_closes_at_its_start_and_forgets_the_states_in_it() {
    let run = run(&[
        join(0, 1, 10),
        join(0, 2, 11),
        blind(10),
        deleted(20, 10),
        resumed(30),
        leave(40, 1),
    ]);
    assert_eq!(
        run.closed(),
        ["u1 c10 s0.0 p0 channel_deleted: 0-10 counted"]
    );
    assert_eq!(run.open(), ["u2 c11 s1.0 p0 open: 0-40 counted"]);
}

#[test]
fn replays_kept_before_a_cut_are_applied_as_they_came() {
    // 1 moved to 11 before 10 was deleted: the replay stands. 2 moved into 10 and is there at the end.
    let run = run(&[
        join(0, 1, 10),
        join(0, 2, 11),
        blind(10),
        join(12, 1, 11),
        join(13, 2, 10),
        deleted(20, 10),
        resumed(30),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s0.0 p0 channel_deleted: 0-10 counted",
            "u2 c11 s1.0 p0 gap: 0-10 counted"
        ]
    );
    assert_eq!(
        run.open(),
        ["u1 c11 s2.0 p0 open: ", "u2 c10 s3.0 p0 open: "]
    );
}

#[test]
fn leaving_the_guild_while_blind_closes_at_its_start_and_ends_the_blindness() {
    let run = run(&[
        join(0, 1, 10),
        blind(10),
        join(12, 2, 11),
        guild_left(20),
        resumed(25),
        join(30, 3, 10),
        leave(40, 3),
    ]);
    assert_eq!(
        run.closed(),
        [
            "u1 c10 s0.0 p0 guild_left: 0-10 counted",
            "u3 c10 s1.0 p0 leave: 30-40 counted"
        ]
    );
    assert_eq!(run.engine.guild(GUILD).unwrap().blind_since(), None);
}

#[test]
fn voice_states_while_blind_show_only_at_the_end() {
    let run = run(&[join(0, 1, 10), blind(10), leave(15, 1), join(16, 2, 10)]);
    assert!(run.closed.is_empty());
    assert_eq!(run.open(), ["u1 c10 s0.0 p0 open: 0-10 counted"]);
}

#[test]
fn a_replay_shows_a_pause_that_began_while_blind_from_the_end_on() {
    let lines = [
        rules(0, r#""pause_on_mute":true"#),
        join(0, 1, 10),
        blind(10),
        is_in(12, 1, 10, "m"),
        resumed(20),
        leave(30, 1),
    ];
    assert_eq!(
        closed(&lines),
        ["u1 c10 s0.0 p0 leave: 0-10 counted, 10-20 unwitnessed, 20-30 muted"]
    );
}

#[test]
fn a_start_after_a_crash_is_a_blind_interval_that_a_snapshot_ends() {
    let lines = [
        join(0, 1, 10),
        join(0, 2, 10),
        blind(5_000),
        parent(60_000, 10, Some(50)),
        snapshot(60_000, &[(1, 10, "")]),
        leave(70_000, 1),
    ];
    assert_eq!(
        closed(&lines),
        [
            "u2 c10 s1.0 p0 gap: 0-5000 counted",
            "u1 c10 s0.0 p0 leave: 0-5000 counted, 5000-60000 bridged, 60000-70000 counted",
        ]
    );
}
