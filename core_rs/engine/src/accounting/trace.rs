//! One trace line, from bytes to an [`Event`] (section 2).
use std::sync::Arc;

use thiserror::Error;

use super::event::{Event, Flags, Line, VoiceState};
use super::ids::ID_END;
use super::json::{Checked, Cursor, JsonError, Raw, RawString};
use super::rules::{Mode, RuleSet, Rules};

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Some byte sequence is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Nothing but white space.
    #[error("a blank line")]
    Blank,
    /// Not one JSON object.
    #[error(transparent)]
    NotJson(#[from] JsonError),
    /// A required member is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member is not what it must be.
    #[error("`{member}` is not {expected}")]
    Wrong {
        /// Its name.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// Time runs backwards.
    #[error("`at` is {at}, lower than the guild's last, {last}")]
    Backwards {
        /// The line's.
        at: i64,
        /// The guild's last.
        last: i64,
    },
}

const AN_ID: &str = "an id: \"0\", or digits that do not start with 0, below 2^63, as a string";
const A_BOOLEAN: &str = "true or false";

/// The lines of a text; a last one needs no newline.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text
        .strip_suffix(b"\n")
        .map_or((!text.is_empty()).then_some(text), Some);
    text.into_iter()
        .flat_map(|text| text.split(|byte| *byte == b'\n'))
}

/// `at` never decreases within a guild.
pub fn check_order(last: Option<i64>, at: i64) -> Result<(), Malformed> {
    match last {
        Some(last) if at < last => Err(Malformed::Backwards { at, last }),
        _ => Ok(()),
    }
}

/// Reads a line without its newline.
pub fn parse_line(bytes: &[u8]) -> Result<Line, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed::NotUtf8)?;
    let mut cursor = Cursor::new(bytes);
    if cursor.is_at_end() {
        return Err(Malformed::Blank);
    }
    let mut members = Members::default();
    cursor.whole_object(|key, value| members.set(key, value))?;
    let at = required(members.at, "at")?;
    let at = at.integer().ok_or(Malformed::Wrong {
        member: "at",
        expected: "an integer within ±(2^53-1)",
    })?;
    let guild_id = id(members.guild_id, "guild_id")?;
    Ok(Line {
        at,
        guild_id,
        event: members.event()?,
    })
}

/// The members that a line can have, unread. Of duplicates the last holds.
#[derive(Default)]
struct Members<'a> {
    at: Option<Raw<'a>>,
    event_type: Option<Raw<'a>>,
    guild_id: Option<Raw<'a>>,
    rules: Option<Raw<'a>>,
    voice_states: Option<Raw<'a>>,
    parent_id: Option<Raw<'a>>,
    out: Option<Raw<'a>>,
    state: StateMembers<'a>,
}

/// The members of a voice state.
#[derive(Default)]
struct StateMembers<'a> {
    user_id: Option<Raw<'a>>,
    channel_id: Option<Raw<'a>>,
    self_mute: Option<Raw<'a>>,
    mute: Option<Raw<'a>>,
    self_deaf: Option<Raw<'a>>,
    deaf: Option<Raw<'a>>,
    bot: Option<Raw<'a>>,
}

impl<'a> Members<'a> {
    fn set(&mut self, key: RawString<'a>, value: Raw<'a>) {
        let slot = match &*key.decode() {
            b"at" => &mut self.at,
            b"type" => &mut self.event_type,
            b"guild_id" => &mut self.guild_id,
            b"rules" => &mut self.rules,
            b"voice_states" => &mut self.voice_states,
            b"parent_id" => &mut self.parent_id,
            b"out" => &mut self.out,
            other => return self.state.set(other, value),
        };
        *slot = Some(value);
    }

