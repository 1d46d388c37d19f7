"""The members' behaviour: a pure function of the seed, possible at every step, and believable in the large."""

from __future__ import annotations

import io
import itertools
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.patterns import DAY_MS, HOUR_MS, Cast, voice_changes
from simulator.trace_output import trace_cast, trace_lines, write_trace
from tests.twin.replay import run


def taken(count: int, seed: int = 7, *, guilds: int = 3, members: int = 30, start_ms: int = 0) -> list[Any]:
    return list(itertools.islice(voice_changes(seed, trace_cast(guilds, members), start_ms=start_ms), count))


def test_the_same_seed_gives_the_same_stream_and_another_gives_another() -> None:
    assert taken(2_000) == taken(2_000)
    assert taken(2_000) != taken(2_000, seed=8)


@given(seed=st.integers(0, 2**64), guilds=st.integers(1, 4), members=st.integers(1, 12))
def test_every_change_is_possible_and_time_never_goes_back(seed: int, guilds: int, members: int) -> None:
    cast = trace_cast(guilds, members)
    state: dict[int, Any] = {}
    last_ms = 0
    for change in taken(200, seed, guilds=guilds, members=members):
        assert change.offset_ms >= last_ms
        last_ms = change.offset_ms
        before = state.get(change.user_id)
        if change.channel_id is None:
            assert before is not None
            assert before.channel_id is not None
        else:
            assert change.channel_id in {*cast.channels[change.guild_id], cast.afk[change.guild_id]}
        assert before is None or before[3:] != change[3:]
        assert change.self_mute or not change.self_deaf
        state[change.user_id] = change


def test_evenings_are_busier_than_the_small_hours() -> None:
    changes = Counter(change.offset_ms % DAY_MS // HOUR_MS for change in taken(20_000))
    assert changes[20] > 3 * changes[4]


def test_weekends_are_busier_than_weekdays() -> None:
    stream = itertools.takewhile(lambda c: c.offset_ms < 28 * DAY_MS, voice_changes(7, trace_cast(3, 30)))
    by_day = Counter(c.offset_ms // DAY_MS % 7 for c in stream)
    assert (by_day[5] + by_day[6]) / 2 > sum(by_day[day] for day in range(5)) / 5


def test_nobody_or_nowhere_is_an_empty_stream() -> None:
    assert list(voice_changes(1, Cast({}, [], {}))) == []
    assert list(voice_changes(1, Cast({5: []}, [(5, 6, False)], {}))) == []
    assert list(trace_lines(1, 0, 10)) == []


def test_one_channel_is_enough() -> None:
    changes = list(itertools.islice(voice_changes(1, Cast({5: [9]}, [(5, 6, False)], {})), 500))
    assert {change.channel_id for change in changes} == {9, None}


def written(lines: int, seed: int = 11, guilds: int = 5, members: int = 60) -> bytes:
    file = io.BytesIO()
    write_trace(file, seed, lines, guilds, members)
    return file.getvalue()


def test_a_written_trace_has_exactly_the_lines_asked_for_and_the_same_bytes_each_time() -> None:
    assert written(1_234).count(b"\n") == 1_234
    assert written(1_234) == written(1_234)
    assert written(1_234).startswith(written(1_000))


@pytest.mark.slow
def test_a_written_trace_is_well_formed_and_has_the_mix_of_the_benchmark() -> None:
    lines = [json.loads(line) for line in written(40_000).splitlines()]
    replay = run(lines)
    assert replay.malformed is None
    kinds = Counter(line["type"] for line in lines)
    assert kinds["voice_state"] / len(lines) == pytest.approx(0.95, abs=0.005)
    assert set(kinds) >= {"rules", "channel", "snapshot", "blind", "resumed", "opt_out"}
    assert len(replay.closed) / len(lines) == pytest.approx(0.2, abs=0.02)


def test_snapshots_in_a_written_trace_say_who_is_in_voice() -> None:
    in_voice: dict[str, dict[str, str]] = {}
    snapshots = 0
    for line in (json.loads(raw) for raw in written(20_000).splitlines()):
        here = in_voice.setdefault(line["guild_id"], {})
        if line["type"] == "voice_state" and line["channel_id"] is None:
            here.pop(line["user_id"], None)
        elif line["type"] == "voice_state":
            here[line["user_id"]] = line["channel_id"]
        elif line["type"] == "snapshot":
            snapshots += 1
            assert {state["user_id"]: state["channel_id"] for state in line["voice_states"]} == here
    assert snapshots > 5
