//! Verifying receipts and proof files: what is whole passes, whatever is not is found, and nothing panics.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bytes;
mod documented;
mod forgeries;
mod pins;
mod proofs;
mod world;
