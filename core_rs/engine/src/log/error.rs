//! What can be wrong with a log or with what somebody says of it.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

/// Any failure of this module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Bytes that are not of the format at all.
    #[error("not {what}: {why}")]
    Malformed {
        /// The format.
        what: &'static str,
        /// Where it ends.
        why: &'static str,
    },
    /// Well-formed, but not what it claims to be.
    #[error("expected {expected}, found {found}")]
    Invalid {
        /// What a valid log has there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A tile that is needed was not handed over, or has another length.
    #[error("tile {path} is missing or has not its length")]
    Tile {
        /// Path below the log's folder.
        path: String,
    },
    /// The caller asked for what no tree has: a bug, never data from outside.
    #[error("{0}")]
    Misuse(&'static str),
}

impl LogError {
    pub(super) fn malformed(what: &'static str, why: &'static str) -> Self {
        Self::Malformed { what, why }
    }

    pub(super) fn invalid(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Invalid {
            expected: expected.into(),
            found: found.into(),
        }
    }
}
