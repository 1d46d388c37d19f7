//! One guild's whole state in bytes, and back.
//!
//! ```text
//! "rollcall guild"  version, one byte  body  SHA-256 of all before
//! body = guild_id last_at? rules parents opted_out period_index next_stay next_ordinal
//!        members {user: channel flags session?}  blind? {since replays touched}
//! ```
//!
//! Numbers are LEB128 (signed ones with the sign lowest), tables are in ascending order of their ids, so equal states are
//! equal bytes. Who is in which channel follows from the members. The checksum finds damage; the checks after it make sure
//! that even a forged state cannot break the fold's invariants.
use std::sync::Arc;

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::blind::{BlindInterval, Replayed};
use super::event::{Flags, VoiceState};
use super::guild::Guild;
use super::ids::{GuildId, ID_END, IdMap};
use super::json::MAX_INTEGER;
use super::rules::{Mode, RuleSet, Rules};
use super::session::{Session, Stay};
use super::timeline::Status;

const MAGIC: &[u8] = b"rollcall guild";
const VERSION: u8 = 1;
const CHECKSUM_LENGTH: usize = 32;
/// Counters (stays, periods, ordinals) stay below this, so that counting on can never overflow.
const COUNTER_END: u64 = 1 << 53;
/// The same for parts of one stay.
const PART_END: u32 = 1 << 31;

/// Saved state that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// Not one of ours, or cut off before the version.
    #[error("not a saved guild")]
    Foreign,
    /// Written by another version.
    #[error("saved by version {0} of the format; this one reads version 1")]
    Version(u8),
    /// The checksum is wrong.
    #[error("damaged: the checksum does not match")]
    Damaged,
    /// Another guild's.
    #[error("the state of guild {0}, not of the one asked for")]
    OtherGuild(GuildId),
    /// The checksum is right and the content is impossible.
    #[error("impossible: {0}")]
    Impossible(&'static str),
}

type Result<T> = std::result::Result<T, StateError>;

/// Everything about a guild.
pub fn save(guild: &Guild) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(128 + 24 * guild.members.len()));
    out.0.extend_from_slice(MAGIC);
    out.0.push(VERSION);
    out.number(guild.frame.guild_id);
    out.optional(guild.last_at, Writer::signed);
    write_rules(&mut out, &guild.frame.rules.rules);
    out.table(&guild.parents, |out, parent| out.number(*parent));
    out.ids(guild.opted_out.iter().copied());
    out.number(guild.frame.period_index);
    out.number(guild.next_stay);
    out.number(guild.next_ordinal);
    out.table(&guild.members, |out, member| {
        out.number(member.channel_id);
        out.byte(
            member.flags.bits()
                | u8::from(member.bot) << 4
                | u8::from(member.session.is_some()) << 5,
        );
        if let Some(session) = &member.session {
            write_session(out, session);
        }
    });
    out.optional(guild.blind.as_deref(), |out, blind| {
        out.signed(blind.since);
        out.table(&blind.replays, |out, replayed| {
            out.optional(replayed.state.channel_id, Writer::number);
            let state = &replayed.state;
            out.byte(state.flags.bits() | u8::from(state.bot) << 4 | u8::from(replayed.left) << 5);
        });
        out.ids(blind.touched.iter().copied());
    });
    let checksum = Sha256::digest(&out.0);
    out.0.extend_from_slice(&checksum);
    out.0
}

fn write_rules(out: &mut Writer, rules: &Rules) {
    let switches = u8::from(rules.pause_on_mute)
        | u8::from(rules.pause_on_deafen) << 1
        | u8::from(rules.pause_when_solo) << 2;
    out.byte(
        MODES
            .iter()
            .position(|mode| *mode == rules.mode)
            .and_then(|index| u8::try_from(index).ok())
            .unwrap_or(0),
    );
    out.byte(switches);
    out.ids(rules.channels.iter().copied());
    out.optional(rules.afk_channel_id, Writer::number);
    out.signed(rules.min_session_seconds);
    out.signed(rules.bridge_gap_seconds);
}

const MODES: [Mode; 4] = [Mode::All, Mode::Allowlist, Mode::Denylist, Mode::Off];

