//! The signing profile (records specification, section 1): strict parse, canonical bytes (RFC 8785 under the profile).
//!
//! An own parser and not `serde_json`: that one keeps the last of duplicate members, takes `1.0`, and rounds nothing but
//! accepts everything up to 64 bits. Here whatever is outside the profile is an error with the byte where it starts.
//!
//! Depth counts containers: the outermost object or array is depth 1 (so a record object is), one inside it is depth 2;
//! scalars add nothing. [`MAX_DEPTH`] containers inside each other are accepted, one more is not.
//! Any JSON value may be outermost here; [`super::record`] insists on an object, and bounds its size.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::borrow::Cow;
use std::fmt::Write as _;

/// Containers inside each other, the outermost included.
pub const MAX_DEPTH: usize = 8;
/// Bytes of a record, canonical.
pub const MAX_RECORD_BYTES: usize = 16 * 1024;
/// Largest absolute value of a number: 2^53 - 1, what an IEEE double holds exactly (RFC 7493, section 2.2).
pub const MAX_INTEGER: i64 = (1 << 53) - 1;
/// Bytes of a member name: `^[a-z][a-z0-9_]{0,39}$`.
pub const MAX_KEY_BYTES: usize = 40;

/// A breach of the profile and the byte offset at which it was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {breach}")]
pub struct ProfileError {
    /// Offset into the text, from 0.
    pub at: usize,
    /// What is wrong there.
    pub breach: Breach,
}

/// The ways to be outside the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// A byte order mark.
    #[error("byte order mark")]
    ByteOrderMark,
    /// The text ends inside a value.
    #[error("unexpected end")]
    End,
    /// Another character than JSON has there.
    #[error("unexpected character")]
    Unexpected,
    /// Something after the value.
    #[error("something follows the value")]
    Trailing,
    /// `null`.
    #[error("null (leave the member out)")]
    Null,
    /// A fraction or exponent.
    #[error("a number that is not spelled as an integer")]
    NotInteger,
    /// `-0`.
    #[error("negative zero")]
    NegativeZero,
    /// `01`.
    #[error("leading zero")]
    LeadingZero,
    /// Beyond 2^53 - 1.
    #[error("a number beyond 2^53-1")]
    Range,
    /// A raw control character in a string.
    #[error("control character in a string")]
    Control,
    /// An escape that JSON does not have.
    #[error("unknown escape")]
    Escape,
    /// Half of a surrogate pair.
    #[error("lone surrogate")]
    Surrogate,
    /// A member name outside the pattern.
    #[error("a member name must match ^[a-z][a-z0-9_]{{0,39}}$")]
    Key,
    /// The same member twice.
    #[error("duplicate member in this object")]
    Duplicate,
    /// Containers nested too deeply.
    #[error("nested deeper than 8")]
    Depth,
    /// Canonical, but not these bytes.
    #[error("not canonical")]
    NotCanonical,
    /// Longer than a record may be.
    #[error("longer than 16384 bytes")]
    Size,
    /// A record is an object.
    #[error("not an object")]
    NotObject,
    /// A record names its type.
    #[error("no member \"type\" that is a non-empty string")]
    NoType,
    /// A draft brings a member that only the signer may set.
    #[error(
        "a chain member (v, guild_id, guild_seq, prev, kid, signed_at_ms, salt) is already set"
    )]
    ChainMember,
    /// base64url text that is not the one spelling of that many bytes.
    #[error("not strict base64url (no padding, no trailing bits) of the expected length")]
    Base64,
}

impl Breach {
    /// This breach at a byte offset.
    pub fn at(self, at: usize) -> ProfileError {
        ProfileError { at, breach: self }
    }
}

