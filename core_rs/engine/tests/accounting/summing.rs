//! Section 7: what a session says.
use rollcall_engine::accounting::quarters_of;

use crate::trace::*;

#[test]
fn the_sums_are_those_of_the_timeline() {
    let run = run(&[
        rules(0, ALL_PAUSES),
        join(0, 1, 10),
        join(100, 2, 10),
        is_in(300, 1, 10, "m"),
        is_in(600, 1, 10, "d"),
        is_in(1_000, 1, 10, ""),
        blind(1_500),
        snapshot(2_100, &[(1, 10, ""), (2, 10, "")]),
        blind(2_800),
        snapshot(200_000, &[(1, 10, ""), (2, 10, "")]),
        leave(200_001, 1),
    ]);
    let account = &run.closed[0].account;
    assert_eq!(
        timeline(account),
        "0-100 solo, 100-300 counted, 300-600 muted, 600-1000 deafened, 1000-1500 counted, 1500-2100 bridged, \
         2100-2800 counted, 2800-200000 unwitnessed, 200000-200001 counted"
    );
    let sums = account.sums;
    assert_eq!((sums.solo, sums.muted, sums.deafened), (100, 300, 400));
    assert_eq!((sums.bridged, sums.unwitnessed), (600, 197_200));
    assert_eq!(sums.counted, 200 + 500 + 600 + 700 + 1);
    assert_eq!(
        (account.credited(), account.below_minimum),
        (sums.counted, false)
    );
}

#[test]
fn below_minimum_looks_at_the_stay_so_far_and_the_sessions_own_rules() {
    let min = |seconds: i64| format!(r#""min_session_seconds":{seconds}"#);
    let run = run(&[
        rules(0, &min(10)),
        join(0, 1, 10),
        period_end(9_999),
        period_end(10_000),
        rules(10_000, &min(10)),
        rules(12_000, &min(13)),
        period_end(12_999),
        leave(13_000, 1),
    ]);
    let credited: Vec<(bool, i64)> = run
        .closed
        .iter()
        .map(|it| (it.account.below_minimum, it.account.credited()))
        .collect();
    assert_eq!(
        credited,
        [(true, 0), (false, 1), (false, 2_000), (true, 0), (false, 1)]
    );
}

#[test]
fn exactly_the_minimum_is_not_below_it_and_pauses_do_not_count_towards_it() {
    let lines = |last| {
        [
            rules(0, r#""min_session_seconds":10,"pause_on_mute":true"#),
            is_in(0, 1, 10, "m"),
            is_in(50_000, 1, 10, ""),
            leave(last, 1),
        ]
    };
    assert!(!run(&lines(60_000)).closed[0].account.below_minimum);
    assert!(run(&lines(59_999)).closed[0].account.below_minimum);
}

#[test]
fn a_new_stay_starts_its_minimum_anew() {
    let lines = [
        rules(0, r#""min_session_seconds":10"#),
        join(0, 1, 10),
        join(60_000, 1, 11),
        leave(65_000, 1),
    ];
    let below: Vec<bool> = run(&lines)
        .closed
        .iter()
        .map(|it| it.account.below_minimum)
        .collect();
    assert_eq!(below, [false, true]);
}

#[test]
fn bridged_time_counts_towards_the_minimum_and_unwitnessed_does_not() {
    let lines = |end| {
        [
            rules(0, r#""min_session_seconds":10,"bridge_gap_seconds":10"#),
            join(0, 1, 10),
            blind(1),
            snapshot(end, &[(1, 10, "")]),
            leave(end + 1, 1),
        ]
    };
    assert!(!run(&lines(10_001)).closed[0].account.below_minimum);
    assert!(run(&lines(10_002)).closed[0].account.below_minimum);
}

#[test]
fn quarters_of_a_session_sum_to_its_counted_time() {
    let run = run(&[
        rules(0, r#""pause_on_mute":true"#),
        join(899_000, 1, 10),
        is_in(1_000_000, 1, 10, "m"),
        is_in(2_700_001, 1, 10, ""),
        leave(2_700_011, 1),
    ]);
    let account = &run.closed[0].account;
    let quarters = quarters_of(account.timeline.segments());
    assert_eq!(quarters, [(0, 1_000), (1, 100_000), (3, 10)]);
    assert_eq!(
        quarters.iter().map(|(_, ms)| ms).sum::<i64>(),
        account.credited()
    );
}
