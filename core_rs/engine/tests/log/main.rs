//! The log: tiles, proofs, notes. Vectors are read in place where they are present.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod formats;
mod random;
mod rfc6962;
mod vectors;

use std::path::PathBuf;

use rollcall_engine::records::merkle::{Hash, node_hash, sha256};

/// A file of the shared vectors, or none, said so, where they are absent.
fn vector(path: &str) -> Option<Vec<u8>> {
    let file = folder().join(path);
    let found = std::fs::read(&file).ok();
    if found.is_none() {
        eprintln!("skipped: no vector {}", file.display());
    }
    found
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors")
}

/// RFC 6962's definition, word for word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(middle);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}
