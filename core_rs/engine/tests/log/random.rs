//! Trees of many sizes against the definitions, grown in steps of many lengths.
use std::collections::BTreeMap;

use rollcall_engine::log::proof::{verify_consistency, verify_inclusion};
use rollcall_engine::log::proving::{
    consistency_proof, consistency_tiles, inclusion_proof, inclusion_tiles,
};
use rollcall_engine::log::tile::TileId;
use rollcall_engine::log::tree::LogTree;
use rollcall_engine::records::merkle::{Hash, record_leaf_hash, sha256};

use crate::naive_root;

fn records(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|number| sha256(&number.to_be_bytes()))
        .collect()
}

/// The tiles of a tree that grew by these steps: later versions of a path replace nothing, since partial tiles have their own.
fn grow(steps: &[usize], all: &[Hash]) -> (LogTree, BTreeMap<TileId, Vec<u8>>) {
    let mut tree = LogTree::default();
    let mut files = BTreeMap::new();
    let mut rest = all;
    for step in steps {
        let (batch, later) = rest.split_at(*step.min(&rest.len()));
        for (id, bytes) in tree.append(batch) {
            assert_eq!(bytes.len(), id.byte_length(), "{id}");
            assert!(files.insert(id, bytes).is_none(), "{id} was written twice");
        }
        let read = files
            .iter()
            .map(|(id, bytes)| (*id, bytes.as_slice()))
            .collect();
        assert_eq!(LogTree::open(tree.size(), &read).unwrap(), tree);
        rest = later;
    }
    (tree, files)
}

#[test]
fn a_tree_grown_in_any_steps_has_the_defined_root_and_the_same_tiles() {
    let all = records(70_000);
    let leaves: Vec<Hash> = all.iter().map(record_leaf_hash).collect();
    let (whole, at_once) = grow(&[70_000], &all);
    assert_eq!(whole.root(), naive_root(&leaves));
    let mut seed = 7_u64;
    let mut steps = Vec::new();
    while steps.iter().sum::<usize>() < all.len() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        steps.push(
            1 + usize::try_from(seed >> 33).unwrap()
                % [1, 3, 255, 256, 257, 5000][usize::try_from(seed >> 60).unwrap() % 6],
        );
    }
    let (grown, files) = grow(&steps, &all);
    assert_eq!(grown, whole);
    for (id, bytes) in at_once {
        assert_eq!(files.get(&id), Some(&bytes), "{id}");
    }
}

#[test]
fn every_proof_of_small_trees_verifies_and_no_other_does() {
    let all = records(600);
    let leaves: Vec<Hash> = all.iter().map(record_leaf_hash).collect();
    for size in (1..20).chain([255, 256, 257, 511, 512, 513, 600]) {
        let (tree, files) = grow(&[size], &all);
        let size = u64::try_from(size).unwrap();
        let tiles = files
            .iter()
            .map(|(id, bytes)| (*id, bytes.as_slice()))
            .collect();
        for index in (0..size).step_by(if size > 20 { 13 } else { 1 }) {
            for id in inclusion_tiles(size, index).unwrap() {
                assert!(files.contains_key(&id), "{id}");
            }
            let proof = inclusion_proof(size, index, &tiles).unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            verify_inclusion(&leaf, index, size, &proof, &tree.root()).unwrap();
            assert!(
                verify_inclusion(&tree.root(), index, size, &proof, &tree.root()).is_err()
                    || size == 1
            );
            assert!(verify_inclusion(&leaf, index + 1, size, &proof, &tree.root()).is_err());
            for dropped in 0..proof.len() {
                let mut shorter = proof.clone();
                shorter.remove(dropped);
                assert!(verify_inclusion(&leaf, index, size, &shorter, &tree.root()).is_err());
            }
        }
        for old in (1..=size).step_by(if size > 20 { 17 } else { 1 }) {
            let old_root = naive_root(&leaves[..usize::try_from(old).unwrap()]);
            for id in consistency_tiles(old, size).unwrap() {
                assert!(files.contains_key(&id), "{id}");
            }
            let proof = consistency_proof(old, size, &tiles).unwrap();
            verify_consistency(old, size, &proof, &old_root, &tree.root()).unwrap();
            let other = sha256(b"a fork");
            assert!(verify_consistency(old, size, &proof, &other, &tree.root()).is_err());
            assert!(verify_consistency(old, size, &proof, &old_root, &other).is_err());
        }
    }
}

#[test]
fn what_no_tree_has_is_refused() {
    assert!(inclusion_tiles(3, 3).is_err());
    assert!(consistency_tiles(0, 3).is_err());
    assert!(consistency_tiles(4, 3).is_err());
    assert!(inclusion_proof(3, 0, &BTreeMap::new()).is_err());
    assert!(LogTree::open(3, &BTreeMap::new()).is_err());
    assert_eq!(
        LogTree::open(0, &BTreeMap::new()).unwrap().root(),
        sha256(b"")
    );
}
