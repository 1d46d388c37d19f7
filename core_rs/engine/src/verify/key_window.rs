//! For which positions of its guild's chain a key is good, by the key records in the file (records specification, section 3).
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::report::{Checked, Problem, shown};
use super::session::{Members, Session, canonical_record};
use crate::log::checkpoint::Checkpoint;
use crate::log::proof::verify_inclusion;
use crate::log::proof_file::ProofFile;
use crate::records::keys::PublicKey;
use crate::records::merkle::{record_leaf_hash, sha256};
use crate::records::record::verify_record;

/// A key record as the file has it, decoded.
#[derive(Debug)]
pub(super) struct KeyRecord<'a> {
    pub record: &'a str,
    pub signature: [u8; 64],
    pub signer: PublicKey,
    pub proof: ProofFile,
}

/// The positions that a key is good for, both included; no last: the file names no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    first: i64,
    last: Option<i64>,
    /// Where the log has the activation.
    activated_leaf: u64,
    /// The last leaf that a revocation leaves to the key, where one names it.
    last_leaf: Option<i64>,
}

/// What one key record says of a key.
enum Said {
    From(i64, u64),
    Until(i64, Option<i64>),
}

/// The window of a key, if each of the key records is signed, of the guild, and about this key.
pub(super) fn window(
    records: &[KeyRecord<'_>],
    key: &PublicKey,
    session: &Session,
) -> Checked<Window> {
    let (mut begin, mut last, mut last_leaf) = (None, None::<i64>, None::<i64>);
    for one in records {
        match said_by(one, key, &session.guild_id)? {
            Said::From(..) if begin.is_some() => {
                return Err(Problem::failed("one key.activate of the key", "two"));
            }
            Said::From(first, leaf) => begin = Some((first, leaf)),
            Said::Until(end, leaf) => {
                last = Some(last.map_or(end, |known| known.min(end)));
                last_leaf = last_leaf.into_iter().chain(leaf).min();
            }
        }
    }
    let (first, activated_leaf) =
        begin.ok_or_else(|| Problem::failed(format!("key.activate of {}", key.kid()), "none"))?;
    let window = Window {
        first,
        last,
        activated_leaf,
        last_leaf,
    };
    Ok((window, format!("{} key records: {window}", records.len())))
}

fn said_by(one: &KeyRecord<'_>, key: &PublicKey, guild_id: &str) -> Result<Said, Problem> {
    let (value, _) = canonical_record(one.record.as_bytes())?;
    verify_record(one.record.as_bytes(), &one.signature, &one.signer)
        .map_err(|error| Problem::failed("a key record that its key signed", error.to_string()))?;
    let of = Members(&value);
    of.chained()?;
    of.exactly("guild_id", guild_id)?;
    let at = of.natural("guild_seq")?;
    let x = crate::records::encoding::b64url(key.as_bytes());
    let about = |name: &'static str| {
        of.0.member(name)
            .and_then(crate::records::profile::Value::as_str)
    };
    match of.text("type")? {
        "key.activate" if about("replaces") == Some(key.kid()) => {
            Ok(Said::Until(at.saturating_sub(1), None))
        }
        "key.activate" => {
            of.exactly("kid", key.kid())?;
            of.exactly("x", &x)?;
            Ok(Said::From(at, one.proof.index))
        }
        "key.retire" => {
            of.exactly("kid", key.kid())?;
            of.exactly("x", &x)?;
            Ok(Said::Until(at, None))
        }
        "key.revoke" => {
            of.exactly("revokes", key.kid())?;
            of.exactly("x", &x)?;
            // Named only where the last good record was logged already.
            let leaf = match of.0.member("last_good_leaf_index") {
                Some(_) => Some(of.natural("last_good_leaf_index")?),
                None => None,
            };
            Ok(Said::Until(of.number("last_good_guild_seq")?, leaf))
        }
        other => Err(Problem::failed(
            "key.activate, key.retire or key.revoke",
            shown(other),
        )),
    }
}

impl Window {
    /// Whether the session's position is inside, and the log has the activation before it.
    pub fn covers(self, session: &Session, leaf: u64) -> Checked<()> {
        let at = session.guild_seq;
        let inside = self.first < at && self.last.is_none_or(|last| at <= last);
        if !inside {
            return Err(Problem::failed(
                format!("a position after the activation, in {self}"),
                at.to_string(),
            ));
        }
        if self.activated_leaf >= leaf {
            return Err(Problem::failed(
                format!(
                    "a record logged after its key's activation, leaf {}",
                    self.activated_leaf
                ),
                format!("leaf {leaf}"),
            ));
        }
        // A position can be used again with a stolen key; a leaf of a log that others watch cannot.
        let good = |last: i64| u64::try_from(last).is_ok_and(|last| leaf <= last);
        if let Some(last) = self.last_leaf.filter(|last| !good(*last)) {
            return Err(Problem::failed(
                format!("a record logged no later than the last good one, leaf {last}"),
                format!("leaf {leaf}"),
            ));
        }
        Ok(((), format!("guild_seq {at} in {self}")))
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.last {
            Some(last) => write!(out, "guild_seq {} to {last}", self.first),
            None => write!(out, "guild_seq {} on (this file names no end)", self.first),
        }
    }
}

/// Whether each key record is in the tree of the one checkpoint that the session's proof ends in.
pub(super) fn logged(
    records: &[KeyRecord<'_>],
    proof: &ProofFile,
    checkpoint: &Checkpoint,
) -> Checked<()> {
    for one in records {
        if one.proof.checkpoint != proof.checkpoint {
            return Err(Problem::failed(
                "the checkpoint of the session's proof",
                "another checkpoint",
            ));
        }
        included(one.record.as_bytes(), &one.proof, checkpoint)?;
    }
    Ok(((), format!("{} key records in the log", records.len())))
}

/// Whether a record is in the tree of a checkpoint, by its proof.
pub(super) fn included(record: &[u8], proof: &ProofFile, checkpoint: &Checkpoint) -> Checked<()> {
    let leaf = record_leaf_hash(&sha256(record));
    verify_inclusion(
        &leaf,
        proof.index,
        checkpoint.size,
        &proof.proof,
        &checkpoint.root,
    )
    .map_err(|error| {
        Problem::failed(
            format!("leaf {} of the signed tree", proof.index),
            error.to_string(),
        )
    })?;
    Ok(((), format!("leaf {} of {}", proof.index, checkpoint.size)))
}
