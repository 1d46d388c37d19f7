//! The second pass: every record, in order, with its signature, its timeline and its place.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::super::report::shown;
use super::super::session::Rules;
use super::batch;
use super::forms::{Redacted, redacted};
use super::judging::{Counted, Item, Judged, RulesByDigest, judge};
use super::lines::{Lines, Next};
use super::survey::{Period, Survey, looks_like_session};
use super::table::{SESSION_COLUMNS, Table};
use super::{Fault, Pass, RECORDS, REDACTED, RULES, SESSIONS_TABLE, SIGNATURES, TIMELINES, Wanted};
use crate::records::encoding::b64url;
use crate::records::merkle::{Hash, RootBuilder, record_leaf_hash, sha256};
use crate::records::profile::MAX_RECORD_BYTES;

/// What is judged at once. Attack budget: lines of so many bytes in memory, whatever their number.
const BATCH: usize = 2048;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Attack budgets: a timeline of 90,000 segments, as a receipt may have it; rules of 40,000 channels, and so much of them.
const TIMELINE_BYTES: usize = 4 * 1024 * 1024;
const ONE_RULES_BYTES: usize = 1024 * 1024;
const RULES_BYTES: usize = 64 * 1024 * 1024;

/// What the chain came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Records that are there.
    pub records: u64,
    /// Sessions of the period, erased ones too.
    pub sessions: u64,
    /// Erased records.
    pub redacted: u64,
    /// Erased sessions of the period.
    pub redacted_sessions: u64,
    /// Erased corrections.
    pub redacted_corrections: u64,
    /// Erased records that no signed record names.
    pub unnamed: u64,
    /// The hashes of the records that the log must have, by position.
    pub proven: BTreeMap<i64, Hash>,
    /// Milliseconds and session records of each member in the period.
    pub(super) sums: HashMap<u64, (i128, i64)>,
}

/// The next erased record, if it is known.
#[derive(Debug)]
enum Ahead {
    Unread,
    Gone(Redacted),
    Nothing,
}

/// The hash of the record before, as a record says it.
#[derive(Clone, Copy)]
enum Prev {
    Said(Option<Hash>),
    Erased,
}

/// The pass.
#[derive(Debug)]
pub struct Chain {
    threads: usize,
    period: Period,
    files: Files,
    rules: RulesByDigest,
    rules_read: usize,
    last_rules: Option<Hash>,
    has_rules: bool,
    has_header: bool,
    batch: Vec<Item>,
    batch_bytes: usize,
    judged: VecDeque<Result<Judged, Fault>>,
    ahead: Ahead,
    before: Option<(i64, Hash)>,
    must_be_proven: HashSet<i64>,
    root: RootBuilder,
    seen: Seen,
}

#[derive(Debug)]
struct Files {
    records: Lines,
    signatures: Lines,
    timelines: Lines,
    rules: Lines,
    redacted: Lines,
    table: Table,
    /// A record whose other lines are not there yet.
    record: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
}

/// What came of reading ahead.
enum Read {
    Batch,
    End,
    Wanting(&'static str),
}

impl Chain {
    /// The pass over what `survey` went through, on so many threads.
    pub fn new(survey: &Survey, period: Period, threads: usize) -> Self {
        let must_be_proven = survey
            .key_positions()
            .iter()
            .copied()
            .chain([period.guild_seq])
            .collect();
        Self {
            threads,
            period,
            files: Files {
                records: Lines::new(RECORDS, "records", MAX_RECORD_BYTES),
                signatures: Lines::new(SIGNATURES, "signatures", MAX_RECORD_BYTES),
                timelines: Lines::new(TIMELINES, "timelines", TIMELINE_BYTES),
                rules: Lines::new(RULES, "rules", ONE_RULES_BYTES),
                redacted: Lines::new(REDACTED, "redacted", MAX_RECORD_BYTES),
                table: Table::new(SESSIONS_TABLE),
                record: None,
                signature: None,
            },
            rules: HashMap::new(),
            rules_read: 0,
            last_rules: None,
            has_rules: false,
            has_header: false,
            batch: Vec::new(),
            batch_bytes: 0,
            judged: VecDeque::new(),
            ahead: Ahead::Unread,
            before: None,
            must_be_proven,
            root: RootBuilder::default(),
            seen: Seen::default(),
        }
    }

