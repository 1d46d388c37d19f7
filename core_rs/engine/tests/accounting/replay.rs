//! Section 9: `rollcall replay`.
use rollcall_engine::accounting::Replay;

use crate::random::Random;
use crate::trace::*;

const A_SESSION: &str = "{\"below_minimum\":false,\"bridged_ms\":0,\"channel_id\":\"10\",\"counted_ms\":9,\"credited_ms\":9,\
    \"guild_id\":\"7\",\"joined_at_ms\":0,\"left_at_ms\":9,\"part\":0,\
    \"paused_ms\":{\"deafened\":0,\"muted\":0,\"solo\":0},\"period_index\":0,\"reason\":\"leave\",\"stay\":0,\
    \"timeline\":[[0,9,\"counted\"]],\"unwitnessed_ms\":0,\"user_id\":\"1\"}\n";

fn replay(text: &[u8], include_open: bool) -> String {
    let mut replay = Replay::new(include_open);
    let mut out = replay.feed(text).unwrap();
    out.extend(replay.finish().unwrap());
    String::from_utf8(out).unwrap()
}

#[test]
fn a_closed_session_is_one_line_with_the_members_of_section_7() {
    let text = [join(0, 1, 10), leave(9, 1)].join("\n");
    assert_eq!(replay(text.as_bytes(), false), A_SESSION);
    let line: serde_json::Value = serde_json::from_str(A_SESSION).unwrap();
    assert_eq!(
        serde_json::to_string(&line).unwrap() + "\n",
        A_SESSION,
        "sorted keys, no white space"
    );
}

#[test]
fn open_sessions_come_last_by_guild_and_user_with_null_for_what_is_not_known_yet() {
    let other = join(3, 5, 10).replace(r#""guild_id":"7""#, r#""guild_id":"3""#);
    let text = [
        join(0, 2, 10),
        join(0, 1, 10),
        blind(9),
        leave(12, 1),
        other,
    ]
    .join("\n");
    assert_eq!(replay(text.as_bytes(), false), "");
    let out = replay(text.as_bytes(), true);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].contains(r#""guild_id":"3","joined_at_ms":3,"left_at_ms":null"#));
    assert!(
        lines[0].contains(r#""timeline":[]"#),
        "of length zero, and there"
    );
    assert!(
        lines[1].contains(r#""stay":1,"timeline":[[0,9,"counted"]]"#),
        "blind: reckoned to its start"
    );
    assert!(lines[1].contains(r#""reason":null"#));
    assert!(lines[2].contains(r#""user_id":"2""#));
}

#[test]
fn a_malformed_line_stops_it_with_what_was_printed_before() {
    let text = [
        join(0, 1, 10),
        leave(9, 1),
        "{}".to_owned(),
        join(10, 1, 10),
        leave(19, 1),
    ]
    .join("\n");
    let mut replay = Replay::new(true);
    let error = replay.feed(text.as_bytes()).unwrap_err();
    assert_eq!(
        (error.line_number, error.to_string().as_str()),
        (3, "`at` is missing")
    );
    assert_eq!(error.printed, A_SESSION.as_bytes());
    assert_eq!(replay.lines(), 3);
    let again = replay.finish().unwrap_err();
    assert_eq!((again.line_number, again.printed.len()), (3, 0));
    assert!(replay.feed(b"").is_err());
}

#[test]
fn a_malformed_last_line_without_newline_is_one_too() {
    let mut replay = Replay::new(true);
    assert_eq!(
        replay
            .feed(
                [join(0, 1, 10), leave(9, 1), " ".to_owned()]
                    .join("\n")
                    .as_bytes()
            )
            .unwrap(),
        A_SESSION.as_bytes()
    );
    let error = replay.finish().unwrap_err();
    assert_eq!(
        (error.line_number, error.to_string().as_str()),
        (3, "a blank line")
    );
}

#[test]
fn an_empty_trace_prints_nothing_and_lines_may_end_in_crlf() {
    assert_eq!(replay(b"", true), "");
    assert_eq!(
        replay(
            [join(0, 1, 10), leave(9, 1), String::new()]
                .join("\r\n")
                .as_bytes(),
            true
        ),
        A_SESSION
    );
}

#[test]
fn chunks_may_end_anywhere() {
    let mut random = Random::new(5);
    let trace = random.trace(300);
    let text = trace.join("\n");
    let whole = replay(text.as_bytes(), true);
    for _ in 0..20 {
        let (mut replay, mut out, mut rest) = (Replay::new(true), Vec::new(), text.as_bytes());
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at((1 + random.below(97) as usize).min(rest.len()));
            out.extend(replay.feed(chunk).unwrap());
            rest = after;
        }
        out.extend(replay.finish().unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), whole);
        assert_eq!(replay.lines(), 300);
    }
}
