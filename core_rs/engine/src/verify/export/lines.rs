//! A file that comes in pieces, as lines or as bytes.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::Fault;

/// The next line, if it is whole.
pub(super) enum Next {
    Line(Vec<u8>),
    End,
    /// More bytes are needed to say.
    Wanting,
}

/// The lines of a file, never one longer than the limit.
#[derive(Debug)]
pub(super) struct Lines {
    pub path: &'static str,
    check: &'static str,
    limit: usize,
    held: Held,
    number: u64,
}

impl Lines {
    pub fn new(path: &'static str, check: &'static str, limit: usize) -> Self {
        Self {
            path,
            check,
            limit,
            held: Held::default(),
            number: 0,
        }
    }

    pub fn feed(&mut self, data: &[u8]) {
        self.held.feed(data);
    }

    /// Without its end.
    pub fn next(&mut self) -> Result<Next, Fault> {
        let rest = self.held.rest();
        let reach = rest.get(..=self.limit).unwrap_or(rest);
        if let Some(length) = memchr::memchr(b'\n', reach) {
            let line = reach.get(..length).unwrap_or_default().to_vec();
            self.held.skip(length.saturating_add(1));
            self.number = self.number.saturating_add(1);
            return Ok(Next::Line(line));
        }
        if rest.len() > self.limit || (self.held.is_ended && !rest.is_empty()) {
            return Err(Fault::new(
                self.check,
                format!("{}: whole lines of at most {} bytes", self.path, self.limit),
                format!("another at line {}", self.number.saturating_add(1)),
            ));
        }
        Ok(if self.held.is_ended {
            Next::End
        } else {
            Next::Wanting
        })
    }
}

/// Bytes that came and were not taken yet.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    at: usize,
    pub is_ended: bool,
}

impl Held {
    pub fn feed(&mut self, data: &[u8]) {
        self.is_ended |= data.is_empty();
        self.bytes.drain(..self.at.min(self.bytes.len()));
        self.at = 0;
        self.bytes.extend_from_slice(data);
    }

    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.bytes.len());
    }
}

/// Bytes of a file as they may be shown.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    bytes.get(..120).unwrap_or(bytes).escape_ascii().to_string()
}
