//! A session's record, its timeline and its rules: what the record says, and whether it follows.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use super::report::{Checked, Problem, shown};
use crate::accounting::{Mode, Sums, parse_timeline, write_segments};
use crate::records::encoding::{b64url, decode_b64url_array};
use crate::records::merkle::{Hash, sha256};
use crate::records::profile::{MAX_RECORD_BYTES, Value, parse_canonical};

/// What a `voice.session` says.
#[derive(Debug)]
pub(super) struct Session {
    pub guild_id: String,
    pub guild_seq: i64,
    pub kid: String,
    timeline_sha256: Hash,
    rules_sha256: Hash,
    channel_id: String,
    joined_at_ms: i64,
    left_at_ms: i64,
    part: i64,
    said: Said,
}

/// The sums as the record has them.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    counted: i64,
    bridged: i64,
    unwitnessed: i64,
    deafened: i64,
    muted: i64,
    solo: i64,
    credited: i64,
    below_minimum: bool,
}

/// What is shown of a record, in this order.
const SHOWN: [&str; 16] = [
    "session_id",
    "guild_id",
    "user_id",
    "channel_id",
    "period_index",
    "joined_at_ms",
    "left_at_ms",
    "reason",
    "counted_ms",
    "bridged_ms",
    "unwitnessed_ms",
    "credited_ms",
    "below_minimum",
    "guild_seq",
    "signed_at_ms",
    "kid",
];

/// A record that is canonical and an object.
pub(super) fn canonical_record(record: &[u8]) -> Checked<Value<'_>> {
    if record.len() > MAX_RECORD_BYTES {
        return Err(Problem::failed(
            format!("at most {MAX_RECORD_BYTES} bytes"),
            record.len().to_string(),
        ));
    }
    let expected = "the canonical JSON of an object";
    match parse_canonical(record) {
        Ok(value @ Value::Object(_)) => Ok((value, format!("{expected}, {} bytes", record.len()))),
        Ok(_) => Err(Problem::failed(expected, "another value")),
        Err(error) => Err(Problem::failed(expected, error.to_string())),
    }
}

/// What of a record is shown, as it says it.
pub(super) fn claims(record: &Value<'_>) -> Vec<(&'static str, String)> {
    SHOWN
        .into_iter()
        .filter_map(|name| match record.member(name)? {
            Value::Str(text) => Some((name, shown(text))),
            Value::Int(number) => Some((name, number.to_string())),
            Value::Bool(flag) => Some((name, flag.to_string())),
            Value::Array(_) | Value::Object(_) => None,
        })
        .collect()
}

/// Reads a record's members by name and kind.
#[derive(Clone, Copy)]
pub(super) struct Members<'a>(pub &'a Value<'a>);