    fn event(&self) -> Result<Event, Malformed> {
        const UNKNOWN: Malformed = Malformed::Wrong {
            member: "type",
            expected: "one of the ten types",
        };
        let Raw::String(name) = required(self.event_type, "type")? else {
            return Err(UNKNOWN);
        };
        let channel_id = || id(self.state.channel_id, "channel_id");
        match &*name.decode() {
            b"voice_state" => self.state.read(true).map(Event::VoiceState),
            b"snapshot" => snapshot(self.voice_states),
            b"rules" => rules(self.rules),
            b"blind" => Ok(Event::Blind),
            b"resumed" => Ok(Event::Resumed),
            b"period_end" => Ok(Event::PeriodEnd),
            b"channel" => Ok(Event::Channel {
                channel_id: channel_id()?,
                parent_id: id_or_null(self.parent_id, "parent_id")?,
            }),
            b"channel_deleted" => Ok(Event::ChannelDeleted {
                channel_id: channel_id()?,
            }),
            b"opt_out" => Ok(Event::OptOut {
                user_id: id(self.state.user_id, "user_id")?,
                out: boolean(self.out, "out")?,
            }),
            b"guild_left" => Ok(Event::GuildLeft),
            _ => Err(UNKNOWN),
        }
    }
}

impl<'a> StateMembers<'a> {
    fn set(&mut self, key: &[u8], value: Raw<'a>) {
        let slot = match key {
            b"user_id" => &mut self.user_id,
            b"channel_id" => &mut self.channel_id,
            b"self_mute" => &mut self.self_mute,
            b"mute" => &mut self.mute,
            b"self_deaf" => &mut self.self_deaf,
            b"deaf" => &mut self.deaf,
            b"bot" => &mut self.bot,
            _ => return, // unknown further members are ignored
        };
        *slot = Some(value);
    }

    fn read(&self, channel_may_be_null: bool) -> Result<VoiceState, Malformed> {
        let user_id = id(self.user_id, "user_id")?;
        let channel_id = if channel_may_be_null {
            id_or_null(self.channel_id, "channel_id")?
        } else {
            Some(id(self.channel_id, "channel_id")?)
        };
        let mut flags = Flags::default();
        for (value, name, flag) in [
            (self.self_mute, "self_mute", Flags::SELF_MUTE),
            (self.mute, "mute", Flags::MUTE),
            (self.self_deaf, "self_deaf", Flags::SELF_DEAF),
            (self.deaf, "deaf", Flags::DEAF),
        ] {
            if boolean(value, name)? {
                flags = flags.with(flag);
            }
        }
        Ok(VoiceState {
            user_id,
            channel_id,
            flags,
            bot: boolean(self.bot, "bot")?,
        })
    }
}

fn required<'a>(value: Option<Raw<'a>>, member: &'static str) -> Result<Raw<'a>, Malformed> {
    value.ok_or(Malformed::Missing(member))
}

fn boolean(value: Option<Raw<'_>>, member: &'static str) -> Result<bool, Malformed> {
    match value {
        None => Ok(false),
        Some(Raw::Bool(value)) => Ok(value),
        Some(_) => Err(Malformed::Wrong {
            member,
            expected: A_BOOLEAN,
        }),
    }
}

fn id(value: Option<Raw<'_>>, member: &'static str) -> Result<u64, Malformed> {
    read_id(required(value, member)?).ok_or(Malformed::Wrong {
        member,
        expected: AN_ID,
    })
}

fn id_or_null(value: Option<Raw<'_>>, member: &'static str) -> Result<Option<u64>, Malformed> {
    match required(value, member)? {
        Raw::Null => Ok(None),
        value => id(Some(value), member).map(Some),
    }
}

fn read_id(value: Raw<'_>) -> Option<u64> {
    let Raw::String(string) = value else {
        return None;
    };
    let decoded = string.decode();
    match &*decoded {
        b"0" => Some(0),
        digits @ [b'1'..=b'9', ..] if digits.len() <= 19 => {
            let mut id: u64 = 0;
            for digit in digits {
                if !digit.is_ascii_digit() {
                    return None;
                }
                id = id * 10 + u64::from(digit - b'0');
            }
            (id < ID_END).then_some(id)
        }
        _ => None,
    }
}

