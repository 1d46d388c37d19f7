//! `rollcall replay` (section 9): a trace in, closed sessions out, streaming.
use thiserror::Error;

use super::engine::Engine;
use super::session::{ClosedSession, Session, Sink};
use super::trace::{self, Malformed};
use super::{Frame, UserId};

/// A line is malformed. Nothing more is read or printed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{cause}")]
pub struct ReplayError {
    /// From 1 within the trace.
    pub line_number: u64,
    /// What is wrong with it.
    pub cause: Malformed,
    /// What the lines before it closed, and no call has returned yet.
    pub printed: Vec<u8>,
}

/// A trace that is being read. Memory grows with the members in voice, the guilds and the longest line.
#[derive(Debug, Default)]
pub struct Replay {
    engine: Engine,
    include_open: bool,
    /// A line whose end has not come yet.
    partial: Vec<u8>,
    lines: u64,
    failed: Option<(u64, Malformed)>,
}

struct Printer(Vec<u8>);

impl Sink for Printer {
    fn closed(&mut self, session: ClosedSession) {
        session
            .account
            .write_line(Some(session.reason), &mut self.0);
    }

    fn changing(&mut self, _frame: &Frame, _user: UserId, _session: Option<&Session>) {}
}

impl Replay {
    /// `include_open`: [`Replay::finish`] also prints the sessions still open.
    pub fn new(include_open: bool) -> Self {
        Self {
            include_open,
            ..Self::default()
        }
    }

    /// Lines read so far, a malformed one included.
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Reads on. Chunks may end anywhere. Returns the output lines of the sessions that closed.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<Vec<u8>, ReplayError> {
        let mut printer = Printer(Vec::new());
        self.check_alive()?;
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            let outcome = if self.partial.is_empty() {
                self.read_line(line, &mut printer)
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(line);
                let outcome = self.read_line(&whole, &mut printer);
                whole.clear();
                self.partial = whole;
                outcome
            };
            if let Err(cause) = outcome {
                return Err(self.fail(cause, printer.0));
            }
        }
        self.partial.extend_from_slice(rest);
        Ok(printer.0)
    }

    /// The last line, if it has no newline, and the open sessions if they were asked for.
    pub fn finish(&mut self) -> Result<Vec<u8>, ReplayError> {
        let mut printer = Printer(Vec::new());
        self.check_alive()?;
        let last = std::mem::take(&mut self.partial);
        if !last.is_empty() {
            let outcome = self.read_line(&last, &mut printer);
            outcome.map_err(|cause| self.fail(cause, std::mem::take(&mut printer.0)))?;
        }
        if self.include_open {
            self.print_open(&mut printer.0);
        }
        Ok(printer.0)
    }

    fn read_line(&mut self, bytes: &[u8], printer: &mut Printer) -> Result<(), Malformed> {
        self.lines += 1;
        let line = trace::parse_line(bytes)?;
        self.engine.apply_checked(&line, printer)
    }

    fn check_alive(&self) -> Result<(), ReplayError> {
        match &self.failed {
            None => Ok(()),
            Some((line_number, cause)) => Err(ReplayError {
                line_number: *line_number,
                cause: cause.clone(),
                printed: Vec::new(),
            }),
        }
    }

    fn fail(&mut self, cause: Malformed, printed: Vec<u8>) -> ReplayError {
        self.failed = Some((self.lines, cause.clone()));
        ReplayError {
            line_number: self.lines,
            cause,
            printed,
        }
    }

    fn print_open(&self, out: &mut Vec<u8>) {
        for guild in self
            .engine
            .guild_ids()
            .into_iter()
            .filter_map(|id| self.engine.guild(id))
        {
            let Some(end) = guild.watched_until() else {
                continue;
            };
            for account in guild
                .users_with_session()
                .into_iter()
                .filter_map(|user| guild.account(user, end))
            {
                account.write_line(None, out);
            }
        }
    }
}