impl<'a> Members<'a> {
    pub fn text(self, name: &'static str) -> Result<&'a str, Problem> {
        self.0.member(name).and_then(Value::as_str).ok_or_else(|| {
            Problem::failed(format!("{name} that is a string"), "another value or none")
        })
    }

    pub fn exactly(self, name: &'static str, expected: &str) -> Result<(), Problem> {
        match self.text(name)? {
            found if found == expected => Ok(()),
            found => Err(Problem::failed(
                format!("{name} {}", shown(expected)),
                shown(found),
            )),
        }
    }

    pub fn number(self, name: &'static str) -> Result<i64, Problem> {
        match self.0.member(name) {
            Some(Value::Int(number)) => Ok(*number),
            _ => Err(Problem::failed(
                format!("{name} that is a number"),
                "another value or none",
            )),
        }
    }

    pub fn natural(self, name: &'static str) -> Result<i64, Problem> {
        match self.number(name)? {
            number if number >= 0 => Ok(number),
            number => Err(Problem::failed(
                format!("{name} from 0"),
                number.to_string(),
            )),
        }
    }

    pub fn flag(self, name: &'static str) -> Result<bool, Problem> {
        match self.0.member(name) {
            Some(Value::Bool(flag)) => Ok(*flag),
            _ => Err(Problem::failed(
                format!("{name} that is true or false"),
                "another value or none",
            )),
        }
    }

    pub fn id(self, name: &'static str) -> Result<&'a str, Problem> {
        let text = self.text(name)?;
        if is_id(text) {
            Ok(text)
        } else {
            Err(Problem::failed(
                format!("{name} that is a Discord id"),
                shown(text),
            ))
        }
    }

    pub fn hash(self, name: &'static str) -> Result<Hash, Problem> {
        let text = self.text(name)?;
        decode_b64url_array(text)
            .map_err(|_| Problem::failed(format!("{name} of 32 bytes in base64url"), shown(text)))
    }

    /// What every record has (docs/formats.md).
    pub fn chained(self) -> Result<(), Problem> {
        match self.number("v")? {
            1 => {}
            other => return Err(Problem::failed("v 1", other.to_string())),
        }
        let guild_seq = self.natural("guild_seq")?;
        self.number("signed_at_ms")?;
        self.id("guild_id")?;
        decode_b64url_array::<16>(self.text("salt")?)
            .map_err(|_| Problem::failed("salt of 16 bytes in base64url", "another text"))?;
        match (guild_seq, self.0.member("prev")) {
            (0, None) => Ok(()),
            (0, Some(_)) => Err(Problem::failed("no prev at guild_seq 0", "one")),
            (_, _) => self.hash("prev").map(drop),
        }
    }
}

fn is_id(text: &str) -> bool {
    let plain =
        !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = text == "0" || !text.starts_with('0');
    plain && shortest && text.parse::<i64>().is_ok() // below 2^63
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

/// What of some rules a session is held against. A switch that is none matters only where time was paused by it.
#[derive(Debug)]
pub(super) struct Rules {
    mode: String,
    afk_channel_id: Option<String>,
    pause_on_deafen: Result<bool, Problem>,
    pause_on_mute: Result<bool, Problem>,
    pause_when_solo: Result<bool, Problem>,
    minimum_ms: i64,
}

impl Rules {
    /// Rules that are canonical and such that something is tracked.
    pub fn read(rules: &[u8]) -> Result<Self, Problem> {
        let rules = parse_canonical(rules)
            .map_err(|error| Problem::failed("canonical rules", error.to_string()))?;
        let of = Members(&rules);
        let mode = of.text("mode")?;
        if Mode::named(mode).is_none_or(|mode| mode == Mode::Off) {
            return Err(Problem::failed("a mode that tracks", shown(mode)));
        }
        of.natural("bridge_gap_seconds")?;
        Ok(Self {
            mode: mode.to_owned(),
            afk_channel_id: rules
                .member("afk_channel_id")
                .and_then(Value::as_str)
                .map(str::to_owned),
            pause_on_deafen: of.flag("pause_on_deafen"),
            pause_on_mute: of.flag("pause_on_mute"),
            pause_when_solo: of.flag("pause_when_solo"),
            minimum_ms: of.natural("min_session_seconds")?.saturating_mul(1000),
        })
    }
}

/// The members of a `voice.session`.
pub(super) fn session(record: &Value<'_>) -> Checked<Session> {
    let of = Members(record);
    of.exactly("type", "voice.session")?;
    of.chained()?;
    let session_id = of.text("session_id")?;
    if !is_uuid(session_id) {
        return Err(Problem::failed(
            "session_id that is a UUID",
            shown(session_id),
        ));
    }
    of.id("user_id")?;
    for name in ["period_index", "stay"] {
        of.natural(name)?;
    }
    of.text("reason")?;
    let (joined_at_ms, left_at_ms) = (of.number("joined_at_ms")?, of.number("left_at_ms")?);
    if joined_at_ms >= left_at_ms {
        return Err(Problem::failed(
            format!("left_at_ms after {joined_at_ms}"),
            left_at_ms.to_string(),
        ));
    }
    let paused = record
        .member("paused_ms")
        .ok_or_else(|| Problem::failed("paused_ms", "none"))?;
    let paused = Members(paused);
    let session = Session {
        guild_id: of.id("guild_id")?.to_owned(),
        guild_seq: of.natural("guild_seq")?,
        kid: of.text("kid")?.to_owned(),
        timeline_sha256: of.hash("timeline_sha256")?,
        rules_sha256: of.hash("rules_sha256")?,
        channel_id: of.id("channel_id")?.to_owned(),
        joined_at_ms,
        left_at_ms,
        part: of.natural("part")?,
        said: Said {
            counted: of.natural("counted_ms")?,
            bridged: of.natural("bridged_ms")?,
            unwitnessed: of.natural("unwitnessed_ms")?,
            deafened: paused.natural("deafened")?,
            muted: paused.natural("muted")?,
            solo: paused.natural("solo")?,
            credited: of.natural("credited_ms")?,
            below_minimum: of.flag("below_minimum")?,
        },
    };
    let found = format!("a voice.session, {}", shown(session_id));
    Ok((session, found))
}

/// Whether a text has a digest.
pub(super) fn digest(text: &str, expected: &Hash) -> Checked<()> {
    let found = sha256(text.as_bytes());
    if found == *expected {
        Ok(((), b64url(expected)))
    } else {
        Err(Problem::failed(b64url(expected), b64url(&found)))
    }
}

impl Session {
    pub fn timeline_digest(&self, timeline: &str) -> Checked<()> {
        digest(timeline, &self.timeline_sha256)
    }

    pub fn rules_digest(&self, rules: &str) -> Checked<()> {
        digest(rules, &self.rules_sha256)
    }

    /// The sums of a timeline that is canonical and a partition of the session.
    pub fn partition(&self, timeline: &str) -> Checked<Sums> {
        let segments = parse_timeline(timeline.as_bytes())
            .ok_or_else(|| Problem::failed("a list of [start, end, status]", "another text"))?;
        let mut canonical = Vec::with_capacity(timeline.len());
        write_segments(&mut canonical, segments.iter().copied());
        if canonical != timeline.as_bytes() {
            return Err(Problem::failed(
                "canonical JSON",
                "other bytes of the same value",
            ));
        }
        let (mut reached, mut before) = (self.joined_at_ms, None);
        for segment in &segments {
            if segment.start != reached
                || segment.end <= segment.start
                || before == Some(segment.status)
            {
                return Err(Problem::failed(
                    format!("a segment from {reached} that is not empty and changes the status"),
                    format!(
                        "[{}, {}, {}]",
                        segment.start,
                        segment.end,
                        segment.status.name()
                    ),
                ));
            }
            (reached, before) = (segment.end, Some(segment.status));
        }
        if reached != self.left_at_ms {
            return Err(Problem::failed(
                format!("a timeline that ends at {}", self.left_at_ms),
                reached.to_string(),
            ));
        }
        let found = format!(
            "{} segments, {} to {}",
            segments.len(),
            self.joined_at_ms,
            self.left_at_ms
        );
        Ok((segments.into_iter().collect(), found))
    }

    /// Whether the record's sums are those of its timeline.
    pub fn sums(&self, sums: &Sums) -> Checked<()> {
        let recomputed = Said {
            counted: sums.counted,
            bridged: sums.bridged,
            unwitnessed: sums.unwitnessed,
            deafened: sums.deafened,
            muted: sums.muted,
            solo: sums.solo,
            credited: if self.said.below_minimum {
                0
            } else {
                sums.counted
            },
            below_minimum: self.said.below_minimum,
        };
        if recomputed == self.said {
            Ok(((), recomputed.text()))
        } else {
            Err(Problem::failed(recomputed.text(), self.said.text()))
        }
    }

    /// Whether the timeline can come about under the rules; the least time that counts, in milliseconds.
    pub fn under(&self, rules: &Rules, sums: &Sums) -> Checked<i64> {
        if rules.afk_channel_id.as_deref() == Some(self.channel_id.as_str()) {
            return Err(Problem::failed(
                "a channel that is tracked",
                "the AFK channel",
            ));
        }
        for (switch, is_on, paused) in [
            ("pause_on_deafen", &rules.pause_on_deafen, sums.deafened),
            ("pause_on_mute", &rules.pause_on_mute, sums.muted),
            ("pause_when_solo", &rules.pause_when_solo, sums.solo),
        ] {
            if paused > 0 && !is_on.clone()? {
                return Err(Problem::failed(
                    format!("{switch} where time was paused so"),
                    "false",
                ));
            }
        }
        Ok((
            rules.minimum_ms,
            format!("rules of mode {} that allow each pause", rules.mode),
        ))
    }

    /// Whether too short is what it says; later parts of a stay build on parts that are not here.
    pub fn below_minimum(&self, sums: &Sums, minimum_ms: i64) -> Checked<()> {
        let said = self.said.below_minimum;
        let expected = if sums.counted >= minimum_ms {
            false
        } else if self.part == 0 {
            true
        } else {
            return Err(Problem::NotPossible(
                "it depends on earlier parts of the same stay, which are not in this file"
                    .to_owned(),
            ));
        };
        if said == expected {
            Ok(((), format!("below_minimum {said}")))
        } else {
            Err(Problem::failed(
                format!(
                    "below_minimum {expected}: {} of {minimum_ms} ms",
                    sums.counted
                ),
                said.to_string(),
            ))
        }
    }
}

impl Said {
    fn text(&self) -> String {
        format!(
            "counted {}, bridged {}, unwitnessed {}, deafened {}, muted {}, solo {}, credited {} ms",
            self.counted,
            self.bridged,
            self.unwitnessed,
            self.deafened,
            self.muted,
            self.solo,
            self.credited
        )
    }
}