fn write_session(out: &mut Writer, session: &Session) {
    out.number(session.stay);
    out.number(u64::from(session.part));
    out.signed(session.stay_counted);
    out.signed(session.joined_at);
    out.count(session.past.len());
    for segment in session.past.segments(session.joined_at) {
        out.signed(segment.end - segment.start);
        out.byte(segment.status as u8);
    }
    out.byte(session.status as u8);
}

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push((number & 0x7f) as u8);
    }

    fn signed(&mut self, number: i64) {
        self.number(number.unsigned_abs() << 1 | u64::from(number < 0));
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn ids(&mut self, ids: impl Iterator<Item = u64>) {
        let mut ids: Vec<u64> = ids.collect();
        ids.sort_unstable();
        self.count(ids.len());
        for id in ids {
            self.number(id);
        }
    }

    fn table<V>(&mut self, table: &IdMap<V>, mut write: impl FnMut(&mut Self, &V)) {
        let mut entries: Vec<(&u64, &V)> = table.iter().collect();
        entries.sort_unstable_by_key(|(id, _)| **id);
        self.count(entries.len());
        for (id, value) in entries {
            self.number(*id);
            write(self, value);
        }
    }
}

/// Reads what [`save`] wrote for this guild.
pub fn restore(guild_id: GuildId, bytes: &[u8]) -> Result<Guild> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(StateError::Foreign)?;
    let (version, _) = rest.split_first().ok_or(StateError::Foreign)?;
    if *version != VERSION {
        return Err(StateError::Version(*version));
    }
    let (covered, checksum) = bytes
        .split_last_chunk::<CHECKSUM_LENGTH>()
        .ok_or(StateError::Damaged)?;
    if Sha256::digest(covered)[..] != checksum[..] {
        return Err(StateError::Damaged);
    }
    let mut input = Reader(covered.get(MAGIC.len() + 1..).ok_or(StateError::Damaged)?);
    let guild = read_guild(guild_id, &mut input)?;
    if !input.0.is_empty() {
        return Err(StateError::Impossible("more after the end"));
    }
    check(&guild)?;
    Ok(guild)
}

fn read_guild(guild_id: GuildId, input: &mut Reader<'_>) -> Result<Guild> {
    let saved_id = input.id()?;
    if saved_id != guild_id {
        return Err(StateError::OtherGuild(saved_id));
    }
    let last_at = input.optional(Reader::time)?;
    let mut guild = Guild::new(guild_id, Arc::new(RuleSet::new(read_rules(input)?)));
    guild.last_at = last_at;
    input.table(|input, channel| {
        guild.parents.insert(channel, input.id()?);
        Ok(())
    })?;
    guild.opted_out = input.ids()?.into_iter().collect();
    guild.frame.period_index = input.counter()?;
    guild.next_stay = input.counter()?;
    guild.next_ordinal = input.counter()?;
    input.table(|input, user| {
        let channel = input.id()?;
        let (flags, bot, has_session) = input.state_byte()?;
        guild.place(&VoiceState {
            user_id: user,
            channel_id: Some(channel),
            flags,
            bot,
        });
        if has_session {
            let session = read_session(input)?;
            if let Some(member) = guild.members.get_mut(&user) {
                member.session = Some(session);
            }
        }
        Ok(())
    })?;
    guild.blind = input.optional(read_blind)?.map(Box::new);
    Ok(guild)
}

fn read_rules(input: &mut Reader<'_>) -> Result<Rules> {
    let mode = *MODES
        .get(usize::from(input.byte()?))
        .ok_or(StateError::Impossible("an unknown mode"))?;
    let switches = input.byte()?;
    if switches > 7 {
        return Err(StateError::Impossible("an unknown switch"));
    }
    let rules = Rules {
        mode,
        pause_on_mute: switches & 1 != 0,
        pause_on_deafen: switches & 2 != 0,
        pause_when_solo: switches & 4 != 0,
        channels: input.ids()?,
        afk_channel_id: input.optional(Reader::id)?,
        min_session_seconds: input.time()?,
        bridge_gap_seconds: input.time()?,
    };
    if rules.min_session_seconds < 0 || rules.bridge_gap_seconds < 0 {
        return Err(StateError::Impossible("negative seconds"));
    }
    Ok(rules)
}

fn read_session(input: &mut Reader<'_>) -> Result<Session> {
    let number = input.counter()?;
    let part = u32::try_from(input.number()?)
        .ok()
        .filter(|part| *part < PART_END)
        .ok_or(StateError::Impossible("a part's number"))?;
    let counted = input.time()?;
    if counted < 0 {
        return Err(StateError::Impossible("negative time counted"));
    }
    let joined_at = input.time()?;
    let mut session = Session::new(
        joined_at,
        Stay {
            number,
            part,
            counted,
        },
        Status::Counted,
    );
    for _ in 0..input.count()? {
        let length = input.time()?;
        let end = session.since + length;
        let status = input.status()?;
        let repeats = session.past.last().is_some_and(|(_, last)| last == status);
        if length <= 0 || end > MAX_INTEGER || repeats {
            return Err(StateError::Impossible("a timeline's segment"));
        }
        session.past.push(end, status);
        session.since = end;
    }
    session.status = input.status()?;
    let repeats = session
        .past
        .last()
        .is_some_and(|(_, last)| last == session.status);
    if repeats || matches!(session.status, Status::Bridged | Status::Unwitnessed) {
        return Err(StateError::Impossible("a running status"));
    }
    Ok(session)
}

