//! A strict JSON reader over bytes (RFC 8259), made for short flat lines: it allocates nothing but for strings with
//! escapes, and everything that it skips is still checked. Bytes must be valid UTF-8 before they come here.
//!
//! Lone-surrogate escapes fit the grammar, so they are accepted where nothing reads them; they decode to U+FFFD, which
//! equals no name of ours. Of duplicate members the last holds.
use std::borrow::Cow;

use thiserror::Error;

/// Objects and arrays nest at most this deep, as in `serde_json`; one bit a level fits a word.
pub const MAX_DEPTH: u32 = 127;

/// Not JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not JSON: {what} at byte {offset}")]
pub struct JsonError {
    /// From 0.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// A string's bytes between the quotes, as written.
#[derive(Clone, Copy, Debug)]
pub struct RawString<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> RawString<'a> {
    /// Its bytes with escapes resolved.
    #[inline]
    pub fn decode(self) -> Cow<'a, [u8]> {
        if self.escaped {
            Cow::Owned(unescape(self.raw))
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

/// A value that has been checked, and not looked into yet.
#[derive(Clone, Copy, Debug)]
pub enum Raw<'a> {
    /// A string.
    String(RawString<'a>),
    /// A number as written.
    Number(&'a [u8]),
    /// true or false.
    Bool(bool),
    /// null.
    Null,
    /// An array.
    Array(Checked<'a>),
    /// An object.
    Object(Checked<'a>),
}

/// The largest integer of the signing profile, and of doubles: 2^53 - 1.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

impl Raw<'_> {
    /// The integer it is, if its absolute value is at most 2^53-1. `1.0` and `1e3` are no integers, `-0` is 0.
    pub fn integer(self) -> Option<i64> {
        let Self::Number(digits) = self else {
            return None;
        };
        let (negative, digits) = match digits {
            [b'-', rest @ ..] => (true, rest),
            all => (false, all),
        };
        if digits.len() > 16 {
            return None; // the grammar allows no leading zeros, so it is above 2^53
        }
        let mut value: i64 = 0;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
        }
        (value <= MAX_INTEGER).then_some(if negative { -value } else { value })
    }
}

/// The bytes of an array or object that has been checked.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a>(&'a [u8]);

impl<'a> Checked<'a> {
    /// An array's elements, in order.
    pub fn elements(self) -> impl Iterator<Item = Result<Raw<'a>, JsonError>> {
        let mut cursor = Cursor::new(self.0);
        let mut open = cursor.open(b'[', b']');
        std::iter::from_fn(move || {
            if !matches!(open, Ok(true)) {
                return open.err().inspect(|_| open = Ok(false)).map(Err);
            }
            let value = cursor.value();
            open = match value {
                Ok(_) => cursor.more(b']'),
                Err(_) => Ok(false),
            };
            Some(value)
        })
    }

    /// Visits an object's members, in order.
    pub fn members(self, visit: impl FnMut(RawString<'a>, Raw<'a>)) -> Result<(), JsonError> {
        Cursor::new(self.0).members(visit)
    }
}

/// Reads from left to right.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, JsonError> {
        Err(JsonError {
            offset: self.at,
            what,
        })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Whether only white space is left.
    pub fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.at >= self.bytes.len()
    }

    fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    fn eat(&mut self, byte: u8, what: &'static str) -> Result<(), JsonError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.fail(what)
        }
    }

    /// One value and nothing after it but white space.
    pub fn whole_value(&mut self) -> Result<Raw<'a>, JsonError> {
        self.skip_space();
        let value = self.value()?;
        if self.is_at_end() {
            Ok(value)
        } else {
            self.fail("more after the end")
        }
    }

    /// One object and nothing after it but white space; `visit` sees its members in order.
    pub fn whole_object(
        &mut self,
        visit: impl FnMut(RawString<'a>, Raw<'a>),
    ) -> Result<(), JsonError> {
        self.skip_space();
        self.members(visit)?;
        if self.is_at_end() {
            Ok(())
        } else {
            self.fail("more after the object")
        }
    }

    fn members(&mut self, mut visit: impl FnMut(RawString<'a>, Raw<'a>)) -> Result<(), JsonError> {
        let mut more = self.open(b'{', b'}')?;
        while more {
            let key = self.key()?;
            let value = self.value()?;
            visit(key, value);
            more = self.more(b'}')?;
        }
        Ok(())
    }

    /// Eats the opening bracket and says whether there is anything before the closing one.
    fn open(&mut self, open: u8, close: u8) -> Result<bool, JsonError> {
        self.eat(
            open,
            if open == b'{' {
                "an object was expected"
            } else {
                "an array was expected"
            },
        )?;
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// After a value: eats the comma, or the closing bracket, and says which it was.
    fn more(&mut self, close: u8) -> Result<bool, JsonError> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => self.fail("a comma or a closing bracket was expected"),
        }
    }

    /// A member's name and its colon.
    fn key(&mut self) -> Result<RawString<'a>, JsonError> {
        let key = self.string()?;
        self.skip_space();
        self.eat(b':', "a colon was expected")?;
        self.skip_space();
        Ok(key)
    }

    fn value(&mut self) -> Result<Raw<'a>, JsonError> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string().map(Raw::String),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Ok(Raw::Number(self.since(start)))
            }
            Some(b'{') => {
                self.skip_container()?;
                Ok(Raw::Object(Checked(self.since(start))))
            }
            Some(b'[') => {
                self.skip_container()?;
                Ok(Raw::Array(Checked(self.since(start))))
            }
            Some(b't') => self.word(b"true", Raw::Bool(true)),
            Some(b'f') => self.word(b"false", Raw::Bool(false)),
            Some(b'n') => self.word(b"null", Raw::Null),
            _ => self.fail("a value was expected"),
        }
    }

    fn word(&mut self, word: &'static [u8], value: Raw<'a>) -> Result<Raw<'a>, JsonError> {
        if self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            self.at += word.len();
            Ok(value)
        } else {
            self.fail("a value was expected")
        }
    }

    fn string(&mut self) -> Result<RawString<'a>, JsonError> {
        self.eat(b'"', "a string was expected")?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            self.at += plain.unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => {
                    let raw = self.since(start);
                    self.at += 1;
                    return Ok(RawString { raw, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => return self.fail("a control character in a string"),
                None => return self.fail("a string has no end"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return self.fail("four hexadecimal digits were expected");
                    }
                    self.at += 1;
                }
                Ok(())
            }
            _ => self.fail("an unknown escape"),
        }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            self.fail("a digit was expected")
        } else {
            Ok(())
        }
    }

    /// Checks an object or array without recursion. `kinds` has one bit a level, the innermost lowest: 1 is an object.
    fn skip_container(&mut self) -> Result<(), JsonError> {
        let (mut kinds, mut depth) = (0_u128, 1_u32); // the line itself is the first level
        loop {
            let (is_object, close) = match self.peek() {
                Some(b'{') => (1, b'}'),
                _ => (0, b']'),
            };
            if depth >= MAX_DEPTH {
                return self.fail("nested too deeply");
            }
            let mut more = self.open(if is_object == 1 { b'{' } else { b'[' }, close)?;
            if more {
                depth += 1;
                kinds = (kinds << 1) | is_object;
            } else if depth == 1 {
                return Ok(());
            } else {
                more = self.close_levels(&mut kinds, &mut depth)?;
                if !more {
                    return Ok(());
                }
            }
            while more {
                if kinds & 1 == 1 {
                    self.key()?;
                }
                if let Some(b'{' | b'[') = self.peek() {
                    break;
                }
                self.value()?;
                more = self.close_levels(&mut kinds, &mut depth)?;
                if !more {
                    return Ok(());
                }
            }
        }
    }

    /// After a value inside a container: true if another value follows at some level, false if the outermost closed.
    fn close_levels(&mut self, kinds: &mut u128, depth: &mut u32) -> Result<bool, JsonError> {
        while !self.more(if *kinds & 1 == 1 { b'}' } else { b']' })? {
            *kinds >>= 1;
            *depth -= 1;
            if *depth == 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether these bytes are one JSON object (and UTF-8), as far as this reader is concerned.
pub fn is_json_object(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && Cursor::new(bytes).whole_object(|_, _| {}).is_ok()
}

/// Resolves escapes that have been checked.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().copied();
    let hex4 = |rest: &mut dyn Iterator<Item = u8>| {
        rest.take(4).fold(0_u32, |code, digit| {
            code * 16 + char::from(digit).to_digit(16).unwrap_or(0)
        })
    };
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let mut code = match rest.next() {
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => 10,
            Some(b'r') => 13,
            Some(b't') => 9,
            Some(b'u') => hex4(&mut rest),
            Some(other) => u32::from(other),
            None => break,
        };
        if (0xd800..0xdc00).contains(&code) {
            let mut ahead = rest.clone();
            if ahead.next() == Some(b'\\') && ahead.next() == Some(b'u') {
                let low = hex4(&mut ahead);
                if (0xdc00..0xe000).contains(&low) {
                    code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    rest = ahead;
                }
            }
        }
        let decoded = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn escapes_decode_and_lone_surrogates_become_replacement_characters() {
        for (raw, expected) in [
            (r#""a""#, "a"),
            (r#""\u0061t""#, "at"),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""\ud83d\ude00!""#, "\u{1f600}!"),
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\ud83dx""#, "\u{fffd}x"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\ude00""#, "\u{fffd}"),
        ] {
            let Ok(Raw::String(string)) = Cursor::new(raw.as_bytes()).whole_value() else {
                panic!("{raw}")
            };
            assert_eq!(string.decode(), expected.as_bytes(), "{raw}");
        }
    }

    #[test]
    fn integers_are_integers() {
        for (raw, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-12", Some(-12)),
            ("9007199254740991", Some(MAX_INTEGER)),
            ("9007199254740992", None),
            ("123456789012345678901234567890", None),
            ("1.0", None),
            ("1e3", None),
            ("true", None),
            ("\"1\"", None),
        ] {
            assert_eq!(
                Cursor::new(raw.as_bytes())
                    .whole_value()
                    .ok()
                    .and_then(Raw::integer),
                expected,
                "{raw}"
            );
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_json_object(nested(126).as_bytes()));
        assert!(!is_json_object(nested(127).as_bytes()));
        assert!(!is_json_object("[".repeat(1_000_000).as_bytes()));
    }
}
