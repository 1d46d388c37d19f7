//! The first pass: what the records say of each other. The period's own record, keys and their windows, corrections, erasures.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::collections::HashMap;
use std::fmt;

use memchr::memmem;

use super::super::report::{Problem, shown};
use super::super::session::{Members, canonical_record};
use super::lines::{Lines, Next};
use super::{Fault, Pass, RECORDS, Wanted};
use crate::records::encoding::b64url;
use crate::records::keys::PublicKey;
use crate::records::profile::{MAX_RECORD_BYTES, Value};

const SESSION: &[u8] = b"\"type\":\"voice.session\"";

/// Whether a record looks like a session, without parsing it. What only looks like one is refused by the pass that parses it,
/// so that nothing can hide from the survey.
pub(super) fn looks_like_session(line: &[u8]) -> bool {
    memmem::find(line, SESSION).is_some()
}

/// A `leaderboard.period`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Whose.
    pub guild_id: String,
    /// Its place in the chain.
    pub guild_seq: i64,
    /// The key that signed it.
    pub kid: String,
    /// Which.
    pub period_index: i64,
    /// From.
    pub started_at_ms: i64,
    /// To.
    pub ended_at_ms: i64,
    /// The first rules in force.
    pub rules_sha256: Vec<String>,
    /// Sessions.
    pub session_count: i64,
    /// Their root.
    pub sessions_root: String,
    /// Entries.
    pub entry_count: i64,
    /// Their root.
    pub entries_root: String,
    /// The first of its sessions and corrections.
    pub first_guild_seq: Option<i64>,
    /// The last.
    pub last_guild_seq: Option<i64>,
}

impl Period {
    /// Where the chain is exported from.
    pub(super) fn first(&self) -> i64 {
        self.first_guild_seq.unwrap_or(self.guild_seq)
    }

    /// What counts is no later than there; of an empty period nothing counts.
    pub(super) fn last(&self) -> i64 {
        self.last_guild_seq.unwrap_or(-1)
    }
}

/// The positions that a key is good for, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Window {
    first: Option<i64>,
    last: Option<i64>,
}

impl Window {
    fn end(&mut self, last: i64) {
        self.last = Some(self.last.map_or(last, |known| known.min(last)));
    }

    pub fn covers(self, position: i64) -> bool {
        self.first.is_some_and(|first| first <= position)
            && self.last.is_none_or(|last| position <= last)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (None, _) => out.write_str("no activation in this export"),
            (Some(first), None) => write!(out, "guild_seq {first} on"),
            (Some(first), Some(last)) => write!(out, "guild_seq {first} to {last}"),
        }
    }
}

/// What the records say of each other.
#[derive(Debug)]
pub struct Survey {
    records: Lines,
    keys: HashMap<String, PublicKey>,
    windows: HashMap<String, Window>,
    key_positions: Vec<i64>,
    corrections: HashMap<String, Vec<(i64, i64)>>,
    ranges: Vec<(i64, i64)>,
    period: Option<Period>,
}

