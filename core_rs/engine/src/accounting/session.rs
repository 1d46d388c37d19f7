//! Open and closed sessions, and what a closed one says (section 7).
use std::sync::Arc;

use itoa::Buffer;

use super::ids::{ChannelId, GuildId, UserId};
use super::rules::RuleSet;
use super::timeline::{Past, Status, Sums, Timeline};

/// Why a session closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Left voice.
    Leave,
    /// Entered another channel.
    Move,
    /// The rules changed and still track the channel.
    Rules,
    /// The channel is no longer tracked.
    Untracked,
    /// The period ended.
    Period,
    /// The member wants no sessions.
    OptedOut,
    /// The channel was deleted.
    ChannelDeleted,
    /// The bot left the guild.
    GuildLeft,
    /// Gone when the connection came back.
    Gap,
}

impl Reason {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leave => "leave",
            Self::Move => "move",
            Self::Rules => "rules",
            Self::Untracked => "untracked",
            Self::Period => "period",
            Self::OptedOut => "opted_out",
            Self::ChannelDeleted => "channel_deleted",
            Self::GuildLeft => "guild_left",
            Self::Gap => "gap",
        }
    }
}

/// Where a stay stands when a session begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    pub number: u64,
    /// Number of the next part.
    pub part: u32,
    /// `counted_ms` of the parts before it.
    pub counted: i64,
}

/// An open session. Its member, channel, rules and period are the guild's: every cut closes it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub(super) joined_at: i64,
    /// Where the running segment starts.
    pub(super) since: i64,
    pub(super) stay: u64,
    pub(super) stay_counted: i64,
    /// `[joined_at, since)`, whose last status is not the running one.
    pub(super) past: Past,
    pub(super) part: u32,
    /// The running segment's.
    pub(super) status: Status,
}

impl Session {
    pub(super) fn new(at: i64, stay: Stay, status: Status) -> Self {
        Self {
            joined_at: at,
            since: at,
            stay: stay.number,
            stay_counted: stay.counted,
            past: Past::default(),
            part: stay.part,
            status,
        }
    }

    /// Number of the stay.
    pub const fn stay(&self) -> u64 {
        self.stay
    }

    /// Number of the part within the stay.
    pub const fn part(&self) -> u32 {
        self.part
    }

    /// When this part began, in milliseconds.
    pub const fn joined_at(&self) -> i64 {
        self.joined_at
    }

    /// Where the running segment starts.
    pub const fn since(&self) -> i64 {
        self.since
    }

    /// The running segment's status; while blind, the one at `b0`.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// `counted_ms` of the stay's earlier parts.
    pub const fn stay_counted(&self) -> i64 {
        self.stay_counted
    }

    /// The status from `at` on. A running segment of length zero vanishes, and its neighbours merge.
    pub(super) fn set_status(&mut self, at: i64, status: Status) {
        if status == self.status {
            return;
        }
        if self.since < at {
            self.past.push(at, self.status);
            self.since = at;
        } else if self.past.last().is_some_and(|(_, last)| last == status) {
            self.past.pop();
            self.since = self.past.last().map_or(self.joined_at, |(end, _)| end);
        }
        self.status = status;
    }

    /// Blind from `b0` to `b1` with an uncertain outcome, then `status`.
    pub(super) fn pass_uncertain(&mut self, b0: i64, b1: i64, bridge_ms: i64, status: Status) {
        if b0 == b1 {
            self.set_status(b1, status);
            return;
        }
        let short = b1 - b0 <= bridge_ms;
        let bridged = short && self.status == Status::Counted && status == Status::Counted;
        if self.since < b0 {
            self.past.push(b0, self.status);
        }
        self.past.push(
            b1,
            if bridged {
                Status::Bridged
            } else {
                Status::Unwitnessed
            },
        );
        self.since = b1;
        self.status = status;
    }
}

/// What all open sessions of a guild share: whatever changes it closes them first.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The guild.
    pub guild_id: GuildId,
    /// The running period's index.
    pub period_index: u64,
    /// The rules in force.
    pub rules: Arc<RuleSet>,
}

/// What a session says of itself, closed or as if it closed at the timeline's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Where.
    pub guild_id: GuildId,
    /// Who.
    pub user_id: UserId,
    /// In which channel.
    pub channel_id: ChannelId,
    /// The period in force while it was open.
    pub period_index: u64,
    /// The guild's stays are numbered from 0 in the order they open.
    pub stay: u64,
    /// From 0 within the stay.
    pub part: u32,
    /// Milliseconds.
    pub joined_at: i64,
    /// Milliseconds; the timeline's end.
    pub left_at: i64,
    /// A partition of `[joined_at, left_at)`.
    pub timeline: Timeline,
    /// Over the timeline.
    pub sums: Sums,
    /// The stay has counted too little so far.
    pub below_minimum: bool,
    /// The session's own.
    pub rules: Arc<RuleSet>,
}