/// A value of the profile, borrowing what it can from the text. Members of an object are sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// An integer with absolute value at most [`MAX_INTEGER`].
    Int(i64),
    /// A string.
    Str(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object, members ascending by name.
    Object(Vec<Member<'a>>),
}

/// Name and value.
pub type Member<'a> = (Cow<'a, str>, Value<'a>);

impl<'a> Value<'a> {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The member of that name, if this is an object that has it.
    pub fn member(&self, name: &str) -> Option<&Value<'a>> {
        let Self::Object(members) = self else {
            return None;
        };
        let found = members
            .binary_search_by(|(key, _)| key.as_ref().cmp(name))
            .ok()?;
        members.get(found).map(|(_, value)| value)
    }

    /// Append the canonical text.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Int(number) => write_int(*number, out),
            Self::Str(text) => write_str(text, out),
            Self::Array(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => write_object(members, out),
        }
    }
}

/// Append the canonical text of an object whose members are already ascending and distinct.
pub(super) fn write_object(members: &[Member<'_>], out: &mut String) {
    out.push('{');
    for (place, (key, value)) in members.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push('"');
        out.push_str(key); // names have no character that needs an escape
        out.push_str("\":");
        value.write(out);
    }
    out.push('}');
}

fn write_int(number: i64, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{number}");
}

/// RFC 8785, section 3.2.2.2: only what JSON makes necessary is escaped, the short form where there is one.
fn write_str(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(place) = rest
        .bytes()
        .position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        let Some((plain, after)) = rest.split_at_checked(place) else {
            break;
        };
        out.push_str(plain);
        let mut after = after.chars();
        match after.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\t') => out.push_str("\\t"),
            Some('\n') => out.push_str("\\n"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\r') => out.push_str("\\r"),
            Some(control) => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            None => {}
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Strict parse under the profile.
pub fn parse(text: &[u8]) -> Result<Value<'_>, ProfileError> {
    let text = std::str::from_utf8(text).map_err(|error| Breach::Utf8.at(error.valid_up_to()))?;
    if text.starts_with('\u{feff}') {
        return Err(Breach::ByteOrderMark.at(0));
    }
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    parser.space();
    let value = parser.value()?;
    parser.space();
    if parser.at < text.len() {
        return Err(Breach::Trailing.at(parser.at));
    }
    Ok(value)
}

/// The canonical bytes of a text of the profile.
pub fn canonicalise(text: &[u8]) -> Result<Vec<u8>, ProfileError> {
    let mut out = String::with_capacity(text.len());
    parse(text)?.write(&mut out);
    Ok(out.into_bytes())
}

/// The value, if the text is canonical to the byte.
pub fn parse_canonical(text: &[u8]) -> Result<Value<'_>, ProfileError> {
    let value = parse(text)?;
    let mut canonical = String::with_capacity(text.len());
    value.write(&mut canonical);
    if canonical.as_bytes() == text {
        return Ok(value);
    }
    let same = canonical
        .bytes()
        .zip(text)
        .take_while(|(ours, theirs)| ours == *theirs)
        .count();
    Err(Breach::NotCanonical.at(same))
}

