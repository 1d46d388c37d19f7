//! What is right, for each target: made here, so that no file of it needs to be kept.
use rollcall_engine::accounting::Engine;
use rollcall_engine::log::checkpoint::Checkpoint;
use rollcall_engine::log::proof_file::ProofFile;
use rollcall_engine::log::tree::bundle;
use rollcall_engine::records::encoding::b64url;
use rollcall_engine::records::merkle::{RootBuilder, leaf_hash, record_leaf_hash, sha256};
use rollcall_engine::records::record::{ChainPosition, Draft, SignedRecord, sign_chain};
use rollcall_engine::records::wrap::{Argon2Cost, Purpose, wrap, wrap_under_master};
use serde_json::{Value, json};

use super::targets::{MASTER, key, verifier};

const GUILD: u64 = 7;
const TIMELINE: &str = r#"[[1000,21000,"counted"],[21000,31000,"muted"],[31000,61000,"counted"]]"#;
const RULES: &str = r#"{"bridge_gap_seconds":120,"channels":["5"],"min_session_seconds":30,"mode":"denylist","pause_on_deafen":false,"pause_on_mute":true,"pause_when_solo":false}"#;
const TRACE: &str = r#"{"at":0,"type":"rules","guild_id":"7","rules":{"mode":"all","channels":[],"afk_channel_id":"9","pause_on_mute":true,"min_session_seconds":1,"bridge_gap_seconds":120}}
{"at":5,"type":"voice_state","guild_id":"7","user_id":"8","channel_id":"10","self_mute":false,"mute":false,"self_deaf":false,"deaf":false,"bot":false}
{"at":9,"type":"snapshot","guild_id":"7","voice_states":[{"user_id":"8","channel_id":"10"},{"user_id":"11","channel_id":"10","self_deaf":true}]}
{"at":20,"type":"blind","guild_id":"7"}
{"at":30,"type":"resumed","guild_id":"7"}
{"at":31,"type":"channel","guild_id":"7","channel_id":"10","parent_id":"12"}
{"at":32,"type":"opt_out","guild_id":"7","user_id":"11","out":true}
{"at":40,"type":"period_end","guild_id":"7"}
{"at":41,"type":"channel_deleted","guild_id":"7","channel_id":"10"}
{"at":50,"type":"guild_left","guild_id":"7"}
"#;

/// Seeds of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "trace" => {
            let lines = TRACE.lines().map(|line| line.as_bytes().to_vec());
            lines.chain([TRACE.as_bytes().to_vec()]).collect()
        }
        "state" => [1, 3, 5, 10].map(saved).to_vec(),
        "profile" => vec![
            chain()[1].record.clone(),
            br#" {"b":[1,-9007199254740991,true,"\ud83d\ude00\u0001\n"],"a":{"x_1":""}} "#.to_vec(),
            br#"[[[[[[[{"a":"\"\\\/\b\f\n\r\t"}]]]]]]]"#.to_vec(),
        ],
        "record" => chain()
            .iter()
            .map(|one| [one.record.as_slice(), &one.signature].concat())
            .collect(),
        "wrap" => {
            let cost = Argon2Cost { m_kib: 64, t: 3, salt: [4; 16] };
            vec![
                wrap(&key(), Purpose::Record, &MASTER, cost, [3; 24]).unwrap(),
                wrap_under_master(&key(), Purpose::Log, &MASTER, [3; 24]).unwrap(),
            ]
        }
        "note" => vec![
            checkpoint(1 << 40).into_bytes(),
            verifier().vkey().into_bytes(),
            checkpoint(0).split("\n\n").next().unwrap().as_bytes().to_vec(),
        ],
        "tiles" => vec![
            bundle(&[[1; 32], [2; 32]]),
            [&[2_u8][..], &1_234_067_u64.to_le_bytes(), &(1_u64 << 62).to_le_bytes()].concat(),
        ],
        "proof_file" => vec![proof(&chain()[1].record)],
        "receipt" => vec![receipt()],
        "pins" => vec![
            verifier().vkey().into_bytes(),
            b64url(key().public().as_bytes()).into_bytes(),
            jwk().to_string().into_bytes(),
            json!({"keys": [jwk()]}).to_string().into_bytes(),
            b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=\n-----END PUBLIC KEY-----\n".to_vec(),
        ],
        "export" => vec![export()],
        _ => Vec::new(),
    }
}

