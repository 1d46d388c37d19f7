//! Receipts: everything that one needs to check one session (docs/formats.md).
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::borrow::Cow;

use super::MAX_BYTES;
use super::key_window::{KeyRecord, included, logged, window};
use super::pins::{LogPin, Pins};
use super::report::{Checked, Problem, Report, Trust, shown};
use super::session::{Rules, canonical_record, claims, session};
use crate::log::checkpoint::Checkpoint;
use crate::log::note::Verifier;
use crate::log::proof_file::ProofFile;
use crate::records::encoding::decode_b64url_array;
use crate::records::keys::PublicKey;
use crate::records::profile::{Member, Value, parse};
use crate::records::record::verify_signature;

const KIND: &str = "receipt";
const TYPE: &str = "rollcall.receipt";
const VERSION: i64 = 1;
/// A key begins once and ends in at most three ways; a revocation can be moved back a few times.
const MAX_KEY_RECORDS: usize = 16;

/// The checks of a receipt without pins, in order.
pub const RECEIPT_CHECKS: [&str; 15] = [
    "encoding",
    "record",
    "session",
    "key-id",
    "signature",
    "timeline-digest",
    "timeline",
    "sums",
    "rules-digest",
    "rules",
    "key-records",
    "key-window",
    "checkpoint",
    "inclusion",
    "key-inclusion",
];

/// A receipt's members as texts.
struct Texts<'a> {
    record: &'a str,
    signature: &'a str,
    public_key: &'a str,
    timeline: &'a str,
    rules: &'a str,
    proof: &'a str,
    log_key: &'a str,
    key_records: Vec<KeyTexts<'a>>,
}

struct KeyTexts<'a> {
    record: &'a str,
    signature: &'a str,
    public_key: &'a str,
    proof: &'a str,
}

/// A receipt with its keys and proofs decoded.
struct Receipt<'a> {
    record: &'a str,
    signature: [u8; 64],
    key: PublicKey,
    timeline: &'a str,
    rules: &'a str,
    proof: ProofFile,
    log_key: Verifier,
    key_records: Vec<KeyRecord<'a>>,
}

/// Verifies a receipt, whatever its bytes are.
pub fn verify_receipt(bytes: &[u8], pins: &Pins) -> Report {
    if bytes.len() > MAX_BYTES {
        return Report::unusable(KIND, format!("it has more than {MAX_BYTES} bytes"));
    }
    let value = match parse(bytes) {
        Ok(value) => value,
        Err(error) => {
            return Report::unusable(KIND, format!("it is not JSON as receipts are: {error}"));
        }
    };
    match Texts::of(&value) {
        Ok(texts) => verified(&texts, pins),
        Err(why) => Report::unusable(KIND, why),
    }
}

fn verified(texts: &Texts<'_>, pins: &Pins) -> Report {
    let mut report = Report::new(KIND);
    let decoded = report.note("encoding", texts.decode());
    let record = report.note("record", canonical_record(texts.record.as_bytes()));
    if let Some(record) = &record {
        report.claims = claims(record);
    }
    if let Some(receipt) = &decoded {
        check_record(&mut report, receipt, record.as_ref());
        check_pins(&mut report, receipt, pins);
    }
    // What was never reached is said, so that every report has every name.
    for name in RECEIPT_CHECKS {
        if !report.checks.iter().any(|check| check.name == name) {
            report.note::<()>(name, Err(Problem::after("what it rests on")));
        }
    }
    report
}

