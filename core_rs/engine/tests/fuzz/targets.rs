//! What is fuzzed: each a function that must return, whatever the bytes are, and what must hold of what it accepts.
use rollcall_engine::accounting::trace::parse_line;
use rollcall_engine::accounting::{Engine, Replay, state};
use rollcall_engine::log::checkpoint::Checkpoint;
use rollcall_engine::log::note::{self, Verifier};
use rollcall_engine::log::proof_file::ProofFile;
use rollcall_engine::log::tile::TileId;
use rollcall_engine::log::tree::{bundle, parse_bundle};
use rollcall_engine::records::keys::SigningKey;
use rollcall_engine::records::profile::{canonicalise, parse, parse_canonical};
use rollcall_engine::records::record::verify_record;
use rollcall_engine::records::wrap::{Floor, cost_of, open_master};
use rollcall_engine::verify::export::{Chain, Fault, Pass, Standing, Survey, Wanted};
use rollcall_engine::verify::{
    Pins, Verdict, parse_keys, parse_log_keys, verify_proof, verify_receipt,
};
use zeroize::Zeroizing;

/// A target.
pub type Target = fn(&[u8]);

/// By name.
pub const TARGETS: [(&str, Target); 11] = [
    ("trace", trace),
    ("state", saved_state),
    ("profile", profile),
    ("record", record),
    ("wrap", wrap),
    ("note", signed_note),
    ("tiles", tiles),
    ("proof_file", proof_file),
    ("receipt", receipt),
    ("pins", pins),
    ("export", export),
];

/// The key of the seeds.
pub fn key() -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([1; 32]))
}

/// The master key of the seeds.
pub const MASTER: [u8; 32] = [7; 32];

/// The log of the seeds.
pub fn verifier() -> Verifier {
    Verifier::new("example.org/log", key().public().clone()).expect("a name and a key")
}

/// Lines of a journal; what the engine makes of them can be saved and read again.
pub fn trace(data: &[u8]) {
    let _ = parse_line(data);
    let mut engine = Engine::new();
    if engine.apply_batch(data).is_ok() {
        for guild in engine.guild_ids() {
            let saved = engine.save(guild);
            let mut again = Engine::new();
            again.restore(guild, &saved).expect("what was saved");
            assert_eq!(again.save(guild), saved);
        }
    }
    let mut replay = Replay::new(true);
    let (first, second) = data.split_at(data.len() / 2);
    if replay.feed(first).is_ok() && replay.feed(second).is_ok() {
        let _ = replay.finish();
    }
}

/// A checkpoint state; what is read is written again to the byte.
pub fn saved_state(data: &[u8]) {
    let guild = 7;
    if let Ok(restored) = state::restore(guild, data) {
        assert_eq!(state::save(&restored), data);
    }
}

/// JSON of the profile; its canonical form is a fixed point with the same value.
pub fn profile(data: &[u8]) {
    let Ok(value) = parse(data) else {
        assert!(parse_canonical(data).is_err());
        return;
    };
    let canonical = canonicalise(data).expect("it was parsed");
    assert_eq!(parse_canonical(&canonical).as_ref(), Ok(&value));
    assert_eq!(canonicalise(&canonical).as_ref(), Ok(&canonical));
    assert!(serde_json::from_slice::<serde_json::Value>(data).is_ok());
}

/// A record and its signature.
pub fn record(data: &[u8]) {
    let (record, signature) = data.split_at(data.len().saturating_sub(64));
    if verify_record(record, signature, key().public()).is_ok() {
        assert_eq!(canonicalise(record).as_deref(), Ok(record));
    }
}

/// A wrapped key. Nothing is derived here, so that costs may be anything.
pub fn wrap(data: &[u8]) {
    let floor = Floor { m_kib: 8, t: 1 };
    if let Ok(cost) = cost_of(data, floor) {
        assert!(cost.m_kib >= 8 && cost.t >= 1);
    }
    if let Ok(opened) = open_master(data, &MASTER, None) {
        assert_eq!(opened.public().kid(), key().public().kid());
    }
}

