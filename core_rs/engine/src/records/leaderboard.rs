//! Entries of a period's archive: ranked, in canonical JSON, with the root over them (records specification, section 2).
//!
//! `entries_root` is the RFC 6962 tree *over SHA-256 of each entry's canonical JSON*: what the tree takes as the i-th
//! data entry d(i) are the 32 bytes `SHA-256(json_i)`, with no prefix, so that
//!
//! ```text
//! leaf_i = SHA-256(0x00 || SHA-256(json_i))          node = SHA-256(0x01 || left || right)
//! ```
//!
//! in rank order. `leaf_i` is the hash that outlives an erasure.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::encoding::b64url;
use super::error::Error;
use super::merkle::{Hash, RootBuilder, leaf_hash, sha256};
use super::profile::{Breach, MAX_INTEGER};

/// Bytes of the salt that hides who an entry is about once its JSON is gone.
pub const SALT_BYTES: usize = 16;

/// A member's sums in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Discord's id.
    pub user_id: u64,
    /// Milliseconds.
    pub credited_ms: i64,
    /// Session records in the period.
    pub session_count: i64,
}

/// One line of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Discord's id.
    pub user_id: u64,
    /// From 1; equal times share one, and the next is counted past them (1, 2, 2, 4).
    pub rank: u64,
    /// Canonical JSON.
    pub json: String,
    /// `SHA-256(0x00 || SHA-256(json))`.
    pub leaf_hash: Hash,
}

/// Rank `standings` (any order) and build their entries and the root. `salts` holds 16 bytes for each entry, in rank order.
pub fn build_entries(
    mut standings: Vec<Standing>,
    salts: &[u8],
) -> Result<(Vec<Entry>, Hash), Error> {
    let salts = salts.chunks_exact(SALT_BYTES);
    if salts.len() != standings.len() || !salts.remainder().is_empty() {
        return Err(Error::Misuse("salts must hold 16 bytes for each row"));
    }
    let in_profile = 0..=MAX_INTEGER;
    if standings.iter().any(|row| {
        !in_profile.contains(&row.credited_ms) || !in_profile.contains(&row.session_count)
    }) {
        return Err(Breach::Range.at(0).into());
    }
    standings.sort_unstable_by_key(|row| (std::cmp::Reverse(row.credited_ms), row.user_id));

    let mut entries: Vec<Entry> = Vec::with_capacity(standings.len());
    let mut root = RootBuilder::default();
    let (mut rank, mut before) = (0, None);
    for ((place, row), salt) in (1_u64..).zip(&standings).zip(salts) {
        if before != Some(row.credited_ms) {
            rank = place;
            before = Some(row.credited_ms);
        }
        let entry = build_entry(row, rank, salt);
        root.push_leaf(entry.leaf_hash);
        entries.push(entry);
    }
    let mut users: Vec<u64> = standings.iter().map(|row| row.user_id).collect();
    users.sort_unstable();
    if users
        .iter()
        .zip(users.iter().skip(1))
        .any(|(left, right)| left == right)
    {
        return Err(Error::Misuse("a user stands twice in the rows"));
    }
    Ok((entries, root.root()))
}

fn build_entry(row: &Standing, rank: u64, salt: &[u8]) -> Entry {
    let json = format!(
        r#"{{"credited_ms":{},"rank":{rank},"salt":"{}","session_count":{},"user_id":"{}"}}"#,
        row.credited_ms,
        b64url(salt),
        row.session_count,
        row.user_id
    );
    let leaf_hash = leaf_hash(&sha256(json.as_bytes()));
    Entry {
        user_id: row.user_id,
        rank,
        json,
        leaf_hash,
    }
}
