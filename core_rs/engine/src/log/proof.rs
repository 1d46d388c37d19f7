//! Checking proofs (RFC 9162, sections 2.1.3.2 and 2.1.4.2).
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::error::LogError;
use crate::records::encoding::b64url;
use crate::records::merkle::{Hash, node_hash};

/// A proof of a tree of 2^64 leaves has no more hashes.
pub const MAX_HASHES: usize = 64;

/// Whether the leaf is the `index`th of the tree of `size` leaves with this root.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), LogError> {
    if index >= size {
        return Err(LogError::invalid(
            format!("an index below the tree's size {size}"),
            index.to_string(),
        ));
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(too_many(proof));
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(too_few(proof));
    }
    same(root, &hash, "root")
}

/// Whether the tree of `new_size` leaves begins with the whole tree of `old_size` leaves.
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), LogError> {
    if old_size == 0 || old_size > new_size {
        return Err(LogError::invalid(
            format!("an older tree of 1 to {new_size} leaves"),
            old_size.to_string(),
        ));
    }
    if old_size == new_size {
        return match proof {
            [] => same(old_root, new_root, "root of the one size"),
            _ => Err(too_many(proof)),
        };
    }
    let mut hashes = proof.iter();
    let first = if old_size.is_power_of_two() {
        old_root
    } else {
        hashes.next().ok_or_else(|| too_few(proof))?
    };
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (*first, *first);
    for sibling in hashes {
        if last == 0 {
            return Err(too_many(proof));
        }
        if at & 1 == 1 || at == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(too_few(proof));
    }
    same(old_root, &old, "older root")?;
    same(new_root, &new, "newer root")
}

fn same(expected: &Hash, found: &Hash, what: &str) -> Result<(), LogError> {
    if expected == found {
        return Ok(());
    }
    Err(LogError::invalid(
        format!("{what} {}", b64url(expected)),
        b64url(found),
    ))
}

fn too_many(proof: &[Hash]) -> LogError {
    LogError::invalid("fewer hashes in the proof", proof.len().to_string())
}

fn too_few(proof: &[Hash]) -> LogError {
    LogError::invalid("more hashes in the proof", proof.len().to_string())
}