fn read_blind(input: &mut Reader<'_>) -> Result<BlindInterval> {
    let since = input.time()?;
    let mut replays = IdMap::default();
    input.table(|input, user_id| {
        let channel_id = input.optional(Reader::id)?;
        let (flags, bot, left) = input.state_byte()?;
        replays.insert(
            user_id,
            Replayed {
                state: VoiceState {
                    user_id,
                    channel_id,
                    flags,
                    bot,
                },
                left,
            },
        );
        Ok(())
    })?;
    Ok(BlindInterval {
        since,
        replays,
        touched: input.ids()?.into_iter().collect(),
    })
}

/// What always holds between two lines. The fold relies on it.
fn check(guild: &Guild) -> Result<()> {
    let Some(watched) = guild.watched_until() else {
        let fresh =
            guild.members.is_empty() && guild.next_stay == 0 && guild.frame.period_index == 0;
        return if fresh {
            Ok(())
        } else {
            Err(StateError::Impossible("a past without a line"))
        };
    };
    if guild.last_at.is_none_or(|last| last < watched) {
        return Err(StateError::Impossible("blind after the last line"));
    }
    for (user, member) in &guild.members {
        let due = guild.is_due(*user, member);
        match &member.session {
            Some(_) if !due => return Err(StateError::Impossible("a session where none may be")),
            None if due && guild.blind.is_none() => {
                return Err(StateError::Impossible("a session is missing"));
            }
            Some(session) if session.stay >= guild.next_stay => {
                return Err(StateError::Impossible("a stay that has not begun"));
            }
            Some(session) if session.since > watched => {
                return Err(StateError::Impossible("a session from the future"));
            }
            Some(session) if guild.blind.is_none() && session.status != guild.status(member) => {
                return Err(StateError::Impossible(
                    "a status that the states contradict",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8> {
        let (byte, rest) = self
            .0
            .split_first()
            .ok_or(StateError::Impossible("cut off"))?;
        self.0 = rest;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits || (byte == 0 && shift > 0) {
                break; // above 64 bits, or longer than need be
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(StateError::Impossible("a number"))
    }

    /// Also for seconds and lengths: anything within ±(2^53-1).
    fn time(&mut self) -> Result<i64> {
        const WRONG: StateError = StateError::Impossible("a time");
        let number = self.number()?;
        let magnitude = i64::try_from(number >> 1).map_err(|_| WRONG)?;
        if magnitude > MAX_INTEGER || number == 1 {
            return Err(WRONG);
        }
        Ok(if number & 1 == 1 {
            -magnitude
        } else {
            magnitude
        })
    }

    fn id(&mut self) -> Result<u64> {
        let id = self.number()?;
        if id < ID_END {
            Ok(id)
        } else {
            Err(StateError::Impossible("an id"))
        }
    }

    fn counter(&mut self) -> Result<u64> {
        let counter = self.number()?;
        if counter < COUNTER_END {
            Ok(counter)
        } else {
            Err(StateError::Impossible("a counter"))
        }
    }

    /// A length. Every entry takes a byte at least, so that no forged length makes us reserve or loop for long.
    fn count(&mut self) -> Result<usize> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count <= self.0.len() {
            Ok(count)
        } else {
            Err(StateError::Impossible("a length"))
        }
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(StateError::Impossible("neither there nor not")),
        }
    }

    fn ids(&mut self) -> Result<Vec<u64>> {
        let mut ids = Vec::new();
        self.table(|_, id| {
            ids.push(id);
            Ok(())
        })?;
        Ok(ids)
    }

    fn table(&mut self, mut read: impl FnMut(&mut Self, u64) -> Result<()>) -> Result<()> {
        let mut previous = None;
        for _ in 0..self.count()? {
            let id = self.id()?;
            if previous.is_some_and(|previous| previous >= id) {
                return Err(StateError::Impossible("ids out of order"));
            }
            previous = Some(id);
            read(self, id)?;
        }
        Ok(())
    }

    fn status(&mut self) -> Result<Status> {
        Status::numbered(i64::from(self.byte()?)).ok_or(StateError::Impossible("a status"))
    }

    /// Flags, whether it is a bot, and one bit more.
    fn state_byte(&mut self) -> Result<(Flags, bool, bool)> {
        let byte = self.byte()?;
        let flags = Flags::from_bits(byte & 15)
            .filter(|_| byte < 64)
            .ok_or(StateError::Impossible("flags"))?;
        Ok((flags, byte & 16 != 0, byte & 32 != 0))
    }
}
