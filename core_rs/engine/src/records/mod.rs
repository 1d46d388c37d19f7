//! What is signed: JSON profile, records, keys, Merkle trees. The law is the records specification.

pub mod encoding;
pub mod error;
pub mod keys;
pub mod leaderboard;
pub mod merkle;
pub mod profile;
pub mod record;
pub mod wrap;

pub use error::{Error, KeyOpenError};
