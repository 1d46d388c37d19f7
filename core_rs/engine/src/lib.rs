//! Rollcall's pure core. See `../../CONTRIBUTING.md` for the tree.
pub mod accounting;
pub mod log;
pub mod records;
pub mod verify;
