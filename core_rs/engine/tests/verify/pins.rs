//! Keys from elsewhere, in the forms in which they are handed on.
use rollcall_engine::records::encoding::b64url;
use rollcall_engine::verify::{Pins, Verdict, parse_keys, parse_log_keys, verify_receipt};

use crate::world::{Parts, failed, key, kid, standard, x};

fn pem(seed: u8) -> String {
    let mut der = vec![
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    der.extend_from_slice(key(seed).public().as_bytes());
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        standard(&der)
    )
}

fn jwk(seed: u8) -> String {
    format!(
        r#"{{"crv":"Ed25519","kid":"{}","kty":"OKP","use":"sig","x":"{}"}}"#,
        kid(seed),
        x(seed)
    )
}

#[test]
fn every_form_gives_the_key() {
    let ours = key(1).public().clone();
    for form in [
        pem(1),
        jwk(1),
        x(1),
        format!("\n{}\n", x(1)),
        format!(r#"{{"keys":[{}]}}"#, jwk(1)),
    ] {
        assert_eq!(
            parse_keys(form.as_bytes()).unwrap(),
            std::slice::from_ref(&ours),
            "{form}"
        );
        assert_eq!(parse_log_keys(form.as_bytes()).unwrap()[0].key, ours);
    }
    let two = format!("{}{}", pem(1), pem(2));
    assert_eq!(parse_keys(two.as_bytes()).unwrap().len(), 2);
    let vkey = Parts::new().verifier().vkey();
    assert_eq!(
        parse_log_keys(vkey.as_bytes()).unwrap()[0].name.as_deref(),
        Some("example.org/log")
    );
}

#[test]
fn what_is_no_key_is_refused() {
    let wrong_kid = jwk(1).replace(&kid(1), &kid(2));
    for form in [
        String::new(),
        "{}".to_owned(),
        r#"{"keys":[]}"#.to_owned(),
        wrong_kid,
        jwk(1).replace("OKP", "EC"),
        pem(1).replace("MCow", "MCox"),
        pem(1).replace("PUBLIC", "PRIVATE"),
        b64url(&[0; 32]),
        "A".repeat(2_000_000),
    ] {
        assert!(parse_keys(form.as_bytes()).is_err(), "{form:.60}");
        assert!(parse_log_keys(form.as_bytes()).is_err());
    }
    assert!(parse_keys(b"\xff").is_err());
    assert!(parse_log_keys(b"example.org/log+1+2").is_err());
}

#[test]
fn a_verdict_says_whether_it_rests_on_pinned_keys() {
    let parts = Parts::new();
    let vkey = parts.verifier().vkey();
    let pins = |keys: &str, log_keys: &str| Pins {
        keys: parse_keys(keys.as_bytes()).unwrap(),
        log_keys: parse_log_keys(log_keys.as_bytes()).unwrap(),
    };
    let report = verify_receipt(&parts.bytes(), &pins(&pem(1), &vkey));
    assert_eq!(report.verdict(), Verdict::Valid);
    assert!(report.trust.iter().all(|trust| trust.is_pinned));
    assert!(parts.verify().trust.iter().all(|trust| !trust.is_pinned));
    let renamed = vkey_of("example.com/log");
    let report = verify_receipt(&parts.bytes(), &pins(&pem(2), &renamed));
    assert_eq!(failed(&report), ["pinned-key", "pinned-log-key"]);
    assert!(
        report.trust.iter().all(|trust| !trust.is_pinned),
        "the keys that were given are others"
    );
    let unnamed = verify_receipt(&parts.bytes(), &pins(&pem(1), &x(9)));
    assert_eq!(unnamed.verdict(), Verdict::Valid);
}

fn vkey_of(origin: &str) -> String {
    let parts = Parts {
        origin: origin.to_owned(),
        ..Parts::new()
    };
    parts.verifier().vkey()
}