fn jwk() -> Value {
    json!({"crv": "Ed25519", "kty": "OKP", "kid": key().public().kid(), "use": "sig", "x": b64url(key().public().as_bytes())})
}

fn saved(lines: usize) -> Vec<u8> {
    let mut engine = Engine::new();
    let text: Vec<&str> = TRACE.lines().take(lines).collect();
    engine.apply_batch(text.join("\n").as_bytes()).unwrap();
    engine.save(GUILD)
}

fn checkpoint(size: u64) -> String {
    let origin = "example.org/log".to_owned();
    Checkpoint {
        origin,
        size,
        root: [5; 32],
    }
    .sign(&key())
    .unwrap()
}

/// That a record is in a log of one entry.
fn proof(record: &[u8]) -> Vec<u8> {
    let origin = "example.org/log".to_owned();
    let root = record_leaf_hash(&sha256(record));
    let checkpoint = Checkpoint {
        origin,
        size: 1,
        root,
    }
    .sign(&key())
    .unwrap();
    let file = ProofFile {
        index: 0,
        proof: Vec::new(),
        checkpoint: checkpoint.into_bytes(),
    };
    file.to_bytes()
}

fn receipt() -> Vec<u8> {
    let chain = chain();
    let proven = |one: &SignedRecord| {
        json!({
            "record": String::from_utf8(one.record.clone()).unwrap(),
            "signature": b64url(&one.signature),
            "public_key": b64url(key().public().as_bytes()),
            "proof": String::from_utf8(proof(&one.record)).unwrap(),
        })
    };
    let mut receipt = proven(&chain[1]);
    receipt["v"] = json!(1);
    receipt["type"] = json!("rollcall.receipt");
    receipt["timeline"] = json!(TIMELINE);
    receipt["rules"] = json!(RULES);
    receipt["key_records"] = json!([proven(&chain[0])]);
    receipt["log_key"] = json!(verifier().vkey());
    serde_json::to_vec(&receipt).unwrap()
}

fn session(number: u64, user_id: &str) -> Value {
    json!({
        "type": "voice.session", "session_id": format!("01890a5d-ac96-774b-bcce-b302099a80{number:02}"), "user_id": user_id,
        "channel_id": "99", "period_index": 0, "stay": number, "part": 0, "joined_at_ms": 1000, "left_at_ms": 61000,
        "reason": "leave", "counted_ms": 50000, "bridged_ms": 0, "unwitnessed_ms": 0,
        "paused_ms": {"deafened": 0, "muted": 10000, "solo": 0}, "below_minimum": false, "credited_ms": 50000,
        "timeline_sha256": b64url(&sha256(TIMELINE.as_bytes())), "rules_sha256": b64url(&sha256(RULES.as_bytes())),
        "software": {"name": "rollcall", "version": "0.1.0"},
    })
}

fn append(chain: &mut Vec<SignedRecord>, draft: &Value) {
    let position = ChainPosition {
        guild_id: GUILD,
        guild_seq: chain.len() as u64,
        prev_sha256: chain.last().map(|last| last.sha256),
    };
    let json = serde_json::to_vec(draft).unwrap();
    let draft = Draft {
        json: &json,
        salt: [9; 16],
    };
    chain.extend(sign_chain(&key(), &position, 1_800_000_000_000, &[draft]).unwrap());
}

fn entry(rank: u64, user_id: &str, credited_ms: u64) -> String {
    let salt = b64url(&[6; 16]);
    format!(
        r#"{{"credited_ms":{credited_ms},"rank":{rank},"salt":"{salt}","session_count":1,"user_id":"{user_id}"}}"#
    )
}

