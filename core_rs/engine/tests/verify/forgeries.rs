//! Receipts that somebody made with care: each is found by the check that is there for it.
use rollcall_engine::records::encoding::b64url;
use rollcall_engine::records::merkle::sha256;
use rollcall_engine::verify::{Outcome, Pins, Report, Verdict, verify_receipt};
use serde_json::{Value, json};

use crate::world::{Parts, activate, failed, kid, session, signed, x};

fn judged(receipt: &Value) -> Report {
    let report = verify_receipt(&serde_json::to_vec(receipt).unwrap(), &Pins::default());
    assert_eq!(report.verdict(), Verdict::Invalid, "{report:#?}");
    report
}

/// A session that the guild's key did sign, with members of another's choice.
fn with_session(change: impl Fn(&mut Value)) -> Parts {
    let mut draft = session();
    change(&mut draft);
    Parts {
        session: signed(1, 5, &draft),
        ..Parts::new()
    }
}

fn with_timeline(timeline: &str) -> Parts {
    let made = with_session(|draft| {
        draft["timeline_sha256"] = json!(b64url(&sha256(timeline.as_bytes())));
    });
    Parts {
        timeline: timeline.to_owned(),
        ..made
    }
}

fn with_rules(rules: &str, change: impl Fn(&mut Value)) -> Parts {
    let made = with_session(|draft| {
        draft["rules_sha256"] = json!(b64url(&sha256(rules.as_bytes())));
        change(draft);
    });
    Parts {
        rules: rules.to_owned(),
        ..made
    }
}

#[test]
fn another_key_is_found() {
    let mut receipt = Parts::new().json();
    receipt["public_key"] = json!(x(2));
    assert_eq!(
        failed(&judged(&receipt)),
        ["key-id", "key-records", "signature"]
    );
    // signed by another, who says so
    let theirs = Parts {
        session: signed(2, 5, &session()),
        ..Parts::new()
    };
    assert_eq!(failed(&judged(&theirs.json())), ["key-records"]);
}

#[test]
fn keys_of_small_order_and_texts_of_another_spelling_are_found() {
    let small = [[0_u8; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }];
    let whole = Parts::new().json();
    let last = |text: &Value, letter: char| {
        let mut text = text.as_str().unwrap().to_owned();
        text.pop();
        text.push(letter);
        json!(text)
    };
    let mut forged: Vec<(&str, Value)> = small
        .iter()
        .map(|key| ("public_key", json!(b64url(key))))
        .collect();
    let signature = whole["signature"].as_str().unwrap();
    forged.push(("signature", json!(format!("{signature}=="))));
    forged.push(("signature", json!(format!("{signature}\n"))));
    for letter in "BCDEFGHIJKLMNOPRSTUVWXYZ"
        .chars()
        .filter(|letter| !signature.ends_with(*letter))
    {
        forged.push(("signature", last(&whole["signature"], letter)));
    }
    forged.push(("log_key", json!("example.org/log+00000000+AAAA")));
    forged.push(("proof", json!("c2sp.org/tlog-proof@v1\nindex 01\n\n")));
    for (name, value) in forged {
        let mut receipt = whole.clone();
        receipt[name] = value;
        let found = failed(&judged(&receipt));
        assert!(
            found == ["encoding"] || found == ["signature"],
            "{name}: {found:?}"
        );
    }
}

#[test]
fn a_proof_of_another_leaf_is_found() {
    let parts = Parts::new();
    let mut receipt = parts.json();
    receipt["proof"] = json!(parts.proof(&parts.key_records[0].record));
    assert_eq!(failed(&judged(&receipt)), ["inclusion", "key-window"]);
    let mut receipt = parts.json();
    receipt["key_records"][0]["proof"] = json!(parts.proof(&parts.session.record));
    assert_eq!(failed(&judged(&receipt)), ["key-inclusion", "key-window"]);
}

#[test]
fn a_checkpoint_of_another_origin_or_key_or_tree_is_found() {
    let parts = Parts::new();
    for other in [
        Parts {
            origin: "example.com/log".to_owned(),
            ..parts.clone()
        },
        Parts {
            log: 8,
            ..parts.clone()
        },
    ] {
        let mut receipt = parts.json();
        receipt["proof"] = json!(other.proof(&parts.session.record));
        assert_eq!(failed(&judged(&receipt)), ["checkpoint"]);
    }
    // a fork: the log's own key, another tree
    let fork = Parts {
        key_records: vec![parts.key_records[0].clone()],
        ..parts.clone()
    };
    let mut receipt = parts.json();
    receipt["key_records"][0]["proof"] = json!(fork.proof(&parts.key_records[0].record));
    assert_eq!(failed(&judged(&receipt)), ["key-inclusion"]);
}

