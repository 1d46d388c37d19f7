//! The tables for people: what `data/*.csv` must hold (RFC 4180, safe for spreadsheets).
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::fmt::Write as _;

use super::super::report::Problem;
use super::super::session::Members;
use super::Fault;
use super::forms::Said;
use super::lines::{Held, excerpt};
use crate::records::profile::Value;

pub(super) const SESSION_COLUMNS: &[u8] =
    b"guild_seq,session_id,user_id,channel_id,joined_at,left_at,reason,counted_ms,\
bridged_ms,unwitnessed_ms,deafened_ms,muted_ms,solo_ms,below_minimum,credited_ms\r\n";
pub(super) const ENTRY_COLUMNS: &[u8] = b"rank,user_id,credited_ms,session_count\r\n";

/// A table that must be exactly what is expected of it, row by row.
#[derive(Debug)]
pub(super) struct Table {
    pub path: &'static str,
    held: Held,
}

impl Table {
    pub fn new(path: &'static str) -> Self {
        Self {
            path,
            held: Held::default(),
        }
    }

    pub fn feed(&mut self, data: &[u8]) {
        self.held.feed(data);
    }

    /// Whether the next row can be judged.
    pub fn has(&self, row: &[u8]) -> bool {
        self.held.is_ended || self.held.rest().len() >= row.len()
    }

    pub fn expect(&mut self, row: &[u8]) -> Result<(), Fault> {
        let rest = self.held.rest();
        if rest.starts_with(row) {
            self.held.skip(row.len());
            return Ok(());
        }
        let found = excerpt(rest.get(..row.len()).unwrap_or(rest));
        let expected = format!("{}: {}", self.path, excerpt(row));
        Err(Fault::new("tables", expected, found))
    }

    /// Whether it ends here; none: more bytes are needed to say.
    pub fn end(&self) -> Option<Result<(), Fault>> {
        let rest = self.held.rest();
        if !rest.is_empty() {
            let expected = format!("the end of {}", self.path);
            return Some(Err(Fault::new("tables", expected, excerpt(rest))));
        }
        self.held.is_ended.then_some(Ok(()))
    }
}

/// An entry's row.
pub(super) fn entry_row(said: &Said) -> Vec<u8> {
    format!(
        "{},{},{},{}\r\n",
        said.rank, said.user_id, said.credited_ms, said.session_count
    )
    .into_bytes()
}

/// A session's row.
pub(super) fn session_row(guild_seq: i64, record: &Value<'_>) -> Result<Vec<u8>, Problem> {
    let of = Members(record);
    let paused = record.member("paused_ms").unwrap_or(record);
    let paused = Members(paused);
    let mut row = String::with_capacity(256);
    add(&mut row, guild_seq);
    for name in ["session_id", "user_id", "channel_id"] {
        text(&mut row, of.text(name)?);
    }
    for name in ["joined_at_ms", "left_at_ms"] {
        let at_ms = of.number(name)?;
        row.push(',');
        if instant(&mut row, at_ms).is_none() {
            return Err(Problem::failed(
                format!("{name} from the year 1 to 9999"),
                at_ms.to_string(),
            ));
        }
    }
    text(&mut row, of.text("reason")?);
    for name in ["counted_ms", "bridged_ms", "unwitnessed_ms"] {
        row.push(',');
        add(&mut row, of.number(name)?);
    }
    for name in ["deafened", "muted", "solo"] {
        row.push(',');
        add(&mut row, paused.number(name)?);
    }
    row.push_str(if of.flag("below_minimum")? {
        ",true,"
    } else {
        ",false,"
    });
    add(&mut row, of.number("credited_ms")?);
    row.push_str("\r\n");
    Ok(row.into_bytes())
}

fn add(row: &mut String, number: i64) {
    row.push_str(itoa::Buffer::new().format(number));
}

/// A cell of text, led by an apostrophe where a spreadsheet would run it.
fn text(row: &mut String, cell: &str) {
    row.push(',');
    let mark = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if cell.contains([',', '"', '\r', '\n']) {
        let quoted = cell.replace('"', "\"\"");
        let _ = write!(row, "\"{mark}{quoted}\"");
    } else {
        row.push_str(mark);
        row.push_str(cell);
    }
}

const DAY_MS: i64 = 86_400_000;

/// RFC 3339 with milliseconds, UTC; none outside the years 1 to 9999. Days to dates: Howard Hinnant, `civil_from_days`.
fn instant(row: &mut String, at_ms: i64) -> Option<()> {
    let (days, of_day) = (at_ms.div_euclid(DAY_MS), at_ms.rem_euclid(DAY_MS));
    let shifted = days.checked_add(719_468)?;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era
        .checked_add(era.checked_mul(400)?)?
        .checked_add(i64::from(month <= 2))?;
    if !(1..=9999).contains(&year) {
        return None;
    }
    let (seconds, ms) = (of_day / 1000, of_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let _ = write!(
        row,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
    );
    Some(())
}

#[cfg(test)]
mod tests {
    use super::instant;

    fn told(at_ms: i64) -> Option<String> {
        let mut out = String::new();
        instant(&mut out, at_ms).map(|()| out)
    }

    #[test]
    fn instants_are_those_of_the_calendar() {
        for (at_ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_226_143_292, "2026-11-21T01:55:43.292Z"),
            (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(told(at_ms).as_deref(), Some(expected));
        }
        for beyond in [-62_135_596_800_001, 253_402_300_800_000, i64::MAX, i64::MIN] {
            assert_eq!(told(beyond), None);
        }
    }
}
