//! Every parser of bytes that somebody else wrote, under random changes of what is right. The same targets run under libFuzzer
//! (`core_rs/fuzz`); here they are held to their seeds and to a few thousand changes of each, the same on every machine.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::format_push_string, clippy::assigning_clones)] // seeds are written as they read

mod seeds;
mod targets;

use targets::TARGETS;

/// Changes of each seed. A target takes some tens of microseconds.
const CHANGES: usize = 400;

/// xorshift64*: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap() % end.max(1)
    }

    /// A few bytes changed, taken out, put in or doubled, or two seeds joined.
    fn changed(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut data = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(data.len() + 1);
            let end = (at + self.below(12)).min(data.len());
            match self.below(7) {
                0 if at < data.len() => data[at] ^= 1 << self.below(8),
                1 if at < data.len() => data[at] = b"\"{}[],:\\\n0 9-x\0\xff"[self.below(16)],
                2 => drop(data.drain(at..end)),
                3 => {
                    let again = data[at..end].to_vec();
                    data.splice(at..at, again);
                }
                4 => data.truncate(at),
                5 => {
                    let from = self.below(other.len() + 1);
                    data.splice(at..end, other[from..].iter().copied().take(64));
                }
                _ => {
                    let number = self.below(256);
                    data.insert(at, u8::try_from(number).unwrap());
                }
            }
        }
        data
    }
}

#[test]
fn every_target_takes_its_seeds_and_any_change_of_them() {
    for (number, (name, target)) in TARGETS.iter().enumerate() {
        let seeds = seeds::of(name);
        assert!(!seeds.is_empty(), "{name} has no seed");
        let mut random = Random(number as u64 + 1);
        for seed in &seeds {
            target(seed);
            for _ in 0..CHANGES {
                let other = &seeds[random.below(seeds.len())];
                target(&random.changed(seed, other));
            }
        }
        target(b"");
    }
}

#[test]
fn the_seeds_of_an_export_are_a_valid_one_and_no_changed_byte_of_what_is_signed_passes() {
    let seed = seeds::export();
    assert_eq!(targets::verified(&seed, 1 << 20), Ok(()));
    assert_eq!(targets::verified(&seed, 3), Ok(()));
    for at in (0..seed.len()).step_by(7) {
        let mut data = seed.clone();
        data[at] ^= 1;
        assert!(targets::verified(&data, 1 << 20).is_err(), "byte {at}");
    }
}

/// For libFuzzer: `core_rs/fuzz/corpus/<target>/<number>`.
#[test]
#[ignore = "writes files: see core_rs/fuzz/README.md"]
fn write_the_seeds() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, _) in TARGETS {
        let folder = corpus.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds::of(name).iter().enumerate() {
            std::fs::write(folder.join(number.to_string()), seed).unwrap();
        }
    }
}
