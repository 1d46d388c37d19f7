//! A guild's rules (section 3): which channels count, and when time is paused.
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::ids::ChannelId;

/// Which channels are tracked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Every channel but the AFK channel.
    #[default]
    All,
    /// Only the listed ones.
    Allowlist,
    /// All but the listed ones.
    Denylist,
    /// None.
    Off,
}

impl Mode {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Allowlist => "allowlist",
            Self::Denylist => "denylist",
            Self::Off => "off",
        }
    }

    /// The mode of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::All, Self::Allowlist, Self::Denylist, Self::Off]
            .into_iter()
            .find(|mode| mode.name() == name)
    }
}

/// The eight members of a rule set, as they were sent or defaulted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // the wire has three switches
pub struct Rules {
    /// Which channels are tracked.
    pub mode: Mode,
    /// Channels and categories, ascending, each once.
    pub channels: Vec<ChannelId>,
    /// Never tracked.
    pub afk_channel_id: Option<ChannelId>,
    /// A muted member's time is paused.
    pub pause_on_mute: bool,
    /// A deafened member's time is paused.
    pub pause_on_deafen: bool,
    /// A lonely member's time is paused.
    pub pause_when_solo: bool,
    /// A stay that counts less is worth nothing. At most 2^53-1, so that thousandfold fits 63 bits.
    pub min_session_seconds: i64,
    /// Uncertain blind time up to this long is counted. At most 2^53-1.
    pub bridge_gap_seconds: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            mode: Mode::All,
            channels: Vec::new(),
            afk_channel_id: None,
            pause_on_mute: false,
            pause_on_deafen: false,
            pause_when_solo: false,
            min_session_seconds: 0,
            bridge_gap_seconds: 120,
        }
    }
}

impl Rules {
    /// Whether a channel with this category is tracked.
    pub fn tracks(&self, channel: ChannelId, parent: Option<ChannelId>) -> bool {
        if self.afk_channel_id == Some(channel) {
            return false;
        }
        match self.mode {
            Mode::All => true,
            Mode::Off => false,
            Mode::Allowlist => self.lists(channel, parent),
            Mode::Denylist => !self.lists(channel, parent),
        }
    }

    /// What a stay must count to be worth anything.
    pub const fn min_session_ms(&self) -> i64 {
        self.min_session_seconds * 1000
    }

    /// Up to how long uncertain blind time is bridged.
    pub const fn bridge_gap_ms(&self) -> i64 {
        self.bridge_gap_seconds * 1000
    }

    fn lists(&self, channel: ChannelId, parent: Option<ChannelId>) -> bool {
        let has = |id: ChannelId| self.channels.binary_search(&id).is_ok();
        has(channel) || parent.is_some_and(has)
    }

    /// The canonical JSON that `rules_sha256` is over (records, section 2): keys sorted, ids as strings, channels
    /// ascending as numbers, `afk_channel_id` left out where there is none.
    pub fn canonical_json(&self) -> String {
        let mut json = String::from("{");
        if let Some(afk) = self.afk_channel_id {
            let _ = write!(json, r#""afk_channel_id":"{afk}","#);
        }
        let _ = write!(
            json,
            r#""bridge_gap_seconds":{},"channels":["#,
            self.bridge_gap_seconds
        );
        for (index, channel) in self.channels.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(json, r#"{comma}"{channel}""#);
        }
        let _ = write!(
            json,
            r#"],"min_session_seconds":{},"mode":"{}","pause_on_deafen":{},"pause_on_mute":{},"pause_when_solo":{}}}"#,
            self.min_session_seconds,
            self.mode.name(),
            self.pause_on_deafen,
            self.pause_on_mute,
            self.pause_when_solo,
        );
        json
    }
}

/// Rules with what is derived from them once. Sessions share it by reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    /// The eight members.
    pub rules: Rules,
    /// Their canonical JSON.
    pub canonical: String,
    /// SHA-256 of that.
    pub sha256: [u8; 32],
}

impl RuleSet {
    /// Derives the canonical form. `channels` may come in any order and twice: it is a set.
    pub fn new(mut rules: Rules) -> Self {
        rules.channels.sort_unstable();
        rules.channels.dedup();
        let canonical = rules.canonical_json();
        let sha256 = Sha256::digest(canonical.as_bytes()).into();
        Self {
            rules,
            canonical,
            sha256,
        }
    }
}

impl Default for RuleSet {
    fn default() -> Self {
        Self::new(Rules::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_sorts_channels_as_numbers_and_leaves_a_missing_afk_channel_out() {
        let rules = RuleSet::new(Rules {
            channels: vec![100, 9, 100],
            ..Rules::default()
        });
        assert_eq!(
            rules.canonical,
            r#"{"bridge_gap_seconds":120,"channels":["9","100"],"min_session_seconds":0,"mode":"all","pause_on_deafen":false,"pause_on_mute":false,"pause_when_solo":false}"#
        );
        let with_afk = Rules {
            afk_channel_id: Some(7),
            ..Rules::default()
        };
        assert!(
            with_afk
                .canonical_json()
                .starts_with(r#"{"afk_channel_id":"7","bridge"#)
        );
    }

    #[test]
    fn a_category_stands_for_its_channels_and_the_afk_channel_is_never_tracked() {
        let mut rules = Rules {
            mode: Mode::Allowlist,
            channels: vec![5, 8],
            afk_channel_id: Some(8),
            ..Rules::default()
        };
        assert!(rules.tracks(5, None));
        assert!(rules.tracks(6, Some(5)));
        assert!(!rules.tracks(6, None));
        assert!(!rules.tracks(8, None), "listed, but AFK");
        rules.mode = Mode::Denylist;
        assert!(!rules.tracks(5, None));
        assert!(!rules.tracks(6, Some(5)));
        assert!(rules.tracks(6, None));
        rules.mode = Mode::Off;
        assert!(!rules.tracks(6, None));
        rules.mode = Mode::All;
        assert!(rules.tracks(6, None));
        assert!(!rules.tracks(8, None));
    }
}
