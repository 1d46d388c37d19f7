//! Checkpoints (C2SP tlog-checkpoint): what a log says of its size and root.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::LogError;
use super::note::{self, Verifier};
use crate::records::keys::SigningKey;
use crate::records::merkle::Hash;

const WHAT: &str = "a checkpoint";

/// A tree's size and root, as its origin has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// RFC 6962's root.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// The note, signed under the origin's name.
    pub fn sign(&self, key: &SigningKey) -> Result<String, LogError> {
        note::sign(&self.text(), &self.origin, key)
    }

    /// A checkpoint that the verifier signed and whose origin is the verifier's name.
    pub fn open(note: &[u8], verifier: &Verifier) -> Result<Self, LogError> {
        let checkpoint = Self::parse(note::open(note, verifier)?)?;
        if checkpoint.origin == verifier.name() {
            Ok(checkpoint)
        } else {
            Err(LogError::invalid(
                format!("origin {}", verifier.name()),
                checkpoint.origin,
            ))
        }
    }

    /// What an unsigned text says. Further lines are extensions, which we do not use.
    pub fn parse(text: &str) -> Result<Self, LogError> {
        let wrong = |why| LogError::malformed(WHAT, why);
        let mut lines = text
            .strip_suffix('\n')
            .ok_or_else(|| wrong("its last line is not ended"))?
            .split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(wrong("it has not three lines"));
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(wrong("a line is empty"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: decimal(size).ok_or_else(|| wrong("its size is not a number"))?,
            root: hash(root).ok_or_else(|| wrong("its root is not 32 bytes in base64"))?,
        })
    }
}

/// A number with one spelling: no sign, no leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = text == "0" || !text.starts_with('0');
    (plain && shortest).then(|| text.parse().ok()).flatten()
}

/// A hash in standard base64, padded, of one spelling.
pub(super) fn hash(text: &str) -> Option<Hash> {
    (text.len() == 44)
        .then(|| STANDARD.decode(text).ok())
        .flatten()?
        .try_into()
        .ok()
}
