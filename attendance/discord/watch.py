"""What one shard read and when: signs of life, stalls, and the order in which all of it is put.

Every frame of the shard's socket passes through `ShardWatch.read` at the instant it is read, before hikari acts on it, and
every end of a connection through `ShardWatch.lost`. Both run in the gateway's event loop and never await, so what is put has
the order of the socket: nothing read before a loss is put after it, nothing read after it before it.

Clocks: CLOCK_MONOTONIC stands still while a machine sleeps, and the wall clock can be set. A pause is therefore seen on
either: a stopped process on both, a sleeping machine on the wall clock. A wall clock that is set forward looks like a pause
and is treated as one (blind, the safe side); one that is set back hides a sleep of the same length, no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from attendance.discord.pacing import IdentifyPacing
from attendance.discord.payloads import read_dispatch, why_unreadable
from attendance.domain.ids import ShardId
from attendance.domain.observations import BlindCause, Observation, PayloadUnreadable, ShardAlive, ShardLost
from attendance.ports.clock import Clock
from attendance.ports.dispatches import DispatchListener
from attendance.ports.observing import ObservationSink

STALL_HEARTBEATS = 1.5
ROOM_POLL_S = 0.1

_DISPATCH, _HELLO = 0, 10
_HANDSHAKES = frozenset({"READY", "RESUMED"})
_decode = msgspec.json.Decoder().decode
_log = structlog.get_logger(__name__)


class ConnectionOverError(Exception):
    """Nothing more of this connection may be read. Whatever had to be put was put; `ShardWatch` knows how to go on."""


@dataclass(slots=True)
class ShardCounts:
    """Counted since the start, for the metrics."""

    frames: int = 0
    unreadable: int = 0
    refused: int = 0
    losses: dict[BlindCause, int] = field(default_factory=dict)


class ShardWatch:
    """One shard's ledger. Belongs to the gateway's thread; `connected` and ``counts`` may be read from others.

    Args:
        shard_id: the shard.
        sink: where observations go.
        clock: wall and monotonic time.
        stall_heartbeats: signs of life further apart than this many heartbeat intervals are a stall.
        listener: told of the dispatches that it wants.
    """

    def __init__(
        self,
        shard_id: ShardId,
        sink: ObservationSink,
        clock: Clock,
        *,
        stall_heartbeats: float = STALL_HEARTBEATS,
        listener: DispatchListener | None = None,
    ) -> None:
        self.shard_id = shard_id
        self.counts = ShardCounts()
        self.must_identify = False
        self._sink = sink
        self._clock = clock
        self._stall_heartbeats = stall_heartbeats
        self._listener = listener
        self._pacing = IdentifyPacing()
        self._watching = False  # between READY or RESUMED and the loss that follows
        self._over = False  # this connection is given up
        self._refused = False  # by the sink; it has noted the blindness itself
        self._stopped = False
        self._stall_ms: float | None = None  # known from HELLO on
        self._alive_ms = 0
        self._alive_s = 0.0
        self._has_news = False  # a sign of life that nothing put has told of
        self._reconnect_at_s: float | None = None
        self._connect_after_s = 0.0

    @property
    def connected(self) -> bool:
        """Whether the shard is seeing everything now."""
        return self._watching

    def stop(self) -> None:
        """Put nothing from now on: the process ends on purpose, and its next start reckons the blindness."""
        self._stopped = True
        self._watching = False

    def leave(self) -> bool:
        """Stop; whether the session may be resumed by another process: all that was read of it was seen and put."""
        if self._watching and self._has_news:
            self._put(ShardAlive(self._alive_ms, self.shard_id))
        is_whole = self._watching and not self.must_identify
        self.stop()
        return is_whole

    def seconds_until_connecting(self) -> float:
        """How long a new connection must still wait: for room in the sink, or to spare identifies. 0 is now."""
        if self._refused:
            if not self._sink.has_room(self.shard_id):
                return ROOM_POLL_S
            self._refused = False
        return max(0.0, self._connect_after_s - self._clock.monotonic())

    def opened(self) -> None:
        """A new connection is being opened."""
        self._over = False
        self._stall_ms = None
        self._reconnect_at_s = None

    def read(self, raw: bytes | str) -> dict[str, Any]:
        """Decode one frame and put what it says. This is the JSON decoder that hikari calls for every frame it reads.

        Raises:
            ConnectionOverError: this frame and what is behind it must not be looked at; the connection has to be closed.
        """
        if self._over:
            raise ConnectionOverError("the connection was given up")
        now_ms, now_s = self._clock.now_ms(), self._clock.monotonic()
        if self._is_stalled(now_ms, now_s):
            # hikari has not counted the frame yet: a resume brings it again, as a replay.
            self._give_up(BlindCause.STALLED)
            raise ConnectionOverError("signs of life too far apart")
        try:
            frame = _decode(raw)
        except (ValueError, RecursionError):
            self.unreadable_frame("not JSON")
            raise ConnectionOverError("a frame is not JSON") from None
        alive_ms, self._alive_ms, self._alive_s = self._alive_ms, now_ms, now_s
        self._has_news = True
        self.counts.frames += 1
        op = frame.get("op") if type(frame) is dict else None
        if op == _DISPATCH and type(op) is int:
            self._read_dispatch(frame, now_ms, alive_ms)
        elif type(op) is not int or (op == _HELLO and not self._read_hello(frame)):
            self._alive_ms = alive_ms
            self.unreadable_frame("no known envelope")
        if self._over:
            raise ConnectionOverError("the connection was given up")
        return frame  # type: ignore[no-any-return]

    def _read_hello(self, frame: dict[str, Any]) -> bool:
        data = frame.get("d")
        interval_ms = data.get("heartbeat_interval") if type(data) is dict else None
        if isinstance(interval_ms, bool) or not isinstance(interval_ms, int | float) or interval_ms <= 0:
            return False
        self._stall_ms = self._stall_heartbeats * interval_ms
        return True

    def _read_dispatch(self, frame: dict[str, Any], now_ms: int, alive_ms: int) -> None:
        name, sequence = frame.get("t"), frame.get("s")
        if type(name) is not str or type(sequence) is not int or "d" not in frame:
            self._alive_ms = alive_ms
            self.unreadable_frame("no known envelope")
            return
        read = read_dispatch(name, frame["d"], now_ms, self.shard_id, alive_ms, sequence)
        if isinstance(read, PayloadUnreadable):
            self._unreadable(read, name, why_unreadable(name, frame["d"]))
            return
        if name in _HANDSHAKES:
            self._watching = not self._stopped  # before it is put: who sees ShardReady finds the shard connected
        for observation in read:
            if not self._put(observation):
                return
        # Whatever says something to the recorder is nobody else's: the hot path pays for one comparison.
        if not read and self._listener is not None and not self._stopped and name in self._listener.names:
            self._listener.dispatched(name, frame["d"])

    def unreadable_frame(self, why: str) -> None:
        """Note that a frame could not even be taken apart; it may have been anyone's leave. The connection is over."""
        now_ms = self._clock.now_ms()
        self._unreadable(PayloadUnreadable(now_ms, self.shard_id, None, self._alive_ms, None), None, why)

    def _unreadable(self, seen: PayloadUnreadable, name: str | None, why: str) -> None:
        self.counts.unreadable += 1
        _log.error(
            "gateway_payload_unreadable", shard=self.shard_id, sequence=seen.sequence, kind=name, guild=seen.guild_id, why=why
        )
        if not self._put(seen):
            return
        if self._reconnect_at_s is not None and seen.guild_id is not None:
            return  # an identify is on its way already
        now_s = self._clock.monotonic()
        wait_s = self._pacing.next_wait(now_s)
        self.must_identify = True
        if wait_s > 0 and seen.guild_id is not None and self._watching:
            # Only that guild is blind: the others need not wait with it.
            self._reconnect_at_s = now_s + wait_s
            return
        self._connect_after_s = now_s + wait_s
        self._give_up(BlindCause.UNREADABLE)

    def lost(self, cause: BlindCause) -> None:
        """The connection has ended, or is given up. Puts ShardLost if the shard was watching: once a loss."""
        if not self._watching:
            return
        self._watching = False
        now_ms = self._clock.now_ms()
        if self._is_stalled(now_ms, self._clock.monotonic()):
            cause = BlindCause.STALLED  # the socket died while we slept
        self.counts.losses[cause] = self.counts.losses.get(cause, 0) + 1
        _log.warning("shard_lost", shard=self.shard_id, cause=cause.value, blind_ms=now_ms - self._alive_ms)
        self._put(ShardLost(now_ms, self.shard_id, self._alive_ms, cause))

    def tick(self) -> bool:
        """Look at the clocks, about once a second. Returns True if the connection has to be closed now."""
        if self._over or self._stall_ms is None or self._stopped:
            return False
        now_s = self._clock.monotonic()
        if self._is_stalled(self._clock.now_ms(), now_s):
            self._give_up(BlindCause.STALLED)
        elif self._reconnect_at_s is not None and now_s >= self._reconnect_at_s:
            self._give_up(BlindCause.UNREADABLE)
        elif self._watching and self._has_news:
            self._put(ShardAlive(self._alive_ms, self.shard_id))
        return self._over

    def _is_stalled(self, now_ms: int, now_s: float) -> bool:
        stall_ms = self._stall_ms
        if stall_ms is None:
            return False
        return now_ms - self._alive_ms > stall_ms or (now_s - self._alive_s) * 1000 > stall_ms

    def _give_up(self, cause: BlindCause) -> None:
        self._over = True
        self.lost(cause)

    def _put(self, observation: Observation) -> bool:
        if self._stopped:
            return True
        if self._sink.put(observation):
            self._has_news = False
            return True
        self.counts.refused += 1
        self._refused = self._over = self.must_identify = True
        self._watching = False
        _log.warning("shard_refused", reason="the queue is full", shard=self.shard_id)
        return False