fn check_record(report: &mut Report, receipt: &Receipt<'_>, record: Option<&Value<'_>>) {
    let said = record.and_then(|record| report.note("session", session(record)));
    if let Some(said) = &said {
        report.note("key-id", same_key(&said.kid, &receipt.key));
    }
    report.note("signature", signed(receipt));
    let checkpoint = report.note("checkpoint", opened(receipt));
    if let Some(checkpoint) = &checkpoint {
        report.note(
            "inclusion",
            included(receipt.record.as_bytes(), &receipt.proof, checkpoint),
        );
        report.note(
            "key-inclusion",
            logged(&receipt.key_records, &receipt.proof, checkpoint),
        );
    }
    let Some(said) = said else { return };
    report.note("timeline-digest", said.timeline_digest(receipt.timeline));
    let sums = report.note("timeline", said.partition(receipt.timeline));
    report.note("rules-digest", said.rules_digest(receipt.rules));
    if let Some(sums) = &sums {
        report.note("sums", said.sums(sums));
        let rules = Rules::read(receipt.rules.as_bytes());
        if let Some(minimum) =
            report.note("rules", rules.and_then(|rules| said.under(&rules, sums)))
        {
            match said.below_minimum(sums, minimum) {
                Err(Problem::NotPossible(why)) => {
                    report.note_optional::<()>("below-minimum", Err(Problem::NotPossible(why)));
                }
                judged => {
                    report.note("below-minimum", judged);
                }
            }
        }
    }
    let bounds = report.note(
        "key-records",
        window(&receipt.key_records, &receipt.key, &said),
    );
    if let Some(bounds) = bounds {
        report.note("key-window", bounds.covers(&said, receipt.proof.index));
    }
}

fn same_key(kid: &str, key: &PublicKey) -> Checked<()> {
    if kid == key.kid() {
        Ok(((), key.kid().to_owned()))
    } else {
        Err(Problem::failed(format!("kid {}", key.kid()), shown(kid)))
    }
}

fn signed(receipt: &Receipt<'_>) -> Checked<()> {
    verify_signature(receipt.record.as_bytes(), &receipt.signature, &receipt.key)
        .map(|()| ((), format!("Ed25519 by {}", receipt.key.kid())))
        .map_err(|_| {
            Problem::failed(
                format!("a signature by {}", receipt.key.kid()),
                "one that does not verify over the record",
            )
        })
}

fn opened(receipt: &Receipt<'_>) -> Checked<Checkpoint> {
    Checkpoint::open(&receipt.proof.checkpoint, &receipt.log_key)
        .map(|checkpoint| {
            let found = format!("{}, {} entries", shown(&checkpoint.origin), checkpoint.size);
            (checkpoint, found)
        })
        .map_err(|error| {
            Problem::failed(
                format!("a checkpoint signed by {}", shown(&receipt.log_key.vkey())),
                shown(&error.to_string()),
            )
        })
}

fn check_pins(report: &mut Report, receipt: &Receipt<'_>, pins: &Pins) {
    let (kid, vkey) = (receipt.key.kid(), receipt.log_key.vkey());
    let key_is_pinned = pins.keys.contains(&receipt.key);
    if !pins.keys.is_empty() {
        report.note(
            "pinned-key",
            pinned(key_is_pinned, "record", kid, pins.keys.len()),
        );
    }
    let log_key_is_pinned = pins
        .log_keys
        .iter()
        .any(|pin: &LogPin| pin.matches(&receipt.log_key));
    if !pins.log_keys.is_empty() {
        report.note(
            "pinned-log-key",
            pinned(log_key_is_pinned, "log", &vkey, pins.log_keys.len()),
        );
    }
    report.trust = vec![
        Trust {
            role: "record",
            key: kid.to_owned(),
            is_pinned: key_is_pinned,
        },
        Trust {
            role: "log",
            key: shown(&vkey),
            is_pinned: log_key_is_pinned,
        },
    ];
}

fn pinned(known: bool, role: &str, key: &str, given: usize) -> Checked<()> {
    if known {
        Ok((
            (),
            format!("{} is among the {given} {role} keys given", shown(key)),
        ))
    } else {
        Err(Problem::failed(
            format!("one of the {given} {role} keys given"),
            shown(key),
        ))
    }
}

