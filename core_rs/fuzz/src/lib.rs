//! The targets and their seeds, as `cargo test` runs them too.
#![allow(missing_docs)]

#[path = "../../engine/tests/fuzz/seeds.rs"]
pub mod seeds;
#[path = "../../engine/tests/fuzz/targets.rs"]
pub mod targets;
