//! Lines of an export that are not signed themselves, in the one form that ours have.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::Fault;
use super::lines::excerpt;
use crate::records::encoding::decode_b64url_array;
use crate::records::merkle::{Hash, leaf_hash, sha256};

/// A line of `signatures.jsonl`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed<'a> {
    pub guild_seq: i64,
    pub kid: &'a str,
    pub record_sha256: Hash,
    pub signature: [u8; 64],
}

/// A line of `redacted.jsonl`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Redacted {
    pub guild_seq: i64,
    pub period_index: Option<i64>,
    pub record_sha256: Hash,
    pub kind: String,
}

/// A line of `entries.jsonl`; who it is of is unknown where it was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub leaf: Hash,
    pub said: Option<Said>,
}

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub user_id: u64,
    pub credited_ms: i64,
    pub rank: i64,
    pub session_count: i64,
}

pub(super) fn signed(line: &[u8]) -> Result<Signed<'_>, Fault> {
    let mut form = Form(line);
    let read = || {
        let guild_seq = form.after("{\"guild_seq\":")?.number(16)?;
        let kid = form.after(",\"kid\":\"")?.letters(43)?;
        let digest = form.after("\",\"record_sha256\":\"")?.letters(43)?;
        let signature = form.after("\",\"signature\":\"")?.letters(86)?;
        form.after("\"}")?.end()?;
        Some((guild_seq, kid, digest, signature))
    };
    let (guild_seq, kid, digest, signature) = formed(read, "signatures", line)?;
    Ok(Signed {
        guild_seq,
        kid,
        record_sha256: bytes(digest, "signatures")?,
        signature: bytes(signature, "signatures")?,
    })
}

/// Position, session and timeline.
pub(super) fn timeline(line: &[u8]) -> Result<(i64, &str, &[u8]), Fault> {
    let mut form = Form(line);
    let read = || {
        let guild_seq = form.after("{\"guild_seq\":")?.number(16)?;
        let session_id = form.after(",\"session_id\":\"")?.letters(36)?;
        let rest = form.after("\",\"timeline\":")?.0.strip_suffix(b"}")?;
        (rest.starts_with(b"[") && rest.ends_with(b"]")).then_some((guild_seq, session_id, rest))
    };
    formed(read, "timelines", line)
}

pub(super) fn redacted(line: &[u8]) -> Result<Redacted, Fault> {
    let mut form = Form(line);
    let read = || {
        let guild_seq = form.after("{\"guild_seq\":")?.number(16)?;
        let period_index = match form.after(",\"period_index\":") {
            Some(form) => Some(form.number(16)?),
            None => None,
        };
        let digest = form.after(",\"record_sha256\":\"")?.letters(43)?;
        let rest = form.after("\",\"type\":\"")?.0.strip_suffix(b"\"}")?;
        let kind = std::str::from_utf8(rest).ok()?;
        let plain = |letter: u8| letter.is_ascii_lowercase() || letter == b'.' || letter == b'_';
        let is_kind = (1..=40).contains(&kind.len()) && kind.bytes().all(plain);
        is_kind.then_some((guild_seq, period_index, digest, kind))
    };
    let (guild_seq, period_index, digest, kind) = formed(read, "redacted", line)?;
    Ok(Redacted {
        guild_seq,
        period_index,
        record_sha256: bytes(digest, "redacted")?,
        kind: kind.to_owned(),
    })
}

pub(super) fn entry(line: &[u8]) -> Result<Entry, Fault> {
    let mut erased = Form(line);
    let leaf = || {
        let leaf = erased.after("{\"leaf_sha256\":\"")?.letters(43)?;
        erased.after("\"}")?.end()?;
        Some(leaf)
    };
    if let Ok(leaf) = formed(leaf, "entries", line) {
        let leaf = bytes(leaf, "entries")?;
        return Ok(Entry { leaf, said: None });
    }
    let mut form = Form(line);
    let read = || {
        let credited_ms = form.after("{\"credited_ms\":")?.number(16)?;
        let rank = form.after(",\"rank\":")?.number(16)?;
        let salt = form.after(",\"salt\":\"")?.letters(22)?;
        let session_count = form.after("\",\"session_count\":")?.number(16)?;
        let user_id = form.after(",\"user_id\":\"")?.number(19)?;
        form.after("\"}")?.end()?;
        let user_id = u64::try_from(user_id).ok()?;
        let said = Said {
            user_id,
            credited_ms,
            rank,
            session_count,
        };
        Some((said, salt))
    };
    let (said, salt) = formed(read, "entries", line)?;
    bytes::<16>(salt, "entries")?;
    Ok(Entry {
        leaf: leaf_hash(&sha256(line)),
        said: Some(said),
    })
}

fn formed<T>(
    read: impl FnOnce() -> Option<T>,
    check: &'static str,
    line: &[u8],
) -> Result<T, Fault> {
    read().ok_or_else(|| {
        Fault::new(
            check,
            "a line of the form in docs/formats.md",
            excerpt(line),
        )
    })
}

fn bytes<const N: usize>(text: &str, check: &'static str) -> Result<[u8; N], Fault> {
    decode_b64url_array(text).map_err(|error| {
        Fault::new(
            check,
            format!("{N} bytes in base64url"),
            format!("{text}: {error}"),
        )
    })
}

/// What of a line is not read yet.
struct Form<'a>(&'a [u8]);

impl<'a> Form<'a> {
    fn after(&mut self, text: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(text.as_bytes())?;
        Some(self)
    }

    /// The shortest spelling of a number of so many digits at most.
    fn number(&mut self, most: usize) -> Option<i64> {
        let length = self
            .0
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at_checked(length)?;
        if length > most || (length > 1 && digits.starts_with(b"0")) {
            return None;
        }
        self.0 = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// Exactly so many letters of base64url, which UUIDs are of too.
    fn letters(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(length)?;
        let plain = |letter: &u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_');
        if !text.iter().all(plain) {
            return None;
        }
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
