//! Proof files (C2SP tlog-proof): an inclusion proof and the checkpoint that it ends in, for one leaf.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{Checkpoint, decimal, hash};
use super::error::LogError;
use super::note::{MAX_BYTES, Verifier};
use super::proof::{MAX_HASHES, verify_inclusion};
use crate::records::merkle::Hash;

const WHAT: &str = "a proof file";
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof file's parts; the checkpoint is a note whose signature nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// The leaf's index.
    pub index: u64,
    /// The inclusion proof.
    pub proof: Vec<Hash>,
    /// The signed note.
    pub checkpoint: Vec<u8>,
}

impl ProofFile {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{HEADER}\nindex {}\n", self.index);
        for hash in &self.proof {
            text.push_str(&STANDARD.encode(hash));
            text.push('\n');
        }
        text.push('\n');
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.checkpoint);
        bytes
    }

    /// From the file's bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        let wrong = |why| LogError::malformed(WHAT, why);
        if bytes.len() > MAX_BYTES {
            return Err(wrong("it is too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| wrong("it has no checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(wrong("its first line names another format"));
        }
        let mut line = lines.next();
        if let Some(extra) = line.and_then(|line| line.strip_prefix("extra ")) {
            // Not ours; whoever wrote it knows what it is for.
            STANDARD
                .decode(extra)
                .map_err(|_| wrong("its extra data is not base64"))?;
            line = lines.next();
        }
        let index = line
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or_else(|| wrong("it has no index"))?;
        let proof = lines
            .map(|line| hash(line).ok_or_else(|| wrong("a hash is not 32 bytes in base64")))
            .collect::<Result<Vec<Hash>, LogError>>()?;
        if proof.len() > MAX_HASHES {
            return Err(wrong("it has too many hashes"));
        }
        Ok(Self {
            index,
            proof,
            checkpoint: checkpoint.as_bytes().to_vec(),
        })
    }

    /// Whether the leaf is in the log that this verifier signs, by this proof; returns the checkpoint it rests on.
    pub fn verify(&self, leaf: &Hash, verifier: &Verifier) -> Result<Checkpoint, LogError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, verifier)?;
        verify_inclusion(
            leaf,
            self.index,
            checkpoint.size,
            &self.proof,
            &checkpoint.root,
        )?;
        Ok(checkpoint)
    }
}
