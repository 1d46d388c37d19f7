use rollcall_engine::records::KeyOpenError;
use rollcall_engine::records::keys::SigningKey;
use rollcall_engine::records::profile::parse_canonical;
use rollcall_engine::records::wrap::{
    Argon2Cost, Floor, MAX_M_KIB, Purpose, cost_of, open, open_master, wrap, wrap_under_master,
};
use zeroize::Zeroizing;

use crate::{hex_array, json_vector, key};

const KEK: [u8; 32] = [3; 32];
const COST: Argon2Cost = Argon2Cost {
    salt: [4; 16],
    m_kib: 262_144,
    t: 3,
};
const NONCE: [u8; 24] = [5; 24];

fn sealed() -> String {
    String::from_utf8(wrap(&key(1), Purpose::Record, &KEK, COST, NONCE).unwrap()).unwrap()
}

fn error(file: &str) -> KeyOpenError {
    open(file.as_bytes(), &KEK, Floor::default(), None).expect_err(file)
}

#[test]
fn what_is_wrapped_opens_again_and_only_with_its_key() {
    let file = sealed();
    assert!(parse_canonical(file.as_bytes()).is_ok());
    let opened = open(
        file.as_bytes(),
        &KEK,
        Floor::default(),
        Some(Purpose::Record),
    )
    .unwrap();
    assert_eq!(opened.public(), key(1).public());
    assert_eq!(
        open(file.as_bytes(), &[9; 32], Floor::default(), None).expect_err("kek"),
        KeyOpenError::Sealed
    );
    assert_eq!(cost_of(file.as_bytes(), Floor::default()).unwrap(), COST);
    let purpose = open(file.as_bytes(), &KEK, Floor::default(), Some(Purpose::Log));
    assert_eq!(purpose.expect_err("purpose"), KeyOpenError::Purpose);
}

