//! Discord ids (63 bits) and the tables keyed by them.
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A guild's snowflake, below 2^63.
pub type GuildId = u64;
/// A user's snowflake, below 2^63.
pub type UserId = u64;
/// A channel's or category's snowflake, below 2^63.
pub type ChannelId = u64;

/// Ids end before this one, so that they fit SQL's signed integers.
pub const ID_END: u64 = 1 << 63;

/// A table keyed by ids.
pub type IdMap<V> = HashMap<u64, V, BuildHasherDefault<IdHasher>>;
/// A set of ids.
pub type IdSet = HashSet<u64, BuildHasherDefault<IdHasher>>;

/// One multiplication and one fold. Snowflakes differ in their upper bits (time) and hardly in their lowest, while the
/// table takes its index from the lowest bits of the hash: the fold brings the mixed upper half down. Discord hands
/// out the ids, so nobody can choose colliding ones; the standard hash would cost a third of the fold's time.
#[derive(Clone, Copy, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = (self.0.rotate_left(29) ^ id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
