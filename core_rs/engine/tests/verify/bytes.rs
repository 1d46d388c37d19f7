//! Any bytes: flipped, cut short, mixed, nested, huge.
use std::thread;

use rollcall_engine::verify::{
    MAX_BYTES, Outcome, Pins, RECEIPT_CHECKS, Verdict, verify_proof, verify_receipt,
};

use crate::world::{Parts, failed};

#[test]
fn a_whole_receipt_passes_every_check() {
    let report = Parts::new().verify();
    assert_eq!(report.verdict(), Verdict::Valid, "{report:#?}");
    assert_eq!(failed(&report), [""; 0]);
    for name in RECEIPT_CHECKS.into_iter().chain(["below-minimum"]) {
        let check = report.checks.iter().find(|check| check.name == name);
        assert_eq!(check.unwrap().outcome, Outcome::Passed, "{name}");
    }
}

/// Written without white space and without escapes that could be others, a receipt has no byte that nothing covers.
#[test]
fn every_change_of_one_byte_is_found() {
    let bytes = Parts::new().bytes();
    let unfound = |places: std::ops::Range<usize>| {
        let mut unfound = Vec::new();
        let mut changed = bytes.clone();
        for place in places {
            for flip in [0x01, 0x02, 0x20, 0x80] {
                changed[place] ^= flip;
                if verify_receipt(&changed, &Pins::default()).verdict() == Verdict::Valid {
                    unfound.push((place, flip));
                }
                changed[place] ^= flip;
            }
        }
        unfound
    };
    let middle = bytes.len() / 2;
    thread::scope(|scope| {
        let first = scope.spawn(|| unfound(0..middle));
        assert_eq!(unfound(middle..bytes.len()), []);
        assert_eq!(first.join().unwrap(), []);
    });
}

#[test]
fn what_was_cut_short_is_unusable() {
    let bytes = Parts::new().bytes();
    for end in 0..bytes.len() {
        let report = verify_receipt(&bytes[..end], &Pins::default());
        assert_eq!(report.verdict(), Verdict::Unusable, "{end}");
    }
}

#[test]
fn random_changes_never_panic_and_never_pass() {
    let parts = Parts::new();
    let (receipt, proof) = (
        parts.bytes(),
        parts.proof(&parts.session.record).into_bytes(),
    );
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % end
    };
    for round in 0..4_000 {
        let whole = if round % 2 == 0 { &receipt } else { &proof };
        let mut bytes = whole.clone();
        for _ in 0..=random(4) {
            let (from, to) = (random(bytes.len()), random(bytes.len()));
            match random(4) {
                0 => bytes[from] = u8::try_from(random(256)).unwrap(),
                1 => drop(bytes.drain(from.min(to)..from.max(to))),
                2 => bytes.insert(from, b"{}[]\",:\\\n0"[random(10)]),
                _ => {
                    let copied = bytes[from.min(to)..from.max(to)].to_vec();
                    bytes.splice(to..to, copied);
                }
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        if bytes == *whole {
            continue;
        }
        let as_value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
        let report = verify_receipt(&bytes, &Pins::default());
        if report.verdict() == Verdict::Valid {
            assert_eq!(as_value(&bytes), as_value(whole), "round {round}"); // white space outside of texts
        }
        let report = verify_proof(&bytes, Some(&parts.session.record), &Pins::default());
        assert_ne!(report.verdict(), Verdict::Valid);
        for check in &report.checks {
            assert!(check.found.len() < 2_000 && check.found.is_ascii());
        }
    }
}

#[test]
fn deep_huge_and_foreign_values_are_unusable_at_once() {
    let deep = format!("{}{}", "[".repeat(2_000_000), "]".repeat(2_000_000));
    let many = format!("[{}0]", "0,".repeat(2_000_000));
    let long = vec![b' '; MAX_BYTES + 1];
    let number = br#"{"v":99999999999999999999999999999999}"#.to_vec();
    for bytes in [
        deep.into_bytes(),
        many.into_bytes(),
        long,
        number,
        b"null".to_vec(),
        b"".to_vec(),
        b"\xff".to_vec(),
    ] {
        let report = verify_receipt(&bytes, &Pins::default());
        assert_eq!(report.verdict(), Verdict::Unusable);
        assert!(report.reason().unwrap().len() < 300);
    }
}

#[test]
fn members_that_are_unknown_missing_doubled_or_of_another_version_are_unusable() {
    let whole = Parts::new().json();
    for (name, value) in [
        ("v", 2.into()),
        ("type", "voice.session".into()),
        ("extra", 1.into()),
        ("proof", 1.into()),
    ] {
        let mut receipt = whole.clone();
        receipt[name] = value;
        let bytes = serde_json::to_vec(&receipt).unwrap();
        assert_eq!(
            verify_receipt(&bytes, &Pins::default()).verdict(),
            Verdict::Unusable,
            "{name}"
        );
    }
    for name in whole.as_object().unwrap().keys() {
        let mut receipt = whole.clone();
        receipt.as_object_mut().unwrap().remove(name);
        let bytes = serde_json::to_vec(&receipt).unwrap();
        assert_eq!(
            verify_receipt(&bytes, &Pins::default()).verdict(),
            Verdict::Unusable,
            "{name}"
        );
    }
    let text = String::from_utf8(Parts::new().bytes()).unwrap();
    let doubled = text.replacen(r#""v":1"#, r#""v":1,"v":1"#, 1);
    assert_eq!(
        verify_receipt(doubled.as_bytes(), &Pins::default()).verdict(),
        Verdict::Unusable
    );
}
