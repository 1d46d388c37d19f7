//! Saved states: the same fold goes on, and no bytes break it.
use rollcall_engine::accounting::{Engine, state::StateError};

use crate::random::Random;
use crate::trace::*;

fn fold(engine: &mut Engine, lines: &[String]) -> Vec<String> {
    let changes = engine.apply_batch(lines.join("\n").as_bytes()).unwrap();
    changes
        .closed
        .iter()
        .map(|it| format!("{} {}", it.ordinal, short(&it.account, Some(it.reason))))
        .collect()
}

#[test]
fn saving_and_restoring_at_every_point_changes_nothing_that_follows() {
    for seed in 0..25 {
        let trace = Random::new(seed).trace(120);
        let mut whole = Engine::new();
        let mut states = vec![whole.save(GUILD)];
        let mut closed = Vec::new();
        for line in &trace {
            closed.push(fold(&mut whole, std::slice::from_ref(line)));
            states.push(whole.save(GUILD));
        }
        for (point, state) in states.iter().enumerate() {
            let mut restored = Engine::new();
            restored.restore(GUILD, state).unwrap();
            assert_eq!(&restored.save(GUILD), state, "equal states are equal bytes");
            for (line, expected) in trace[point..].iter().zip(&closed[point..]) {
                assert_eq!(&fold(&mut restored, std::slice::from_ref(line)), expected);
            }
            assert_eq!(Some(&restored.save(GUILD)), states.last());
        }
    }
}

fn some_state() -> Vec<u8> {
    run(&[
        rules(0, r#""mode":"denylist","channels":["99","50"],"afk_channel_id":"98","pause_on_mute":true"#),
        parent(0, 10, Some(51)),
        opt_out(0, 5, true),
        join(0, 1, 10),
        is_in(3, 1, 10, "m"),
        join(4, 2, 11),
        is_in(4, 9, 10, "b"),
        period_end(5),
        blind(9),
        join(10, 3, 11),
        leave(11, 2),
    ])
    .engine
    .save(GUILD)
}

#[test]
fn every_damaged_byte_and_every_cut_is_found() {
    let state = some_state();
    let mut engine = Engine::new();
    for index in 0..state.len() {
        for bit in [1, 0x80] {
            let mut damaged = state.clone();
            damaged[index] ^= bit;
            assert!(engine.restore(GUILD, &damaged).is_err(), "byte {index}");
        }
        assert!(
            engine.restore(GUILD, &state[..index]).is_err(),
            "cut at {index}"
        );
    }
    let longer = [&state[..], b"\0"].concat();
    assert_eq!(engine.restore(GUILD, &longer), Err(StateError::Damaged));
    assert!(engine.guild_ids().is_empty());
    engine.restore(GUILD, &state).unwrap();
    assert_eq!(engine.guild_ids(), [GUILD]);
}

#[test]
fn what_is_not_ours_or_another_guilds_or_from_the_future_is_named() {
    let state = some_state();
    let mut engine = Engine::new();
    assert_eq!(engine.restore(GUILD, b""), Err(StateError::Foreign));
    assert_eq!(
        engine.restore(GUILD, b"PK\x03\x04"),
        Err(StateError::Foreign)
    );
    assert_eq!(
        engine.restore(8, &state),
        Err(StateError::OtherGuild(GUILD))
    );
    let mut newer = state.clone();
    newer["rollcall guild".len()] = 2;
    assert_eq!(engine.restore(GUILD, &newer), Err(StateError::Version(2)));
}

/// With a right checksum only a forger comes this far; still the answer is ours, and the fold goes on or is refused.
#[test]
fn forged_states_are_refused_or_folded_without_a_panic() {
    use sha2::{Digest, Sha256};
    let state = some_state();
    let body = state.len() - 32;
    let mut random = Random::new(3);
    let mut restored = 0;
    for round in 0..30_000_u64 {
        let mut forged = state[..body].to_vec();
        for _ in 0..=random.below(3) {
            let index = "rollcall guild".len() + 1 + random.below((body - 15) as u64) as usize;
            match random.below(4) {
                0 => drop(forged.remove(index.min(forged.len() - 1))),
                1 => forged.insert(index.min(forged.len()), random.below(256) as u8),
                _ => {
                    let index = index.min(forged.len() - 1);
                    forged[index] = random.below(256) as u8;
                }
            }
        }
        let checksum = Sha256::digest(&forged);
        forged.extend_from_slice(&checksum);
        let mut engine = Engine::new();
        if engine.restore(GUILD, &forged).is_ok() {
            restored += 1;
            assert_eq!(engine.save(GUILD), forged, "one spelling for one state");
            let at = engine.guild(GUILD).unwrap().last_at().unwrap_or(0);
            let shifted: Vec<String> = Random::new(round)
                .trace(30)
                .iter()
                .enumerate()
                .map(|(index, line)| {
                    let (_, rest) = line.split_once(',').unwrap();
                    format!(
                        r#"{{"at":{},{rest}"#,
                        (at + index as i64 * 1_000).min(9_007_199_254_740_991)
                    )
                })
                .collect();
            engine.apply_batch(shifted.join("\n").as_bytes()).unwrap();
        }
    }
    assert!(
        restored > 100,
        "{restored} of the forgeries were possible states"
    );
}
