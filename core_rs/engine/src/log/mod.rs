//! The transparency log in the C2SP formats: tiles, checkpoints as signed notes, proofs (records specification, section 4;
//! tlog-tiles, tlog-checkpoint, signed-note and tlog-proof of C2SP; trees and proofs of RFC 6962 and RFC 9162).

pub mod checkpoint;
pub mod error;
pub mod note;
pub mod proof;
pub mod proof_file;
pub mod proving;
pub mod tile;
pub mod tree;

pub use error::LogError;