    /// What it came to, once it is through.
    pub fn into_seen(self) -> Seen {
        self.seen
    }

    /// What it came to so far.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Goes on as far as what was fed reaches.
    pub fn advance(&mut self, survey: &Survey) -> Result<Wanted, Fault> {
        if !self.has_rules && !self.read_rules()? {
            return Ok(Some(RULES));
        }
        if !self.has_header {
            if !self.files.table.has(SESSION_COLUMNS) {
                return Ok(Some(SESSIONS_TABLE));
            }
            self.files.table.expect(SESSION_COLUMNS)?;
            self.has_header = true;
        }
        loop {
            if let Some(wanted) = self.settle(survey)? {
                return Ok(Some(wanted));
            }
            let read = self.read();
            if let Ok(Read::Wanting(path)) = read {
                return Ok(Some(path));
            }
            // What was read before a fault is judged before it.
            let items = std::mem::take(&mut self.batch);
            self.batch_bytes = 0;
            let rules = &self.rules;
            self.judged =
                batch::each(&items, self.threads, |item| judge(item, survey, rules)).into();
            match read {
                Err(fault) => self.judged.push_back(Err(fault)),
                Ok(Read::End) if self.judged.is_empty() => return self.finish(),
                Ok(_) => {}
            }
        }
    }

    /// Whether all rules are read.
    fn read_rules(&mut self) -> Result<bool, Fault> {
        loop {
            let line = match self.files.rules.next()? {
                Next::Line(line) => line,
                Next::Wanting => return Ok(false),
                Next::End => {
                    self.has_rules = true;
                    return Ok(true);
                }
            };
            self.rules_read = self.rules_read.saturating_add(line.len()).saturating_add(1);
            if self.rules_read > RULES_BYTES {
                let expected = format!("at most {RULES_BYTES} bytes of rules");
                return Err(Fault::new("rules", expected, "more"));
            }
            let digest = sha256(&line);
            if self.last_rules.is_some_and(|last| last >= digest) {
                return Err(Fault::new(
                    "rules",
                    "rules in ascending order of digest",
                    "another order",
                ));
            }
            self.last_rules = Some(digest);
            self.rules.insert(b64url(&digest), Rules::read(&line));
        }
    }

    /// Fills the batch.
    fn read(&mut self) -> Result<Read, Fault> {
        let files = &mut self.files;
        while self.batch.len() < BATCH && self.batch_bytes < BATCH_BYTES {
            if files.record.is_none() {
                files.record = match files.records.next()? {
                    Next::Line(line) => Some(line),
                    Next::Wanting => return Ok(Read::Wanting(RECORDS)),
                    Next::End => return Ok(Read::End),
                };
            }
            if files.signature.is_none() {
                files.signature = match files.signatures.next()? {
                    Next::Line(line) => Some(line),
                    Next::Wanting => return Ok(Read::Wanting(SIGNATURES)),
                    Next::End => Some(Vec::new()), // refused when it is judged
                };
            }
            let is_session = files.record.as_deref().is_some_and(looks_like_session);
            let timeline = match is_session.then(|| files.timelines.next()).transpose()? {
                Some(Next::Wanting) => return Ok(Read::Wanting(TIMELINES)),
                Some(Next::Line(line)) => Some(line),
                Some(Next::End) => Some(Vec::new()),
                None => None,
            };
            if let (Some(record), Some(signature)) = (files.record.take(), files.signature.take()) {
                let item = Item {
                    record,
                    signature,
                    timeline,
                };
                self.batch_bytes = self.batch_bytes.saturating_add(item.size());
                self.batch.push(item);
            }
        }
        Ok(Read::Batch)
    }

