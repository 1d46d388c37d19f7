//! Random traces, and what holds for all of them.
use std::collections::{BTreeMap, HashMap};

use rollcall_engine::accounting::{ClosedSession, Engine, OpenAccount, Sums};

use crate::trace::*;

/// xorshift64*: small, and the same on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn user(&mut self) -> u64 {
        1 + self.below(6)
    }

    fn channel(&mut self) -> u64 {
        10 + self.below(4)
    }

    fn flags_of(&mut self, user: u64) -> &'static str {
        let flags: &[&str] = if user == 6 {
            &["b", "bm"]
        } else {
            &["", "", "", "m", "M", "d", "mD"]
        };
        self.pick(flags)
    }

    fn rule_members(&mut self) -> String {
        let mode = self.pick(&["all", "all", "allowlist", "denylist", "off"]);
        let channels = self.pick(&["", "\"10\"", "\"50\"", "\"10\",\"50\",\"12\""]);
        let mut switch = |name: &str| format!(r#","{name}":{}"#, self.below(2) == 0);
        let switches =
            switch("pause_on_mute") + &switch("pause_on_deafen") + &switch("pause_when_solo");
        let afk = self.pick(&["null", "\"13\""]);
        let min = self.pick(&[0, 0, 1, 2]);
        let bridge = self.pick(&[0, 1, 120]);
        format!(
            r#""mode":"{mode}","channels":[{channels}]{switches},"afk_channel_id":{afk},"min_session_seconds":{min},"bridge_gap_seconds":{bridge}"#
        )
    }

    /// Lines of one guild, every type among them, many at one instant.
    pub fn trace(&mut self, length: usize) -> Vec<String> {
        let mut at = self.below(100) as i64 - 50;
        (0..length)
            .map(|_| {
                at += self.pick(&[0, 0, 0, 1, 10, 500, 1_000, 100_000]);
                match self.below(40) {
                    0 | 1 => rules(at, &self.rule_members()),
                    2 | 3 => self.snapshot(at),
                    4..=6 => blind(at),
                    7..=9 => resumed(at),
                    10 => period_end(at),
                    11 | 12 => {
                        let category = self.pick(&[None, Some(50), Some(51)]);
                        parent(at, self.channel(), category)
                    }
                    13 => deleted(at, self.channel()),
                    14 => guild_left(at),
                    15..=17 => {
                        let out = self.below(2) == 0;
                        opt_out(at, self.user(), out)
                    }
                    18..=23 => leave(at, self.user()),
                    _ => {
                        let user = self.user();
                        is_in(at, user, self.channel(), self.flags_of(user))
                    }
                }
            })
            .collect()
    }

    fn snapshot(&mut self, at: i64) -> String {
        let states: Vec<(u64, u64, &str)> = (0..self.below(7))
            .map(|_| {
                let user = self.user();
                (user, self.channel(), self.flags_of(user))
            })
            .collect();
        snapshot(at, &states)
    }
}

fn check_session(session: &ClosedSession, ends: &mut HashMap<u64, i64>) {
    let account = &session.account;
    assert!(
        account.joined_at < account.left_at,
        "dropped if of length zero"
    );
    assert_ne!(account.user_id, 6, "a bot");
    let segments: Vec<_> = account.timeline.segments().collect();
    assert_eq!(segments[0].start, account.joined_at);
    assert_eq!(segments[segments.len() - 1].end, account.left_at);
    for pair in segments.windows(2) {
        assert_eq!(pair[0].end, pair[1].start, "a partition");
        assert_ne!(pair[0].status, pair[1].status, "merged");
    }
    assert!(segments.iter().all(|segment| segment.start < segment.end));
    let sums = account.sums;
    assert_eq!(sums, segments.iter().copied().collect::<Sums>());
    let total = sums.counted + sums.unwitnessed + sums.deafened + sums.muted + sums.solo;
    assert_eq!(total, account.left_at - account.joined_at);
    let previous = ends.insert(account.user_id, account.left_at);
    assert!(
        previous.is_none_or(|end| end <= account.joined_at),
        "nothing is counted twice"
    );
}

#[test]
fn sessions_partition_their_time_and_never_overlap() {
    for seed in 0..400 {
        let run = run(&Random::new(seed).trace(250));
        let mut ends = HashMap::new();
        let mut parts: HashMap<u64, u32> = HashMap::new();
        for (ordinal, session) in run.closed.iter().enumerate() {
            check_session(session, &mut ends);
            assert_eq!(session.ordinal, ordinal as u64);
            let next = parts.entry(session.account.stay).or_default();
            assert_eq!(session.account.part, *next, "parts have no gaps");
            *next += 1;
        }
        let guild = run.engine.guild(GUILD).unwrap();
        assert!(parts.keys().all(|stay| *stay < guild.next_stay()));
        assert_eq!(guild.next_ordinal(), run.closed.len() as u64);
    }
}

type Rows = BTreeMap<u64, OpenAccount>;

fn open_rows(engine: &Engine) -> Rows {
    engine.guild(GUILD).map_or_else(Rows::new, |guild| {
        guild
            .users_with_session()
            .into_iter()
            .map(|user| (user, OpenAccount::of(guild, user).unwrap()))
            .collect()
    })
}

/// Whoever keeps rows from the changes of batches has the open sessions, and is told of no row that is the same.
#[test]
fn changes_of_batches_keep_a_copy_of_the_open_sessions_up_to_date() {
    for seed in 1_000..1_200 {
        let mut random = Random::new(seed);
        let trace = random.trace(200);
        let expected = run(&trace).closed;
        let (mut engine, mut rows, mut closed) = (Engine::new(), Rows::new(), Vec::new());
        let mut rest = &trace[..];
        while !rest.is_empty() {
            let (batch, after) = rest.split_at((1 + random.below(9) as usize).min(rest.len()));
            rest = after;
            let before = open_rows(&engine);
            let mut changes = engine.apply_batch(batch.join("\n").as_bytes()).unwrap();
            let (open, gone) = changes.open_and_gone(&engine);
            for (guild, user) in gone {
                assert_eq!(guild, GUILD);
                assert!(
                    rows.remove(&user).is_some(),
                    "it was there before the batch"
                );
            }
            for row in open {
                assert_ne!(
                    before.get(&row.account.user_id),
                    Some(&row),
                    "the row differs"
                );
                rows.insert(row.account.user_id, row);
            }
            assert_eq!(rows, open_rows(&engine));
            closed.append(&mut changes.closed);
        }
        assert_eq!(closed, expected);
    }
}
