//! Merkle tree hashes of RFC 6962, section 2.1, computed as a stream.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// First byte of a log entry that stands for a record (records specification, section 4).
const RECORD_ENTRY: u8 = 0x01;

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// `SHA-256(0x00 || entry)`.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0x00])
        .chain_update(entry)
        .finalize()
        .into()
}

/// `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([0x01])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// Leaf hash of the log entry of a record: the entry is `0x01 || SHA-256(record)`.
pub fn record_leaf_hash(record_sha256: &Hash) -> Hash {
    Sha256::new()
        .chain_update([0x00, RECORD_ENTRY])
        .chain_update(record_sha256)
        .finalize()
        .into()
}

/// A tree that only grows, of which only the roots of the complete subtrees are kept: one hash for each set bit of the
/// size, largest subtree first.
#[derive(Debug, Clone, Default)]
pub struct RootBuilder {
    peaks: Vec<Hash>,
    size: u64,
}

impl RootBuilder {
    /// Add the next leaf.
    pub fn push_leaf(&mut self, leaf: Hash) {
        let mut subtree = leaf;
        let mut complete = self.size;
        while complete & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                subtree = node_hash(&left, &subtree);
            }
            complete >>= 1;
        }
        self.peaks.push(subtree);
        self.size += 1;
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, largest first.
    pub fn into_peaks(self) -> Vec<Hash> {
        self.peaks
    }

    /// Root of the tree so far; of the empty tree, SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| sha256(b""))
    }
}

impl Extend<Hash> for RootBuilder {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        for leaf in leaves {
            self.push_leaf(leaf);
        }
    }
}