#[test]
fn a_master_wrap_and_a_passphrase_wrap_do_not_pass_for_each_other() {
    let master = wrap_under_master(&key(1), Purpose::Export, &KEK, NONCE).unwrap();
    assert_eq!(
        open_master(&master, &KEK, Some(Purpose::Export))
            .unwrap()
            .public(),
        key(1).public()
    );
    assert_eq!(
        open_master(&master, &KEK, Some(Purpose::Log)).expect_err("purpose"),
        KeyOpenError::Purpose
    );
    assert_eq!(
        open_master(&master, &[0; 32], None).expect_err("key"),
        KeyOpenError::Sealed
    );
    assert!(matches!(
        open(&master, &KEK, Floor::default(), None),
        Err(KeyOpenError::Form(_))
    ));
    assert!(matches!(
        cost_of(&master, Floor::default()),
        Err(KeyOpenError::Form(_))
    ));
    assert!(matches!(
        open_master(sealed().as_bytes(), &KEK, None),
        Err(KeyOpenError::Form(_))
    ));
    assert!(
        String::from_utf8(master)
            .unwrap()
            .contains(r#""kdf":{"name":"master"},"#)
    );
}

#[test]
fn the_cost_is_bounded_before_and_while_opening() {
    let with = |m_kib: u32, t: u32| {
        sealed()
            .replace(r#""m_kib":262144"#, &format!(r#""m_kib":{m_kib}"#))
            .replace(r#""t":3"#, &format!(r#""t":{t}"#))
    };
    for (m_kib, t) in [
        (65_535, 3),
        (MAX_M_KIB + 1, 3),
        (0, 3),
        (65_536, 2),
        (65_536, 11),
        (65_536, 0),
    ] {
        let file = with(m_kib, t);
        assert!(
            cost_of(file.as_bytes(), Floor::default()).is_err(),
            "{m_kib} {t}"
        );
        assert!(matches!(
            error(&file),
            KeyOpenError::Memory { .. } | KeyOpenError::Passes { .. }
        ));
    }
    for (m_kib, t) in [(65_536, 3), (MAX_M_KIB, 10)] {
        assert!(cost_of(with(m_kib, t).as_bytes(), Floor::default()).is_ok());
        assert_eq!(error(&with(m_kib, t)), KeyOpenError::Sealed); // the header is the additional data
    }
    let cheap = Argon2Cost {
        m_kib: 8,
        t: 1,
        ..COST
    };
    let file = wrap(&key(1), Purpose::Record, &KEK, cheap, NONCE).unwrap();
    assert!(open(&file, &KEK, Floor::default(), None).is_err());
    assert!(open(&file, &KEK, Floor { m_kib: 8, t: 1 }, None).is_ok());
    assert!(
        wrap(
            &key(1),
            Purpose::Record,
            &KEK,
            Argon2Cost {
                m_kib: MAX_M_KIB + 1,
                ..COST
            },
            NONCE
        )
        .is_err()
    );
    assert!(
        wrap(
            &key(1),
            Purpose::Record,
            &KEK,
            Argon2Cost { t: 11, ..COST },
            NONCE
        )
        .is_err()
    );
}

#[test]
fn any_changed_byte_keeps_the_key_closed() {
    let file = sealed();
    for at in 0..file.len() {
        for change in [1, 0x20, 0x80] {
            let mut changed = file.clone().into_bytes();
            changed[at] ^= change;
            assert!(
                open(&changed, &KEK, Floor::default(), None).is_err(),
                "byte {at} ^ {change}"
            );
        }
    }
    for end in 0..file.len() {
        assert!(
            open(&file.as_bytes()[..end], &KEK, Floor::default(), None).is_err(),
            "cut at {end}"
        );
    }
}

#[test]
fn another_form_is_refused_with_what_is_wrong() {
    let file = sealed();
    for (from, to) in [
        (r#""v":1"#, r#""v":2"#),
        (r#""p":1"#, r#""p":2"#),
        (r#""version":19"#, r#""version":16"#),
        ("argon2id", "argon2i"),
        ("xchacha20-poly1305", "aes256-gcm"),
        (r#""purpose":"record""#, r#""purpose":"root""#),
        (r#""purpose":"record""#, r#""more":1,"purpose":"record""#),
        (r#""purpose":"record","#, ""),
        (r#""m_kib":262144"#, r#""m_kib":"262144""#),
        (r#""m_kib":262144"#, r#""m_kib":-1"#),
        (r#""salt":""#, r#""salt":"AA"#),
    ] {
        let changed = file.replace(from, to);
        assert_ne!(changed, file);
        assert!(
            matches!(error(&changed), KeyOpenError::Form(_)),
            "{from} -> {to}: {}",
            error(&changed)
        );
    }
    assert!(matches!(
        error(&format!("{file}x")),
        KeyOpenError::Unreadable(_)
    ));
    assert!(matches!(error(&" ".repeat(5000)), KeyOpenError::Form(_)));
    let spaced = file.replace(r#","kid""#, r#" , "kid""#);
    assert!(open(spaced.as_bytes(), &KEK, Floor::default(), None).is_ok());
}

#[test]
fn a_seal_around_another_key_than_named_is_refused() {
    use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
    use chacha20poly1305::{XChaCha20Poly1305, XNonce};
    let file = sealed();
    let header = file.replacen(
        &file[file.find(r#""ct""#).unwrap()..=file.find(r#","kdf""#).unwrap()],
        "",
        1,
    );
    let payload = |seed: &'static [u8]| Payload {
        msg: seed,
        aad: header.as_bytes(),
    };
    let seal = |seed| {
        XChaCha20Poly1305::new(&KEK.into())
            .encrypt(&XNonce::from(NONCE), payload(seed))
            .unwrap()
    };
    let with = |ct: &[u8]| {
        let value = rollcall_engine::records::encoding::b64url(ct);
        header.replacen(r#","kdf""#, &format!(r#","ct":"{value}","kdf""#), 1)
    };
    assert_eq!(with(&seal(&[1; 32])), file);
    assert_eq!(error(&with(&seal(&[2; 32]))), KeyOpenError::AnotherKey);
}

#[test]
fn the_wrapped_key_vector_is_opened_and_reproduced() {
    let Some(vector) = json_vector("derived/wrapped-key.json") else {
        return;
    };
    let text = |pointer: &str| {
        vector
            .pointer(pointer)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    let kek = hex_array(&text("/argon2id/kek_hex"));
    let file = vector["file"].to_string();
    let opened = open(
        file.as_bytes(),
        &kek,
        Floor::default(),
        Some(Purpose::Record),
    )
    .unwrap();
    assert_eq!(opened.public().kid(), text("/file/kid"));

    let seed = SigningKey::from_seed(&Zeroizing::new(hex_array(&text("/plaintext_seed_hex"))));
    let cost = Argon2Cost {
        salt: hex_array(&text("/argon2id/salt_hex")),
        m_kib: 262_144,
        t: 3,
    };
    let nonce = hex_array(&text("/xchacha20poly1305_ietf/nonce_hex"));
    let ours = wrap(&seed, Purpose::Record, &kek, cost, nonce).unwrap();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&ours).unwrap(),
        vector["file"]
    );

    for (name, other) in [
        ("kid", text("/file/x")),
        ("x", text("/file/kid")),
        ("purpose", "log".to_owned()),
    ] {
        let mut changed = vector["file"].clone();
        changed[name] = other.into();
        assert!(
            open(changed.to_string().as_bytes(), &kek, Floor::default(), None).is_err(),
            "{name}"
        );
    }
}
