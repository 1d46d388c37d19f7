//! The third pass: the leaderboard, recomputed. Sums, ranks, order, root and table.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::super::report::shown;
use super::chain::Seen;
use super::forms::{Said, entry};
use super::lines::{Lines, Next};
use super::survey::Period;
use super::table::{ENTRY_COLUMNS, Table, entry_row};
use super::{ENTRIES, ENTRIES_TABLE, Fault, Pass, Wanted};
use crate::records::encoding::b64url;
use crate::records::merkle::RootBuilder;
use crate::records::profile::MAX_RECORD_BYTES;

/// What it came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stood {
    /// Entries.
    pub entries: u64,
    /// Of these, what can no longer be recomputed.
    pub erased: u64,
    /// Ranks behind erased entries.
    pub unsure: u64,
}

/// The pass.
#[derive(Debug)]
pub struct Standing {
    period: Period,
    seen: Seen,
    entries: Lines,
    table: Table,
    row: Option<Vec<u8>>,
    /// Said last, since what is wrong with the entries themselves says more.
    table_fault: Option<Fault>,
    ranking: Ranking,
    sums: Sums,
    root: RootBuilder,
    is_recomputed: bool,
}

/// Times descend; equal times share a rank and are listed by user id.
#[derive(Debug, Default)]
struct Ranking {
    place: i64,
    before: Option<(Said, i64)>,
    unsure: u64,
}

/// Entries against sums. Without an erasure they are equal.
#[derive(Debug, Default)]
struct Sums {
    missing_sessions: i128,
    differing: u64,
    erased: u64,
    /// Members whose sessions are there and whose entry is not.
    left_out: u64,
}

impl Standing {
    /// The pass over the leaderboard of what the chain came to.
    pub fn new(period: Period, seen: Seen) -> Self {
        Self {
            period,
            seen,
            entries: Lines::new(ENTRIES, "entries", MAX_RECORD_BYTES),
            table: Table::new(ENTRIES_TABLE),
            row: Some(ENTRY_COLUMNS.to_vec()),
            table_fault: None,
            ranking: Ranking::default(),
            sums: Sums::default(),
            root: RootBuilder::default(),
            is_recomputed: false,
        }
    }

    /// What it came to.
    pub fn stood(&self) -> Stood {
        Stood {
            entries: self.root.size(),
            erased: self.sums.erased + self.sums.differing + self.sums.left_out,
            unsure: self.ranking.unsure,
        }
    }

    /// Goes on as far as what was fed reaches.
    pub fn advance(&mut self) -> Result<Wanted, Fault> {
        loop {
            if let Some(row) = &self.row {
                if self.table_fault.is_none() {
                    if !self.table.has(row) {
                        return Ok(Some(ENTRIES_TABLE));
                    }
                    self.table_fault = self.table.expect(row).err();
                }
                self.row = None;
            }
            match self.entries.next()? {
                Next::Line(line) => self.add(&line)?,
                Next::Wanting => return Ok(Some(ENTRIES)),
                Next::End => break,
            }
        }
        if !self.is_recomputed {
            self.recomputed()?;
            self.is_recomputed = true;
        }
        if let Some(fault) = self.table_fault.take() {
            return Err(fault);
        }
        match self.table.end() {
            None => Ok(Some(ENTRIES_TABLE)),
            Some(ended) => ended.map(|()| None),
        }
    }

    fn add(&mut self, line: &[u8]) -> Result<(), Fault> {
        let one = entry(line)?;
        self.ranking.add(one.said)?;
        self.sums.add(one.said, &mut self.seen)?;
        self.root.push_leaf(one.leaf);
        self.row = one.said.as_ref().map(entry_row);
        Ok(())
    }

    fn recomputed(&mut self) -> Result<(), Fault> {
        self.sums.finish(&self.seen)?;
        let (size, root) = (self.root.size(), b64url(&self.root.root()));
        if i64::try_from(size) != Ok(self.period.entry_count) || root != self.period.entries_root {
            return Err(Fault::new(
                "entries-root",
                format!(
                    "{} entries, {}",
                    self.period.entry_count,
                    shown(&self.period.entries_root)
                ),
                format!("{size}, {root}"),
            ));
        }
        Ok(())
    }
}

impl Pass for Standing {
    fn feed(&mut self, path: &str, data: &[u8]) {
        match path {
            ENTRIES => self.entries.feed(data),
            ENTRIES_TABLE => self.table.feed(data),
            _ => {}
        }
    }
}

impl Ranking {
    fn add(&mut self, said: Option<Said>) -> Result<(), Fault> {
        self.place = self.place.saturating_add(1);
        let Some(said) = said else { return Ok(()) };
        let (least, most) = match self.before {
            Some((before, _)) if said.credited_ms > before.credited_ms => {
                return Err(misplaced(&before, &said));
            }
            Some((before, _)) if said.credited_ms == before.credited_ms => {
                if said.user_id <= before.user_id {
                    return Err(misplaced(&before, &said));
                }
                (before.rank, before.rank)
            }
            // Erased entries just before may share its rank.
            Some((_, place)) => (place.saturating_add(1), self.place),
            None => (1, self.place),
        };
        if said.rank < least || said.rank > most {
            let expected = if least == most {
                format!("rank {most}")
            } else {
                format!("rank {least} to {most}")
            };
            return Err(Fault::new("ranking", expected, text(&said)));
        }
        self.unsure += u64::from(least != most);
        self.before = Some((said, self.place));
        Ok(())
    }
}

fn misplaced(before: &Said, said: &Said) -> Fault {
    Fault::new(
        "ranking",
        format!(
            "an entry after {} with {} ms",
            before.user_id, before.credited_ms
        ),
        text(said),
    )
}

impl Sums {
    fn add(&mut self, said: Option<Said>, seen: &mut Seen) -> Result<(), Fault> {
        let Some(said) = said else {
            self.erased += 1;
            return Ok(());
        };
        let (credited, count) = seen.sums.remove(&said.user_id).unwrap_or_default();
        let told = i128::from(said.credited_ms);
        if credited == told && count == said.session_count {
            return Ok(());
        }
        let expected = format!("{}: {credited} ms of {count} sessions", said.user_id);
        self.missing_sessions += i128::from(said.session_count) - i128::from(count);
        self.differing += 1;
        let by_sessions = seen.redacted_sessions > 0
            && count < said.session_count
            && (seen.redacted_corrections > 0 || told >= credited);
        let by_corrections = seen.redacted_corrections > 0 && count == said.session_count;
        if !by_sessions && !by_corrections {
            return Err(Fault::new("sums", expected, text(&said)));
        }
        if self.missing_sessions > i128::from(seen.redacted_sessions) {
            return Err(Fault::new(
                "sums",
                format!("{expected} and {} erased in all", seen.redacted_sessions),
                text(&said),
            ));
        }
        Ok(())
    }

    /// No member is left out but those whose entries are erased.
    fn finish(&mut self, seen: &Seen) -> Result<(), Fault> {
        self.left_out = u64::try_from(seen.sums.len()).unwrap_or(u64::MAX);
        match seen.sums.keys().min() {
            Some(member) if self.left_out > self.erased => {
                Err(Fault::new("sums", format!("an entry of {member}"), "none"))
            }
            _ => Ok(()),
        }
    }
}

fn text(said: &Said) -> String {
    format!(
        "{}: rank {}, {} ms of {} sessions",
        said.user_id, said.rank, said.credited_ms, said.session_count
    )
}
