//! Section 2: which lines are malformed.
use rollcall_engine::accounting::trace::{lines, parse_line};
use rollcall_engine::accounting::{Engine, Event, Flags};

use crate::trace::*;

fn accepts(line: &str) -> bool {
    parse_line(line.as_bytes()).is_ok()
}

fn refuses(text: &str) -> String {
    parse_line(text.as_bytes()).expect_err(text).to_string()
}

fn replace(from: &str, to: &str) -> String {
    let line = is_in(5, 1, 10, "mMdDb");
    assert!(line.contains(from), "{from} is not in {line}");
    line.replacen(from, to, 1)
}

#[test]
fn a_line_is_one_json_object_in_utf8() {
    for text in [
        "",
        " ",
        "\t\r",
        "[]",
        "null",
        "1",
        "{",
        "{} {}",
        "{}x",
        "\u{feff}{}",
        "{\"at\":1,}",
        "{'at':1}",
    ] {
        refuses(text);
    }
    assert_eq!(
        parse_line(b"{\"at\":1,\"x\":\"\xff\"}")
            .unwrap_err()
            .to_string(),
        "not UTF-8"
    );
    assert_eq!(refuses("  "), "a blank line");
    assert!(accepts(&format!(" {}\t\r", blind(5))));
}

#[test]
fn the_members_of_every_line_are_required() {
    for name in ["at", "type", "guild_id", "user_id", "channel_id"] {
        assert_eq!(
            refuses(&replace(&format!("\"{name}\""), "\"x\"")),
            format!("`{name}` is missing")
        );
    }
    for (text, name) in [
        (line(0, "rules", ""), "rules"),
        (line(0, "snapshot", ""), "voice_states"),
        (line(0, "channel", r#""channel_id":"1""#), "parent_id"),
        (line(0, "channel", r#""parent_id":"1""#), "channel_id"),
        (line(0, "channel_deleted", ""), "channel_id"),
        (line(0, "opt_out", r#""out":true"#), "user_id"),
        (
            line(0, "snapshot", r#""voice_states":[{"user_id":"1"}]"#),
            "channel_id",
        ),
        (
            line(0, "snapshot", r#""voice_states":[{"channel_id":"1"}]"#),
            "user_id",
        ),
    ] {
        assert_eq!(refuses(&text), format!("`{name}` is missing"));
    }
}

#[test]
fn missing_booleans_are_false_and_unknown_members_are_ignored() {
    let text = format!(
        r#"{{"at":-5,"type":"voice_state","guild_id":"{GUILD}","user_id":"1","channel_id":null,"suppress":null,"x":[{{}},-1e9]}}"#
    );
    let Event::VoiceState(state) = parse_line(text.as_bytes()).unwrap().event else {
        panic!()
    };
    assert_eq!(
        (state.flags, state.bot, state.channel_id),
        (Flags::default(), false, None)
    );
    let Event::OptOut { out, .. } = parse_line(line(0, "opt_out", r#""user_id":"1""#).as_bytes())
        .unwrap()
        .event
    else {
        panic!()
    };
    assert!(!out);
}

#[test]
fn at_is_an_integer() {
    for at in [
        "1.0",
        "1e3",
        "\"1\"",
        "null",
        "true",
        "[]",
        "9007199254740992",
        "-9007199254740992",
        "1E400",
    ] {
        assert!(
            refuses(&replace("\"at\":5", &format!("\"at\":{at}")))
                .contains("`at` is not an integer"),
            "{at}"
        );
    }
    for (at, value) in [
        ("-0", 0),
        ("-17", -17),
        ("9007199254740991", 9_007_199_254_740_991),
    ] {
        assert_eq!(
            parse_line(replace("\"at\":5", &format!("\"at\":{at}")).as_bytes())
                .unwrap()
                .at,
            value
        );
    }
    for at in [
        "01", "+1", "1.", ".5", "0x1", "NaN", "Infinity", "1_0", "--1", "-",
    ] {
        refuses(&replace("\"at\":5", &format!("\"at\":{at}")));
    }
}

#[test]
fn at_never_decreases_within_a_guild() {
    let mut engine = Engine::new();
    let other = blind(1).replace(r#""guild_id":"7""#, r#""guild_id":"8""#);
    engine
        .apply_batch([blind(5), other, blind(5)].join("\n").as_bytes())
        .unwrap();
    let error = engine.apply_batch(blind(4).as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1: `at` is 4, lower than the guild's last, 5"
    );
}

#[test]
fn ids_are_decimal_strings_below_2_to_the_63() {
    for id in [
        "1",
        "null",
        "\"\"",
        "\"01\"",
        "\"-1\"",
        "\"+1\"",
        "\" 1\"",
        "\"1 \"",
        "\"1_0\"",
        "\"00\"",
        "\"１\"",
        "\"0x1\"",
        "\"1.0\"",
        "\"9223372036854775808\"",
        "\"99999999999999999999\"",
        "\"10000000000000000000\"",
    ] {
        assert!(
            refuses(&replace("\"user_id\":\"1\"", &format!("\"user_id\":{id}")))
                .contains("`user_id` is not an id")
        );
        assert!(!accepts(&replace(
            "\"guild_id\":\"7\"",
            &format!("\"guild_id\":{id}")
        )));
        if id != "null" {
            assert!(!accepts(&replace(
                "\"channel_id\":\"10\"",
                &format!("\"channel_id\":{id}")
            )));
            assert!(!accepts(&line(
                0,
                "channel",
                &format!(r#""channel_id":"1","parent_id":{id}"#)
            )));
            assert!(!accepts(&rules(0, &format!(r#""afk_channel_id":{id}"#))));
        }
        assert!(!accepts(&rules(0, &format!(r#""channels":[{id}]"#))));
        assert!(!accepts(&line(
            0,
            "snapshot",
            &format!(r#""voice_states":[{{"user_id":"1","channel_id":{id}}}]"#)
        )));
    }
    for id in ["0", "9223372036854775807", "\\u0031"] {
        assert!(accepts(&replace(
            "\"user_id\":\"1\"",
            &format!("\"user_id\":\"{id}\"")
        )));
    }
}

#[test]
fn flags_and_out_are_booleans() {
    for name in ["self_mute", "mute", "self_deaf", "deaf", "bot"] {
        for value in ["0", "1", "null", "\"true\"", "[]"] {
            let text = replace(&format!("\"{name}\":true"), &format!("\"{name}\":{value}"));
            assert_eq!(refuses(&text), format!("`{name}` is not true or false"));
        }
    }
    assert!(!accepts(&line(0, "opt_out", r#""user_id":"1","out":1"#)));
    assert!(!accepts(&line(0, "opt_out", r#""user_id":"1","out":null"#)));
}

#[test]
fn types_and_modes_are_known_ones() {
    for kind in ["", "Blind", "voice_states", "\\ud800"] {
        assert!(refuses(&line(0, kind, "")).contains("`type` is not one of"));
    }
    assert!(!accepts(&blind(0).replace("\"blind\"", "null")));
    assert!(!accepts(&rules(0, r#""mode":"None""#)));
    assert!(!accepts(&rules(0, r#""mode":null"#)));
    for mode in ["all", "allowlist", "denylist", "off"] {
        assert!(accepts(&rules(0, &format!(r#""mode":"{mode}""#))));
    }
    assert!(accepts(&blind(0).replace("blind", "bl\\u0069nd")));
}

#[test]
fn rules_are_objects_of_the_right_kinds() {
    for text in ["null", "[]", "1"] {
        assert!(!accepts(&line(0, "rules", &format!(r#""rules":{text}"#))));
    }
    for member in [
        r#""channels":null"#,
        r#""channels":{}"#,
        r#""channels":"1""#,
        r#""pause_on_mute":null"#,
        r#""pause_on_deafen":1"#,
        r#""pause_when_solo":"true""#,
        r#""min_session_seconds":-1"#,
        r#""min_session_seconds":1.0"#,
        r#""min_session_seconds":null"#,
        r#""min_session_seconds":true"#,
        r#""bridge_gap_seconds":"120""#,
        r#""bridge_gap_seconds":9007199254740992"#,
    ] {
        assert!(!accepts(&rules(0, member)), "{member}");
    }
    assert!(accepts(&rules(
        0,
        r#""afk_channel_id":null,"min_session_seconds":9007199254740991,"new":null"#
    )));
}

#[test]
fn snapshots_are_lists_of_objects() {
    for states in ["null", "{}", "[1]", "[null]", "[[]]"] {
        assert!(
            !accepts(&line(0, "snapshot", &format!(r#""voice_states":{states}"#))),
            "{states}"
        );
    }
}

#[test]
fn of_duplicate_members_the_last_holds() {
    assert_eq!(
        parse_line(replace("\"at\":5", "\"at\":\"x\",\"at\":6").as_bytes())
            .unwrap()
            .at,
        6
    );
    assert!(!accepts(&replace("\"at\":5", "\"at\":6,\"at\":null")));
    assert!(accepts(&rules(0, r#""mode":1,"mode":"off""#)));
}

#[test]
fn a_batch_is_applied_whole_or_not_at_all() {
    let mut engine = Engine::new();
    engine.apply_batch(join(0, 1, 10).as_bytes()).unwrap();
    let before = engine.save(GUILD);
    let error = engine
        .apply_batch(
            [leave(5, 1), join(6, 2, 10), "{}".to_owned()]
                .join("\n")
                .as_bytes(),
        )
        .unwrap_err();
    assert_eq!(
        (error.line_number, error.cause.to_string().as_str()),
        (3, "`at` is missing")
    );
    assert_eq!(engine.save(GUILD), before);
}

#[test]
fn a_last_line_needs_no_newline_and_an_empty_text_has_no_line() {
    let split = |text: &'static str| {
        lines(text.as_bytes())
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>()
    };
    assert!(split("").is_empty());
    assert_eq!(split("\n"), [b""]);
    assert_eq!(split("a\nb"), [b"a", b"b"]);
    assert_eq!(split("a\nb\n"), [b"a", b"b"]);
    assert_eq!(split("a\n\nb\n\n"), [&b"a"[..], b"", b"b", b""]);
}