#[test]
fn a_record_outside_the_window_of_its_key_is_found() {
    let ends = [
        signed(1, 4, &json!({"type": "key.retire", "x": x(1)})),
        signed(
            2,
            5,
            &json!({"type": "key.activate", "x": x(2), "replaces": kid(1)}),
        ),
        signed(
            2,
            9,
            &json!({
                "type": "key.revoke", "x": x(1), "revokes": kid(1), "reason": "stolen", "last_good_guild_seq": 4,
            }),
        ),
    ];
    for end in ends {
        let parts = Parts {
            key_records: vec![signed(1, 0, &activate(1)), end],
            ..Parts::new()
        };
        assert_eq!(failed(&judged(&parts.json())), ["key-window"]);
    }
    let late = Parts {
        key_records: vec![signed(1, 6, &activate(1))],
        ..Parts::new()
    };
    assert_eq!(failed(&judged(&late.json())), ["key-window"]);
    let open = Parts {
        key_records: vec![signed(1, 0, &activate(1))],
        ..Parts::new()
    };
    assert_eq!(open.verify().verdict(), Verdict::Valid);
}

#[test]
fn a_record_that_was_logged_after_the_last_good_one_of_its_key_is_found() {
    let revoked = |last_good_leaf_index: i64| {
        let draft = json!({
            "type": "key.revoke", "x": x(1), "revokes": kid(1), "reason": "stolen", "last_good_guild_seq": 5,
            "last_good_leaf_index": last_good_leaf_index,
        });
        Parts {
            key_records: vec![signed(1, 0, &activate(1)), signed(2, 9, &draft)],
            ..Parts::new()
        }
    };
    let parts = revoked(0);
    let leaf: i64 = parts
        .proof(&parts.session.record)
        .lines()
        .nth(1)
        .and_then(|line| line.strip_prefix("index "))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(revoked(leaf).verify().verdict(), Verdict::Valid);
    assert_eq!(failed(&judged(&revoked(leaf - 1).json())), ["key-window"]);
    assert_eq!(failed(&judged(&revoked(-1).json())), ["key-records"]);
}

#[test]
fn key_records_that_do_not_bear_on_the_key_are_found() {
    let strangers = [
        vec![],
        vec![signed(2, 0, &activate(2))],
        vec![signed(1, 0, &activate(2))],
        vec![signed(1, 0, &activate(1)), signed(1, 1, &activate(1))],
        vec![signed(1, 0, &activate(1)), signed(1, 3, &session())],
        vec![
            signed(1, 0, &activate(1)),
            signed(2, 9, &json!({"type": "key.retire", "x": x(2)})),
        ],
    ];
    for key_records in strangers {
        let parts = Parts {
            key_records,
            ..Parts::new()
        };
        assert_eq!(failed(&judged(&parts.json())), ["key-records"]);
    }
    let mut forged = Parts::new();
    forged.key_records[0].signature = forged.session.signature;
    assert_eq!(failed(&judged(&forged.json())), ["key-records"]);
    let mut many = Parts::new().json();
    many["key_records"] = json!(vec![many["key_records"][0].clone(); 17]);
    let bytes = serde_json::to_vec(&many).unwrap();
    assert_eq!(
        verify_receipt(&bytes, &Pins::default()).verdict(),
        Verdict::Unusable
    );
}

#[test]
fn a_timeline_that_is_not_the_signed_one_is_found() {
    let parts = Parts {
        timeline: crate::world::TIMELINE.replace("31000", "30000"),
        ..Parts::new()
    };
    assert_eq!(failed(&judged(&parts.json())), ["sums", "timeline-digest"]);
}

