//! Making proofs from tiles (RFC 6962, sections 2.1.1 and 2.1.2).
//!
//! A proof is planned first ([`inclusion_tiles`], [`consistency_tiles`]) and computed when the tiles are there: the core reads no
//! files.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::error::LogError;
use super::tile::{HEIGHT, MAX_LEVEL, TileId, WIDTH};
use super::tree::{Tiles, hashes_of};
use crate::records::merkle::{Hash, RootBuilder, node_hash};

/// A run of leaves `[from, to)`.
type Run = (u64, u64);

/// Tiles for [`inclusion_proof`].
pub fn inclusion_tiles(size: u64, index: u64) -> Result<Vec<TileId>, LogError> {
    Ok(tiles_for(size, &inclusion_runs(size, index)?))
}

/// Tiles for [`consistency_proof`].
pub fn consistency_tiles(from: u64, to: u64) -> Result<Vec<TileId>, LogError> {
    Ok(tiles_for(to, &consistency_runs(from, to)?))
}

/// PATH(index, D[size]).
pub fn inclusion_proof(size: u64, index: u64, tiles: &Tiles<'_>) -> Result<Vec<Hash>, LogError> {
    hashes_for(size, &inclusion_runs(size, index)?, tiles)
}

/// PROOF(from, D[to]).
pub fn consistency_proof(from: u64, to: u64, tiles: &Tiles<'_>) -> Result<Vec<Hash>, LogError> {
    hashes_for(to, &consistency_runs(from, to)?, tiles)
}

fn inclusion_runs(size: u64, index: u64) -> Result<Vec<Run>, LogError> {
    if index >= size {
        return Err(LogError::Misuse("the index is not below the tree's size"));
    }
    let (mut from, mut to) = (0, size);
    let mut runs = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            runs.push((middle, to));
            to = middle;
        } else {
            runs.push((from, middle));
            from = middle;
        }
    }
    runs.reverse();
    Ok(runs)
}

fn consistency_runs(old: u64, new: u64) -> Result<Vec<Run>, LogError> {
    if old == 0 || old > new {
        return Err(LogError::Misuse(
            "the older tree is empty or larger than the newer",
        ));
    }
    let (mut from, mut to) = (0, new);
    let mut runs = Vec::new();
    // SUBPROOF: the old tree ends at `old`; it is known whole only while nothing was left out on its left.
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            runs.push((middle, to));
            to = middle;
        } else {
            runs.push((from, middle));
            from = middle;
        }
    }
    if from > 0 {
        runs.push((from, to));
    }
    runs.reverse();
    Ok(runs)
}

/// The largest power of two below `length`, which is at least 2.
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The complete subtrees of a run, largest first, as (level, position). RFC 6962's splits keep them aligned.
fn subtrees((mut from, to): Run) -> Vec<(u32, u64)> {
    let mut found = Vec::new();
    while from < to {
        let level = (to - from).ilog2();
        found.push((level, from >> level));
        from += 1 << level;
    }
    found
}

fn tiles_for(size: u64, runs: &[Run]) -> Vec<TileId> {
    let tiles: BTreeSet<TileId> = runs
        .iter()
        .flat_map(|run| subtrees(*run))
        .map(|(level, position)| tile_of(size, level, position))
        .collect();
    tiles.into_iter().collect()
}

/// The tile that holds the hashes under a subtree: those of the next lower level that has tiles.
fn tile_of(size: u64, level: u32, position: u64) -> TileId {
    let tile_level = (level / HEIGHT).min(MAX_LEVEL);
    let first = position << (level - tile_level * HEIGHT);
    TileId::of(tile_level, first, size)
}

fn hashes_for(size: u64, runs: &[Run], tiles: &Tiles<'_>) -> Result<Vec<Hash>, LogError> {
    let read: RefCell<BTreeMap<TileId, Vec<Hash>>> = RefCell::default();
    let subtree = |(level, position): (u32, u64)| -> Result<Hash, LogError> {
        let id = tile_of(size, level, position);
        let missing = || LogError::Tile {
            path: id.to_string(),
        };
        let mut read = read.borrow_mut();
        let hashes = match read.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let bytes = tiles.get(&id).filter(|it| it.len() == id.byte_length());
                place.insert(hashes_of(bytes.ok_or_else(missing)?)?)
            }
        };
        let height = level % HEIGHT;
        let first = usize::try_from((position << height) % WIDTH).map_err(|_| missing())?;
        let hashes = hashes
            .get(first..first + (1 << height))
            .ok_or_else(missing)?;
        let mut root = RootBuilder::default();
        root.extend(hashes.iter().copied());
        Ok(root.root())
    };
    runs.iter()
        .map(|run| {
            let peaks = subtrees(*run)
                .into_iter()
                .map(subtree)
                .collect::<Result<Vec<Hash>, LogError>>()?;
            peaks
                .into_iter()
                .rev()
                .reduce(|right, left| node_hash(&left, &right))
                .ok_or(LogError::Misuse("an empty run"))
        })
        .collect()
}
