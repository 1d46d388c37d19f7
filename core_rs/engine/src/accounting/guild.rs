//! What one guild's lines have led to: states, sessions, rules, counters. The steps that keep them consistent are here;
//! which steps an input takes is `fold.rs` and `blind.rs`.
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::blind::BlindInterval;
use super::event::{Flags, VoiceState};
use super::ids::{ChannelId, GuildId, IdMap, IdSet, UserId};
use super::rules::{RuleSet, Rules};
use super::session::{Account, ClosedSession, Frame, Reason, Session, Sink, Stay};
use super::timeline::Status;

/// Someone who is in voice, as far as was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub(super) channel_id: ChannelId,
    pub(super) flags: Flags,
    pub(super) bot: bool,
    /// In `channel_id`: a session never outlives its member's state, and every step closes it before the state moves.
    pub(super) session: Option<Session>,
}

impl Member {
    /// Where they are.
    pub const fn channel_id(&self) -> ChannelId {
        self.channel_id
    }

    /// Mute and deaf.
    pub const fn flags(&self) -> Flags {
        self.flags
    }

    /// Whether it is a bot.
    pub const fn is_bot(&self) -> bool {
        self.bot
    }

    /// Their open session.
    pub const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }
}

/// A channel that someone is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Occupancy {
    /// XOR of the humans' ids: with one human in it, that human's id. So who is alone, or was, is found without a list.
    humans_xor: u64,
    humans: u32,
    /// Bots included.
    pub occupants: u32,
    pub tracked: bool,
}

impl Occupancy {
    fn enter(&mut self, state: &VoiceState) {
        self.occupants += 1;
        if !state.bot {
            self.humans += 1;
            self.humans_xor ^= state.user_id;
        }
    }

    fn exit(&mut self, user: UserId, bot: bool) {
        self.occupants -= 1;
        if !bot {
            self.humans -= 1;
            self.humans_xor ^= user;
        }
    }

    /// The only human in it.
    fn sole_human(&self) -> Option<UserId> {
        (self.humans == 1).then_some(self.humans_xor)
    }

    /// With two humans in it, the one who is not `user`.
    fn sole_other(&self, user: UserId) -> Option<UserId> {
        (self.humans == 2).then_some(self.humans_xor ^ user)
    }
}

/// One guild's accounting.
#[derive(Clone, Debug)]
pub struct Guild {
    pub(super) frame: Frame,
    pub(super) last_at: Option<i64>,
    pub(super) parents: IdMap<ChannelId>,
    pub(super) opted_out: IdSet,
    pub(super) members: IdMap<Member>,
    pub(super) channels: IdMap<Occupancy>,
    pub(super) next_stay: u64,
    pub(super) next_ordinal: u64,
    pub(super) blind: Option<Box<BlindInterval>>,
}

impl Guild {
    /// A guild before its first line. `rules` are shared defaults.
    pub fn new(id: GuildId, rules: Arc<RuleSet>) -> Self {
        Self {
            frame: Frame {
                guild_id: id,
                period_index: 0,
                rules,
            },
            last_at: None,
            parents: IdMap::default(),
            opted_out: IdSet::default(),
            members: IdMap::default(),
            channels: IdMap::default(),
            next_stay: 0,
            next_ordinal: 0,
            blind: None,
        }
    }

    /// Its snowflake.
    pub const fn id(&self) -> GuildId {
        self.frame.guild_id
    }

    /// `at` of its last line.
    pub const fn last_at(&self) -> Option<i64> {
        self.last_at
    }

    /// `b0`, while blind.
    pub fn blind_since(&self) -> Option<i64> {
        self.blind.as_ref().map(|blind| blind.since)
    }

    /// The instant up to which time is known: `b0` while blind, else the last line's.
    pub fn watched_until(&self) -> Option<i64> {
        self.blind_since().or(self.last_at)
    }

    /// The running period's.
    pub const fn period_index(&self) -> u64 {
        self.frame.period_index
    }

    /// Number of stays opened.
    pub const fn next_stay(&self) -> u64 {
        self.next_stay
    }

    /// Number of sessions emitted.
    pub const fn next_ordinal(&self) -> u64 {
        self.next_ordinal
    }

    /// In force now.
    pub fn rules(&self) -> &RuleSet {
        &self.frame.rules
    }

    /// Categories known now.
    pub const fn channel_parents(&self) -> &IdMap<ChannelId> {
        &self.parents
    }

    /// Who wants no sessions.
    pub const fn opted_out(&self) -> &IdSet {
        &self.opted_out
    }

    /// Everyone who is in voice.
    pub const fn members(&self) -> &IdMap<Member> {
        &self.members
    }

    /// What `user`'s open session says, as if it closed at `end`, which is not before its running segment.
    pub fn account(&self, user: UserId, end: i64) -> Option<Account> {
        let member = self.members.get(&user)?;
        Some(Account::of(
            member.session.clone()?,
            user,
            member.channel_id,
            &self.frame,
            end,
        ))
    }