/// A signed note, a checkpoint in it, and a verifier key.
pub fn signed_note(data: &[u8]) {
    let _ = note::parse(data);
    if let Ok(checkpoint) = Checkpoint::open(data, &verifier()) {
        assert_eq!(Checkpoint::parse(&checkpoint.text()), Ok(checkpoint));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Checkpoint::parse(text);
        if let Ok(verifier) = Verifier::parse(text) {
            assert_eq!(verifier.vkey(), text);
        }
    }
}

/// A bundle of entries, and the name of the tile that a position is in.
pub fn tiles(data: &[u8]) {
    if let Ok(hashes) = parse_bundle(data) {
        assert_eq!(bundle(&hashes), data);
    }
    let number = |at: usize| {
        data.get(at..at + 8)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_le_bytes)
    };
    let level = data.first().map_or(0, |byte| u32::from(byte % 8));
    let tile = TileId::of(level, number(1), number(9));
    assert!(tile.width <= 256 && tile.byte_length() <= 256 * 35);
    assert!(tile.to_string().bytes().all(|byte| byte.is_ascii_graphic()));
}

/// A proof file, alone and with a record.
pub fn proof_file(data: &[u8]) {
    if let Ok(file) = ProofFile::parse(data) {
        assert_eq!(ProofFile::parse(&file.to_bytes()).as_ref(), Ok(&file));
    }
    let _ = verify_proof(data, None, &Pins::default());
    let _ = verify_proof(data, Some(b"{}"), &Pins::default());
}

/// A receipt.
pub fn receipt(data: &[u8]) {
    let report = verify_receipt(data, &Pins::default());
    assert_eq!(
        report.verdict() == Verdict::Valid,
        report.reason().is_none()
    );
}

/// Keys from elsewhere.
pub fn pins(data: &[u8]) {
    let _ = parse_keys(data);
    let _ = parse_log_keys(data);
}

/// The files of an export, as [`super::seeds::export`] joins them: what comes of them does not depend on how they are cut.
pub fn export(data: &[u8]) {
    let whole = verified(data, 1 << 20);
    let piece = 1 + data.len() % 97;
    assert_eq!(whole, verified(data, piece));
}

/// The passes over the files of an export, fed in pieces.
pub fn verified(data: &[u8], piece: usize) -> Result<(), Fault> {
    let files: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    let mut survey = Survey::new([key().public().clone()]);
    through(&mut survey, &files, piece, Survey::advance)?;
    let period = survey.period().expect("it went through").clone();
    let mut chain = Chain::new(&survey, period.clone(), 1);
    through(&mut chain, &files, piece, |chain| chain.advance(&survey))?;
    let mut standing = Standing::new(period, chain.into_seen());
    through(&mut standing, &files, piece, Standing::advance)
}

/// In the order in which they are joined.
pub const FILES: [&str; 8] = [
    "data/records.jsonl",
    "data/signatures.jsonl",
    "data/timelines.jsonl",
    "data/rules.jsonl",
    "data/redacted.jsonl",
    "data/sessions.csv",
    "data/entries.jsonl",
    "data/entries.csv",
];

fn through<P: Pass>(
    pass: &mut P,
    files: &[&[u8]],
    piece: usize,
    mut advance: impl FnMut(&mut P) -> Result<Wanted, Fault>,
) -> Result<(), Fault> {
    let mut read = [0; FILES.len()];
    while let Some(wanted) = advance(pass)? {
        let place = FILES
            .iter()
            .position(|path| *path == wanted)
            .expect("a file");
        let file = files.get(place).copied().unwrap_or_default();
        let end = (read[place] + piece).min(file.len());
        pass.feed(wanted, &file[read[place]..end]);
        read[place] = end;
    }
    Ok(())
}
