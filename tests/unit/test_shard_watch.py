"""What a shard's watch puts, and when it gives a connection up. Time is moved by hand."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from attendance.clock import FixedClock
from attendance.discord.pacing import FREE_IDENTIFIES
from attendance.discord.watch import ConnectionOverError, ShardWatch
from attendance.domain.ids import ShardId
from attendance.domain.observations import (
    BlindCause,
    Observation,
    PayloadUnreadable,
    ShardAlive,
    ShardLost,
    ShardReady,
    ShardResumed,
    VoiceStateSeen,
)

START = 1_800_000_000_000
INTERVAL = 40_000
STALL = 60_000


@dataclass
class ListSink:
    seen: list[Observation] = field(default_factory=list)
    capacity: int = 1_000_000
    room: bool = True

    def put(self, observation: Observation) -> bool:
        if len(self.seen) >= self.capacity:
            return False
        self.seen.append(observation)
        return True

    def has_room(self, _shard_id: ShardId) -> bool:
        return self.room

    def taken(self) -> list[Observation]:
        seen, self.seen = self.seen, []
        return seen


@dataclass
class TwoClocks:
    """Wall and monotonic time that can be moved apart, as a sleeping machine and a set clock move them."""

    wall_ms: int = START
    monotonic_s: float = 100.0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.monotonic_s


def frame(op: int, data: Any = None, name: str | None = None, sequence: int | None = None) -> bytes:
    return json.dumps({"op": op, "d": data, "t": name, "s": sequence}).encode()


HELLO = frame(10, {"heartbeat_interval": INTERVAL})
ACK = frame(11)
READY = frame(0, {"session_id": "s", "resume_gateway_url": "ws://x", "guilds": [{"id": "5"}]}, "READY", 1)
RESUMED = frame(0, {}, "RESUMED", 9)


def voice(channel: object = "12", guild: object = "5", sequence: int = 2) -> bytes:
    return frame(0, {"guild_id": guild, "user_id": "7", "channel_id": channel}, "VOICE_STATE_UPDATE", sequence)


def watching(clock: Any, sink: ListSink) -> ShardWatch:
    """A shard that has read HELLO and READY."""
    watch = ShardWatch(ShardId(0), sink, clock)
    watch.opened()
    watch.read(HELLO)
    watch.read(READY)
    assert watch.connected
    assert [type(seen) for seen in sink.taken()] == [ShardReady]
    return watch


def kinds(seen: list[Observation]) -> list[type]:
    return [type(observation) for observation in seen]


def test_what_is_read_is_put_with_the_instant_of_reading() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    clock.advance(5)
    assert watch.read(voice())["t"] == "VOICE_STATE_UPDATE"
    (seen,) = sink.taken()
    assert isinstance(seen, VoiceStateSeen)
    assert (seen.at_ms, seen.guild_id, seen.state.channel_id) == (START + 5, 5, 12)


def test_a_loss_names_the_last_sign_of_life_and_is_put_once() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    clock.advance(1_000)
    watch.read(ACK)
    clock.advance(500)
    watch.lost(BlindCause.DISCONNECTED)
    watch.lost(BlindCause.DISCONNECTED)
    assert sink.taken() == [ShardLost(START + 1_500, ShardId(0), START + 1_000, BlindCause.DISCONNECTED)]
    assert not watch.connected
    assert watch.counts.losses == {BlindCause.DISCONNECTED: 1}


def test_a_connection_lost_before_it_was_ready_is_no_loss() -> None:
    sink = ListSink()
    watch = ShardWatch(ShardId(0), sink, FixedClock(START))
    watch.opened()
    watch.read(HELLO)
    watch.lost(BlindCause.DISCONNECTED)
    assert sink.taken() == []


def test_a_connection_lost_during_the_replays_is_no_second_loss() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    watch.lost(BlindCause.DISCONNECTED)
    watch.opened()
    watch.read(HELLO)
    watch.read(voice())
    watch.lost(BlindCause.DISCONNECTED)
    watch.opened()
    watch.read(HELLO)
    watch.read(RESUMED)
    assert kinds(sink.taken()) == [ShardLost, VoiceStateSeen, ShardResumed]
    assert watch.connected


def test_a_quiet_shard_says_that_it_is_alive_once_for_each_sign() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    clock.advance(700)
    watch.read(ACK)
    clock.advance(100)
    assert not watch.tick()
    assert not watch.tick()
    watch.read(frame(0, {}, "TYPING_START", 3))
    assert not watch.tick()
    watch.read(voice())
    assert not watch.tick()
    assert sink.taken()[:2] == [ShardAlive(START + 700, ShardId(0)), ShardAlive(START + 800, ShardId(0))]
    assert sink.taken() == []


def test_a_sign_of_life_is_told_though_the_wall_clock_was_set_back() -> None:
    clock, sink = TwoClocks(), ListSink()
    watch = watching(clock, sink)
    clock.wall_ms -= 3_600_000
    clock.monotonic_s += 1
    watch.read(ACK)
    assert not watch.tick()
    assert sink.taken() == [ShardAlive(START - 3_600_000, ShardId(0))]


def test_a_shard_that_is_lost_does_not_say_that_it_is_alive() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    watch.lost(BlindCause.DISCONNECTED)
    sink.taken()
    watch.opened()
    watch.read(HELLO)
    clock.advance(1_000)
    watch.read(ACK)
    assert not watch.tick()
    assert sink.taken() == []


@pytest.mark.parametrize(
    ("wall_ms", "monotonic_s"),
    [
        (STALL + 1, 60.001),  # a stopped process
        (STALL + 1, 0.5),  # a sleeping machine, or a wall clock that was set forward
        (-3_600_000, 60.001),  # stopped, and the wall clock was set back meanwhile
    ],
)
def test_a_pause_is_a_loss_before_anything_read_after_it(wall_ms: int, monotonic_s: float) -> None:
    clock, sink = TwoClocks(), ListSink()
    watch = watching(clock, sink)
    clock.wall_ms += wall_ms
    clock.monotonic_s += monotonic_s
    for raw in (voice(), RESUMED, ACK):
        with pytest.raises(ConnectionOverError):
            watch.read(raw)
    assert sink.taken() == [ShardLost(START + wall_ms, ShardId(0), START, BlindCause.STALLED)]
    assert not watch.must_identify  # it may resume: nothing that was put is missing


def test_a_pause_is_noticed_by_the_clock_alone() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    clock.advance(STALL)
    assert not watch.tick()
    clock.advance(1)
    assert watch.tick()
    assert kinds(sink.taken()) == [ShardLost]
    with pytest.raises(ConnectionOverError):
        watch.read(ACK)


def test_a_socket_that_died_during_the_pause_is_a_stall_too() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    clock.advance(STALL + 1)
    watch.lost(BlindCause.DISCONNECTED)
    assert sink.taken() == [ShardLost(START + STALL + 1, ShardId(0), START, BlindCause.STALLED)]


def test_a_resumed_that_lay_in_the_buffer_during_a_pause_vouches_for_nothing() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    watch.lost(BlindCause.DISCONNECTED)
    watch.opened()
    watch.read(HELLO)
    watch.read(voice())
    clock.advance(STALL + 1)
    with pytest.raises(ConnectionOverError):
        watch.read(RESUMED)
    assert kinds(sink.taken()) == [ShardLost, VoiceStateSeen]
    assert not watch.connected


def test_an_unreadable_payload_makes_the_shard_identify_anew() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    clock.advance(10)
    with pytest.raises(ConnectionOverError):
        watch.read(voice(channel=12, sequence=44))
    assert sink.taken() == [
        PayloadUnreadable(START + 10, ShardId(0), 5, START, 44),
        ShardLost(START + 10, ShardId(0), START + 10, BlindCause.UNREADABLE),
    ]
    assert watch.must_identify
    assert watch.counts.unreadable == 1
    assert watch.seconds_until_connecting() == 0


FRAMES_WITHOUT_SENSE = [
    b"",
    b"{not json",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"5",
    b"{}",
    b'{"op":"0"}',
    b'{"op":false,"t":"READY","s":1,"d":{}}',
    b'{"op":0,"d":{}}',
    b'{"op":0,"t":null,"s":1,"d":{}}',
    b'{"op":0,"t":"READY","s":"1","d":{}}',
    b'{"op":0,"t":"READY","s":true,"d":{}}',
    b'{"op":0,"t":"READY","s":1}',
    b'{"op":10,"d":{}}',
    b'{"op":10,"d":{"heartbeat_interval":0}}',
    b'{"op":10,"d":{"heartbeat_interval":true}}',
    b'{"op":10,"d":null}',
    b'{"op":11,"d":"\\ud800"}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("raw", FRAMES_WITHOUT_SENSE, ids=range(len(FRAMES_WITHOUT_SENSE)))
def test_a_frame_without_sense_makes_the_whole_shard_blind(raw: bytes) -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    clock.advance(10)
    with pytest.raises(ConnectionOverError):
        watch.read(raw)
    assert sink.taken() == [
        PayloadUnreadable(START + 10, ShardId(0), None, START, None),
        ShardLost(START + 10, ShardId(0), START, BlindCause.UNREADABLE),
    ]
    assert watch.must_identify


def test_a_guild_that_stays_unreadable_does_not_keep_the_others_blind() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    for _ in range(FREE_IDENTIFIES):
        with pytest.raises(ConnectionOverError):
            watch.read(voice(channel=12))
        watch.opened()
        watch.read(HELLO)
        watch.read(READY)
    sink.taken()
    watch.read(voice(channel=12))
    watch.read(voice(channel=12, guild="6"))
    watch.read(voice())
    assert kinds(sink.taken()) == [PayloadUnreadable, PayloadUnreadable, VoiceStateSeen]
    assert watch.connected
    assert not watch.tick()
    clock.advance(5_000)
    watch.read(ACK)
    assert watch.tick()
    assert sink.taken()[-1] == ShardLost(START + 5_000, ShardId(0), START + 5_000, BlindCause.UNREADABLE)
    assert watch.must_identify
    assert watch.seconds_until_connecting() == 0


def test_frames_without_sense_one_after_the_other_wait_before_they_connect() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    waits = []
    for _ in range(FREE_IDENTIFIES + 2):
        with pytest.raises(ConnectionOverError):
            watch.read(b"{")
        waits.append(watch.seconds_until_connecting())
        watch.opened()
        watch.read(HELLO)
        watch.read(READY)
    assert waits[-3:] == [0.0, 5.0, 10.0]


def test_a_full_sink_makes_the_shard_wait_for_room_and_identify() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    sink.capacity, sink.room = 1, False
    watch.read(voice())
    with pytest.raises(ConnectionOverError):
        watch.read(voice(sequence=3))
    watch.lost(BlindCause.DISCONNECTED)
    assert kinds(sink.taken()) == [VoiceStateSeen]  # the sink has noted the blindness itself
    assert watch.must_identify
    assert not watch.connected
    assert watch.seconds_until_connecting() > 0
    sink.room = True
    assert watch.seconds_until_connecting() == 0
    assert watch.counts.refused == 1


def test_a_loss_that_the_sink_refuses_makes_the_shard_identify() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    sink.capacity = 0
    watch.lost(BlindCause.DISCONNECTED)
    assert watch.must_identify


def test_after_stop_nothing_is_put() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    watch.stop()
    watch.read(voice())
    watch.read(READY)
    clock.advance(STALL + 1)
    assert not watch.tick()
    watch.lost(BlindCause.DISCONNECTED)
    assert sink.taken() == []
    assert not watch.connected


def test_a_shard_that_saw_everything_leaves_its_session_and_its_last_sign_of_life() -> None:
    clock, sink = FixedClock(START), ListSink()
    watch = watching(clock, sink)
    clock.advance(1_000)
    watch.read(ACK)
    clock.advance(500)
    assert watch.leave()
    assert sink.taken() == [ShardAlive(START + 1_000, ShardId(0))]
    watch.read(voice())
    assert sink.taken() == []
    assert not watch.connected
    assert not watch.leave()


def test_a_shard_that_did_not_see_everything_leaves_no_session() -> None:
    lost = watching(FixedClock(START), ListSink())
    lost.lost(BlindCause.DISCONNECTED)
    assert not lost.leave(), "replays may have been read that a restart forgets"
    clock, sink = FixedClock(START), ListSink()
    unreadable = watching(clock, sink)
    for _ in range(FREE_IDENTIFIES + 1):
        with contextlib.suppress(ConnectionOverError):
            unreadable.read(voice(channel=[]))
        if unreadable.connected:
            break  # it waits before it identifies anew, and watches its other guilds meanwhile
        unreadable.must_identify = False
        unreadable.opened()
        unreadable.read(HELLO)
        unreadable.read(READY)
    assert unreadable.connected
    assert not unreadable.leave(), "the payload may have been anyone's leave"
    full = ListSink()
    refused = watching(FixedClock(START), full)
    refused.read(ACK)
    full.capacity = 0
    assert not refused.leave()
