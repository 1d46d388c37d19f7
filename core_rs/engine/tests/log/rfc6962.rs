//! transparency-dev's proofs, good and bad, walked in place.
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_engine::log::proof::{verify_consistency, verify_inclusion};
use rollcall_engine::records::merkle::Hash;
use serde_json::Value;

use crate::folder;

fn hash(value: &Value) -> Option<Hash> {
    STANDARD
        .decode(value.as_str().unwrap_or_default())
        .ok()?
        .try_into()
        .ok()
}

fn proof(case: &Value) -> Option<Vec<Hash>> {
    match &case["proof"] {
        Value::Array(hashes) => hashes.iter().map(hash).collect(),
        _ => Some(Vec::new()),
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64()
}

/// None where a hash has no 32 bytes or a number is negative: our types cannot hold it.
fn inclusion(case: &Value) -> Option<bool> {
    let (index, size) = (number(&case["leafIdx"])?, number(&case["treeSize"])?);
    let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
    Some(verify_inclusion(&leaf, index, size, &proof(case)?, &root).is_ok())
}

fn consistency(case: &Value) -> Option<bool> {
    let (old, new) = (number(&case["size1"])?, number(&case["size2"])?);
    let (old_root, new_root) = (hash(&case["root1"])?, hash(&case["root2"])?);
    Some(verify_consistency(old, new, &proof(case)?, &old_root, &new_root).is_ok())
}

fn walk(path: &Path, judge: fn(&Value) -> Option<bool>, judged: &mut usize) {
    let Ok(entries) = std::fs::read_dir(path) else {
        eprintln!("skipped: no vectors {}", path.display());
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, judge, judged);
            continue;
        }
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let good = !case["wantErr"].as_bool().unwrap();
        // The empty tree is consistent with everything, which says nothing: we refuse to prove it.
        let says_nothing = case["size1"].as_u64() == Some(0);
        if let Some(verdict) = judge(&case) {
            assert_eq!(verdict, good && !says_nothing, "{}", path.display());
            *judged += 1;
        }
    }
}

#[test]
fn inclusion_proofs_are_judged_as_others_judge_them() {
    let mut judged = 0;
    walk(
        &folder().join("merkle-rfc6962/testdata/inclusion"),
        inclusion,
        &mut judged,
    );
    assert!(judged > 50 || !folder().exists());
}

#[test]
fn consistency_proofs_are_judged_as_others_judge_them() {
    let mut judged = 0;
    walk(
        &folder().join("merkle-rfc6962/testdata/consistency"),
        consistency,
        &mut judged,
    );
    assert!(judged > 50 || !folder().exists());
}