    /// Puts what was judged in its place, in order.
    fn settle(&mut self, survey: &Survey) -> Result<Wanted, Fault> {
        while let Some(next) = self.judged.front() {
            let Ok(one) = next else {
                return match self.judged.pop_front() {
                    Some(Err(fault)) => Err(fault),
                    _ => Ok(None),
                };
            };
            if matches!(self.ahead, Ahead::Unread) {
                self.ahead = match self.files.redacted.next()? {
                    Next::Line(line) => Ahead::Gone(redacted(&line)?),
                    Next::Wanting => return Ok(Some(REDACTED)),
                    Next::End => Ahead::Nothing,
                };
            }
            if let Ahead::Gone(gone) = &self.ahead
                && gone.guild_seq < one.guild_seq
            {
                if let Ahead::Gone(gone) = std::mem::replace(&mut self.ahead, Ahead::Unread) {
                    self.add_redacted(&gone, survey)?;
                }
                continue;
            }
            if let Ok(Some(counted)) = &one.rest
                && counted.period_index == self.period.period_index
                && !self.files.table.has(&counted.row)
            {
                return Ok(Some(SESSIONS_TABLE));
            }
            if let Some(Ok(one)) = self.judged.pop_front() {
                self.add(one, survey)?;
            }
        }
        Ok(None)
    }

    /// Every position once, ascending, without a gap from the first session to the period's record.
    fn place(&mut self, at: i64, kind: &str, digest: Hash, prev: Prev) -> Result<(), Fault> {
        let (first, ends) = (self.period.first(), self.period.guild_seq);
        let last = self.before.map_or(-1, |(last, _)| last);
        let next = last.saturating_add(1);
        let has_gap = if first < at && at <= ends {
            next != at
        } else {
            at > ends && ends > last
        };
        if at <= last || has_gap {
            let expected = format!("guild_seq {}", next.max(first));
            return Err(Fault::new("chain", expected, at.to_string()));
        }
        if let (Prev::Said(prev), Some((_, hashed))) = (prev, self.before)
            && next == at
            && prev != Some(hashed)
        {
            return Err(Fault::new(
                "chain",
                format!("prev {} at guild_seq {at}", b64url(&hashed)),
                prev.map_or_else(|| "none".to_owned(), |prev| b64url(&prev)),
            ));
        }
        let is_inside = first <= at && at <= ends;
        let is_told_later = kind == "record.redacted" && at > first;
        if !is_inside && !kind.starts_with("key.") && !is_told_later {
            let expected = format!("guild_seq from {first} to {ends}");
            return Err(Fault::new(
                "chain",
                expected,
                format!("{} at {at}", shown(kind)),
            ));
        }
        self.before = Some((at, digest));
        Ok(())
    }

    fn add_redacted(&mut self, gone: &Redacted, survey: &Survey) -> Result<(), Fault> {
        self.place(gone.guild_seq, &gone.kind, gone.record_sha256, Prev::Erased)?;
        if gone.guild_seq < self.period.first() || gone.guild_seq >= self.period.guild_seq {
            return Err(outside(gone));
        }
        self.seen.redacted += 1;
        self.seen.unnamed += u64::from(!survey.is_redacted(gone.guild_seq));
        self.seen.redacted_corrections += u64::from(gone.kind == "session.correction");
        if gone.kind == "voice.session" && gone.period_index == Some(self.period.period_index) {
            self.seen.redacted_sessions += 1;
            self.leaf(gone.guild_seq, &gone.record_sha256)?;
        }
        Ok(())
    }

    fn add(&mut self, one: Judged, survey: &Survey) -> Result<(), Fault> {
        self.place(one.guild_seq, &one.kind, one.sha256, Prev::Said(one.prev))?;
        if one.guild_id != self.period.guild_id {
            return Err(Fault::new(
                "records",
                format!("guild_id {}", self.period.guild_id),
                format!("{} at {}", one.guild_id, one.guild_seq),
            ));
        }
        let counted = one.rest?;
        self.seen.records += 1;
        if self.must_be_proven.contains(&one.guild_seq) {
            self.seen.proven.insert(one.guild_seq, one.sha256);
        }
        match counted {
            Some(counted) => self.count(one.guild_seq, &one.sha256, &counted, survey),
            None => Ok(()),
        }
    }

    fn count(
        &mut self,
        at: i64,
        digest: &Hash,
        counted: &Counted,
        survey: &Survey,
    ) -> Result<(), Fault> {
        let corrected = self.corrected(at, digest, counted, survey)?;
        if counted.period_index != self.period.period_index {
            return Ok(());
        }
        self.leaf(at, digest)?;
        let total = self.seen.sums.entry(counted.user_id).or_default();
        total.0 += i128::from(counted.credited_ms) + corrected;
        total.1 += 1;
        self.files.table.expect(&counted.row)
    }