    /// Users with an open session, ascending.
    pub fn users_with_session(&self) -> Vec<UserId> {
        self.sorted_users(|_, member| member.session.is_some())
    }

    pub(super) fn sorted_users(&self, include: impl Fn(UserId, &Member) -> bool) -> Vec<UserId> {
        let mut users: Vec<UserId> = self
            .members
            .iter()
            .filter(|(user, member)| include(**user, member))
            .map(|(user, _)| *user)
            .collect();
        users.sort_unstable();
        users
    }

    fn parent(&self, channel: ChannelId) -> Option<ChannelId> {
        if self.parents.is_empty() {
            None
        } else {
            self.parents.get(&channel).copied()
        }
    }

    pub(super) fn tracks_under(&self, rules: &Rules, channel: ChannelId) -> bool {
        rules.tracks(channel, self.parent(channel))
    }

    fn is_opted_out(&self, user: UserId) -> bool {
        !self.opted_out.is_empty() && self.opted_out.contains(&user)
    }

    /// Whether the member should have a session by the states, the rules and the opt-outs.
    pub(super) fn is_due(&self, user: UserId, member: &Member) -> bool {
        !member.bot
            && self
                .channels
                .get(&member.channel_id)
                .is_some_and(|channel| channel.tracked)
            && !self.is_opted_out(user)
    }

    /// Writes the occupied channels' answers again after the rules or a category changed.
    pub(super) fn retrack_all(&mut self) {
        let rules = &self.frame.rules.rules;
        for (channel, occupancy) in &mut self.channels {
            occupancy.tracked = rules.tracks(*channel, self.parents.get(channel).copied());
        }
    }

    /// Puts a member where the state says, and says whether a session is due there. An open one stays as it is: the
    /// caller has closed it if the channel differs.
    pub(super) fn place(&mut self, state: &VoiceState) -> bool {
        let user = state.user_id;
        let Some(channel_id) = state.channel_id else {
            self.forget_state(user);
            return false;
        };
        let (flags, bot) = (state.flags, state.bot);
        let old = match self.members.entry(user) {
            Entry::Occupied(mut entry) => {
                let member = entry.get_mut();
                let old = (member.channel_id, member.bot);
                (member.channel_id, member.flags, member.bot) = (channel_id, flags, bot);
                Some(old)
            }
            Entry::Vacant(entry) => {
                entry.insert(Member {
                    channel_id,
                    flags,
                    bot,
                    session: None,
                });
                None
            }
        };
        if let Some((old_channel, old_bot)) = old {
            self.exit_channel(old_channel, user, old_bot);
        }
        self.enter_channel(channel_id, state) && !bot && !self.is_opted_out(user)
    }

    /// The member is not in voice.
    pub(super) fn forget_state(&mut self, user: UserId) {
        if let Some(member) = self.members.remove(&user) {
            self.exit_channel(member.channel_id, user, member.bot);
        }
    }

