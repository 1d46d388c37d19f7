//! Verifying what somebody hands over, with no network and no database: receipts and proof files (records specification,
//! section 5; docs/formats.md).
//!
//! Everything here is a pure function over bytes that anybody may have written. Any bytes give a [`Report`]: valid, invalid or
//! unusable, with a reason, in time and memory linear in at most [`MAX_BYTES`].

pub mod export;
mod key_window;
mod many;
mod pins;
mod proof;
mod receipt;
mod report;
mod session;

pub use pins::{LogPin, Pins, parse_keys, parse_log_keys};
pub use proof::verify_proof;
pub use receipt::{RECEIPT_CHECKS, verify_receipt};
pub use report::{Check, Outcome, Report, Trust, Verdict};

/// Attack budget: a receipt with a timeline of 90,000 segments. Parsing takes at most 32 times that in memory.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
