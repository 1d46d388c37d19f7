//! Paths, notes, checkpoints and proof files: one spelling each, and every other refused.
use rollcall_engine::log::checkpoint::Checkpoint;
use rollcall_engine::log::note::{self, Verifier};
use rollcall_engine::log::proof_file::ProofFile;
use rollcall_engine::log::tile::{Level, TileId};
use rollcall_engine::records::keys::SigningKey;
use zeroize::Zeroizing;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([seed; 32]))
}

fn verifier(seed: u8, name: &str) -> Verifier {
    Verifier::new(name, key(seed).public().clone()).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "example.org/log".to_owned(),
        size: 300,
        root: [7; 32],
    }
}

#[test]
fn paths_are_those_of_tlog_tiles() {
    let path = |level, index, width| {
        TileId {
            level,
            index,
            width,
        }
        .to_string()
    };
    assert_eq!(path(Level::Hashes(0), 0, 256), "tile/0/000");
    assert_eq!(
        path(Level::Hashes(2), 1_234_067, 256),
        "tile/2/x001/x234/067"
    );
    assert_eq!(
        path(Level::Entries, 1_000, 17),
        "tile/entries/x001/000.p/17"
    );
}

#[test]
fn a_signed_checkpoint_opens_with_its_key_and_no_other() {
    let signed = checkpoint().sign(&key(1)).unwrap();
    let ours = verifier(1, "example.org/log");
    assert_eq!(
        Checkpoint::open(signed.as_bytes(), &ours).unwrap(),
        checkpoint()
    );
    assert_eq!(Verifier::parse(&ours.vkey()).unwrap(), ours);
    assert!(Checkpoint::open(signed.as_bytes(), &verifier(2, "example.org/log")).is_err());
    assert!(Checkpoint::open(signed.as_bytes(), &verifier(1, "example.org/other")).is_err());
    let witnessed = format!("{signed}\u{2014} w.example {}\n", "AAAAAAAA");
    assert_eq!(
        Checkpoint::open(witnessed.as_bytes(), &ours).unwrap(),
        checkpoint()
    );
}

#[test]
fn another_origin_under_our_key_is_refused() {
    let other = Checkpoint {
        origin: "example.org/other".to_owned(),
        ..checkpoint()
    };
    let note = note::sign(&other.text(), "example.org/log", &key(1)).unwrap();
    assert!(Checkpoint::open(note.as_bytes(), &verifier(1, "example.org/log")).is_err());
}

#[test]
fn every_changed_byte_of_a_checkpoint_is_found() {
    let signed = checkpoint().sign(&key(1)).unwrap().into_bytes();
    let ours = verifier(1, "example.org/log");
    for at in 0..signed.len() {
        for bit in 0..8 {
            let mut changed = signed.clone();
            changed[at] ^= 1 << bit;
            assert!(
                Checkpoint::open(&changed, &ours).is_err(),
                "byte {at}, bit {bit}"
            );
        }
        assert!(Checkpoint::open(&signed[..at], &ours).is_err());
    }
}

#[test]
fn sizes_and_roots_have_one_spelling() {
    let root = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    assert!(Checkpoint::parse(&format!("o\n300\n{root}\n")).is_ok());
    assert!(Checkpoint::parse(&format!("o\n300\n{root}\nextension\n")).is_ok());
    for text in [
        format!("o\n0300\n{root}\n"),
        format!("o\n+300\n{root}\n"),
        format!("o\n{}\n{root}\n", "3".repeat(40)),
        format!("o\n300\n{root}"),
        format!("o\n300\n{root}\n\n"),
        format!("\n300\n{root}\n"),
        format!("o\n300\n{}d=\n", &root[..42]),
        format!("o\n300\n{}\n", &root[..43]),
        "o\n300\n".to_owned(),
        String::new(),
    ] {
        assert!(Checkpoint::parse(&text).is_err(), "{text:?}");
    }
}

#[test]
fn proof_files_come_back_as_they_went() {
    let file = ProofFile {
        index: 17,
        proof: vec![[1; 32], [2; 32]],
        checkpoint: checkpoint().sign(&key(1)).unwrap().into_bytes(),
    };
    assert_eq!(ProofFile::parse(&file.to_bytes()).unwrap(), file);
    let text = String::from_utf8(file.to_bytes()).unwrap();
    for changed in [
        text.replace("@v1", "@v2"),
        text.replace("index 17", "index 017"),
        text.replace("index 17\n", ""),
        text.replace("AQEB", "AQE"),
        text.replacen("\n\n", "\n", 2),
        text.replacen("index", &format!("{}index", "x".repeat(1 << 17)), 1),
    ] {
        let parsed = ProofFile::parse(changed.as_bytes());
        assert!(
            parsed.is_err()
                || parsed
                    .unwrap()
                    .verify(&[0; 32], &verifier(1, "example.org/log"))
                    .is_err()
        );
    }
}

#[test]
fn any_bytes_are_parsed_or_refused() {
    let mut seed = 3_u64;
    let signed = checkpoint().sign(&key(1)).unwrap().into_bytes();
    for _ in 0..20_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut bytes = signed.clone();
        let at = usize::try_from(seed >> 40).unwrap() % bytes.len();
        let byte = b"\n\n +\x00\xff\xe2\x80\x94=A"[usize::try_from(seed >> 20).unwrap() % 11];
        if seed & 1 == 0 {
            bytes.insert(at, byte);
        } else {
            bytes.truncate(at);
        }
        let _ = note::parse(&bytes);
        let _ = ProofFile::parse(&bytes);
        let _ = Verifier::parse(&String::from_utf8_lossy(&bytes));
    }
}
