//! A record from draft to verified signature, beside bare ed25519-dalek over the same bytes in the same run; the archive
//! of a period; a Merkle root. `cargo bench -p rollcall-engine --bench records`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ed25519_dalek::Signer as _;
use rollcall_engine::records::keys::SigningKey;
use rollcall_engine::records::leaderboard::{Standing, build_entries};
use rollcall_engine::records::merkle::{RootBuilder, record_leaf_hash};
use rollcall_engine::records::profile::canonicalise;
use rollcall_engine::records::record::{ChainPosition, Draft, sign_chain, verify_record};
use zeroize::Zeroizing;

const SEED: [u8; 32] = [7; 32];

/// A session's draft as Python's `json.dumps` writes it: spaces, members in the order of the specification.
const DRAFT: &str = r#"{"type": "voice.session", "session_id": "018f3a5e-7c2b-7f00-8a1b-9c0d1e2f3a4b",
 "user_id": "175928847299117063", "channel_id": "381870553235193857", "period_index": 12, "stay": 104233, "part": 1,
 "joined_at_ms": 1760000000000, "left_at_ms": 1760003600000, "reason": "leave", "counted_ms": 3000000,
 "bridged_ms": 1500, "unwitnessed_ms": 0, "paused_ms": {"deafened": 600000, "muted": 0, "solo": 0},
 "below_minimum": false, "credited_ms": 3000000,
 "timeline_sha256": "oKZag6Sga736WK_VglTg_hVjKkI4nHeCVuenzeB9puI",
 "rules_sha256": "a8jLG4xU612ScB0jri5H2BCrMvRKZ_6VZ_cyqaY4LlA",
 "software": {"name": "rollcall", "version": "0.1.0"}}"#;

const POSITION: ChainPosition = ChainPosition {
    guild_id: 81_384_788_765_712_384,
    guild_seq: 4711,
    prev_sha256: Some([5; 32]),
};

fn one_record(criterion: &mut Criterion) {
    let key = SigningKey::from_seed(&Zeroizing::new(SEED));
    let bare = ed25519_dalek::SigningKey::from_bytes(&SEED);
    let public = bare.verifying_key();
    let draft = Draft {
        json: DRAFT.as_bytes(),
        salt: [9; 16],
    };
    let signed = sign_chain(&key, &POSITION, 1_760_003_600_500, &[draft])
        .unwrap()
        .remove(0);

    let mut group = criterion.benchmark_group("one_record");
    group.bench_function("bare_dalek_sign_and_verify_strict", |bencher| {
        bencher.iter(|| {
            let signature = bare.sign(black_box(&signed.record));
            public
                .verify_strict(black_box(&signed.record), &signature)
                .unwrap();
        });
    });
    group.bench_function("build_canonicalise_hash_sign_verify", |bencher| {
        bencher
            .iter(|| sign_chain(&key, &POSITION, 1_760_003_600_500, black_box(&[draft])).unwrap());
    });
    group.bench_function("verify_received", |bencher| {
        bencher.iter(|| {
            verify_record(black_box(&signed.record), &signed.signature, key.public()).unwrap();
        });
    });
    group.bench_function("canonicalise_only", |bencher| {
        bencher.iter(|| canonicalise(black_box(DRAFT.as_bytes())).unwrap());
    });
    group.finish();
}

fn archive(criterion: &mut Criterion) {
    let members = 100_000_u32;
    let standings: Vec<Standing> = (0..members)
        .map(|member| Standing {
            user_id: 175_928_847_299_117_063 + u64::from(member),
            credited_ms: i64::from(member.wrapping_mul(2_654_435_761) % 3_600_000),
            session_count: 10,
        })
        .collect();
    let salts = vec![3; 16 * standings.len()];
    let mut group = criterion.benchmark_group("archive");
    group.sample_size(20);
    group.throughput(Throughput::Elements(members.into()));
    group.bench_function("leaderboard_entries_100k", |bencher| {
        bencher.iter_batched(
            || standings.clone(),
            |standings| build_entries(standings, &salts).unwrap(),
            BatchSize::LargeInput,
        );
    });
    let leaves = 1_000_000_u64;
    group.throughput(Throughput::Elements(leaves));
    group.bench_function("sessions_root_1m", |bencher| {
        bencher.iter(|| {
            let mut tree = RootBuilder::default();
            tree.extend((0..leaves).map(|leaf| {
                let mut hash = [0; 32];
                hash[..8].copy_from_slice(&leaf.to_be_bytes());
                record_leaf_hash(&hash)
            }));
            tree.root()
        });
    });
    group.finish();
}

criterion_group!(benches, one_record, archive);
criterion_main!(benches);
