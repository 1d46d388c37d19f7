//! One stretch of a guild's past under two rule sets: what each member would have been credited.
use std::collections::BTreeMap;
use std::sync::Arc;

use super::BatchError;
use super::event::{Event, Line};
use super::guild::Guild;
use super::ids::{IdMap, UserId};
use super::presence::Discard;
use super::rules::RuleSet;
use super::session::{Account, ClosedSession, Frame, Session, Sink};
use super::trace::{self, Malformed};

/// What one member's sessions add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credited {
    /// Milliseconds.
    pub credited: i64,
    /// How many, those that are worth nothing included.
    pub sessions: u64,
}

/// Adds up sessions as they close.
#[derive(Debug, Default)]
struct Tally(IdMap<Credited>);

impl Tally {
    fn add(&mut self, account: &Account) {
        let sum = self.0.entry(account.user_id).or_default();
        sum.credited += account.credited();
        sum.sessions += 1;
    }
}

impl Sink for Tally {
    fn closed(&mut self, session: ClosedSession) {
        self.add(&session.account);
    }

    fn changing(&mut self, _frame: &Frame, _user: UserId, _session: Option<&Session>) {}
}

#[derive(Debug)]
struct Side {
    guild: Guild,
    tally: Tally,
}

impl Side {
    /// The guild from `start` on under `rules`. The period's end before it cuts both sides alike, also where one of them has
    /// the rules that are in force already; a stay goes on, with what it counted before.
    fn begin(lead: &Guild, start: i64, rules: &Arc<RuleSet>) -> Self {
        let mut guild = lead.clone();
        let guild_id = guild.id();
        for event in [Event::PeriodEnd, Event::Rules(Arc::clone(rules))] {
            let line = Line {
                at: start,
                guild_id,
                event,
            };
            guild.apply(&line, &mut Discard);
        }
        Self {
            guild,
            tally: Tally::default(),
        }
    }

    /// What was credited, the sessions still open included as if they closed at `end`, or at `b0` while blind.
    fn finish(mut self, end: i64) -> IdMap<Credited> {
        let last = self.guild.last_at().map_or(end, |at| at.max(end));
        let end = self.guild.blind_since().unwrap_or(last);
        for user in self.guild.users_with_session() {
            let account = self.guild.account(user, end);
            if let Some(account) = account.filter(|account| account.joined_at < account.left_at) {
                self.tally.add(&account);
            }
        }
        self.tally.0
    }
}

/// The same lines under two rule sets. Lines before `start` lead up to it; `rules` lines from then on are left out.
#[derive(Debug)]
pub struct RulesComparison {
    lead: Guild,
    start: i64,
    rules: [Arc<RuleSet>; 2],
    sides: Option<[Side; 2]>,
}

impl RulesComparison {
    /// From a guild's state. `start` is moved to its last line if that is later.
    pub fn new(lead: Guild, start: i64, rules: [Arc<RuleSet>; 2]) -> Self {
        let start = lead.last_at().map_or(start, |at| at.max(start));
        Self {
            lead,
            start,
            rules,
            sides: None,
        }
    }

    /// From when on it compares.
    pub const fn start(&self) -> i64 {
        self.start
    }

    /// Reads newline-separated lines of the guild. An error leaves it where the line before was.
    pub fn feed(&mut self, lines: &[u8]) -> Result<(), BatchError> {
        for (index, bytes) in trace::lines(lines).enumerate() {
            self.feed_line(bytes).map_err(|cause| BatchError {
                line_number: index + 1,
                cause,
            })?;
        }
        Ok(())
    }

    fn feed_line(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let line = trace::parse_line(bytes)?;
        if line.guild_id != self.lead.id() {
            return Err(Malformed::Wrong {
                member: "guild_id",
                expected: "the guild that is compared",
            });
        }
        if line.at < self.start && self.sides.is_none() {
            trace::check_order(self.lead.last_at(), line.at)?;
            self.lead.apply(&line, &mut Discard);
            return Ok(());
        }
        let sides = self.begun();
        trace::check_order(sides[0].guild.last_at(), line.at)?;
        if !matches!(line.event, Event::Rules(_)) {
            for side in sides {
                side.guild.apply(&line, &mut side.tally);
            }
        }
        Ok(())
    }

    fn begun(&mut self) -> &mut [Side; 2] {
        let (lead, start, rules) = (&self.lead, self.start, &self.rules);
        self.sides.get_or_insert_with(|| {
            rules
                .each_ref()
                .map(|rules| Side::begin(lead, start, rules))
        })
    }

    /// Each member with a session on a side, ascending, with what both sides credit; reckoned to `end`.
    pub fn finish(mut self, end: i64) -> BTreeMap<UserId, [Credited; 2]> {
        self.begun();
        let mut members: BTreeMap<UserId, [Credited; 2]> = BTreeMap::new();
        for (index, side) in self.sides.into_iter().flatten().enumerate() {
            for (user, credited) in side.finish(end) {
                if let Some(slot) = members.entry(user).or_default().get_mut(index) {
                    *slot = credited;
                }
            }
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounting::Rules;

    const LINES: &str = r#"{"at":1000,"type":"voice_state","guild_id":"7","user_id":"9","channel_id":"20","self_mute":true}
{"at":6000,"type":"rules","guild_id":"7","rules":{"mode":"off"}}
{"at":9000,"type":"voice_state","guild_id":"7","user_id":"9","channel_id":"20"}
{"at":10000,"type":"voice_state","guild_id":"7","user_id":"10","channel_id":"20"}
"#;

    fn compared(start: i64, after: Rules) -> Vec<(u64, i64, i64)> {
        let lead = Guild::new(7, Arc::default());
        let rules = [Arc::default(), Arc::new(RuleSet::new(after))];
        let mut comparison = RulesComparison::new(lead, start, rules);
        assert_eq!(comparison.feed(LINES.as_bytes()), Ok(()));
        comparison
            .finish(12_000)
            .into_iter()
            .map(|(user, [before, after])| (user, before.credited, after.credited))
            .collect()
    }

    #[test]
    fn the_same_rules_give_the_same_and_others_give_theirs() {
        assert_eq!(
            compared(0, Rules::default()),
            [(9, 11_000, 11_000), (10, 2_000, 2_000)]
        );
        let muted = Rules {
            pause_on_mute: true,
            ..Rules::default()
        };
        assert_eq!(
            compared(4_000, muted),
            [(9, 8_000, 3_000), (10, 2_000, 2_000)]
        );
    }

    #[test]
    fn a_stay_keeps_what_it_counted_before_the_start() {
        let minimum = Rules {
            min_session_seconds: 5,
            ..Rules::default()
        };
        assert_eq!(
            compared(5_000, minimum),
            [(9, 7_000, 7_000), (10, 2_000, 0)]
        );
    }
}