impl<'a> Texts<'a> {
    fn of(value: &'a Value<'_>) -> Result<Self, String> {
        let names = [
            "key_records",
            "log_key",
            "proof",
            "public_key",
            "record",
            "rules",
            "signature",
            "timeline",
            "type",
            "v",
        ];
        let members = only(value, &names, "the receipt")?;
        let text = |name| text_of(members, name, "the receipt");
        if text("type")? != TYPE {
            return Err(format!("its type is not {TYPE}"));
        }
        if value.member("v") != Some(&Value::Int(VERSION)) {
            return Err(format!(
                "its version is not {VERSION}, the only one that is known here"
            ));
        }
        let Some(Value::Array(listed)) = value.member("key_records") else {
            return Err("key_records of the receipt is not a list".to_owned());
        };
        if listed.len() > MAX_KEY_RECORDS {
            return Err(format!("it has more than {MAX_KEY_RECORDS} key records"));
        }
        Ok(Self {
            record: text("record")?,
            signature: text("signature")?,
            public_key: text("public_key")?,
            timeline: text("timeline")?,
            rules: text("rules")?,
            proof: text("proof")?,
            log_key: text("log_key")?,
            key_records: listed.iter().map(KeyTexts::of).collect::<Result<_, _>>()?,
        })
    }

    fn decode(&self) -> Checked<Receipt<'a>> {
        let log_key = Verifier::parse(self.log_key).map_err(|error| {
            Problem::failed("log_key that is a verifier key", shown(&error.to_string()))
        })?;
        let receipt = Receipt {
            record: self.record,
            signature: bytes_of(self.signature, "signature")?,
            key: key_of(self.public_key)?,
            timeline: self.timeline,
            rules: self.rules,
            proof: proof_of(self.proof)?,
            log_key,
            key_records: self
                .key_records
                .iter()
                .map(KeyTexts::decode)
                .collect::<Result<_, _>>()?,
        };
        Ok((
            receipt,
            "keys, signatures and proofs, each in its one spelling".to_owned(),
        ))
    }
}

impl<'a> KeyTexts<'a> {
    fn of(value: &'a Value<'_>) -> Result<Self, String> {
        let members = only(
            value,
            &["proof", "public_key", "record", "signature"],
            "a key record",
        )?;
        let text = |name| text_of(members, name, "a key record");
        Ok(Self {
            record: text("record")?,
            signature: text("signature")?,
            public_key: text("public_key")?,
            proof: text("proof")?,
        })
    }

    fn decode(&self) -> Result<KeyRecord<'a>, Problem> {
        Ok(KeyRecord {
            record: self.record,
            signature: bytes_of(self.signature, "signature")?,
            signer: key_of(self.public_key)?,
            proof: proof_of(self.proof)?,
        })
    }
}

/// The members of an object that has no others than these.
fn only<'a, 'b>(
    value: &'a Value<'b>,
    names: &[&str],
    what: &str,
) -> Result<&'a [Member<'b>], String> {
    let Value::Object(members) = value else {
        return Err(format!("{what} is not an object"));
    };
    match members
        .iter()
        .find(|(name, _)| !names.contains(&name.as_ref()))
    {
        Some((name, _)) => Err(format!("{what} has an unknown member {}", shown(name))),
        None => Ok(members),
    }
}

fn text_of<'a>(members: &'a [Member<'_>], name: &str, what: &str) -> Result<&'a str, String> {
    members
        .iter()
        .find(|(key, _): &&(Cow<'_, str>, _)| key == name)
        .and_then(|(_, value)| value.as_str())
        .ok_or_else(|| format!("{what} has no {name} that is a string"))
}

fn bytes_of<const N: usize>(text: &str, name: &str) -> Result<[u8; N], Problem> {
    decode_b64url_array(text).map_err(|_| {
        Problem::failed(
            format!("{name} of {N} bytes in base64url, without padding, in its one spelling"),
            shown(text),
        )
    })
}

fn key_of(text: &str) -> Result<PublicKey, Problem> {
    PublicKey::from_bytes(&bytes_of(text, "public_key")?).map_err(|_| {
        Problem::failed(
            "a public key of Ed25519, not one of small order",
            shown(text),
        )
    })
}

fn proof_of(text: &str) -> Result<ProofFile, Problem> {
    ProofFile::parse(text.as_bytes()).map_err(|error| {
        Problem::failed("a proof file (C2SP tlog-proof)", shown(&error.to_string()))
    })
}
