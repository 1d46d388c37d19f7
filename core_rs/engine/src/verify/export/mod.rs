//! The records and the leaderboard of a period export (docs/formats.md), in three passes over its files: what the records say
//! of each other ([`Survey`]), each record in its place ([`Chain`]), and the leaderboard ([`Standing`]).
//!
//! Nothing here reads a file: a pass says which one it wants to go on with, and is fed the next bytes of it. What is kept is
//! linear in members, keys, corrections and erasures, not in sessions. Any bytes give an end or a [`Fault`].

mod batch;
mod chain;
mod forms;
mod judging;
mod lines;
mod standing;
mod survey;
mod table;

pub use chain::{Chain, Seen};
pub use standing::{Standing, Stood};
pub use survey::{Period, Survey};

use super::report::Problem;

/// The files that passes ask for.
pub const RECORDS: &str = "data/records.jsonl";
/// Signatures, one a record.
pub const SIGNATURES: &str = "data/signatures.jsonl";
/// Timelines, one a session.
pub const TIMELINES: &str = "data/timelines.jsonl";
/// Rules, by digest.
pub const RULES: &str = "data/rules.jsonl";
/// The leaderboard.
pub const ENTRIES: &str = "data/entries.jsonl";
/// What was erased.
pub const REDACTED: &str = "data/redacted.jsonl";
/// The leaderboard for people.
pub const ENTRIES_TABLE: &str = "data/entries.csv";
/// The sessions for people.
pub const SESSIONS_TABLE: &str = "data/sessions.csv";

/// What is wrong: the check's name, what a valid export has there, and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// One of the checks of an export (docs/verifying.md).
    pub check: &'static str,
    /// What a valid export has.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Fault {
    fn new(check: &'static str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            check,
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// What a check of one value said of it.
    fn of(check: &'static str, what: &str, problem: Problem) -> Self {
        let (expected, found) = said(problem);
        Self::new(check, format!("{what}{expected}"), found)
    }
}

fn said(problem: Problem) -> (String, String) {
    match problem {
        Problem::Failed { expected, found } => (expected, found),
        Problem::NotPossible(why) => (String::new(), why),
    }
}

/// A reading of files piece by piece.
pub trait Pass {
    /// The next bytes of a file that was asked for; none: it has ended.
    fn feed(&mut self, path: &str, data: &[u8]);
}

/// What a pass needs to go on: more of a file; none: it is through.
pub type Wanted = Option<&'static str>;