impl Survey {
    /// A pass over the records, whose keys are `keys`.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let keys = keys
            .into_iter()
            .map(|key| (key.kid().to_owned(), key))
            .collect();
        Self {
            records: Lines::new(RECORDS, "records", MAX_RECORD_BYTES),
            keys,
            windows: HashMap::new(),
            key_positions: Vec::new(),
            corrections: HashMap::new(),
            ranges: Vec::new(),
            period: None,
        }
    }

    /// Goes on as far as what was fed reaches.
    pub fn advance(&mut self) -> Result<Wanted, Fault> {
        loop {
            match self.records.next()? {
                Next::Line(line) if looks_like_session(&line) => {}
                Next::Line(line) => self.add(&line)?,
                Next::Wanting => return Ok(Some(RECORDS)),
                Next::End => break,
            }
        }
        self.merge();
        match self.period {
            Some(_) => Ok(None),
            None => Err(Fault::new("period", "a leaderboard.period", "none")),
        }
    }

    /// The period's record.
    pub fn period(&self) -> Option<&Period> {
        self.period.as_ref()
    }

    /// Where the key records are.
    pub fn key_positions(&self) -> &[i64] {
        &self.key_positions
    }

    pub(super) fn key(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.get(kid)
    }

    pub(super) fn window(&self, kid: &str) -> Window {
        self.windows.get(kid).copied().unwrap_or_default()
    }

    /// Position and difference of each correction of a record, by the base64url of its hash.
    pub(super) fn corrections(&self, record_sha256: &str) -> &[(i64, i64)] {
        self.corrections
            .get(record_sha256)
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn has_corrections(&self) -> bool {
        !self.corrections.is_empty()
    }

    /// Whether a `record.redacted` in this export names a position.
    pub(super) fn is_redacted(&self, position: i64) -> bool {
        let behind = self.ranges.partition_point(|(first, _)| *first <= position);
        behind
            .checked_sub(1)
            .and_then(|at| self.ranges.get(at))
            .is_some_and(|(_, last)| position <= *last)
    }

    fn add(&mut self, line: &[u8]) -> Result<(), Fault> {
        let (value, _) =
            canonical_record(line).map_err(|why| Fault::of("records", "a record: ", why))?;
        let of = Members(&value);
        let kind = of
            .text("type")
            .map_err(|why| Fault::of("records", "a record: ", why))?;
        match kind {
            "leaderboard.period" => {
                let period = period(of).map_err(|why| Fault::of("period", "", why))?;
                self.period = Some(period);
            }
            "session.correction" => {
                let read = || {
                    Ok((
                        of.text("corrects")?,
                        of.natural("guild_seq")?,
                        of.number("delta_ms")?,
                    ))
                };
                let (corrects, at, delta) =
                    read().map_err(|why| Fault::of("corrections", "", why))?;
                self.corrections
                    .entry(corrects.to_owned())
                    .or_default()
                    .push((at, delta));
            }
            "record.redacted" => self.add_ranges(of.0)?,
            _ if kind.starts_with("key.") => self
                .add_key(of, kind)
                .map_err(|why| Fault::of("key-records", "", why))?,
            _ => {}
        }
        Ok(())
    }

    fn add_ranges(&mut self, record: &Value<'_>) -> Result<(), Fault> {
        let wrong = || {
            Fault::new(
                "redacted",
                "redacts, a list of [first, last]",
                "another value",
            )
        };
        let Some(Value::Array(ranges)) = record.member("redacts") else {
            return Err(wrong());
        };
        for range in ranges {
            match range {
                Value::Array(pair) => match pair.as_slice() {
                    [Value::Int(first), Value::Int(last)] => self.ranges.push((*first, *last)),
                    _ => return Err(wrong()),
                },
                _ => return Err(wrong()),
            }
        }
        Ok(())
    }

    fn add_key(&mut self, of: Members<'_>, kind: &str) -> Result<(), Problem> {
        let at = of.natural("guild_seq")?;
        self.key_positions.push(at);
        let is_revocation = kind == "key.revoke";
        let about = of.text(if is_revocation { "revokes" } else { "kid" })?;
        match self.keys.get(about) {
            Some(key) => of.exactly("x", &b64url(key.as_bytes()))?,
            None if is_revocation => {}
            None => {
                let found = format!("{} of {} at {at}", shown(kind), shown(about));
                return Err(Problem::failed("a key of keys/", found));
            }
        }
        let window = self.windows.entry(about.to_owned()).or_default();
        match kind {
            "key.activate" => {
                if let Some(first) = window.first {
                    return Err(Problem::failed(
                        format!("one key.activate of {}", shown(about)),
                        format!("two, at {first} and {at}"),
                    ));
                }
                window.first = Some(at);
                if of.0.member("replaces").is_some() {
                    let replaced = of.text("replaces")?.to_owned();
                    self.windows
                        .entry(replaced)
                        .or_default()
                        .end(at.saturating_sub(1));
                }
            }
            "key.retire" => window.end(at),
            "key.revoke" => window.end(of.number("last_good_guild_seq")?),
            _ => {
                return Err(Problem::failed(
                    "key.activate, key.retire or key.revoke",
                    shown(kind),
                ));
            }
        }
        Ok(())
    }

    /// So that positions can be looked up.
    fn merge(&mut self) {
        self.ranges.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for &(first, last) in &self.ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => merged.push((first, last)),
            }
        }
        self.ranges = merged;
    }
}

impl Pass for Survey {
    fn feed(&mut self, _path: &str, data: &[u8]) {
        self.records.feed(data);
    }
}

fn period(of: Members<'_>) -> Result<Period, Problem> {
    let optional = |name: &'static str| match of.0.member(name) {
        Some(_) => of.natural(name).map(Some),
        None => Ok(None),
    };
    let named = "rules_sha256, a list of hashes";
    let Some(Value::Array(rules)) = of.0.member("rules_sha256") else {
        return Err(Problem::failed(named, "another value or none"));
    };
    let rules_sha256 = rules
        .iter()
        .map(|one| one.as_str().map(str::to_owned))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Problem::failed(named, "another value"))?;
    Ok(Period {
        guild_id: of.id("guild_id")?.to_owned(),
        guild_seq: of.natural("guild_seq")?,
        kid: of.text("kid")?.to_owned(),
        period_index: of.natural("period_index")?,
        started_at_ms: of.number("started_at_ms")?,
        ended_at_ms: of.number("ended_at_ms")?,
        rules_sha256,
        session_count: of.natural("session_count")?,
        sessions_root: of.text("sessions_root")?.to_owned(),
        entry_count: of.natural("entry_count")?,
        entries_root: of.text("entries_root")?.to_owned(),
        first_guild_seq: optional("first_guild_seq")?,
        last_guild_seq: optional("last_guild_seq")?,
    })
}