fn snapshot(value: Option<Raw<'_>>) -> Result<Event, Malformed> {
    const MEMBER: &str = "voice_states";
    let Raw::Array(list) = required(value, MEMBER)? else {
        return Err(Malformed::Wrong {
            member: MEMBER,
            expected: "a list",
        });
    };
    let mut states = Vec::new();
    for element in list.elements() {
        let Raw::Object(object) = element? else {
            return Err(Malformed::Wrong {
                member: MEMBER,
                expected: "a list of objects",
            });
        };
        let mut members = StateMembers::default();
        object.members(|key, value| members.set(&key.decode(), value))?;
        states.push(members.read(false)?);
    }
    Ok(Event::Snapshot(states.into_boxed_slice()))
}

fn rules(value: Option<Raw<'_>>) -> Result<Event, Malformed> {
    match required(value, "rules")? {
        Raw::Object(object) => {
            parse_rules(object).map(|rules| Event::Rules(Arc::new(RuleSet::new(rules))))
        }
        _ => Err(Malformed::Wrong {
            member: "rules",
            expected: "an object",
        }),
    }
}

fn parse_rules(object: Checked<'_>) -> Result<Rules, Malformed> {
    let mut slots = [None; 8];
    object.members(|key, value| {
        if let Some(slot) = rule_index(&key.decode()).and_then(|index| slots.get_mut(index)) {
            *slot = Some(value);
        }
    })?;
    let [
        mode,
        channels,
        afk,
        on_mute,
        on_deafen,
        when_solo,
        min_session,
        bridge_gap,
    ] = slots;
    let mut rules = Rules::default();
    if let Some(value) = mode {
        rules.mode = read_mode(value).ok_or(Malformed::Wrong {
            member: "mode",
            expected: "\"all\", \"allowlist\", \"denylist\" or \"off\"",
        })?;
    }
    if let Some(value) = channels {
        rules.channels = read_channels(value)?;
    }
    if afk.is_some() {
        rules.afk_channel_id = id_or_null(afk, "afk_channel_id")?;
    }
    rules.pause_on_mute = boolean(on_mute, "pause_on_mute")?;
    rules.pause_on_deafen = boolean(on_deafen, "pause_on_deafen")?;
    rules.pause_when_solo = boolean(when_solo, "pause_when_solo")?;
    rules.min_session_seconds = seconds(
        min_session,
        "min_session_seconds",
        rules.min_session_seconds,
    )?;
    rules.bridge_gap_seconds = seconds(bridge_gap, "bridge_gap_seconds", rules.bridge_gap_seconds)?;
    Ok(rules)
}

fn rule_index(key: &[u8]) -> Option<usize> {
    const NAMES: [&str; 8] = [
        "mode",
        "channels",
        "afk_channel_id",
        "pause_on_mute",
        "pause_on_deafen",
        "pause_when_solo",
        "min_session_seconds",
        "bridge_gap_seconds",
    ];
    NAMES.iter().position(|name| name.as_bytes() == key)
}

fn read_mode(value: Raw<'_>) -> Option<Mode> {
    let Raw::String(name) = value else {
        return None;
    };
    std::str::from_utf8(&name.decode())
        .ok()
        .and_then(Mode::named)
}

fn read_channels(value: Raw<'_>) -> Result<Vec<u64>, Malformed> {
    let Raw::Array(list) = value else {
        return Err(Malformed::Wrong {
            member: "channels",
            expected: "a list",
        });
    };
    let mut channels = Vec::new();
    for element in list.elements() {
        channels.push(id(Some(element?), "channels")?);
    }
    Ok(channels)
}

fn seconds(value: Option<Raw<'_>>, member: &'static str, default: i64) -> Result<i64, Malformed> {
    match value.map(Raw::integer) {
        None => Ok(default),
        Some(Some(seconds @ 0..)) => Ok(seconds),
        Some(_) => Err(Malformed::Wrong {
            member,
            expected: "whole seconds from 0 to 2^53-1",
        }),
    }
}
