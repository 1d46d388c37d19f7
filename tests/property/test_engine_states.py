"""Saved states and refused batches of the Rust engine: nothing depends on how a state came about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance._core import Engine
from attendance.errors import StateError, TraceError
from tests.strategies.traces import Line, traces
from tests.twin.replay import as_bytes

pytestmark = pytest.mark.slow


def saved(engine: Engine) -> dict[int, bytes]:
    return {guild: engine.save(guild) for guild in engine.guild_ids()}


@given(trace=traces(max_steps=20), at=st.integers(0, 40))
def test_equal_states_give_equal_bytes_however_they_were_reached(trace: list[Line], at: int) -> None:
    whole, parts, other = Engine(), Engine(), Engine()
    whole.apply(as_bytes(trace))
    parts.apply(as_bytes(trace[:at]))
    for guild, state in saved(parts).items():
        other.restore(guild, state)
    assert saved(other) == saved(parts)
    other.apply(as_bytes(trace[at:]))
    assert saved(other) == saved(whole)


@given(trace=traces(max_steps=20), at=st.integers(0, 40), bad=st.sampled_from((b"\n", b"{}\n", b"\xff", b"{")))
def test_a_refused_batch_has_changed_nothing(trace: list[Line], at: int, bad: bytes) -> None:
    engine, untouched = Engine(), Engine()
    engine.apply(as_bytes(trace[:at]))
    before = saved(engine)
    with pytest.raises(TraceError) as refused:
        engine.apply(as_bytes(trace[at:]) + bad)
    assert refused.value.line_number == len(trace[at:]) + 1
    assert saved(engine) == before
    untouched.apply(as_bytes(trace[:at]))
    assert engine.apply(as_bytes(trace[at:])) == untouched.apply(as_bytes(trace[at:]))


@given(trace=traces(max_steps=10).filter(bool), data=st.data())
def test_a_damaged_state_is_refused_and_nothing_has_changed(trace: list[Line], data: st.DataObject) -> None:
    engine = Engine()
    engine.apply(as_bytes(trace))
    before = saved(engine)
    guild, state = data.draw(st.sampled_from(sorted(before.items())))
    place = data.draw(st.integers(0, len(state) - 1))
    flipped = bytes([state[place] ^ data.draw(st.integers(1, 255))])
    damaged = data.draw(
        st.sampled_from((state[:place], state + b"\0", state[:place] + flipped + state[place + 1 :])), label="damaged"
    )
    with pytest.raises(StateError):
        engine.restore(guild, damaged)
    with pytest.raises(StateError):
        engine.restore(guild + 1 if guild == 7 else 7, state)
    assert saved(engine) == before


@given(st.binary(max_size=200))
def test_any_bytes_as_a_state_are_a_state_error(state: bytes) -> None:
    with pytest.raises(StateError):
        Engine().restore(7, state)


@given(st.binary(max_size=200), st.lists(st.sampled_from((b"\n", b"{", b'"', b'{"at":1,', b"[" * 300, b"\\u")), max_size=9))
def test_any_bytes_as_lines_are_applied_or_a_trace_error(data: bytes, more: list[bytes]) -> None:
    engine, refused_at = Engine(), None
    try:
        engine.apply(data + b"".join(more))
    except TraceError as error:
        refused_at = error.line_number
    assert refused_at is None or (refused_at >= 1 and engine.guild_ids() == [])
