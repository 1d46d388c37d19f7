//! What can be said of one record by itself: its form, signature, timeline, rules and row. The costly part, for many at once.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::collections::HashMap;

use super::super::many::check_session;
use super::super::report::{Problem, shown};
use super::super::session::{Members, Rules, canonical_record};
use super::forms::{signed, timeline};
use super::survey::{Survey, looks_like_session};
use super::table::session_row;
use super::{Fault, said};
use crate::records::encoding::b64url;
use crate::records::merkle::{Hash, sha256};
use crate::records::profile::Value;

/// A record's lines in the files.
#[derive(Debug)]
pub(super) struct Item {
    pub record: Vec<u8>,
    pub signature: Vec<u8>,
    /// Of what looks like a session.
    pub timeline: Option<Vec<u8>>,
}

impl Item {
    pub fn size(&self) -> usize {
        let timeline = self.timeline.as_ref().map_or(0, Vec::len);
        self.record
            .len()
            .saturating_add(self.signature.len())
            .saturating_add(timeline)
    }
}

/// What a record says of its place, and what came of the rest; the place is judged first.
#[derive(Debug)]
pub(super) struct Judged {
    pub guild_seq: i64,
    pub guild_id: String,
    pub kind: String,
    pub prev: Option<Hash>,
    pub sha256: Hash,
    pub rest: Result<Option<Counted>, Fault>,
}

/// A session as the leaderboard counts it.
#[derive(Debug)]
pub(super) struct Counted {
    pub user_id: u64,
    pub period_index: i64,
    pub credited_ms: i64,
    pub length_ms: i64,
    /// Its row in the table.
    pub row: Vec<u8>,
}

/// Rules by the base64url of their digests.
pub(super) type RulesByDigest = HashMap<String, Result<Rules, Problem>>;

pub(super) fn judge(item: &Item, survey: &Survey, rules: &RulesByDigest) -> Result<Judged, Fault> {
    let of_record = |why| Fault::of("records", "a record: ", why);
    let (value, _) = canonical_record(&item.record).map_err(of_record)?;
    let of = Members(&value);
    of.chained().map_err(of_record)?;
    let guild_seq = of.natural("guild_seq").map_err(of_record)?;
    let prev = match value.member("prev") {
        Some(_) => Some(of.hash("prev").map_err(of_record)?),
        None => None,
    };
    let digest = sha256(&item.record);
    Ok(Judged {
        guild_seq,
        guild_id: of.id("guild_id").map_err(of_record)?.to_owned(),
        kind: of.text("type").map_err(of_record)?.to_owned(),
        prev,
        sha256: digest,
        rest: rest(item, &value, guild_seq, &digest, survey, rules),
    })
}

fn rest(
    item: &Item,
    value: &Value<'_>,
    guild_seq: i64,
    digest: &Hash,
    survey: &Survey,
    rules: &RulesByDigest,
) -> Result<Option<Counted>, Fault> {
    let of = Members(value);
    let of_record = |why| Fault::of("records", "a record: ", why);
    let kid = of.text("kid").map_err(of_record)?;
    is_signed(item, kid, guild_seq, digest, survey)?;
    let is_session = of.text("type").map_err(of_record)? == "voice.session";
    if is_session != looks_like_session(&item.record) {
        return Err(Fault::new(
            "records",
            "one type, the record's own",
            format!("two at guild_seq {guild_seq}"),
        ));
    }
    match &item.timeline {
        Some(line) if is_session => counted(value, guild_seq, line, rules).map(Some),
        _ => Ok(None),
    }
}

fn is_signed(
    item: &Item,
    kid: &str,
    guild_seq: i64,
    digest: &Hash,
    survey: &Survey,
) -> Result<(), Fault> {
    let line = signed(&item.signature)?;
    if line.guild_seq != guild_seq || line.kid != kid || line.record_sha256 != *digest {
        return Err(Fault::new(
            "signatures",
            format!("the signature of {guild_seq} by {}", shown(kid)),
            format!("that of {} by {}", line.guild_seq, line.kid),
        ));
    }
    let Some(key) = survey.key(kid) else {
        return Err(Fault::new(
            "keys",
            format!("the key {} of guild_seq {guild_seq}", shown(kid)),
            "no such key in keys/",
        ));
    };
    let window = survey.window(kid);
    if !window.covers(guild_seq) {
        return Err(Fault::new(
            "key-windows",
            format!("a position within that of {kid}: {window}"),
            guild_seq.to_string(),
        ));
    }
    key.verify(&item.record, &line.signature).map_err(|error| {
        Fault::new(
            "signatures",
            format!("a record that is signed at guild_seq {guild_seq}"),
            error.to_string(),
        )
    })
}

fn counted(
    value: &Value<'_>,
    guild_seq: i64,
    line: &[u8],
    rules: &RulesByDigest,
) -> Result<Counted, Fault> {
    let of = Members(value);
    let of_session = |why| {
        let (expected, found) = said(why);
        Fault::new(
            "sessions",
            format!("guild_seq {guild_seq}, session: {expected}"),
            found,
        )
    };
    let session_id = of.text("session_id").map_err(of_session)?;
    let (at, named, timeline) = timeline(line)?;
    if at != guild_seq || named != session_id {
        return Err(Fault::new(
            "timelines",
            format!("the timeline of {} at {guild_seq}", shown(session_id)),
            format!("that of {named} at {at}"),
        ));
    }
    let digest = of.hash("rules_sha256").map_err(of_session)?;
    let Some(rules) = rules.get(&b64url(&digest)) else {
        return Err(Fault::new(
            "rules",
            format!("rules {} of guild_seq {guild_seq}", b64url(&digest)),
            "none such in data/rules.jsonl",
        ));
    };
    check_session(value, timeline, rules).map_err(|fault| {
        Fault::new(
            "sessions",
            format!("guild_seq {guild_seq}, {}: {}", fault.check, fault.expected),
            fault.found,
        )
    })?;
    let read = || {
        let user_id = of.id("user_id")?;
        Ok(Counted {
            user_id: user_id
                .parse()
                .map_err(|_| Problem::failed("a user_id", shown(user_id)))?,
            period_index: of.natural("period_index")?,
            credited_ms: of.natural("credited_ms")?,
            length_ms: of
                .number("left_at_ms")?
                .saturating_sub(of.number("joined_at_ms")?),
            row: session_row(guild_seq, value)?,
        })
    };
    read().map_err(of_session)
}
