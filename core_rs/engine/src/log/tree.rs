//! The growing tree: from record hashes to the tiles that must be written. Tiles are a function of the entries alone, so whoever
//! writes them again writes the same bytes.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::collections::BTreeMap;

use super::error::LogError;
use super::tile::{BUNDLED_BYTES, HEIGHT, Level, MAX_LEVEL, TileId, WIDTH};
use crate::records::merkle::{Hash, RootBuilder, node_hash, record_leaf_hash, sha256};

/// First byte of an entry that stands for a record.
const RECORD_ENTRY: u8 = 0x01;

/// A tile's bytes, under its path.
pub type TileFile = (TileId, Vec<u8>);

/// Tiles that were read.
pub type Tiles<'a> = BTreeMap<TileId, &'a [u8]>;

/// A tree of which only the right edge is kept: the last, not yet full tile of each level, and the entries of the last bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogTree {
    size: u64,
    /// Of each level the hashes that are in no full tile yet; fewer than 256. Eight levels are enough for 2^64 leaves.
    edge: [Vec<Hash>; 8],
    /// Record hashes of the last bundle, as many as there are hashes at the edge of level 0.
    entries: Vec<Hash>,
}

impl LogTree {
    /// The tiles that [`Self::open`] needs for a tree of this size.
    pub fn edge_tiles(size: u64) -> Vec<TileId> {
        let mut tiles: Vec<TileId> = (0..=MAX_LEVEL)
            .filter_map(|level| edge_tile(level, size))
            .collect();
        tiles.extend(last_bundle(size));
        tiles
    }

    /// A tree from the tiles of its right edge. The hashes of level 0 must be those of the entries.
    pub fn open(size: u64, tiles: &Tiles<'_>) -> Result<Self, LogError> {
        let read = |id: TileId| {
            tiles
                .get(&id)
                .copied()
                .filter(|bytes| bytes.len() == id.byte_length())
                .ok_or_else(|| LogError::Tile {
                    path: id.to_string(),
                })
        };
        let mut tree = Self {
            size,
            ..Self::default()
        };
        for (level, hashes) in (0..).zip(&mut tree.edge) {
            if let Some(id) = edge_tile(level, size) {
                *hashes = hashes_of(read(id)?)?;
            }
        }
        if let Some(id) = last_bundle(size) {
            tree.entries = parse_bundle(read(id)?)?;
        }
        let leaves: Vec<Hash> = tree.entries.iter().map(record_leaf_hash).collect();
        let [lowest, ..] = &tree.edge;
        if *lowest != leaves {
            return Err(LogError::invalid(
                "the hashes of the last bundle's entries",
                "other hashes in the last tile of level 0",
            ));
        }
        Ok(tree)
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// RFC 6962's tree hash; of the empty tree SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        // The complete subtrees, largest first: those of a higher level are larger and further left.
        let peaks = self.edge.iter().rev().flat_map(|hashes| {
            let mut peaks = RootBuilder::default();
            peaks.extend(hashes.iter().copied());
            peaks.into_peaks()
        });
        let peaks: Vec<Hash> = peaks.collect();
        peaks
            .into_iter()
            .rev()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| sha256(b""))
    }

    /// Add records by their hashes; returns every tile that is new or longer now, each once, as the tree has it afterwards.
    pub fn append(&mut self, records: &[Hash]) -> Vec<TileFile> {
        let before = self.size;
        let mut files = Vec::new();
        for record in records {
            self.push(*record, &mut files);
        }
        if let Some(id) = last_bundle(self.size).filter(|_| self.size > before) {
            files.push((id, bundle(&self.entries)));
        }
        for (level, hashes) in (0..).zip(&self.edge) {
            let grown = hashes_at(level, self.size) > hashes_at(level, before);
            if let Some(id) = edge_tile(level, self.size).filter(|_| grown) {
                files.push((id, hashes.concat()));
            }
        }
        files
    }

    fn push(&mut self, record: Hash, files: &mut Vec<TileFile>) {
        self.size += 1;
        self.entries.push(record);
        if count(&self.entries) == WIDTH {
            let id = TileId {
                level: Level::Entries,
                index: (self.size - 1) / WIDTH,
                width: WIDTH,
            };
            files.push((id, bundle(&std::mem::take(&mut self.entries))));
        }
        let mut carried = record_leaf_hash(&record);
        for (level, hashes) in (0..).zip(&mut self.edge) {
            hashes.push(carried);
            if count(hashes) < WIDTH {
                break;
            }
            let full = std::mem::take(hashes);
            let last = hashes_at(level, self.size) - 1;
            files.push((TileId::of(level, last, self.size), full.concat()));
            let mut root = RootBuilder::default();
            root.extend(full);
            carried = root.root();
        }
    }
}

/// How many hashes a level has.
fn hashes_at(level: u32, size: u64) -> u64 {
    size.checked_shr(HEIGHT * level).unwrap_or(0)
}

/// A level's last tile, if it is partial.
fn edge_tile(level: u32, size: u64) -> Option<TileId> {
    let hashes = hashes_at(level, size);
    (hashes % WIDTH > 0).then(|| TileId::of(level, hashes - 1, size))
}

/// The last bundle, if it is partial.
fn last_bundle(size: u64) -> Option<TileId> {
    (size % WIDTH > 0).then_some(TileId {
        level: Level::Entries,
        index: size / WIDTH,
        width: size % WIDTH,
    })
}

fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// The hashes of a tile.
pub fn hashes_of(bytes: &[u8]) -> Result<Vec<Hash>, LogError> {
    let chunks = bytes.chunks_exact(32);
    if !chunks.remainder().is_empty() {
        return Err(LogError::malformed("a tile", "it holds no whole hashes"));
    }
    Ok(chunks.filter_map(|hash| hash.try_into().ok()).collect())
}

/// A bundle's bytes from record hashes.
pub fn bundle(records: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.len() * BUNDLED_BYTES);
    for record in records {
        bytes.extend_from_slice(&[0, 33, RECORD_ENTRY]);
        bytes.extend_from_slice(record);
    }
    bytes
}

/// Record hashes from a bundle's bytes; every entry must stand for a record.
pub fn parse_bundle(bytes: &[u8]) -> Result<Vec<Hash>, LogError> {
    let entries = bytes.chunks_exact(BUNDLED_BYTES);
    if !entries.remainder().is_empty() {
        return Err(LogError::malformed(
            "an entry bundle",
            "it holds no whole entries",
        ));
    }
    let wrong = || LogError::malformed("an entry bundle", "an entry is not 0x01 and a hash");
    entries
        .map(|entry| match entry {
            [0, 33, RECORD_ENTRY, hash @ ..] => hash.try_into().map_err(|_| wrong()),
            _ => Err(wrong()),
        })
        .collect()
}
