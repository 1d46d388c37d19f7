//! A guild's chain in a log, and receipts of it, right or wrong on purpose.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_engine::log::checkpoint::Checkpoint;
use rollcall_engine::log::note::Verifier;
use rollcall_engine::log::proof_file::ProofFile;
use rollcall_engine::records::encoding::b64url;
use rollcall_engine::records::keys::SigningKey;
use rollcall_engine::records::merkle::{Hash, node_hash, record_leaf_hash, sha256};
use rollcall_engine::records::record::{ChainPosition, Draft, sign_chain};
use rollcall_engine::verify::{Outcome, Pins, Report, verify_receipt};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub const GUILD: u64 = 81_384_788_765_712_384;
pub const ORIGIN: &str = "example.org/log";
pub const TIMELINE: &str =
    r#"[[1000,21000,"counted"],[21000,31000,"muted"],[31000,61000,"counted"]]"#;
pub const RULES: &str = r#"{"bridge_gap_seconds":120,"channels":[],"min_session_seconds":30,"mode":"all","pause_on_deafen":false,"pause_on_mute":true,"pause_when_solo":false}"#;

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([seed; 32]))
}

/// A record of the chain, with the position that it was given.
#[derive(Clone)]
pub struct Signed {
    pub record: Vec<u8>,
    pub signature: [u8; 64],
    pub signer: u8,
}

/// Signs a draft at a position; chains are not checked across records, so that any can be made alone.
pub fn signed(seed: u8, guild_seq: u64, draft: &Value) -> Signed {
    let position = ChainPosition {
        guild_id: GUILD,
        guild_seq,
        prev_sha256: (guild_seq > 0).then_some([9; 32]),
    };
    let json = serde_json::to_vec(draft).unwrap();
    let draft = Draft {
        json: &json,
        salt: [guild_seq.to_le_bytes()[0]; 16],
    };
    let made = sign_chain(&key(seed), &position, 1_800_000_000_000, &[draft]).unwrap();
    Signed {
        record: made[0].record.clone(),
        signature: made[0].signature,
        signer: seed,
    }
}

pub fn x(seed: u8) -> String {
    b64url(key(seed).public().as_bytes())
}

pub fn kid(seed: u8) -> String {
    key(seed).public().kid().to_owned()
}

pub fn session() -> Value {
    json!({
        "type": "voice.session", "session_id": "01890a5d-ac96-774b-bcce-b302099a8057", "user_id": "8", "channel_id": "99",
        "period_index": 0, "stay": 4, "part": 0, "joined_at_ms": 1000, "left_at_ms": 61000, "reason": "leave",
        "counted_ms": 50000, "bridged_ms": 0, "unwitnessed_ms": 0,
        "paused_ms": {"deafened": 0, "muted": 10000, "solo": 0}, "below_minimum": false, "credited_ms": 50000,
        "timeline_sha256": b64url(&sha256(TIMELINE.as_bytes())), "rules_sha256": b64url(&sha256(RULES.as_bytes())),
        "software": {"name": "rollcall", "version": "0.1.0"},
    })
}

pub fn activate(seed: u8) -> Value {
    json!({"type": "key.activate", "x": x(seed)})
}

/// What a receipt is made of. Key 1 is the guild's, key 9 the log's.
#[derive(Clone)]
pub struct Parts {
    pub session: Signed,
    pub key_records: Vec<Signed>,
    pub timeline: String,
    pub rules: String,
    pub origin: String,
    pub log: u8,
}

impl Parts {
    pub fn new() -> Self {
        Self {
            session: signed(1, 5, &session()),
            key_records: vec![
                signed(1, 0, &activate(1)),
                signed(1, 7, &json!({"type": "key.retire", "x": x(1)})),
            ],
            timeline: TIMELINE.to_owned(),
            rules: RULES.to_owned(),
            origin: ORIGIN.to_owned(),
            log: 9,
        }
    }

    /// The log: the first key record, some of others, the session, the other key records.
    pub fn leaves(&self) -> Vec<Hash> {
        let hash = |one: &Signed| record_leaf_hash(&sha256(&one.record));
        let mut leaves = vec![[1; 32], [2; 32]];
        leaves.extend(self.key_records.first().map(hash));
        leaves.extend([[3; 32], hash(&self.session)]);
        leaves.extend(self.key_records.iter().skip(1).map(hash));
        leaves.push([4; 32]);
        leaves
    }

    pub fn verifier(&self) -> Verifier {
        Verifier::new(&self.origin, key(self.log).public().clone()).unwrap()
    }

    /// The proof file of a record, as text.
    pub fn proof(&self, record: &[u8]) -> String {
        let leaves = self.leaves();
        let leaf = record_leaf_hash(&sha256(record));
        let index = leaves.iter().position(|other| *other == leaf).unwrap();
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: leaves.len() as u64,
            root: root(&leaves),
        };
        let file = ProofFile {
            index: index as u64,
            proof: path(index, &leaves),
            checkpoint: checkpoint.sign(&key(self.log)).unwrap().into_bytes(),
        };
        String::from_utf8(file.to_bytes()).unwrap()
    }

    fn proven(&self, one: &Signed) -> Value {
        json!({
            "record": String::from_utf8(one.record.clone()).unwrap(),
            "signature": b64url(&one.signature),
            "public_key": x(one.signer),
            "proof": self.proof(&one.record),
        })
    }

    pub fn json(&self) -> Value {
        let mut receipt = self.proven(&self.session);
        let key_records: Vec<Value> = self
            .key_records
            .iter()
            .map(|one| self.proven(one))
            .collect();
        receipt["v"] = json!(1);
        receipt["type"] = json!("rollcall.receipt");
        receipt["timeline"] = json!(self.timeline);
        receipt["rules"] = json!(self.rules);
        receipt["key_records"] = json!(key_records);
        receipt["log_key"] = json!(self.verifier().vkey());
        receipt
    }

    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.json()).unwrap()
    }

    pub fn verify(&self) -> Report {
        verify_receipt(&self.bytes(), &Pins::default())
    }
}

/// RFC 6962, section 2.1, word for word.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, other) = if index < left.len() {
        (path(index, left), root(right))
    } else {
        (path(index - left.len(), right), root(left))
    };
    path.push(other);
    path
}

pub fn failed(report: &Report) -> Vec<&'static str> {
    let mut names: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.outcome == Outcome::Failed)
        .map(|check| check.name)
        .collect();
    names.sort_unstable();
    names
}

pub fn standard(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