/// A period: two sessions, one of them corrected, and a third that was erased.
fn chain() -> Vec<SignedRecord> {
    let mut chain = Vec::new();
    append(
        &mut chain,
        &json!({"type": "key.activate", "x": b64url(key().public().as_bytes())}),
    );
    append(&mut chain, &session(1, "8"));
    append(&mut chain, &session(2, "11"));
    let corrects = b64url(&chain[2].sha256);
    let correction = json!({
        "type": "session.correction", "session_id": "01890a5d-ac96-774b-bcce-b302099a8002", "corrects": corrects,
        "delta_ms": -5, "actor_id": "3", "note": "by hand",
    });
    append(&mut chain, &correction);
    append(&mut chain, &session(3, "12"));
    let (mut sessions, mut entries) = (RootBuilder::default(), RootBuilder::default());
    for place in [1, 2, 4] {
        sessions.push_leaf(record_leaf_hash(&chain[place].sha256));
    }
    for line in entry_lines() {
        entries.push_leaf(leaf_hash(&sha256(line.as_bytes())));
    }
    let period = json!({
        "type": "leaderboard.period", "period_index": 0, "started_at_ms": 0, "ended_at_ms": 100_000,
        "rules_sha256": [b64url(&sha256(RULES.as_bytes()))], "rules_count": 1, "first_guild_seq": 1, "last_guild_seq": 4,
        "session_count": 3, "sessions_root": b64url(&sessions.root()), "entry_count": 3, "entries_root": b64url(&entries.root()),
        "blind_ms": 0, "blind": [], "blind_count": 0,
    });
    append(&mut chain, &period);
    append(
        &mut chain,
        &json!({"type": "record.redacted", "why": "erasure", "redacts": [[4, 4]]}),
    );
    chain
}

fn entry_lines() -> [String; 3] {
    [
        entry(1, "8", 50_000),
        entry(1, "12", 50_000),
        entry(3, "11", 49_995),
    ]
}

/// The files of an export in the order of `FILES`, joined by zero bytes.
pub fn export() -> Vec<u8> {
    let chain = chain();
    let kid = key().public().kid().to_owned();
    let mut files: [String; 8] = Default::default();
    for (seq, one) in chain.iter().enumerate() {
        let digest = b64url(&one.sha256);
        if seq == 4 {
            files[4] = format!(
                r#"{{"guild_seq":4,"period_index":0,"record_sha256":"{digest}","type":"voice.session"}}"#
            ) + "\n";
            continue;
        }
        files[0] += std::str::from_utf8(&one.record).unwrap();
        files[0] += "\n";
        let signature = b64url(&one.signature);
        files[1] += &format!(
            r#"{{"guild_seq":{seq},"kid":"{kid}","record_sha256":"{digest}","signature":"{signature}"}}"#
        );
        files[1] += "\n";
    }
    files[5] = "guild_seq,session_id,user_id,channel_id,joined_at,left_at,reason,counted_ms,bridged_ms,unwitnessed_ms,deafened_ms,\
                muted_ms,solo_ms,below_minimum,credited_ms\r\n".to_owned();
    for (seq, user_id) in [(1, "8"), (2, "11")] {
        let id = format!("01890a5d-ac96-774b-bcce-b302099a80{seq:02}");
        files[2] += &format!(r#"{{"guild_seq":{seq},"session_id":"{id}","timeline":{TIMELINE}}}"#);
        files[2] += "\n";
        files[5] += &format!(
            "{seq},{id},{user_id},99,1970-01-01T00:00:01.000Z,1970-01-01T00:01:01.000Z,leave,50000,0,0,0,10000,0,false,50000\r\n"
        );
    }
    files[3] = format!("{RULES}\n");
    files[7] = "rank,user_id,credited_ms,session_count\r\n".to_owned();
    let [first, second, third] = entry_lines();
    files[6] = format!(
        "{first}\n{{\"leaf_sha256\":\"{}\"}}\n{third}\n",
        b64url(&leaf_hash(&sha256(second.as_bytes())))
    );
    files[7] += "1,8,50000,1\r\n3,11,49995,1\r\n";
    files.join("\0").into_bytes()
}
