use rollcall_engine::records::encoding::{b64url, decode_b64url};
use rollcall_engine::records::profile::{Breach, canonicalise, parse_canonical};

use crate::json_vector;

fn breach(text: &str) -> Breach {
    canonicalise(text.as_bytes()).expect_err(text).breach
}

fn canonical(text: &str) -> String {
    String::from_utf8(canonicalise(text.as_bytes()).expect(text)).unwrap()
}

#[test]
fn rfc_8785_section_3_2_2_string_and_literals() {
    let text = r#"{ "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [true, false] }"#;
    assert_eq!(
        canonical(text),
        r#"{"literals":[true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
}

#[test]
fn the_rest_of_the_rfc_8785_sample_is_outside_the_profile() {
    assert_eq!(breach(r#"{"literals": [null, true, false]}"#), Breach::Null);
    for number in [
        "333333333.33333329",
        "1E30",
        "4.50",
        "2e-3",
        "0.000000000000000000000000001",
    ] {
        assert_eq!(
            breach(&format!(r#"{{"numbers": [{number}]}}"#)),
            Breach::NotInteger,
            "{number}"
        );
    }
}

#[test]
fn every_control_character_has_the_one_spelling_of_rfc_8785() {
    for code in 0..0x20_u8 {
        let expected = match code {
            8 => "\\b".to_owned(),
            9 => "\\t".to_owned(),
            10 => "\\n".to_owned(),
            12 => "\\f".to_owned(),
            13 => "\\r".to_owned(),
            _ => format!("\\u{code:04x}"),
        };
        assert_eq!(
            canonical(&format!("\"\\u{code:04X}\"")),
            format!("\"{expected}\"")
        );
        let raw = [b'"', code, b'"'];
        assert_eq!(canonicalise(&raw).expect_err("raw").breach, Breach::Control);
    }
    assert_eq!(
        canonical("\"\u{7f}\u{2028}\u{ffff}\""),
        "\"\u{7f}\u{2028}\u{ffff}\""
    );
}

#[test]
fn eight_containers_are_accepted_and_nine_are_not() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(canonical(&nested(8)), nested(8));
    assert_eq!(breach(&nested(9)), Breach::Depth);
    assert_eq!(breach(&"[".repeat(1_000_000)), Breach::Depth);
    let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(canonical(&objects(8)), objects(8));
    assert_eq!(breach(&objects(9)), Breach::Depth);
    assert_eq!(
        canonical("[[],[],[],[],[],[],[],[],[],[]]"),
        "[[],[],[],[],[],[],[],[],[],[]]"
    );
}

#[test]
fn keys_follow_the_pattern_after_their_escapes_are_read() {
    assert_eq!(canonical(r#"{"\u0061_1": 1}"#), r#"{"a_1":1}"#);
    let longest = "a".repeat(40);
    assert_eq!(
        canonical(&format!(r#"{{"{longest}":1}}"#)),
        format!(r#"{{"{longest}":1}}"#)
    );
    for key in [
        "",
        "1a",
        "_a",
        "A",
        "aB",
        "a-b",
        "a b",
        "é",
        &"a".repeat(41),
    ] {
        assert_eq!(breach(&format!(r#"{{"{key}":1}}"#)), Breach::Key, "{key}");
    }
    assert_eq!(breach(r#"{"a":1,"\u0061":1}"#), Breach::Duplicate);
    assert_eq!(breach(r#"{"b":1,"a":1,"b":1}"#), Breach::Duplicate);
}

#[test]
fn numbers_are_integers_that_a_double_holds() {
    for number in ["0", "1", "-1", "9007199254740991", "-9007199254740991"] {
        assert_eq!(canonical(number), number);
    }
    for (number, expected) in [
        ("9007199254740992", Breach::Range),
        ("-9007199254740992", Breach::Range),
        ("99999999999999999999999999999999", Breach::Range),
        ("-0", Breach::NegativeZero),
        ("00", Breach::LeadingZero),
        ("-01", Breach::LeadingZero),
        ("1.0", Breach::NotInteger),
        ("1e0", Breach::NotInteger),
        ("-", Breach::End),
        ("-x", Breach::Unexpected),
        ("+1", Breach::Unexpected),
        ("１", Breach::Unexpected),
    ] {
        assert_eq!(breach(number), expected, "{number}");
    }
}

#[test]
fn surrogates_come_in_pairs_or_not_at_all() {
    assert_eq!(canonical(r#""\uD83D\uDE00""#), "\"😀\"");
    for text in [
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\u0041""#,
        r#""\ude00\ud83d""#,
    ] {
        assert_eq!(breach(text), Breach::Surrogate, "{text}");
    }
    assert_eq!(
        canonicalise(b"\"\xed\xa0\x80\"").expect_err("CESU").breach,
        Breach::Utf8
    );
}

#[test]
fn every_prefix_of_a_text_is_an_error() {
    let text = r#"{"a":[true,false,-12,"x\u00e9\n"],"b":{}}"#;
    for end in 0..text.len() {
        let breach = canonicalise(&text.as_bytes()[..end])
            .expect_err("a prefix")
            .breach;
        assert!(
            matches!(breach, Breach::End | Breach::Unexpected),
            "{end}: {breach}"
        );
    }
}

#[test]
fn a_canonical_text_is_accepted_and_any_other_spelling_names_the_first_difference() {
    assert!(parse_canonical(br#"{"a":1,"b":"x"}"#).is_ok());
    for (text, at) in [
        (r#"{"a":1, "b":"x"}"#, 7),
        (r#"{"b":"x","a":1}"#, 2),
        ("{\"a\":1}\n", 7),
        (r#"{"a":"\u0041"}"#, 6),
        (r#"{"a":"\/"}"#, 6),
    ] {
        let error = parse_canonical(text.as_bytes()).expect_err(text);
        assert_eq!(
            (error.breach, error.at),
            (Breach::NotCanonical, at),
            "{text}"
        );
    }
}

#[test]
fn the_profile_vectors_are_refused_and_accepted_as_listed() {
    let Some(vectors) = json_vector("derived/jcs-profile.json") else {
        return;
    };
    for case in vectors["reject"].as_array().unwrap() {
        assert!(
            canonicalise(case["text"].as_str().unwrap().as_bytes()).is_err(),
            "{}",
            case["why"]
        );
    }
    for case in vectors["accept_noncanonical"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        assert_eq!(canonical(text), case["canonical"].as_str().unwrap());
        assert!(canonical(text) == text || parse_canonical(text.as_bytes()).is_err());
    }
}

#[test]
fn base64url_has_one_spelling_for_each_value() {
    for length in 0..70 {
        let bytes: Vec<u8> = (0..length).map(|byte: u8| byte.wrapping_mul(37)).collect();
        let text = b64url(&bytes);
        assert_eq!(decode_b64url(&text, bytes.len()).unwrap(), bytes);
        assert!(decode_b64url(&format!("{text}="), bytes.len()).is_err());
        assert!(decode_b64url(&text, bytes.len() + 1).is_err());
    }
    assert_eq!(decode_b64url("AA", 1).unwrap(), [0]);
    for text in ["AB", "A A", "A", "AA==", "A\n", "+A", "/A", "é"] {
        assert!(decode_b64url(text, 1).is_err(), "{text}");
    }
    assert!(decode_b64url("AA", usize::MAX).is_err());
}
