//! Speed of the fold, packed batches in, closed sessions out, on one core: `cargo bench -p rollcall-engine --bench accounting`.
//!
//! 100,000 members over 1,000 guilds, sixteen channels each; a third of the guilds pause the muted and deafened, a third
//! the lonely, a third nothing. Of the events 60 % toggle a mute or a deafen, 20 % move, 10 % leave and 10 % join.
#![allow(missing_docs, clippy::unwrap_used)] // a bench
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rollcall_engine::accounting::{
    Engine, Event, Flags, Line, NoSink, Replay, RuleSet, Rules, VoiceState,
};

const BATCH: usize = 10_000;
const BATCHES: usize = 100;

/// xorshift64*: the bench needs no better, and the same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

/// Snowflakes as Discord gives them: time in the upper bits, a small counter in the lower.
fn snowflake(number: u64) -> u64 {
    ((150_000_000_000 + number * 7_919) << 22) | (number % 4)
}

struct World {
    random: Random,
    at: i64,
    guilds: u64,
    members_each: u64,
    channels_each: u64,
    /// Where each member is, with the flags.
    states: Vec<(Option<u64>, u8)>,
}

impl World {
    fn new(guilds: u64, members_each: u64, channels_each: u64) -> Self {
        let states = vec![(None, 0); usize::try_from(guilds * members_each).unwrap()];
        Self {
            random: Random(42),
            at: 1_700_000_000_000,
            guilds,
            members_each,
            channels_each,
            states,
        }
    }

    fn line(&mut self, guild: u64, event: Event) -> Line {
        self.at += i64::try_from(self.random.below(3)).unwrap();
        Line {
            at: self.at,
            guild_id: snowflake(guild),
            event,
        }
    }

    fn state(&mut self, member: u64) -> Line {
        let (channel, bits) = self.states[usize::try_from(member).unwrap()];
        let state = VoiceState {
            user_id: snowflake(10_000_000 + member),
            channel_id: channel,
            flags: Flags::from_bits(bits).unwrap(),
            bot: false,
        };
        self.line(member / self.members_each, Event::VoiceState(state))
    }

    fn some_channel(&mut self, member: u64) -> u64 {
        snowflake(
            5_000_000 + member / self.members_each * 100 + self.random.below(self.channels_each),
        )
    }

    /// Rules, then everyone joins.
    fn opening(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        for guild in 0..self.guilds {
            let rules = Rules {
                pause_on_mute: guild % 3 == 0,
                pause_on_deafen: guild % 3 == 0,
                pause_when_solo: guild % 3 == 1,
                ..Rules::default()
            };
            lines.push(self.line(guild, Event::Rules(RuleSet::new(rules).into())));
        }
        for member in 0..self.guilds * self.members_each {
            let channel = self.some_channel(member);
            self.states[usize::try_from(member).unwrap()] = (Some(channel), 0);
            lines.push(self.state(member));
        }
        lines
    }

    fn event(&mut self) -> Line {
        let member = self.random.below(self.guilds * self.members_each);
        let index = usize::try_from(member).unwrap();
        let (channel, bits) = self.states[index];
        self.states[index] = match (channel, self.random.below(10)) {
            (Some(_), 0) => (None, bits),
            (None, _) | (Some(_), 1 | 2) => (Some(self.some_channel(member)), bits),
            (channel, toggle) => (channel, bits ^ if toggle < 7 { 1 } else { 4 }),
        };
        self.state(member)
    }

    fn batches(&mut self) -> Vec<Vec<Line>> {
        (0..BATCHES)
            .map(|_| (0..BATCH).map(|_| self.event()).collect())
            .collect()
    }
}

/// Folds the batches again and again, each time later, and returns the time that the folding alone took.
struct Runner {
    engine: Engine,
    batches: Vec<Vec<Line>>,
    next: usize,
    span: i64,
    sink: NoSink,
}

impl Runner {
    fn new(mut world: World) -> Self {
        let (mut engine, mut sink) = (Engine::new(), NoSink::default());
        for line in world.opening() {
            engine.apply(&line, &mut sink);
        }
        let start = world.at;
        let batches = world.batches();
        Self {
            engine,
            batches,
            next: 0,
            span: world.at - start + 1,
            sink: NoSink(Vec::with_capacity(BATCH)),
        }
    }

    fn run(&mut self) -> Duration {
        let batch = &mut self.batches[self.next];
        let start = Instant::now();
        for line in &*batch {
            self.engine.apply(line, &mut self.sink);
        }
        black_box(&self.sink.0);
        self.sink.0.clear();
        let elapsed = start.elapsed();
        for line in batch {
            line.at += self.span;
        }
        self.next = (self.next + 1) % self.batches.len();
        elapsed
    }
}

fn fold(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fold");
    group
        .throughput(Throughput::Elements(BATCH as u64))
        .sample_size(30);
    for (name, world) in [
        ("100k members, 1,000 guilds", World::new(1_000, 100, 16)),
        ("1k members, 10 guilds", World::new(10, 100, 16)),
        (
            "20k members, 2 guilds, 4 channels, one solo",
            World::new(2, 10_000, 4),
        ),
    ] {
        let mut runner = Runner::new(world);
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter_custom(|iterations| (0..iterations).map(|_| runner.run()).sum());
        });
    }
    let mut runner = Runner::new(World::new(1_000, 100, 16));
    for _ in 0..1_000 {
        runner.run();
    }
    group.bench_function(
        "100k members, 1,000 guilds, after 10 million events",
        |bencher| {
            bencher.iter_custom(|iterations| (0..iterations).map(|_| runner.run()).sum());
        },
    );
    group.finish();
}

fn replay(criterion: &mut Criterion) {
    let mut world = World::new(100, 100, 16);
    let mut text = Vec::new();
    let mut lines = world.opening();
    lines.extend((0..200_000).map(|_| world.event()));
    for line in lines
        .iter()
        .filter(|line| matches!(line.event, Event::VoiceState(_)))
    {
        let Event::VoiceState(state) = &line.event else {
            continue;
        };
        let channel = state
            .channel_id
            .map_or("null".to_owned(), |channel| format!("\"{channel}\""));
        let flag = |flag| state.flags.intersects(flag);
        text.extend_from_slice(
            format!(
                "{{\"at\": {}, \"type\": \"voice_state\", \"guild_id\": \"{}\", \"user_id\": \"{}\", \"channel_id\": {channel}, \
                 \"self_mute\": {}, \"mute\": false, \"self_deaf\": {}, \"deaf\": false, \"bot\": false}}\n",
                line.at,
                line.guild_id,
                state.user_id,
                flag(Flags::SELF_MUTE),
                flag(Flags::SELF_DEAF),
            )
            .as_bytes(),
        );
    }
    let mut group = criterion.benchmark_group("replay");
    group
        .throughput(Throughput::Bytes(text.len() as u64))
        .sample_size(10);
    group.bench_function("300k lines", |bencher| {
        bencher.iter(|| {
            let mut replay = Replay::new(false);
            text.chunks(1 << 16)
                .map(|chunk| replay.feed(chunk).unwrap().len())
                .sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, fold, replay);
criterion_main!(benches);
