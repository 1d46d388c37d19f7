//! Trace lines in short, and sessions in short.
use rollcall_engine::accounting::{
    Account, ClosedSession, Engine, NoSink, Reason, trace::parse_line,
};

pub const GUILD: u64 = 7;

pub fn line(at: i64, kind: &str, members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"at":{at},"type":"{kind}","guild_id":"{GUILD}"{comma}{members}}}"#)
}

fn flag_members(flags: &str) -> String {
    let mut json = String::new();
    for (letter, name) in [
        ('m', "self_mute"),
        ('M', "mute"),
        ('d', "self_deaf"),
        ('D', "deaf"),
        ('b', "bot"),
    ] {
        if flags.contains(letter) {
            json.extend([",\"", name, "\":true"]);
        }
    }
    json
}

/// `flags`: m self-muted, M muted, d self-deafened, D deafened, b a bot.
pub fn is_in(at: i64, user: u64, channel: u64, flags: &str) -> String {
    line(
        at,
        "voice_state",
        &format!(
            r#""user_id":"{user}","channel_id":"{channel}"{}"#,
            flag_members(flags)
        ),
    )
}

pub fn join(at: i64, user: u64, channel: u64) -> String {
    is_in(at, user, channel, "")
}

pub fn leave(at: i64, user: u64) -> String {
    line(
        at,
        "voice_state",
        &format!(r#""user_id":"{user}","channel_id":null"#),
    )
}

pub fn snapshot(at: i64, states: &[(u64, u64, &str)]) -> String {
    let states: Vec<String> = states
        .iter()
        .map(|(user, channel, flags)| {
            format!(
                r#"{{"user_id":"{user}","channel_id":"{channel}"{}}}"#,
                flag_members(flags)
            )
        })
        .collect();
    line(
        at,
        "snapshot",
        &format!(r#""voice_states":[{}]"#, states.join(",")),
    )
}

pub fn rules(at: i64, members: &str) -> String {
    line(at, "rules", &format!(r#""rules":{{{members}}}"#))
}

pub fn parent(at: i64, channel: u64, parent: Option<u64>) -> String {
    let parent = parent.map_or("null".to_owned(), |parent| format!(r#""{parent}""#));
    line(
        at,
        "channel",
        &format!(r#""channel_id":"{channel}","parent_id":{parent}"#),
    )
}

pub fn deleted(at: i64, channel: u64) -> String {
    line(
        at,
        "channel_deleted",
        &format!(r#""channel_id":"{channel}""#),
    )
}

pub fn opt_out(at: i64, user: u64, out: bool) -> String {
    line(at, "opt_out", &format!(r#""user_id":"{user}","out":{out}"#))
}

pub fn blind(at: i64) -> String {
    line(at, "blind", "")
}

pub fn resumed(at: i64) -> String {
    line(at, "resumed", "")
}

pub fn period_end(at: i64) -> String {
    line(at, "period_end", "")
}

pub fn guild_left(at: i64) -> String {
    line(at, "guild_left", "")
}

pub const SOLO: &str = r#""pause_when_solo":true"#;
pub const ALL_PAUSES: &str =
    r#""pause_when_solo":true,"pause_on_mute":true,"pause_on_deafen":true"#;

pub fn timeline(account: &Account) -> String {
    let segments: Vec<String> = account
        .timeline
        .segments()
        .map(|it| format!("{}-{} {}", it.start, it.end, it.status.name()))
        .collect();
    segments.join(", ")
}

/// `u<user> c<channel> s<stay>.<part> p<period> <reason>: <timeline>`
pub fn short(account: &Account, reason: Option<Reason>) -> String {
    format!(
        "u{} c{} s{}.{} p{} {}: {}",
        account.user_id,
        account.channel_id,
        account.stay,
        account.part,
        account.period_index,
        reason.map_or("open", Reason::name),
        timeline(account)
    )
}

pub struct Run {
    pub engine: Engine,
    pub closed: Vec<ClosedSession>,
}

/// Folds the lines, which are in order.
pub fn run(lines: &[String]) -> Run {
    let (mut engine, mut sink) = (Engine::new(), NoSink::default());
    for line in lines {
        let line = parse_line(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        engine
            .apply_checked(&line, &mut sink)
            .expect("lines in order");
    }
    Run {
        engine,
        closed: sink.0,
    }
}

impl Run {
    /// What closed, in short.
    pub fn closed(&self) -> Vec<String> {
        self.closed
            .iter()
            .map(|session| short(&session.account, Some(session.reason)))
            .collect()
    }

    /// What is open, in short, reckoned to the guild's last watched instant.
    pub fn open(&self) -> Vec<String> {
        let guild = self.engine.guild(GUILD).unwrap();
        let end = guild.watched_until().unwrap();
        let users = guild.users_with_session().into_iter();
        users
            .map(|user| short(&guild.account(user, end).unwrap(), None))
            .collect()
    }
}

pub fn closed(lines: &[String]) -> Vec<String> {
    run(lines).closed()
}
