//! The whole example log of the shared vectors: rebuilt byte for byte, and its fork refused.
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use rollcall_engine::log::checkpoint::Checkpoint;
use rollcall_engine::log::note::Verifier;
use rollcall_engine::log::proof::verify_consistency;
use rollcall_engine::log::proof_file::ProofFile;
use rollcall_engine::log::proving::inclusion_proof;
use rollcall_engine::log::tree::{LogTree, parse_bundle};
use rollcall_engine::records::merkle::{Hash, record_leaf_hash};

use serde_json::Value;

use crate::{folder, vector};

fn log_key() -> Option<Verifier> {
    let policy = String::from_utf8(vector("derived/tlog/policy")?).unwrap();
    let line = policy
        .lines()
        .find_map(|line| line.strip_prefix("log "))
        .unwrap();
    Some(Verifier::parse(line.trim()).unwrap())
}

fn records() -> Option<Vec<Hash>> {
    let mut all = parse_bundle(&vector("derived/tlog/tile/entries/000")?).unwrap();
    all.extend(parse_bundle(&vector("derived/tlog/tile/entries/001.p/44")?).unwrap());
    Some(all)
}

#[test]
fn the_example_log_is_rebuilt_byte_for_byte() {
    let (Some(records), Some(key)) = (records(), log_key()) else {
        return;
    };
    let mut compared = 0;
    let mut tree = LogTree::default();
    for to in [1_usize, 255, 256, 257, 300] {
        let from = usize::try_from(tree.size()).unwrap();
        for (id, bytes) in tree.append(&records[from..to]) {
            if let Ok(expected) = std::fs::read(folder().join("derived/tlog").join(id.to_string()))
            {
                assert_eq!(bytes, expected, "{id}");
                compared += 1;
            }
        }
        let note = vector(&format!("derived/tlog/checkpoints/{to}")).unwrap();
        let checkpoint = Checkpoint::open(&note, &key).unwrap();
        assert_eq!(
            (checkpoint.size, checkpoint.root),
            (tree.size(), tree.root())
        );
    }
    assert!(compared >= 10, "{compared} tiles were compared");
}

#[test]
fn the_example_proofs_verify_and_are_made_again() {
    let (Some(records), Some(key)) = (records(), log_key()) else {
        return;
    };
    let mut tree = LogTree::default();
    let files = tree.append(&records);
    let tiles: BTreeMap<_, _> = files
        .iter()
        .map(|(id, bytes)| (*id, bytes.as_slice()))
        .collect();
    for index in [0_u64, 17, 299] {
        let bytes = vector(&format!("derived/tlog/proofs/{index}.tlog-proof")).unwrap();
        let file = ProofFile::parse(&bytes).unwrap();
        let leaf = record_leaf_hash(&records[usize::try_from(index).unwrap()]);
        assert_eq!(file.verify(&leaf, &key).unwrap().size, 300);
        assert!(file.verify(&[0; 32], &key).is_err());
        assert_eq!(file.proof, inclusion_proof(300, index, &tiles).unwrap());
        assert_eq!(file.to_bytes(), bytes);
    }
}

#[test]
fn the_fork_is_refused() {
    let Some(text) = vector("derived/tlog/proofs.json") else {
        return;
    };
    let proofs: Value = serde_json::from_slice(&text).unwrap();
    let mut cases: Vec<(&Value, bool)> = proofs["consistency"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| (case, true))
        .collect();
    cases.push((&proofs["fork"], false));
    for (case, good) in cases {
        let hash = |name: &str| decoded(&case[name]);
        let hashes: Vec<Hash> = case["proof_b64"]
            .as_array()
            .unwrap()
            .iter()
            .map(decoded)
            .collect();
        let (old, new) = (
            case["size1"].as_u64().unwrap(),
            case["size2"].as_u64().unwrap(),
        );
        let verdict = verify_consistency(old, new, &hashes, &hash("root1_b64"), &hash("root2_b64"));
        assert_eq!(verdict.is_ok(), good, "{old} to {new}: {verdict:?}");
    }
}

fn decoded(value: &Value) -> Hash {
    STANDARD
        .decode(value.as_str().unwrap())
        .unwrap()
        .try_into()
        .unwrap()
}