impl Account {
    /// The account of `session` if it closes at `end` under the rules and in the period of `frame`.
    pub(super) fn of(
        session: Session,
        user_id: UserId,
        channel_id: ChannelId,
        frame: &Frame,
        end: i64,
    ) -> Self {
        let timeline = Timeline::new(
            session.joined_at,
            session.past,
            session.since,
            session.status,
            end,
        );
        let sums = timeline.sums();
        Self {
            guild_id: frame.guild_id,
            user_id,
            channel_id,
            period_index: frame.period_index,
            stay: session.stay,
            part: session.part,
            joined_at: session.joined_at,
            left_at: end,
            timeline,
            sums,
            below_minimum: session.stay_counted + sums.counted < frame.rules.rules.min_session_ms(),
            rules: Arc::clone(&frame.rules),
        }
    }

    /// What leaderboards, statistics and roles add.
    pub const fn credited(&self) -> i64 {
        if self.below_minimum {
            0
        } else {
            self.sums.counted
        }
    }

    /// One line of `rollcall replay` (section 9): sorted keys, no white space. No reason: it is still open, and
    /// `left_at_ms` is null.
    pub fn write_line(&self, reason: Option<Reason>, out: &mut Vec<u8>) {
        let mut writer = Writer {
            out,
            digits: Buffer::new(),
        };
        writer
            .text("{\"below_minimum\":")
            .text(if self.below_minimum { "true" } else { "false" });
        writer.text(",\"bridged_ms\":").number(self.sums.bridged);
        writer.text(",\"channel_id\":\"").id(self.channel_id);
        writer.text("\",\"counted_ms\":").number(self.sums.counted);
        writer.text(",\"credited_ms\":").number(self.credited());
        writer.text(",\"guild_id\":\"").id(self.guild_id);
        writer.text("\",\"joined_at_ms\":").number(self.joined_at);
        writer.text(",\"left_at_ms\":");
        match reason {
            Some(_) => writer.number(self.left_at),
            None => writer.text("null"),
        };
        writer.text(",\"part\":").number(i64::from(self.part));
        writer
            .text(",\"paused_ms\":{\"deafened\":")
            .number(self.sums.deafened);
        writer.text(",\"muted\":").number(self.sums.muted);
        writer.text(",\"solo\":").number(self.sums.solo);
        writer.text("},\"period_index\":").id(self.period_index);
        match reason {
            Some(reason) => writer
                .text(",\"reason\":\"")
                .text(reason.name())
                .text("\",\"stay\":"),
            None => writer.text(",\"reason\":null,\"stay\":"),
        };
        writer.id(self.stay).text(",\"timeline\":");
        self.timeline.write_json(out);
        let mut writer = Writer {
            out,
            digits: Buffer::new(),
        };
        writer
            .text(",\"unwitnessed_ms\":")
            .number(self.sums.unwitnessed);
        writer
            .text(",\"user_id\":\"")
            .id(self.user_id)
            .text("\"}\n");
    }
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    digits: Buffer,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) -> &mut Self {
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    fn number(&mut self, number: i64) -> &mut Self {
        self.out
            .extend_from_slice(self.digits.format(number).as_bytes());
        self
    }

    fn id(&mut self, number: u64) -> &mut Self {
        self.out
            .extend_from_slice(self.digits.format(number).as_bytes());
        self
    }
}

/// A session that has closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedSession {
    /// From 0 over all sessions the guild ever emitted; dropped ones take none.
    pub ordinal: u64,
    /// Why.
    pub reason: Reason,
    /// What it says.
    pub account: Account,
}

/// Where a fold's outcome goes.
pub trait Sink {
    /// In the order they close.
    fn closed(&mut self, session: ClosedSession);

    /// The member's session is about to open, to close or to change; `frame` and `session` are as before that.
    fn changing(&mut self, frame: &Frame, user: UserId, session: Option<&Session>);
}

/// Keeps closed sessions and asks for nothing else.
#[derive(Debug, Default)]
pub struct NoSink(pub Vec<ClosedSession>);

impl Sink for NoSink {
    fn closed(&mut self, session: ClosedSession) {
        self.0.push(session);
    }

    fn changing(&mut self, _frame: &Frame, _user: UserId, _session: Option<&Session>) {}
}
