//! Events while watching (section 5), and what the rare ones do while blind (the end of section 6).
use std::sync::Arc;

use super::event::{Event, Line, VoiceState};
use super::guild::Guild;
use super::ids::{ChannelId, IdMap, UserId};
use super::rules::RuleSet;
use super::session::{Reason, Sink, Stay};

impl Guild {
    /// Applies one line of this guild. `line.at` is not lower than the last one's: the parser's caller checks it.
    pub fn apply(&mut self, line: &Line, sink: &mut impl Sink) {
        let at = line.at;
        self.last_at = Some(at);
        match &line.event {
            Event::VoiceState(state) => match &mut self.blind {
                None => self.watch_state(at, state, sink),
                Some(blind) => blind.keep(state, &self.members, &self.channels),
            },
            Event::Snapshot(states) => self.end_by_snapshot(at, states, sink),
            Event::Blind => self.go_blind(at),
            Event::Resumed => self.end_by_resume(at, sink),
            Event::Rules(rules) => self.change_rules(at, rules, sink),
            Event::PeriodEnd => self.end_period(at, sink),
            Event::Channel {
                channel_id,
                parent_id,
            } => self.set_parent(at, *channel_id, *parent_id, sink),
            Event::ChannelDeleted { channel_id } => self.delete_channel(at, *channel_id, sink),
            Event::OptOut { user_id, out } => self.opt(at, *user_id, *out, sink),
            Event::GuildLeft => self.leave_guild(at, sink),
        }
    }

    /// One member's new state, seen as it happened.
    fn watch_state(&mut self, at: i64, state: &VoiceState, sink: &mut impl Sink) {
        if self.set_flags(state, at, sink) {
            return;
        }
        let user = state.user_id;
        let old_channel = self.members.get(&user).map(|member| member.channel_id);
        if old_channel.is_some() {
            // A user who turns into a bot where they are breaks the adapter's promise; that ends as a leave.
            let elsewhere = state.channel_id.is_some() && state.channel_id != old_channel;
            self.close(
                user,
                at,
                if elsewhere {
                    Reason::Move
                } else {
                    Reason::Leave
                },
                sink,
            );
        }
        if self.place(state) {
            self.open(user, at, None, sink);
        }
        for channel in old_channel.into_iter().chain(state.channel_id) {
            self.refresh_company(channel, user, at, sink);
        }
    }

    /// Where sessions end that this line closes: at `b0` while blind.
    fn cut_at(&self, at: i64) -> i64 {
        self.blind_since().unwrap_or(at)
    }

    /// Opens what is due and not open, ascending; `going_on` says whose stays continue. While blind nothing opens.
    fn open_due(&mut self, at: i64, going_on: &IdMap<Stay>, sink: &mut impl Sink) {
        if self.blind.is_some() {
            return;
        }
        for user in
            self.sorted_users(|user, member| member.session.is_none() && self.is_due(user, member))
        {
            self.open(user, at, going_on.get(&user).copied(), sink);
        }
    }

    fn change_rules(&mut self, at: i64, rules: &Arc<RuleSet>, sink: &mut impl Sink) {
        if self.frame.rules.rules == rules.rules {
            return;
        }
        let end = self.cut_at(at);
        let mut going_on = IdMap::default();
        for user in self.users_with_session() {
            let tracked = self
                .members
                .get(&user)
                .is_some_and(|member| self.tracks_under(&rules.rules, member.channel_id));
            let stay = self.close(
                user,
                end,
                if tracked {
                    Reason::Rules
                } else {
                    Reason::Untracked
                },
                sink,
            );
            going_on.extend(stay.filter(|_| tracked).map(|stay| (user, stay)));
        }
        self.frame.rules = Arc::clone(rules);
        self.retrack_all();
        self.open_due(at, &going_on, sink);
    }

    fn end_period(&mut self, at: i64, sink: &mut impl Sink) {
        let end = self.cut_at(at);
        let mut going_on = IdMap::default();
        for user in self.users_with_session() {
            going_on.extend(
                self.close(user, end, Reason::Period, sink)
                    .map(|stay| (user, stay)),
            );
        }
        self.frame.period_index += 1;
        self.open_due(at, &going_on, sink);
    }

    fn set_parent(
        &mut self,
        at: i64,
        channel: ChannelId,
        parent: Option<ChannelId>,
        sink: &mut impl Sink,
    ) {
        match parent {
            Some(parent) => self.parents.insert(channel, parent),
            None => self.parents.remove(&channel),
        };
        let tracked = self.tracks_under(&self.frame.rules.rules, channel);
        let Some(occupancy) = self.channels.get_mut(&channel) else {
            return;
        };
        if occupancy.tracked == tracked {
            return;
        }
        occupancy.tracked = tracked;
        if tracked {
            self.open_due(at, &IdMap::default(), sink);
        } else {
            self.close_in(channel, self.cut_at(at), Reason::Untracked, sink);
        }
    }

    fn close_in(&mut self, channel: ChannelId, end: i64, reason: Reason, sink: &mut impl Sink) {
        for user in
            self.sorted_users(|_, member| member.channel_id == channel && member.session.is_some())
        {
            self.close(user, end, reason, sink);
        }
    }

    fn delete_channel(&mut self, at: i64, channel: ChannelId, sink: &mut impl Sink) {
        if self.channels.contains_key(&channel) {
            self.close_in(channel, self.cut_at(at), Reason::ChannelDeleted, sink);
            self.members
                .retain(|_, member| member.channel_id != channel);
            self.channels.remove(&channel);
        }
    }

    fn opt(&mut self, at: i64, user: UserId, out: bool, sink: &mut impl Sink) {
        if out {
            if self.opted_out.insert(user) {
                self.close(user, self.cut_at(at), Reason::OptedOut, sink);
            }
        } else if self.opted_out.remove(&user)
            && self.blind.is_none()
            && self
                .members
                .get(&user)
                .is_some_and(|member| self.is_due(user, member))
        {
            self.open(user, at, None, sink);
        }
    }

    fn leave_guild(&mut self, at: i64, sink: &mut impl Sink) {
        let end = self.cut_at(at);
        for user in self.users_with_session() {
            self.close(user, end, Reason::GuildLeft, sink);
        }
        self.members.clear();
        self.channels.clear();
        self.blind = None;
    }
}
