//! How voice events become sessions: the law is the accounting specification.
//!
//! A pure fold, one file a concept: [`trace`] reads lines into [`Event`]s, [`Guild`] holds what one guild's lines have
//! led to, `fold` and `blind` are its two halves of the law (sections 5 and 6), [`Engine`] holds many guilds,
//! [`state`] saves and restores one, [`Replay`] prints a trace's sessions.

mod blind;
mod comparison;
mod engine;
mod event;
mod fold;
mod guild;
mod ids;
mod json;
mod presence;
mod replay;
mod rules;
mod session;
pub mod state;
mod timeline;
pub mod trace;

pub use comparison::{Credited, RulesComparison};
pub use engine::{BatchError, Changes, Engine, OpenAccount};
pub use event::{Event, Flags, Line, VoiceState};
pub use guild::{Guild, Member};
pub use ids::{ChannelId, GuildId, IdMap, IdSet, UserId};
pub use json::is_json_object;
pub use presence::{Presence, Unaccounted, presence_without_session};
pub use replay::{Replay, ReplayError};
pub use rules::{Mode, RuleSet, Rules};
pub use session::{Account, ClosedSession, Frame, NoSink, Reason, Session, Sink};
pub use timeline::{
    Segment, Status, Sums, Timeline, clip_timeline, parse_timeline, quarters_of, write_segments,
};
