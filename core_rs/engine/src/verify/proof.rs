//! Proof files (C2SP tlog-proof) on their own, with the record that they are about.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::key_window::included;
use super::pins::{LogPin, Pins};
use super::report::{Checked, Problem, Report, Trust, shown};
use super::session::{canonical_record, claims};
use crate::log::checkpoint::Checkpoint;
use crate::log::note::{self, Verifier};
use crate::log::proof_file::ProofFile;

const KIND: &str = "proof";

/// Verifies a proof file, whatever its bytes are. Without the record, or without a pinned log key, it cannot be valid: a proof
/// says neither what it is about nor whom to believe.
pub fn verify_proof(bytes: &[u8], record: Option<&[u8]>, pins: &Pins) -> Report {
    let file = match ProofFile::parse(bytes) {
        Ok(file) => file,
        Err(error) => return Report::unusable(KIND, shown(&error.to_string())),
    };
    let mut report = Report::new(KIND);
    let said = report.note("encoding", unsigned(&file));
    if let Some(said) = &said {
        report.claims = vec![
            ("origin", shown(&said.origin)),
            ("size", said.size.to_string()),
            ("leaf_index", file.index.to_string()),
        ];
        let signer = report.note("checkpoint", opened(&file, said, pins));
        report.trust = signer.iter().map(trusted).collect();
        report.note("inclusion", leaf(&file, record, said));
    }
    if let Some(record) = record
        && let Some(value) = report.note("record", canonical_record(record))
    {
        report.claims.extend(claims(&value));
    }
    report
}

/// What the checkpoint says, whoever signed it.
fn unsigned(file: &ProofFile) -> Checked<Checkpoint> {
    note::parse(&file.checkpoint)
        .and_then(|(text, _)| Checkpoint::parse(text))
        .map(|said| (said, "a proof that ends in a checkpoint".to_owned()))
        .map_err(|error| {
            Problem::failed(
                "a proof that ends in a checkpoint",
                shown(&error.to_string()),
            )
        })
}

fn verifier(pin: &LogPin, said: &Checkpoint) -> Option<Verifier> {
    let name = pin.name.as_deref().unwrap_or(&said.origin);
    Verifier::new(name, pin.key.clone()).ok()
}

fn trusted(verifier: &Verifier) -> Trust {
    Trust {
        role: "log",
        key: shown(&verifier.vkey()),
        is_pinned: true,
    }
}

fn opened(file: &ProofFile, said: &Checkpoint, pins: &Pins) -> Checked<Verifier> {
    if pins.log_keys.is_empty() {
        return Err(Problem::NotPossible(
            "a proof file names no key: give the log's with --log-key".to_owned(),
        ));
    }
    let mut why = String::from("an origin that is no key's name");
    for pin in &pins.log_keys {
        let Some(verifier) = verifier(pin, said) else {
            continue;
        };
        match Checkpoint::open(&file.checkpoint, &verifier) {
            Ok(_) => {
                let found = format!("signed by {}", shown(&verifier.vkey()));
                return Ok((verifier, found));
            }
            Err(error) => why = shown(&error.to_string()),
        }
    }
    Err(Problem::failed(
        "a checkpoint signed by a log key that was given",
        why,
    ))
}

fn leaf(file: &ProofFile, record: Option<&[u8]>, said: &Checkpoint) -> Checked<()> {
    let record = record.ok_or_else(|| {
        Problem::NotPossible(
            "a proof file does not hold the record: give it with --record".to_owned(),
        )
    })?;
    included(record, file, said)
}
