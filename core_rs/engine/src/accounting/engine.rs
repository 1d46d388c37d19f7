//! Many guilds, and what a batch of lines changed in them.
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use thiserror::Error;

use super::event::Line;
use super::guild::Guild;
use super::ids::{GuildId, IdMap, UserId};
use super::rules::RuleSet;
use super::session::{Account, ClosedSession, Frame, Session, Sink};
use super::state::{self, StateError};
use super::timeline::Status;
use super::trace::{self, Malformed};

/// A line of a batch is malformed; nothing of the batch was applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line_number}: {cause}")]
pub struct BatchError {
    /// From 1 within the batch.
    pub line_number: usize,
    /// What is wrong with it.
    pub cause: Malformed,
}

/// The accounting of many guilds.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    guilds: IdMap<Guild>,
    default_rules: Arc<RuleSet>,
}

impl Engine {
    /// No guild yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one line, whose `at` is not lower than its guild's last.
    pub fn apply(&mut self, line: &Line, sink: &mut impl Sink) {
        let guild = self
            .guilds
            .entry(line.guild_id)
            .or_insert_with(|| Guild::new(line.guild_id, Arc::clone(&self.default_rules)));
        guild.apply(line, sink);
    }

    /// Applies one line if its `at` is not lower than its guild's last.
    pub fn apply_checked(&mut self, line: &Line, sink: &mut impl Sink) -> Result<(), Malformed> {
        trace::check_order(self.last_at(line.guild_id), line.at)?;
        self.apply(line, sink);
        Ok(())
    }

    /// Applies a batch of newline-separated trace lines, all of it or nothing.
    pub fn apply_batch(&mut self, lines: &[u8]) -> Result<Changes, BatchError> {
        let mut parsed = Vec::new();
        let mut last: IdMap<i64> = IdMap::default();
        for (index, bytes) in trace::lines(lines).enumerate() {
            let blame = |cause| BatchError {
                line_number: index + 1,
                cause,
            };
            let line = trace::parse_line(bytes).map_err(blame)?;
            let previous = last
                .insert(line.guild_id, line.at)
                .or_else(|| self.last_at(line.guild_id));
            trace::check_order(previous, line.at).map_err(blame)?;
            parsed.push(line);
        }
        let mut changes = Changes::default();
        for line in &parsed {
            self.apply(line, &mut changes);
        }
        Ok(changes)
    }

    fn last_at(&self, guild: GuildId) -> Option<i64> {
        self.guilds.get(&guild).and_then(Guild::last_at)
    }

    /// One guild.
    pub fn guild(&self, guild: GuildId) -> Option<&Guild> {
        self.guilds.get(&guild)
    }

    /// Looks at one guild; before its first line it is what a guild is then.
    pub fn read<T>(&self, guild: GuildId, look: impl FnOnce(&Guild) -> T) -> T {
        match self.guild(guild) {
            Some(guild) => look(guild),
            None => look(&Guild::new(guild, Arc::clone(&self.default_rules))),
        }
    }

    /// Every guild that had a line or was restored, ascending.
    pub fn guild_ids(&self) -> Vec<GuildId> {
        let mut ids: Vec<GuildId> = self.guilds.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Everything about a guild, in bytes.
    pub fn save(&self, guild: GuildId) -> Vec<u8> {
        self.read(guild, state::save)
    }

    /// Puts a saved guild in place of what is there. On an error nothing changes.
    pub fn restore(&mut self, guild: GuildId, bytes: &[u8]) -> Result<(), StateError> {
        let mut restored = state::restore(guild, bytes)?;
        if restored.frame.rules == self.default_rules {
            restored.frame.rules = Arc::clone(&self.default_rules);
        }
        self.guilds.insert(guild, restored);
        Ok(())
    }

    /// Drops a guild and everything about it.
    pub fn forget(&mut self, guild: GuildId) {
        self.guilds.remove(&guild);
    }
}

/// An open session up to where its running segment starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAccount {
    /// As if it closed at `since`.
    pub account: Account,
    /// The running segment's status; while blind, the one at `b0`.
    pub status: Status,
    /// `counted_ms` of the stay's earlier parts.
    pub stay_counted: i64,
}

impl OpenAccount {
    /// The member's open session, if there is one.
    pub fn of(guild: &Guild, user: UserId) -> Option<Self> {
        let session = guild.members().get(&user)?.session()?;
        let account = guild.account(user, session.since())?;
        Some(Self {
            account,
            status: session.status(),
            stay_counted: session.stay_counted(),
        })
    }
}

/// What tells one row of an open session from another. The timeline up to `since` follows from these: what is past does
/// not change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fingerprint {
    stay: u64,
    part: u32,
    joined_at: i64,
    since: i64,
    status: Status,
    period_index: u64,
    rules: Arc<RuleSet>,
}

impl Fingerprint {
    fn of(frame: &Frame, session: &Session) -> Self {
        Self {
            stay: session.stay(),
            part: session.part(),
            joined_at: session.joined_at(),
            since: session.since(),
            status: session.status(),
            period_index: frame.period_index,
            rules: Arc::clone(&frame.rules),
        }
    }
}

/// What a batch changed.
#[derive(Debug, Default)]
pub struct Changes {
    /// In the order they closed.
    pub closed: Vec<ClosedSession>,
    /// The rows before the batch of those whose session was touched by it.
    before: IdMap<IdMap<Option<Fingerprint>>>,
}

impl Sink for Changes {
    fn closed(&mut self, session: ClosedSession) {
        self.closed.push(session);
    }

    fn changing(&mut self, frame: &Frame, user: UserId, session: Option<&Session>) {
        if let Entry::Vacant(entry) = self.before.entry(frame.guild_id).or_default().entry(user) {
            entry.insert(session.map(|session| Fingerprint::of(frame, session)));
        }
    }
}

impl Changes {
    /// The open sessions whose row differs from before the batch, and who had one before and has none now; both
    /// ascending by guild and user.
    pub fn open_and_gone(&self, engine: &Engine) -> (Vec<OpenAccount>, Vec<(GuildId, UserId)>) {
        let (mut open, mut gone) = (Vec::new(), Vec::new());
        let guilds: BTreeMap<_, _> = self.before.iter().collect();
        for (guild_id, users) in guilds {
            let Some(guild) = engine.guild(*guild_id) else {
                continue;
            };
            let mut users: Vec<_> = users.iter().collect();
            users.sort_unstable_by_key(|(user, _)| **user);
            for (user, before) in users {
                let session = guild
                    .members()
                    .get(user)
                    .and_then(|member| member.session());
                let now = session.map(|session| Fingerprint::of(&guild.frame, session));
                if session.is_none() && before.is_some() {
                    gone.push((*guild_id, *user));
                } else if now != *before {
                    open.extend(OpenAccount::of(guild, *user));
                }
            }
        }
        (open, gone)
    }
}
