//! The hand-written reader accepts exactly what `serde_json` accepts, and any bytes give a line or our error.
use rollcall_engine::accounting::trace::parse_line;
use rollcall_engine::accounting::{Engine, Replay, is_json_object};
use serde_json::value::RawValue;

use crate::random::Random;
use crate::trace::*;

/// `RawValue` checks the grammar alone: a `Value` would refuse lone surrogates and large exponents on top.
fn serde_accepts(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get().starts_with('{'))
    })
}

fn depth(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .filter(|byte| matches!(byte, b'{' | b'['))
        .count()
}

const PIECES: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "\\ud83d",
    "\\n",
    "\\x",
    "\"a\"",
    "\"at\"",
    "\"\"",
    "1",
    "0",
    "-",
    "-0",
    "01",
    "1.5",
    ".",
    "e",
    "E+9",
    "1e",
    "1e400",
    "true",
    "false",
    "null",
    "tru",
    "nul",
    " ",
    "\t",
    "\r",
    "\n",
    "\u{0}",
    "\u{1f}",
    "\u{7f}",
    "é",
    "\u{feff}",
    "\u{1f600}",
    "NaN",
    "{\"a\":",
    "[1,",
];

#[test]
fn random_pieces_of_json_are_judged_alike() {
    let mut random = Random::new(1);
    let mut accepted = 0;
    for _ in 0..400_000 {
        let mut text = String::from(if random.below(2) == 0 { "{\"a\":" } else { "{" });
        for _ in 0..random.below(7) {
            text += PIECES[random.below(PIECES.len() as u64) as usize];
        }
        if random.below(4) > 0 {
            text.push('}');
        }
        let expected = serde_accepts(text.as_bytes());
        accepted += usize::from(expected);
        assert_eq!(is_json_object(text.as_bytes()), expected, "{text:?}");
    }
    assert!(accepted > 5_000, "{accepted}");
}

#[test]
fn mutated_lines_are_judged_alike_and_never_panic() {
    let mut random = Random::new(2);
    for _ in 0..800 {
        for line in random.trace(50) {
            let mut bytes = line.into_bytes();
            for _ in 0..random.below(4) {
                let index = random.below(bytes.len().max(1) as u64) as usize;
                if bytes.is_empty() {
                    break;
                }
                match random.below(5) {
                    0 => drop(bytes.remove(index)),
                    1 => bytes.insert(index, random.below(256) as u8),
                    2 => bytes[index] = b"{}[]\",:\\u0e-. tn"[random.below(16) as usize],
                    3 => bytes.truncate(index + 1),
                    _ => {
                        let piece = PIECES[random.below(PIECES.len() as u64) as usize];
                        bytes.splice(index..index, piece.bytes());
                    }
                }
            }
            let is_object = is_json_object(&bytes);
            assert_eq!(
                is_object,
                serde_accepts(&bytes),
                "{:?}",
                String::from_utf8_lossy(&bytes)
            );
            let parsed = parse_line(&bytes);
            assert!(is_object || parsed.is_err());
        }
    }
}

#[test]
fn nested_values_are_judged_alike_up_to_our_bound() {
    let mut random = Random::new(4);
    for _ in 0..20_000 {
        let mut text = String::from("{\"a\":");
        let mut closing = vec!['}'];
        for _ in 0..random.below(40) {
            if random.below(2) == 0 {
                text += ["[", "[0,", "[\"x\" , ", "[[],{},", "[ "][random.below(5) as usize];
                closing.push(']');
            } else {
                text += ["{\"k\":", "{ \"k\" : 1 , \"l\" :", "{\"k\":[{}],\"l\":"]
                    [random.below(3) as usize];
                closing.push('}');
            }
        }
        text += ["1", "{}", "[]", "null", "", "[{\"z\":[]}]"][random.below(6) as usize];
        while let Some(close) = closing.pop() {
            if random.below(200) > 0 {
                text.push(close);
            }
            if random.below(4) == 0 && closing.last() == Some(&']') {
                text += ",2";
            }
        }
        if depth(text.as_bytes()) < 120 {
            assert_eq!(
                is_json_object(text.as_bytes()),
                serde_accepts(text.as_bytes()),
                "{text}"
            );
        }
    }
}

#[test]
fn any_bytes_give_an_answer() {
    let mut random = Random::new(6);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..random.below(60))
            .map(|_| random.below(256) as u8)
            .collect();
        let _ = parse_line(&bytes);
        let _ = Engine::new().apply_batch(&bytes);
        let _ = Engine::new().restore(GUILD, &bytes);
        let mut replay = Replay::new(true);
        let _ = replay.feed(&bytes).and_then(|_| replay.finish());
    }
}
