//! What one trace line says (section 2), parsed and packed.
use std::sync::Arc;

use super::ids::{ChannelId, GuildId, UserId};
use super::rules::RuleSet;

/// A voice state's switches. Equal flags are equal states but for the channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// Muted by oneself.
    pub const SELF_MUTE: Self = Self(1);
    /// Muted by a moderator.
    pub const MUTE: Self = Self(2);
    /// Deafened by oneself.
    pub const SELF_DEAF: Self = Self(4);
    /// Deafened by a moderator.
    pub const DEAF: Self = Self(8);
    /// Muted either way.
    pub const ANY_MUTE: Self = Self(1 | 2);
    /// Deafened either way.
    pub const ANY_DEAF: Self = Self(4 | 8);
    const ALL: u8 = 15;

    /// The bits, 0 to 15.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Flags of these bits; nothing for unknown bits.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits > Self::ALL {
            None
        } else {
            Some(Self(bits))
        }
    }

    /// Whether any of `others` is set.
    pub const fn intersects(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// One member's voice state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoiceState {
    /// Whose.
    pub user_id: UserId,
    /// Where, or nowhere.
    pub channel_id: Option<ChannelId>,
    /// Mute and deaf.
    pub flags: Flags,
    /// Bots have no sessions and are no company.
    pub bot: bool,
}

/// The ten types of input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The guild's rules from now on.
    Rules(Arc<RuleSet>),
    /// Everyone who is in voice; each has a channel, and of two for one user the last holds.
    Snapshot(Box<[VoiceState]>),
    /// One member's new state.
    VoiceState(VoiceState),
    /// The connection was last known alive now.
    Blind,
    /// Every missed event has been replayed.
    Resumed,
    /// The running period ends.
    PeriodEnd,
    /// A channel's category from now on.
    Channel {
        /// Which channel.
        channel_id: ChannelId,
        /// Its category.
        parent_id: Option<ChannelId>,
    },
    /// A channel is gone.
    ChannelDeleted {
        /// Which channel.
        channel_id: ChannelId,
    },
    /// A member has no sessions from now on, or may have them again.
    OptOut {
        /// Who.
        user_id: UserId,
        /// Out, or back.
        out: bool,
    },
    /// The bot is no longer in the guild.
    GuildLeft,
}

/// An event with its guild and instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Milliseconds since the Unix epoch, within ±(2^53-1).
    pub at: i64,
    /// Which guild.
    pub guild_id: GuildId,
    /// What happened.
    pub event: Event,
}
