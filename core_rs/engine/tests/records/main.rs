//! Records: profile, keys, wraps, chains, trees. Vectors are read in place where they are present.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chain;
mod keys;
mod leaderboard;
mod merkle;
mod profile;
mod wrap;

use std::path::PathBuf;

use rollcall_engine::records::keys::SigningKey;
use zeroize::Zeroizing;

/// A file of the shared vectors, or none, said so, where they are absent.
fn vector(path: &str) -> Option<Vec<u8>> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/vectors")
        .join(path);
    let found = std::fs::read(&file).ok();
    if found.is_none() {
        eprintln!("skipped: no vector {}", file.display());
    }
    found
}

fn json_vector(path: &str) -> Option<serde_json::Value> {
    vector(path).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn hex_array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
