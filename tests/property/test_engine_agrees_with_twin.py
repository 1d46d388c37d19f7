"""The Rust engine against the plain Python twin: the same sessions in the same order, however the trace is cut up."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance._core import Engine
from attendance._core import Replay as RustReplay
from attendance.errors import TraceError
from simulator.trace_output import write_trace
from tests.strategies.malformed import damaged_traces
from tests.strategies.traces import Line, traces
from tests.twin.fold import Guild
from tests.twin.replay import Replay, as_bytes
from tests.twin.rules import canonical_json, digest
from tests.twin.session import OpenSession, closed_row, compact, timeline_of
from tests.twin.trace import VoiceState

Row = tuple[Any, ...]

STATUSES = ("counted", "bridged", "unwitnessed", "deafened", "muted", "solo")

cuts = st.lists(st.integers(0, 12), max_size=12)
chunk_sizes = st.lists(st.integers(1, 200), max_size=5)


def batches(trace: list[Line], sizes: list[int]) -> Iterator[list[Line]]:
    """The trace in batches of these sizes, empty ones too, and then the rest."""
    start = 0
    for size in sizes:
        yield trace[start : start + size]
        start += size
    yield trace[start:]


def chunks(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The bytes in chunks of these sizes, again and again, wherever that cuts a line or a character."""
    start, number = 0, 0
    while start < len(data):
        size = sizes[number % len(sizes)] if sizes else len(data)
        yield data[start : start + size]
        start, number = start + size, number + 1


def open_row(guild: Guild, session: OpenSession) -> Row:
    """An open session with its past up to the last change of status, which `since_ms` names."""
    since = session.samples[-1][0]
    past = list(timeline_of(session, since))
    if past and past[-1][2] == session.status:
        since = past.pop()[0]
    sums = {status: sum(end - start for start, end, kind in past if kind == status) for status in STATUSES}
    return (
        guild.guild_id,
        session.user,
        session.channel,
        session.period_index,
        session.stay.number,
        session.stay.next_part,
        session.joined,
        session.status,
        since,
        compact(past),
        sums["counted"] + sums["bridged"],
        *(sums[status] for status in STATUSES[1:]),
        session.stay.counted_ms,
        session.rules.min_session_seconds * 1000,
        digest(session.rules),
    )


def state_row(state: VoiceState) -> Row:
    flags = (state.self_mute, state.mute, state.self_deaf, state.deaf)
    return (state.user, state.channel, sum(1 << place for place, on in enumerate(flags) if on), state.bot)


def summary(guild: Guild) -> Row:
    return (
        guild.last_at,
        guild.blind_since,
        guild.period_index,
        guild.next_stay,
        len(guild.closed),
        canonical_json(guild.rules),
        digest(guild.rules),
    )


def assert_same_guild(engine: Engine, guild: Guild) -> None:
    id_ = guild.guild_id
    assert engine.summary(id_) == summary(guild)
    assert engine.open_sessions(id_) == [open_row(guild, session) for _, session in sorted(guild.sessions.items())]
    assert engine.states(id_) == [state_row(state) for _, state in sorted(guild.states.items())]
    assert engine.channel_parents(id_) == {channel: parent for channel, parent in guild.parents.items() if parent is not None}
    assert engine.opted_out(id_) == sorted(guild.opted_out)


def restored(engine: Engine, guilds: list[int]) -> Engine:
    """Another engine that knows these guilds only by their saved bytes."""
    other = Engine()
    for guild in guilds:
        other.restore(guild, engine.save(guild))
    return other


def expected_rows(twin: Replay, since: int) -> list[Row]:
    """What was closed after the first ``since`` sessions, each with its ordinal in its guild."""
    seen: dict[int, int] = {}
    rows = []
    for session in twin.closed:
        ordinal = seen.get(session.guild, 0)
        seen[session.guild] = ordinal + 1
        rows.append(closed_row(session, ordinal))
    return rows[since:]


@given(traces(), cuts, st.lists(st.booleans(), max_size=12))
def test_applying_in_any_batches_with_any_restarts_gives_the_twins_sessions(
    trace: list[Line], sizes: list[int], restarts: list[bool]
) -> None:
    engine, twin = Engine(), Replay()
    shown: dict[tuple[int, int], Row] = {}
    for number, batch in enumerate(batches(trace, sizes)):
        data, since = as_bytes(batch), len(twin.closed)
        closed, changed, gone = engine.apply(data)
        twin.feed(data)
        assert closed == expected_rows(twin, since)
        assert all(shown.get(row[:2]) != row for row in changed)
        assert set(gone) <= shown.keys()
        shown = {key: row for key, row in shown.items() if key not in gone} | {row[:2]: row for row in changed}
        for guild in twin.guilds.values():
            assert_same_guild(engine, guild)
        assert shown == {row[:2]: row for guild in twin.guilds for row in engine.open_sessions(guild)}
        if number < len(restarts) and restarts[number]:
            engine = restored(engine, list(twin.guilds))


@given(trace=traces(), sizes=chunk_sizes, include_open=st.booleans())
def test_replaying_in_any_chunks_prints_what_the_twin_prints(
    trace: list[Line], sizes: list[int], *, include_open: bool
) -> None:
    data = as_bytes(trace)
    replay = RustReplay(include_open)
    out = b"".join(replay.feed(chunk) for chunk in chunks(data, sizes)) + replay.finish()
    twin = Replay()
    twin.feed(data)
    assert out == twin.printed(include_open=include_open)


@given(data=damaged_traces(), sizes=chunk_sizes, include_open=st.booleans())
def test_a_damaged_trace_stops_at_the_same_line_with_the_same_output(
    data: bytes, sizes: list[int], *, include_open: bool
) -> None:
    twin = Replay()
    twin.feed(data)
    replay, out, stopped_at = RustReplay(include_open), b"", None
    try:
        for chunk in chunks(data, sizes):
            out += replay.feed(chunk)
        out += replay.finish()
    except TraceError as error:
        out, stopped_at = out + error.printed, error.line_number
    assert stopped_at == twin.malformed, twin.what
    assert out == twin.printed(include_open=include_open)


@given(damaged_traces())
def test_a_damaged_batch_is_refused_at_the_same_line(data: bytes) -> None:
    twin = Replay()
    twin.feed(data)
    stopped_at = None
    try:
        Engine().apply(data)
    except TraceError as error:
        stopped_at = error.line_number
    assert stopped_at == twin.malformed, twin.what


@pytest.mark.parametrize("seed", range(3))
def test_a_long_believable_trace_prints_the_same(seed: int) -> None:
    trace = io.BytesIO()
    write_trace(trace, seed=seed, lines=4000, guilds=3, members=40)
    replay, twin = RustReplay(include_open=True), Replay()
    twin.feed(trace.getvalue())
    assert twin.malformed is None
    assert replay.feed(trace.getvalue()) + replay.finish() == twin.printed(include_open=True)
