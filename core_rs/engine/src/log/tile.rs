//! Where the hashes and entries of a tree are kept: tiles of 256, by the paths of tlog-tiles.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::fmt;

/// Hashes or entries in a full tile.
pub const WIDTH: u64 = 256;
/// Levels of the tree in a tile.
pub const HEIGHT: u32 = 8;
/// 2^63 entries have no tile above this level.
pub const MAX_LEVEL: u32 = 7;
/// A log entry's length: 0x01 and a SHA-256.
pub const ENTRY_BYTES: usize = 33;
/// An entry in a bundle: its length in two bytes, big-endian, and the entry.
pub const BUNDLED_BYTES: usize = 2 + ENTRY_BYTES;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Entries: the bundle.
    Entries,
    /// Hashes of subtrees of `256^level` leaves.
    Hashes(u32),
}

/// One tile of a tree: the `index`th of its level, with `width` of 256 places filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    /// What it holds.
    pub level: Level,
    /// Position in its level, from 0.
    pub index: u64,
    /// 1 to 256; less than 256 is a partial tile.
    pub width: u64,
}

impl TileId {
    /// The tile that holds the `position`th hash of a level, as a tree of `size` leaves has it.
    pub fn of(level: u32, position: u64, size: u64) -> Self {
        let hashes = size.checked_shr(HEIGHT * level).unwrap_or(0);
        let index = position / WIDTH;
        let width = (hashes - (index * WIDTH).min(hashes)).min(WIDTH);
        Self {
            level: Level::Hashes(level),
            index,
            width,
        }
    }

    /// Length of its file in bytes.
    pub fn byte_length(self) -> usize {
        let each = match self.level {
            Level::Entries => BUNDLED_BYTES,
            Level::Hashes(_) => 32,
        };
        usize::try_from(self.width).map_or(usize::MAX, |width| width * each)
    }
}

impl fmt::Display for TileId {
    /// `tile/<L>/<N>[.p/<W>]`, N in groups of three digits as `x001/x234/067`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => formatter.write_str("tile/entries/")?,
            Level::Hashes(level) => write!(formatter, "tile/{level}/")?,
        }
        let mut groups = Vec::new();
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().rev() {
            write!(formatter, "x{group:03}/")?;
        }
        write!(formatter, "{:03}", self.index % 1000)?;
        if self.width < WIDTH {
            write!(formatter, ".p/{}", self.width)?;
        }
        Ok(())
    }
}
