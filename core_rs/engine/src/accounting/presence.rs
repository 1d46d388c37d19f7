//! Where a member was in voice without a session, and why: read off the fold itself, line by line.
use std::sync::Arc;

use super::engine::BatchError;
use super::guild::Guild;
use super::ids::{ChannelId, UserId};
use super::rules::{Mode, RuleSet};
use super::session::{ClosedSession, Frame, Session, Sink};
use super::trace;

/// Why a member in voice has no session (sections 3 and 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unaccounted {
    /// They want none.
    OptedOut,
    /// In the guild's AFK channel.
    Afk,
    /// Nothing is tracked.
    Off,
    /// The channel is not on an allowlist, or on a denylist.
    Untracked,
}

impl Unaccounted {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::Afk => "afk",
            Self::Off => "off",
            Self::Untracked => "untracked",
        }
    }
}

/// A watched stretch in one channel without a session, for one reason, under one rule set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// First millisecond.
    pub start: i64,
    /// The millisecond after the last.
    pub end: i64,
    /// Where.
    pub channel_id: ChannelId,
    /// Why no session.
    pub why: Unaccounted,
    /// In force then.
    pub rules: Arc<RuleSet>,
}

impl Presence {
    fn goes_on_as(&self, other: &Self) -> bool {
        self.channel_id == other.channel_id
            && self.why == other.why
            && self.rules.sha256 == other.rules.sha256
    }
}

/// Asks for nothing.
pub(super) struct Discard;

impl Sink for Discard {
    fn closed(&mut self, _session: ClosedSession) {}

    fn changing(&mut self, _frame: &Frame, _user: UserId, _session: Option<&Session>) {}
}

impl Guild {
    /// Why the member, who is in voice as far as is watched, has no session. A bot never has one, without a reason.
    fn unaccounted(&self, user: UserId) -> Option<(ChannelId, Unaccounted)> {
        if self.blind.is_some() {
            return None; // nobody knows where they are
        }
        let member = self.members.get(&user)?;
        if member.bot || member.session.is_some() {
            return None;
        }
        let rules = &self.frame.rules.rules;
        let why = if self.opted_out.contains(&user) {
            Unaccounted::OptedOut
        } else if rules.afk_channel_id == Some(member.channel_id) {
            Unaccounted::Afk
        } else if rules.mode == Mode::Off {
            Unaccounted::Off
        } else {
            Unaccounted::Untracked
        };
        Some((member.channel_id, why))
    }

    fn presence_from(&self, user: UserId, start: i64) -> Option<Presence> {
        self.unaccounted(user).map(|(channel_id, why)| Presence {
            start,
            end: start,
            channel_id,
            why,
            rules: Arc::clone(&self.frame.rules),
        })
    }
}

/// The stretches of one member, from the instant of the guild's state to `end`, ascending.
///
/// Other members' `voice_state` lines may be left out: whether somebody has a session depends on nobody else. A blind
/// interval is in no stretch.
pub fn presence_without_session(
    guild: &mut Guild,
    user: UserId,
    lines: &[u8],
    end: i64,
) -> Result<Vec<Presence>, BatchError> {
    let mut found: Vec<Presence> = Vec::new();
    let mut running = guild.last_at().and_then(|at| guild.presence_from(user, at));
    for (index, bytes) in trace::lines(lines).enumerate() {
        let blame = |cause| BatchError {
            line_number: index + 1,
            cause,
        };
        let line = trace::parse_line(bytes).map_err(blame)?;
        trace::check_order(guild.last_at(), line.at).map_err(blame)?;
        guild.apply(&line, &mut Discard);
        let now = guild.presence_from(user, line.at);
        let goes_on = match (&running, &now) {
            (Some(running), Some(now)) => running.goes_on_as(now),
            (None, None) => true,
            _ => false,
        };
        if !goes_on {
            push(&mut found, running.take(), line.at);
            running = now;
        }
    }
    push(&mut found, running, end);
    Ok(found)
}

/// Ends a stretch. One without length vanishes, and goes on where it was interrupted for no time.
fn push(found: &mut Vec<Presence>, running: Option<Presence>, end: i64) {
    let Some(mut presence) = running.filter(|presence| presence.start < end) else {
        return;
    };
    presence.end = end;
    match found.last_mut() {
        Some(last) if last.end == presence.start && last.goes_on_as(&presence) => last.end = end,
        _ => found.push(presence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"{"at":10,"type":"voice_state","guild_id":"7","user_id":"9","channel_id":"20"}
{"at":20,"type":"rules","guild_id":"7","rules":{"mode":"off"}}
{"at":30,"type":"voice_state","guild_id":"7","user_id":"9","channel_id":"3"}
{"at":40,"type":"rules","guild_id":"7","rules":{"afk_channel_id":"3"}}
{"at":50,"type":"blind","guild_id":"7"}
{"at":60,"type":"resumed","guild_id":"7"}
{"at":60,"type":"opt_out","guild_id":"7","user_id":"9","out":true}
{"at":70,"type":"voice_state","guild_id":"7","user_id":"9","channel_id":null}
"#;

    fn told(end: i64) -> Vec<(i64, i64, u64, &'static str)> {
        let mut guild = Guild::new(7, Arc::default());
        let found = presence_without_session(&mut guild, 9, LINES.as_bytes(), end);
        found
            .unwrap_or_default()
            .iter()
            .map(|it| (it.start, it.end, it.channel_id, it.why.name()))
            .collect()
    }

    #[test]
    fn each_stretch_says_where_and_why_and_none_is_in_blind_time() {
        assert_eq!(
            told(100),
            [
                (20, 30, 20, "off"),
                (30, 40, 3, "off"),
                (40, 50, 3, "afk"),
                (60, 70, 3, "opted_out"),
            ]
        );
    }

    #[test]
    fn a_line_out_of_order_is_named() {
        let mut guild = Guild::new(7, Arc::default());
        let lines = b"{\"at\":2,\"type\":\"blind\",\"guild_id\":\"7\"}\n{\"at\":1,\"type\":\"blind\",\"guild_id\":\"7\"}\n";
        let error = presence_without_session(&mut guild, 9, lines, 5).err();
        assert_eq!(error.map(|error| error.line_number), Some(2));
    }
}
