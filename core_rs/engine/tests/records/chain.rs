use rollcall_engine::records::Error;
use rollcall_engine::records::encoding::b64url;
use rollcall_engine::records::merkle::sha256;
use rollcall_engine::records::profile::{Breach, MAX_RECORD_BYTES, parse_canonical};
use rollcall_engine::records::record::{
    ChainPosition, Draft, SignedRecord, sign_chain, verify_record, verify_records,
};

use crate::key;

const START: ChainPosition = ChainPosition {
    guild_id: 81_384_788_765_712_384,
    guild_seq: 0,
    prev_sha256: None,
};
const AT_MS: i64 = 1_760_000_000_000;

fn draft(json: &str) -> Draft<'_> {
    Draft {
        json: json.as_bytes(),
        salt: [0; 16],
    }
}

fn sign(drafts: &[Draft<'_>]) -> Result<Vec<SignedRecord>, Error> {
    sign_chain(&key(1), &START, AT_MS, drafts)
}

#[test]
fn records_are_chained_numbered_and_signed() {
    let first = Draft {
        json: br#"{ "type": "attendance.external", "source": "x" }"#,
        salt: [7; 16],
    };
    let signed = sign(&[first, draft(r#"{"type":"a"}"#)]).unwrap();
    let kid = key(1).public().kid().to_owned();
    assert_eq!(
        String::from_utf8(signed[0].record.clone()).unwrap(),
        format!(
            r#"{{"guild_id":"81384788765712384","guild_seq":0,"kid":"{kid}","salt":"{}","signed_at_ms":1760000000000,"source":"x","type":"attendance.external","v":1}}"#,
            b64url(&[7; 16])
        )
    );
    assert_eq!(
        String::from_utf8(signed[1].record.clone()).unwrap(),
        format!(
            r#"{{"guild_id":"81384788765712384","guild_seq":1,"kid":"{kid}","prev":"{}","salt":"AAAAAAAAAAAAAAAAAAAAAA","signed_at_ms":1760000000000,"type":"a","v":1}}"#,
            b64url(&signed[0].sha256)
        )
    );
    for one in &signed {
        assert_eq!(one.sha256, sha256(&one.record));
        assert!(parse_canonical(&one.record).is_ok());
        assert!(verify_record(&one.record, &one.signature, key(1).public()).is_ok());
    }
}

#[test]
fn a_chain_signed_in_parts_is_the_chain_signed_at_once() {
    let drafts = [
        draft(r#"{"type":"a"}"#),
        draft(r#"{"type":"b"}"#),
        draft(r#"{"type":"c"}"#),
    ];
    let whole = sign(&drafts).unwrap();
    let mut parts = sign(&drafts[..1]).unwrap();
    let next = ChainPosition {
        guild_seq: 1,
        prev_sha256: Some(parts[0].sha256),
        ..START
    };
    parts.extend(sign_chain(&key(1), &next, AT_MS, &drafts[1..]).unwrap());
    assert_eq!(parts, whole);
}

#[test]
fn a_draft_outside_the_rules_stops_the_batch_and_is_named() {
    let chain_members = [
        "v",
        "guild_id",
        "guild_seq",
        "prev",
        "kid",
        "signed_at_ms",
        "salt",
    ];
    let mut cases: Vec<(String, Breach)> = chain_members
        .iter()
        .map(|name| (format!(r#"{{"type":"a","{name}":1}}"#), Breach::ChainMember))
        .collect();
    cases.extend([
        ("[]".to_owned(), Breach::NotObject),
        ("{}".to_owned(), Breach::NoType),
        (r#"{"type":""}"#.to_owned(), Breach::NoType),
        (r#"{"type":1}"#.to_owned(), Breach::NoType),
        (r#"{"type":"a","b":1.5}"#.to_owned(), Breach::NotInteger),
        (
            format!(
                r#"{{"type":"a","note":"{}"}}"#,
                "x".repeat(MAX_RECORD_BYTES)
            ),
            Breach::Size,
        ),
    ]);
    for (json, expected) in &cases {
        match sign(&[draft(r#"{"type":"a"}"#), draft(json)]) {
            Err(Error::Draft { index: 1, error }) => assert_eq!(error.breach, *expected, "{json}"),
            other => panic!("{json}: {other:?}"),
        }
    }
    let deep = |arrays: usize| {
        format!(
            r#"{{"type":"a","b":{}{}}}"#,
            "[".repeat(arrays),
            "]".repeat(arrays)
        )
    };
    assert!(sign(&[draft(&deep(7))]).is_ok());
    assert!(sign(&[draft(&deep(8))]).is_err());
}

#[test]
fn a_record_may_be_16384_bytes_and_no_more() {
    let with_note = |length: usize| format!(r#"{{"type":"a","note":"{}"}}"#, "x".repeat(length));
    let empty = sign(&[draft(&with_note(0))]).unwrap()[0].record.len();
    let largest = with_note(MAX_RECORD_BYTES - empty);
    let signed = sign(&[draft(&largest)]).unwrap().remove(0);
    assert_eq!(signed.record.len(), MAX_RECORD_BYTES);
    assert!(verify_record(&signed.record, &signed.signature, key(1).public()).is_ok());
    assert!(sign(&[draft(&with_note(MAX_RECORD_BYTES - empty + 1))]).is_err());
}

#[test]
fn a_position_that_contradicts_itself_or_leaves_the_profile_is_refused() {
    let one = [draft(r#"{"type":"a"}"#)];
    let sign_at = |guild_seq, prev_sha256, at_ms| {
        sign_chain(
            &key(1),
            &ChainPosition {
                guild_id: 1,
                guild_seq,
                prev_sha256,
            },
            at_ms,
            &one,
        )
    };
    assert!(matches!(
        sign_at(0, Some([0; 32]), 0),
        Err(Error::Misuse(_))
    ));
    assert!(matches!(sign_at(1, None, 0), Err(Error::Misuse(_))));
    assert!(sign_at((1 << 53) - 1, Some([0; 32]), 0).is_ok());
    assert!(matches!(
        sign_at(1 << 53, Some([0; 32]), 0),
        Err(Error::Draft { .. })
    ));
    assert!(matches!(
        sign_at(u64::MAX, Some([0; 32]), 0),
        Err(Error::Draft { .. })
    ));
    assert!(matches!(
        sign_at(0, None, i64::MAX),
        Err(Error::Draft { .. })
    ));
    assert!(matches!(
        sign_at(0, None, i64::MIN),
        Err(Error::Draft { .. })
    ));
}

#[test]
fn any_changed_bit_of_a_record_or_signature_is_found() {
    let signed = sign(&[draft(r#"{"type":"a","note":"x"}"#)])
        .unwrap()
        .remove(0);
    for bit in (0..signed.record.len() * 8).step_by(5) {
        let mut record = signed.record.clone();
        record[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verify_record(&record, &signed.signature, key(1).public()).is_err(),
            "record bit {bit}"
        );
    }
    for bit in (0..512).step_by(5) {
        let mut signature = signed.signature;
        signature[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verify_record(&signed.record, &signature, key(1).public()).is_err(),
            "signature bit {bit}"
        );
    }
}

#[test]
fn a_good_signature_over_bytes_that_are_no_record_of_this_key_is_refused() {
    let (key, kid) = (key(1), key(1).public().kid().to_owned());
    let mut refused = vec![
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"not json".to_vec(),
        br#"{"kid":1}"#.to_vec(),
        br#"{"kid":"another"}"#.to_vec(),
        format!(r#"{{"kid": "{kid}"}}"#).into_bytes(),
        format!(
            r#"{{"kid":"{kid}","note":"{}"}}"#,
            "x".repeat(MAX_RECORD_BYTES)
        )
        .into_bytes(),
    ];
    refused.push(
        [
            &[0xef, 0xbb, 0xbf],
            format!(r#"{{"kid":"{kid}"}}"#).as_bytes(),
        ]
        .concat(),
    );
    for record in refused {
        let signature = key.sign(&record).unwrap();
        let error = verify_record(&record, &signature, key.public()).expect_err("no record");
        assert!(error.to_string().starts_with("expected "), "{error}");
    }
    let record = format!(r#"{{"kid":"{kid}"}}"#);
    assert!(
        verify_record(
            record.as_bytes(),
            &key.sign(record.as_bytes()).unwrap(),
            key.public()
        )
        .is_ok()
    );
}

#[test]
fn a_batch_answers_in_order_whatever_the_keys() {
    let by_one = sign(&[draft(r#"{"type":"a"}"#)]).unwrap().remove(0);
    let by_two = sign_chain(&key(2), &START, AT_MS, &[draft(r#"{"type":"a"}"#)])
        .unwrap()
        .remove(0);
    let (one, two) = (key(1), key(2));
    let batch = [
        (&by_one, one.public().as_bytes().as_slice()),
        (&by_two, one.public().as_bytes()),
        (&by_two, two.public().as_bytes()),
        (&by_one, &[0; 32]),
        (&by_one, b"short"),
        (&by_one, one.public().as_bytes()),
    ];
    let results = verify_records(
        batch.map(|(one, public)| (one.record.as_slice(), one.signature.as_slice(), public)),
    );
    let fine: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(fine, [true, false, true, false, false, true]);
}
