//! The accounting specification, sentence by sentence, and properties of random traces.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap
)] // tests

mod blind;
mod json_fuzz;
mod malformed;
mod random;
mod replay;
mod saved;
mod summing;
mod trace;
mod watching;
