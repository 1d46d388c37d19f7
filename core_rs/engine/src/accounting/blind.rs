//! Blind intervals (section 6): what is kept while the connection is down, and what a snapshot or a resume makes of it.
use super::event::VoiceState;
use super::guild::{Guild, Member, Occupancy};
use super::ids::{ChannelId, IdMap, IdSet, UserId};
use super::session::{Reason, Sink};

/// A member's replays, reduced to what `resumed` asks of them, so that memory does not grow with the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replayed {
    /// The last one.
    pub state: VoiceState,
    /// Some replay took the member out of the channel of their session.
    pub left: bool,
}

/// The connection is down, or back and replaying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BlindInterval {
    /// `b0`.
    pub since: i64,
    pub replays: IdMap<Replayed>,
    /// Channels that replays came from or went to. Only those that someone was in at `b0`: no other has a session.
    pub touched: IdSet,
}

impl BlindInterval {
    /// Keeps a replay; `members` and `channels` are as at `b0`.
    pub(super) fn keep(
        &mut self,
        state: &VoiceState,
        members: &IdMap<Member>,
        channels: &IdMap<Occupancy>,
    ) {
        let user = state.user_id;
        let before = members.get(&user);
        let earlier = self.replays.get(&user);
        let old_channel = match earlier {
            Some(replayed) => replayed.state.channel_id,
            None => before.map(|member| member.channel_id),
        };
        for channel in [old_channel, state.channel_id].into_iter().flatten() {
            if channels.contains_key(&channel) {
                self.touched.insert(channel);
            }
        }
        let leaves = before.is_some_and(|member| {
            member.session.is_some()
                && (state.channel_id != Some(member.channel_id) || state.bot != member.bot)
        });
        let left = leaves || earlier.is_some_and(|replayed| replayed.left);
        if before.is_none() && state.channel_id.is_none() {
            self.replays.remove(&user);
        } else {
            self.replays.insert(
                user,
                Replayed {
                    state: *state,
                    left,
                },
            );
        }
    }
}

impl Guild {
    /// A second `blind` changes nothing but forgets the replays.
    pub(super) fn go_blind(&mut self, at: i64) {
        let since = self.blind_since().unwrap_or(at);
        self.blind = Some(Box::new(BlindInterval {
            since,
            ..BlindInterval::default()
        }));
    }

    /// Everyone who is in voice: the end of a blind interval, or of one of length zero.
    pub(super) fn end_by_snapshot(&mut self, at: i64, states: &[VoiceState], sink: &mut impl Sink) {
        let b0 = self.blind.take().map_or(at, |blind| blind.since);
        let truth: IdMap<&VoiceState> = states.iter().map(|state| (state.user_id, state)).collect();
        let stays = |user: UserId, member: &Member| {
            truth.get(&user).is_some_and(|state| {
                state.channel_id == Some(member.channel_id) && state.bot == member.bot
            })
        };
        for user in
            self.sorted_users(|user, member| member.session.is_some() && !stays(user, member))
        {
            self.close(user, b0, Reason::Gap, sink);
        }
        for user in self.sorted_users(|user, _| !truth.contains_key(&user)) {
            self.forget_state(user);
        }
        for state in truth.values() {
            self.place(state);
        }
        self.pass_uncertain(b0, at, |_| true, sink);
        self.open_after_blind(at, sink);
    }

    /// Every missed event has been replayed.
    pub(super) fn end_by_resume(&mut self, at: i64, sink: &mut impl Sink) {
        let Some(blind) = self.blind.take() else {
            return;
        };
        let mut left: Vec<UserId> = blind
            .replays
            .iter()
            .filter(|(_, replayed)| replayed.left)
            .map(|(user, _)| *user)
            .collect();
        left.sort_unstable();
        for user in left {
            self.close(user, blind.since, Reason::Gap, sink);
        }
        for replayed in blind.replays.values() {
            self.place(&replayed.state);
        }
        if !blind.touched.is_empty() {
            self.pass_uncertain(
                blind.since,
                at,
                |channel| blind.touched.contains(&channel),
                sink,
            );
        }
        self.open_after_blind(at, sink);
    }

    /// `[b0, b1)` is uncertain for the sessions in these channels. The states are those of `b1` already.
    fn pass_uncertain(
        &mut self,
        b0: i64,
        b1: i64,
        concerns: impl Fn(ChannelId) -> bool,
        sink: &mut impl Sink,
    ) {
        let bridge_ms = self.frame.rules.rules.bridge_gap_ms();
        for user in
            self.sorted_users(|_, member| member.session.is_some() && concerns(member.channel_id))
        {
            let Some(member) = self.members.get(&user) else {
                continue;
            };
            let status = self.status(member);
            sink.changing(&self.frame, user, member.session.as_ref());
            if let Some(session) = self
                .members
                .get_mut(&user)
                .and_then(|member| member.session.as_mut())
            {
                session.pass_uncertain(b0, b1, bridge_ms, status);
            }
        }
    }

    fn open_after_blind(&mut self, b1: i64, sink: &mut impl Sink) {
        for user in
            self.sorted_users(|user, member| member.session.is_none() && self.is_due(user, member))
        {
            self.open(user, b1, None, sink);
        }
    }
}
