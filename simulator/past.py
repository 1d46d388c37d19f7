"""The past of a demo world as its bot's socket saw it: frames, and the losses of the connection between them.

The world lives through it at once. The frames are those that `simulator.gateway` would have sent, but for HELLO and the
answers to heartbeats: nothing is said at night that is not in them, so the reader has no stalls to look for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from simulator.changes import Change
from simulator.demo_world import build_demo_world
from simulator.encoding import encode_dispatch, encode_json
from simulator.lives import life_changes
from simulator.patterns import DAY_MS, HOUR_MS
from simulator.player import apply_change
from simulator.settings import Settings
from simulator.world import Dispatch, World

_MINUTE_MS = 60_000
_HEARTBEAT_ACK = encode_json({"op": 11})
_ALIVE_BEFORE_MS = 5_000


class Frame(NamedTuple):
    """What the bot read from its socket, and when (Unix milliseconds)."""

    at_ms: int
    payload: bytes


class Lost(NamedTuple):
    """The bot's socket broke."""

    at_ms: int


Moment = Frame | Lost


class Loss(NamedTuple):
    """A loss of the connection: offsets from the first Monday. Resumed, the bot is told what it missed."""

    from_ms: int
    until_ms: int
    resumed: bool


def losses(seed: int) -> Iterator[Loss]:
    """Yield the losses there ever are: three a week, resumed, short, and long, so that each kind of blind time is seen."""
    week = 0
    while True:
        random = Random(f"{seed}/losses/{week}")
        days = random.sample(range(7), 3)
        lengths_ms = (
            int(random.uniform(4_000, 25_000)),  # resumed: vouched for where nothing happened
            int(random.uniform(35_000, 100_000)),  # anew, short enough to be bridged by the usual rules
            int(random.uniform(9, 34) * _MINUTE_MS),  # anew, and nobody can say what happened
        )
        found = []
        for day, length_ms, resumed in zip(days, lengths_ms, (True, False, False), strict=True):
            from_ms = (week * 7 + day) * DAY_MS + int(random.uniform(17.0, 22.5) * HOUR_MS)
            found.append(Loss(from_ms, from_ms + length_ms, resumed))
        yield from sorted(found)
        week += 1


@dataclass(slots=True)
class Past:
    """A demo world and what its bot saw from ``began_ms``, a Monday's midnight in Unix milliseconds."""

    settings: Settings
    began_ms: int
    world: World = field(init=False)
    _sequence: int = 0
    _sessions: int = 0
    _seen: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = build_demo_world(self.settings)
        self.world.listeners.append(self._see)

    def moments(self, until_ms: int) -> Iterator[Moment]:
        """Yield what happened before ``until_ms``, in order. At the end the bot is connected, unless it was just losing it."""
        yield from self._connect(self.began_ms)
        missed: list[tuple[str, bytes]] | None = None  # a list while nothing is read
        last_ms = self.began_ms
        for event in heapq.merge(life_changes(self.settings, self.world), _edges(self.settings.seed), key=_offset):
            at_ms = self.began_ms + event.offset_ms
            if at_ms >= until_ms:
                break
            match event:
                case _Broken():
                    # A heartbeat was answered a moment before: an evening's silence is no loss.
                    yield Frame(max(last_ms, at_ms - _ALIVE_BEFORE_MS), _HEARTBEAT_ACK)
                    yield Lost(at_ms)
                    missed = []
                case _Back(resumed=resumed):
                    yield from self._resume(at_ms, missed or []) if resumed else self._connect(at_ms)
                    missed = None
                case _:
                    apply_change(self.world, event)
                    if missed is None:
                        yield from self._frames(at_ms, self._seen)
                    else:
                        missed += self._seen
                    self._seen.clear()
            last_ms = at_ms
        self.world.truth.clear()

    def _see(self, dispatch: Dispatch) -> None:
        if dispatch.data is not None:
            self._seen.append((dispatch.name, dispatch.data))

    def _frames(self, at_ms: int, told: list[tuple[str, bytes]]) -> Iterator[Frame]:
        for name, data in told:
            self._sequence += 1
            yield Frame(at_ms, encode_dispatch(name, self._sequence, data))

    def _connect(self, at_ms: int) -> Iterator[Frame]:
        """A new gateway session: READY, and every guild as it is."""
        self._sessions += 1
        self._sequence = 0
        guilds = list(self.world.guilds.values())
        ready = {
            "session_id": f"{self._sessions:032x}",
            "resume_gateway_url": "ws://the-past.invalid",
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
        }
        told = [("READY", encode_json(ready))]
        bot_id = self.world.bot.id
        told += [("GUILD_CREATE", encode_json(guild.create_payload(bot_id, with_voice=True))) for guild in guilds]
        return self._frames(at_ms, told)

    def _resume(self, at_ms: int, missed: list[tuple[str, bytes]]) -> Iterator[Frame]:
        return self._frames(at_ms, [*missed, ("RESUMED", b"{}")])


class _Broken(NamedTuple):
    offset_ms: int


class _Back(NamedTuple):
    offset_ms: int
    resumed: bool


def _edges(seed: int) -> Iterator[_Broken | _Back]:
    for loss in losses(seed):
        yield _Broken(loss.from_ms)
        yield _Back(loss.until_ms, loss.resumed)


def _offset(event: Change | _Broken | _Back) -> int:
    return event.offset_ms