    /// Whether the channel is tracked.
    fn enter_channel(&mut self, channel: ChannelId, state: &VoiceState) -> bool {
        let occupancy = match self.channels.entry(channel) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let parent = if self.parents.is_empty() {
                    None
                } else {
                    self.parents.get(&channel).copied()
                };
                let tracked = self.frame.rules.rules.tracks(channel, parent);
                entry.insert(Occupancy {
                    tracked,
                    ..Occupancy::default()
                })
            }
        };
        occupancy.enter(state);
        occupancy.tracked
    }

    fn exit_channel(&mut self, channel: ChannelId, user: UserId, bot: bool) {
        if let Entry::Occupied(mut entry) = self.channels.entry(channel) {
            entry.get_mut().exit(user, bot);
            if entry.get().occupants == 0 {
                entry.remove();
            }
        }
    }

    /// Opens a session for a member in voice, in a new stay or in the next part of one.
    pub(super) fn open(&mut self, user: UserId, at: i64, stay: Option<Stay>, sink: &mut impl Sink) {
        sink.changing(&self.frame, user, None);
        let Some(member) = self.members.get_mut(&user) else {
            return;
        };
        let stay = stay.unwrap_or_else(|| {
            let number = self.next_stay;
            self.next_stay += 1;
            Stay {
                number,
                part: 0,
                counted: 0,
            }
        });
        let status = status_of(&self.frame.rules.rules, &self.channels, member);
        member.session = Some(Session::new(at, stay, status));
    }

    /// Closes a member's session at `end`, emits it unless it has no length, and says where its stay stands.
    pub(super) fn close(
        &mut self,
        user: UserId,
        end: i64,
        reason: Reason,
        sink: &mut impl Sink,
    ) -> Option<Stay> {
        let member = self.members.get_mut(&user)?;
        let channel_id = member.channel_id;
        let session = member.session.take()?;
        sink.changing(&self.frame, user, Some(&session));
        let (number, part, counted) = (session.stay, session.part, session.stay_counted);
        if session.joined_at == end {
            return Some(Stay {
                number,
                part,
                counted,
            });
        }
        let account = Account::of(session, user, channel_id, &self.frame, end);
        let next = Stay {
            number,
            part: part + 1,
            counted: counted + account.sums.counted,
        };
        sink.closed(ClosedSession {
            ordinal: self.next_ordinal,
            reason,
            account,
        });
        self.next_ordinal += 1;
        Some(next)
    }

    /// Brings the member's running status up to date with the states.
    pub(super) fn refresh(&mut self, user: UserId, at: i64, sink: &mut impl Sink) {
        if let Some(member) = self.members.get_mut(&user) {
            refresh_member(&self.frame, &self.channels, user, member, at, sink);
        }
    }

    /// New flags for a member who stays where they are; false if the state says that they do not, or are no longer a bot.
    pub(super) fn set_flags(&mut self, state: &VoiceState, at: i64, sink: &mut impl Sink) -> bool {
        let Some(member) = self.members.get_mut(&state.user_id) else {
            return false;
        };
        if state.channel_id != Some(member.channel_id) || state.bot != member.bot {
            return false;
        }
        if member.flags != state.flags {
            member.flags = state.flags;
            refresh_member(&self.frame, &self.channels, state.user_id, member, at, sink);
        }
        true
    }

    /// Refreshes whoever became lonely in `channel`, or found company in `user`. Nobody else's status can have changed.
    pub(super) fn refresh_company(
        &mut self,
        channel: ChannelId,
        user: UserId,
        at: i64,
        sink: &mut impl Sink,
    ) {
        if !self.frame.rules.rules.pause_when_solo {
            return;
        }
        let Some(occupancy) = self.channels.get(&channel) else {
            return;
        };
        if let Some(other) = occupancy
            .sole_human()
            .or_else(|| occupancy.sole_other(user))
        {
            self.refresh(other, at, sink);
        }
    }

    /// A member's status by the states (section 4).
    pub(super) fn status(&self, member: &Member) -> Status {
        status_of(&self.frame.rules.rules, &self.channels, member)
    }
}

fn refresh_member(
    frame: &Frame,
    channels: &IdMap<Occupancy>,
    user: UserId,
    member: &mut Member,
    at: i64,
    sink: &mut impl Sink,
) {
    let status = status_of(&frame.rules.rules, channels, member);
    if let Some(session) = &mut member.session {
        if session.status != status {
            sink.changing(frame, user, Some(session));
            session.set_status(at, status);
        }
    }
}

fn status_of(rules: &Rules, channels: &IdMap<Occupancy>, member: &Member) -> Status {
    if rules.pause_on_deafen && member.flags.intersects(Flags::ANY_DEAF) {
        Status::Deafened
    } else if rules.pause_on_mute && member.flags.intersects(Flags::ANY_MUTE) {
        Status::Muted
    } else if rules.pause_when_solo
        && channels
            .get(&member.channel_id)
            .is_none_or(|channel| channel.humans < 2)
    {
        Status::Solo
    } else {
        Status::Counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounting::{Event, Line, NoSink};

    /// Bytes of a hash table's one allocation, by hashbrown's layout: a power of two of buckets of which it fills 7/8,
    /// one control byte each, and a group of 16 of them at the end.
    fn table_bytes<K, V, S>(table: &std::collections::HashMap<K, V, S>) -> usize {
        let buckets = (table.capacity() * 8 / 7).next_power_of_two();
        buckets * (size_of::<(K, V)>() + 1) + 16
    }

    fn bytes_for_each_session(members: u64, channels: u64) -> usize {
        let rules = Arc::new(RuleSet::default());
        let mut guild = Guild::new(1, rules);
        for user_id in 0..members {
            let state = VoiceState {
                user_id,
                channel_id: Some((1 << 40) + user_id % channels),
                flags: Flags::default(),
                bot: false,
            };
            guild.apply(
                &Line {
                    at: 0,
                    guild_id: 1,
                    event: Event::VoiceState(state),
                },
                &mut NoSink::default(),
            );
        }
        let heap = table_bytes(&guild.members) + table_bytes(&guild.channels);
        let sessions = usize::try_from(members).unwrap_or(usize::MAX);
        assert_eq!(guild.users_with_session().len(), sessions);
        (heap + size_of::<(GuildId, Guild)>() * 8 / 7) / sessions
    }

    #[test]
    fn an_open_session_without_pauses_takes_at_most_250_bytes() {
        assert!(
            bytes_for_each_session(100, 16) <= 125,
            "{}",
            bytes_for_each_session(100, 16)
        );
        // Right after the tables have grown, with each member in a channel of their own.
        for members in [113, 449, 897, 114_689] {
            let bytes = bytes_for_each_session(members, members);
            assert!(bytes <= 250, "{members} members: {bytes}");
        }
        assert_eq!(size_of::<(UserId, Member)>(), 72);
    }
}
