//! What can go wrong with signed bytes and keys. The binding maps each variant to one Python exception.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::profile::ProfileError;

/// Any failure of this module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Bytes outside the signing profile.
    #[error("{0}")]
    Profile(#[from] ProfileError),
    /// One draft of a batch cannot become a record; nothing of the batch was signed.
    #[error("draft {index}: {error}")]
    Draft {
        /// Position in the batch, from 0.
        index: usize,
        /// Why.
        error: ProfileError,
    },
    /// A wrapped key does not open.
    #[error("{0}")]
    KeyOpen(#[from] KeyOpenError),
    /// A record does not verify.
    #[error("expected {expected}, found {found}")]
    InvalidRecord {
        /// What a valid record has there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The caller passed arguments that contradict each other: a bug, never data from outside.
    #[error("{0}")]
    Misuse(&'static str),
}

impl Error {
    pub(super) fn invalid(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::InvalidRecord {
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// Why a wrapped key stays closed. No variant says anything about the seed or the wrapping key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyOpenError {
    /// Not JSON of the profile at all.
    #[error("the wrapped key is not readable: {0}")]
    Unreadable(ProfileError),
    /// Readable, but not this format.
    #[error("the wrapped key is not of the known form: {0}")]
    Form(&'static str),
    /// Argon2id memory outside the bounds.
    #[error("the wrapped key asks for m_kib={found}; accepted is {floor} to {ceiling}")]
    Memory {
        /// What the file asks for.
        found: u32,
        /// Least accepted.
        floor: u32,
        /// Most accepted.
        ceiling: u32,
    },
    /// Argon2id passes outside the bounds.
    #[error("the wrapped key asks for t={found}; accepted is {floor} to {ceiling}")]
    Passes {
        /// What the file asks for.
        found: u32,
        /// Least accepted.
        floor: u32,
        /// Most accepted.
        ceiling: u32,
    },
    /// Wrapped for another purpose than the caller's.
    #[error("the wrapped key is for another purpose than expected")]
    Purpose,
    /// The seal does not open: wrong passphrase or master key, or a changed header or ciphertext.
    #[error("the wrapped key does not open: wrong passphrase or key, or the file was changed")]
    Sealed,
    /// It opened, but holds another key than its header says.
    #[error("the wrapped key opened, but its public half is not the one its header names")]
    AnotherKey,
}
