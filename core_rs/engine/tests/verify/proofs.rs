//! Proof files on their own.
use rollcall_engine::verify::{Pins, Report, Verdict, parse_log_keys, verify_proof};

use crate::world::{Parts, failed, x};

fn judged(proof: &str, record: Option<&[u8]>, log_key: Option<&str>) -> Report {
    let log_keys = log_key.map_or_else(Vec::new, |key| parse_log_keys(key.as_bytes()).unwrap());
    verify_proof(
        proof.as_bytes(),
        record,
        &Pins {
            keys: Vec::new(),
            log_keys,
        },
    )
}

#[test]
fn a_proof_needs_its_record_and_the_logs_key() {
    let parts = Parts::new();
    let (record, vkey) = (parts.session.record.as_slice(), parts.verifier().vkey());
    let proof = parts.proof(record);
    for key in [vkey.as_str(), &x(9)] {
        assert_eq!(
            judged(&proof, Some(record), Some(key)).verdict(),
            Verdict::Valid
        );
    }
    assert_eq!(
        judged(&proof, None, Some(&vkey)).verdict(),
        Verdict::Unusable
    );
    assert_eq!(
        judged(&proof, Some(record), None).verdict(),
        Verdict::Unusable
    );
    assert!(
        judged(&proof, Some(record), None)
            .reason()
            .unwrap()
            .contains("--log-key")
    );
    assert_eq!(
        judged("c2sp.org/tlog-proof@v2\n", Some(record), Some(&vkey)).verdict(),
        Verdict::Unusable
    );
}

#[test]
fn another_record_key_or_origin_is_found() {
    let parts = Parts::new();
    let (record, vkey) = (parts.session.record.as_slice(), parts.verifier().vkey());
    let proof = parts.proof(record);
    let other = &parts.key_records[0].record;
    assert_eq!(
        failed(&judged(&proof, Some(other), Some(&vkey))),
        ["inclusion"]
    );
    assert_eq!(
        failed(&judged(&proof, Some(record), Some(&x(8)))),
        ["checkpoint"]
    );
    assert_eq!(
        failed(&judged(&proof, Some(b"not canonical"), Some(&vkey))),
        ["inclusion", "record"]
    );
    let elsewhere = Parts {
        origin: "example.com/log".to_owned(),
        ..parts.clone()
    };
    assert_eq!(
        failed(&judged(&elsewhere.proof(record), Some(record), Some(&vkey))),
        ["checkpoint"]
    );
}

#[test]
fn every_change_of_one_byte_of_a_proof_is_found() {
    let parts = Parts::new();
    let record = parts.session.record.as_slice();
    let pins = Pins {
        keys: Vec::new(),
        log_keys: parse_log_keys(parts.verifier().vkey().as_bytes()).unwrap(),
    };
    let mut bytes = parts.proof(record).into_bytes();
    for place in 0..bytes.len() {
        for flip in [0x01, 0x02, 0x20, 0x80] {
            bytes[place] ^= flip;
            assert_ne!(
                verify_proof(&bytes, Some(record), &pins).verdict(),
                Verdict::Valid,
                "{place} {flip}"
            );
            bytes[place] ^= flip;
        }
    }
}
