//! Sessions of a period export: each record against its timeline and the rules that it names.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::report::Problem;
use super::session::{Rules, Session, session};
use crate::records::profile::Value;

/// What is wrong with a session: the check's name, what was expected and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionFault {
    /// One of the names of a receipt's checks.
    pub check: &'static str,
    /// What a valid file has there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// Holds a `voice.session` that is canonical against its timeline and the rules of the digest that it names. Says nothing of
/// signatures, nor of the record's place.
///
/// Where a stay's earlier parts would be needed (whether it was too short), nothing is said: the record may be right.
pub(super) fn check_session(
    record: &Value<'_>,
    timeline: &[u8],
    rules: &Result<Rules, Problem>,
) -> Result<(), SessionFault> {
    let (said, _) = session(record).map_err(|why| fault("session", why))?;
    let timeline = std::str::from_utf8(timeline)
        .map_err(|_| fault("timeline", Problem::failed("UTF-8", "other bytes")))?;
    said.timeline_digest(timeline)
        .map_err(|why| fault("timeline-digest", why))?;
    follows(&said, timeline, rules)
}

fn follows(
    said: &Session,
    timeline: &str,
    rules: &Result<Rules, Problem>,
) -> Result<(), SessionFault> {
    let (sums, _) = said
        .partition(timeline)
        .map_err(|why| fault("timeline", why))?;
    said.sums(&sums).map_err(|why| fault("sums", why))?;
    let rules = rules.as_ref().map_err(|why| fault("rules", why.clone()))?;
    let (minimum_ms, _) = said
        .under(rules, &sums)
        .map_err(|why| fault("rules", why))?;
    match said.below_minimum(&sums, minimum_ms) {
        Ok(_) | Err(Problem::NotPossible(_)) => Ok(()),
        Err(why) => Err(fault("below-minimum", why)),
    }
}

fn fault(check: &'static str, why: Problem) -> SessionFault {
    let (expected, found) = match why {
        Problem::Failed { expected, found } => (expected, found),
        Problem::NotPossible(why) => (String::new(), why),
    };
    SessionFault {
        check,
        expected,
        found,
    }
}