#[test]
fn a_signed_timeline_with_gaps_overlaps_or_another_spelling_is_found() {
    for timeline in [
        "[]",
        "",
        "{}",
        "[[1000,61000]]",
        r#"[[1000, 61000,"counted"]]"#,
        r#"[[1000,60000,"counted"]]"#,
        r#"[[999,61000,"counted"]]"#,
        r#"[[1000,30000,"counted"],[30000,61000,"counted"]]"#,
        r#"[[1000,30000,"counted"],[30001,61000,"muted"]]"#,
        r#"[[1000,30000,"counted"],[29999,61000,"muted"]]"#,
        r#"[[1000,30000,"counted"],[30000,30000,"muted"],[30000,61000,"solo"]]"#,
        r#"[[1000,61000,"asleep"]]"#,
        r#"[[1000,9007199254740993,"counted"]]"#,
        r#"[[-9007199254740991,9007199254740991,"counted"]]"#,
    ] {
        assert_eq!(
            failed(&judged(&with_timeline(timeline).json())),
            ["timeline"],
            "{timeline}"
        );
    }
}

#[test]
fn sums_that_do_not_follow_are_found_though_they_were_signed() {
    for (name, value) in [
        ("counted_ms", json!(60000)),
        ("credited_ms", json!(50001)),
        ("bridged_ms", json!(1)),
        ("unwitnessed_ms", json!(1)),
        (
            "paused_ms",
            json!({"deafened": 10000, "muted": 0, "solo": 0}),
        ),
    ] {
        let parts = with_session(|draft| draft[name] = value.clone());
        assert_eq!(failed(&judged(&parts.json())), ["sums"], "{name}");
    }
}

#[test]
fn members_that_a_session_cannot_have_are_found() {
    for (name, value) in [
        ("type", json!("attendance.external")),
        ("session_id", json!("01890A5D-AC96-774B-BCCE-B302099A8057")),
        ("user_id", json!("9223372036854775808")),
        ("channel_id", json!("07")),
        ("left_at_ms", json!(1000)),
        ("counted_ms", json!(-1)),
        ("part", json!("0")),
        ("paused_ms", json!({})),
        ("below_minimum", json!(0)),
        ("timeline_sha256", json!("A")),
    ] {
        let parts = with_session(|draft| draft[name] = value.clone());
        assert_eq!(failed(&judged(&parts.json())), ["session"], "{name}");
    }
}

#[test]
fn rules_under_which_the_timeline_cannot_come_about_are_found() {
    let rules = crate::world::RULES;
    let never = |_: &mut Value| {};
    for other in [
        rules.replace(r#""pause_on_mute":true"#, r#""pause_on_mute":false"#),
        rules.replace(r#""mode":"all""#, r#""mode":"off""#),
        rules.replace('{', r#"{"afk_channel_id":"99","#),
        rules.replace(r#""mode""#, r#" "mode""#),
        rules.replace("30", "3.0"),
        "{}".to_owned(),
        String::new(),
    ] {
        assert_eq!(
            failed(&judged(&with_rules(&other, never).json())),
            ["rules"],
            "{other}"
        );
    }
    let other = Parts {
        rules: rules.replace("120", "121"),
        ..Parts::new()
    };
    assert_eq!(failed(&judged(&other.json())), ["rules-digest"]);
}

#[test]
fn too_short_is_recomputed_where_it_can_be() {
    let strict = crate::world::RULES.replace("30", "60");
    let credited = with_rules(&strict, |_| {});
    assert_eq!(failed(&judged(&credited.json())), ["below-minimum"]);
    let nothing = with_rules(&strict, |draft| {
        draft["below_minimum"] = json!(true);
        draft["credited_ms"] = json!(0);
    });
    assert_eq!(nothing.verify().verdict(), Verdict::Valid);
    // The second part of a stay: what the first one counted is not here.
    let later = with_rules(&strict, |draft| draft["part"] = json!(1)).verify();
    assert_eq!(later.verdict(), Verdict::Valid);
    let check = later
        .checks
        .iter()
        .find(|check| check.name == "below-minimum")
        .unwrap();
    assert_eq!(check.outcome, Outcome::NotPossible);
}

#[test]
fn what_a_terminal_would_obey_is_never_shown_as_it_is() {
    let parts = with_session(|draft| draft["reason"] = json!("\u{1b}[2J\u{202e}leave"));
    let report = parts.verify();
    assert_eq!(
        report
            .claims
            .iter()
            .find(|(name, _)| *name == "reason")
            .unwrap()
            .1,
        r"\u{1b}[2J\u{202e}leave"
    );
}