    /// What corrections add to a session, of those that the archive has.
    fn corrected(
        &self,
        at: i64,
        digest: &Hash,
        counted: &Counted,
        survey: &Survey,
    ) -> Result<i128, Fault> {
        if !survey.has_corrections() {
            return Ok(0);
        }
        let mut added = 0_i128;
        for &(position, delta) in survey.corrections(&b64url(digest)) {
            if position > self.period.last() {
                continue; // shown beside the archive, not in it
            }
            added += i128::from(delta);
            let total = i128::from(counted.credited_ms) + added;
            if total < 0 || total > i128::from(counted.length_ms) {
                return Err(Fault::new(
                    "corrections",
                    format!("the session of {at} within 0 and its length"),
                    format!("{delta} at {position}"),
                ));
            }
        }
        Ok(added)
    }

    fn leaf(&mut self, at: i64, digest: &Hash) -> Result<(), Fault> {
        let (first, last) = (self.period.first(), self.period.last());
        if at < first || at > last {
            let expected = format!("sessions from {first} to {last}");
            return Err(Fault::new("period", expected, at.to_string()));
        }
        self.root.push_leaf(record_leaf_hash(digest));
        Ok(())
    }

    /// All records are in their places: nothing else is in the files, and the root is right.
    fn finish(&mut self) -> Result<Wanted, Fault> {
        if matches!(self.ahead, Ahead::Unread) {
            self.ahead = match self.files.redacted.next()? {
                Next::Line(line) => Ahead::Gone(redacted(&line)?),
                Next::Wanting => return Ok(Some(REDACTED)),
                Next::End => Ahead::Nothing,
            };
        }
        if let Ahead::Gone(gone) = &self.ahead {
            return Err(outside(gone));
        }
        for lines in [&mut self.files.signatures, &mut self.files.timelines] {
            match lines.next()? {
                Next::End => {}
                Next::Wanting => return Ok(Some(lines.path)),
                Next::Line(_) => {
                    return Err(Fault::new(
                        "signatures",
                        "one signature a record, one timeline a session",
                        "more",
                    ));
                }
            }
        }
        match self.files.table.end() {
            None => return Ok(Some(SESSIONS_TABLE)),
            Some(ended) => ended?,
        }
        self.total()?;
        Ok(None)
    }

    fn total(&mut self) -> Result<(), Fault> {
        let last = self.before.map_or(-1, |(last, _)| last);
        if last < self.period.guild_seq {
            let expected = format!("guild_seq to {}", self.period.guild_seq);
            return Err(Fault::new("chain", expected, last.to_string()));
        }
        self.seen.sessions = self.root.size();
        if i64::try_from(self.root.size()) != Ok(self.period.session_count) {
            return Err(Fault::new(
                "sessions-root",
                format!("{} sessions", self.period.session_count),
                self.root.size().to_string(),
            ));
        }
        let root = b64url(&self.root.root());
        if root != self.period.sessions_root {
            let expected = shown(&self.period.sessions_root);
            return Err(Fault::new("sessions-root", expected, root));
        }
        for name in &self.period.rules_sha256 {
            if !self.rules.contains_key(name) {
                return Err(Fault::new(
                    "rules",
                    format!("rules {}, which the period names", shown(name)),
                    "none such in data/rules.jsonl",
                ));
            }
        }
        Ok(())
    }
}

fn outside(gone: &Redacted) -> Fault {
    Fault::new(
        "chain",
        "erased records within the period's stretch",
        format!("one at {}", gone.guild_seq),
    )
}

impl Pass for Chain {
    fn feed(&mut self, path: &str, data: &[u8]) {
        match path {
            RECORDS => self.files.records.feed(data),
            SIGNATURES => self.files.signatures.feed(data),
            TIMELINES => self.files.timelines.feed(data),
            RULES => self.files.rules.feed(data),
            REDACTED => self.files.redacted.feed(data),
            SESSIONS_TABLE => self.files.table.feed(data),
            _ => {}
        }
    }
}