struct Parser<'a> {
    text: &'a str,
    /// Always at a character boundary, at most `text.len()`.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Step over one byte that `peek` showed to be ASCII.
    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.step();
        }
        found
    }

    fn unexpected(&self) -> ProfileError {
        if self.peek().is_none() {
            Breach::End.at(self.at)
        } else {
            Breach::Unexpected.at(self.at)
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), ProfileError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step();
        }
    }

    fn value(&mut self) -> Result<Value<'a>, ProfileError> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::Str(self.string()?)),
            Some(b'-' | b'0'..=b'9') => Ok(Value::Int(self.integer()?)),
            Some(b't') => self.word("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Value::Bool(false)),
            Some(b'n') => {
                let at = self.at;
                self.word("null")?;
                Err(Breach::Null.at(at))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn nested(
        &mut self,
        container: fn(&mut Self) -> Result<Value<'a>, ProfileError>,
    ) -> Result<Value<'a>, ProfileError> {
        if self.depth >= MAX_DEPTH {
            return Err(Breach::Depth.at(self.at));
        }
        self.depth = self.depth.saturating_add(1);
        self.step();
        self.space();
        let value = container(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn word(&mut self, word: &str) -> Result<(), ProfileError> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(())
    }

    fn array(&mut self) -> Result<Value<'a>, ProfileError> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            self.expect(b',')?;
            self.space();
        }
    }

    fn object(&mut self) -> Result<Value<'a>, ProfileError> {
        let opened = self.at.saturating_sub(1);
        let mut members: Vec<Member<'a>> = Vec::new();
        let mut ascending = true;
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            let key = self.key()?;
            self.space();
            self.expect(b':')?;
            self.space();
            let value = self.value()?;
            ascending = ascending && members.last().is_none_or(|(last, _)| *last < key);
            members.push((key, value));
            self.space();
            if self.take(b'}') {
                break;
            }
            self.expect(b',')?;
            self.space();
        }
        if !ascending {
            members.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
            if has_duplicates(&members) {
                return Err(Breach::Duplicate.at(opened));
            }
        }
        Ok(Value::Object(members))
    }

    fn key(&mut self) -> Result<Cow<'a, str>, ProfileError> {
        let at = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let key = self.string()?;
        if is_key(&key) {
            Ok(key)
        } else {
            Err(Breach::Key.at(at))
        }
    }

    fn integer(&mut self) -> Result<i64, ProfileError> {
        let at = self.at;
        let negative = self.take(b'-');
        let mut digits = 0_u32;
        let mut number = 0_i64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            if digits > 0 && number == 0 {
                return Err(Breach::LeadingZero.at(at));
            }
            digits = digits.saturating_add(1);
            // At most 10 * 2^53 before the check: no overflow.
            number = number * 10 + i64::from(digit - b'0');
            if number > MAX_INTEGER {
                return Err(Breach::Range.at(at));
            }
            self.step();
        }
        if digits == 0 {
            return Err(self.unexpected());
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(Breach::NotInteger.at(at));
        }
        if negative && number == 0 {
            return Err(Breach::NegativeZero.at(at));
        }
        Ok(if negative { -number } else { number })
    }

    fn string(&mut self) -> Result<Cow<'a, str>, ProfileError> {
        self.step();
        let plain = self.plain_run();
        if self.take(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.step();
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(Breach::Control.at(self.at)),
                None => return Err(Breach::End.at(self.at)),
            }
            text.push_str(self.plain_run());
        }
    }

    /// Everything up to the next quote, backslash, control character or end.
    fn plain_run(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest
            .bytes()
            .position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
            .unwrap_or(rest.len());
        let run = rest.get(..length).unwrap_or_default();
        self.at = self.at.saturating_add(run.len());
        run
    }

    fn escape(&mut self) -> Result<char, ProfileError> {
        let at = self.at;
        self.step();
        let letter = self.peek().ok_or(Breach::End.at(self.at))?;
        let character = match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.step();
                return self.code_point(at);
            }
            _ => return Err(Breach::Escape.at(at)),
        };
        self.step();
        Ok(character)
    }

    /// After `\u`: four digits, and for a high surrogate the low one that must follow.
    fn code_point(&mut self, at: usize) -> Result<char, ProfileError> {
        let first = self.four_hex()?;
        let scalar = if (0xd800..0xdc00).contains(&first) {
            if !(self.take(b'\\') && self.take(b'u')) {
                return Err(Breach::Surrogate.at(at));
            }
            let second = self.four_hex()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(Breach::Surrogate.at(at));
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(scalar).ok_or(Breach::Surrogate.at(at))
    }

    fn four_hex(&mut self) -> Result<u32, ProfileError> {
        let mut number = 0;
        for _ in 0..4 {
            let byte = self.peek().ok_or(Breach::End.at(self.at))?;
            let digit = char::from(byte)
                .to_digit(16)
                .ok_or(Breach::Escape.at(self.at))?;
            number = number * 16 + digit;
            self.step();
        }
        Ok(number)
    }
}

/// Among sorted members, whether one name stands twice.
pub(super) fn has_duplicates(members: &[Member<'_>]) -> bool {
    members
        .iter()
        .zip(members.iter().skip(1))
        .any(|((left, _), (right, _))| left == right)
}

fn is_key(key: &str) -> bool {
    let mut bytes = key.bytes();
    key.len() <= MAX_KEY_BYTES
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
