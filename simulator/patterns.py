"""Believable afternoons: who joins, moves, mutes, deafens and leaves when. A pure function of its seed.

Every member has habits (a favourite hour, a few favourite channels, how often, how long, how fidgety). Joins are a
Poisson process whose rate follows the hour and the day of the week; time in voice is log-normal; flags change now and
then. With these constants a change ends a session about once in 4.8 times, bots aside.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from simulator.changes import VoiceChange

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_MINUTE_MS = 60_000

# How busy each hour of a day is, from midnight; the busiest is 1.
_HOURS = (
    0.45, 0.28, 0.16, 0.10, 0.07, 0.07, 0.08, 0.12, 0.16, 0.20, 0.24, 0.27,
    0.32, 0.35, 0.38, 0.42, 0.50, 0.60, 0.75, 0.90, 1.00, 0.97, 0.85, 0.65,
)  # fmt: skip
_WEEKEND_FACTOR = 1.35
_WEEKEND = frozenset({5, 6})
_BUSIEST = max(_HOURS) * _WEEKEND_FACTOR

_JOINS_A_BUSY_HOUR_MEDIAN = 0.35
_STAY_MEDIAN_MIN = 26.0
_STAY_SIGMA = 1.0
_STAY_MIN_MS = 20_000
_STAY_MAX_MS = 9 * HOUR_MS
_FLAG_EVERY_MEDIAN_MIN = 16.5
_MOVES_ON = 0.27
_JOINS_MUTED = 0.18
_FAVOURITE = 0.7
_TO_AFK = 0.04


@dataclass(frozen=True, slots=True)
class Cast:
    """Who can appear and where: voice channels by guild, and the members as (guild, user, bot)."""

    channels: Mapping[int, Sequence[int]]
    members: Sequence[tuple[int, int, bool]]
    afk: Mapping[int, int]


@dataclass(slots=True)
class _Person:
    guild_id: int
    user_id: int
    bot: bool
    channels: Sequence[int]
    afk: int | None
    favourite: int
    favourite_shift_h: int
    joins_an_hour: float
    stay_factor: float
    flag_every_ms: float
    channel_id: int | None = None
    ends_ms: int = 0
    self_mute: bool = False
    mute: bool = False
    self_deaf: bool = False
    deaf: bool = False


def voice_changes(seed: int, cast: Cast, *, start_ms: int = 0) -> Iterator[VoiceChange]:
    """Yield an endless, time-ordered stream of voice changes; offsets count from ``start_ms`` of a Monday's midnight.

    Everyone is out of voice at the beginning. The same arguments give the same stream on every machine. The stream
    ends at once if nobody can join anything.
    """
    random = Random(seed)
    people = [_person(random, cast, *member) for member in cast.members if cast.channels[member[0]]]
    # The index breaks ties, so that the order does not depend on anything else.
    heap = [(_next_join_ms(random, person, start_ms), index) for index, person in enumerate(people)]
    heapq.heapify(heap)
    while heap:
        now_ms, index = heap[0]
        person = people[index]
        next_ms = _act(random, person, now_ms)
        heapq.heapreplace(heap, (next_ms, index))
        yield VoiceChange(
            now_ms - start_ms,
            person.guild_id,
            person.user_id,
            person.channel_id,
            person.self_mute,
            person.mute,
            person.self_deaf,
            person.deaf,
            person.bot,
        )


def _person(random: Random, cast: Cast, guild_id: int, user_id: int, bot: bool) -> _Person:  # noqa: FBT001 - a tuple's member
    channels = cast.channels[guild_id]
    return _Person(
        guild_id,
        user_id,
        bot,
        channels,
        cast.afk.get(guild_id),
        favourite=min(int(random.expovariate(0.6)), len(channels) - 1),
        favourite_shift_h=round(random.gauss(0, 2)),
        joins_an_hour=min(random.lognormvariate(0, 0.8), 6.0) * _JOINS_A_BUSY_HOUR_MEDIAN,
        stay_factor=random.lognormvariate(0, 0.35),
        flag_every_ms=random.lognormvariate(0, 0.5) * _FLAG_EVERY_MEDIAN_MIN * _MINUTE_MS,
    )


def _next_join_ms(random: Random, person: _Person, now_ms: int) -> int:
    """Thin a Poisson process of the busiest rate down to the rate of each instant."""
    peak_per_ms = person.joins_an_hour * _BUSIEST / HOUR_MS
    at_ms = float(now_ms)
    while True:
        at_ms += random.expovariate(peak_per_ms)
        if random.random() * _BUSIEST < _busyness(person, int(at_ms)):
            return max(int(at_ms), now_ms + 1)


def _busyness(person: _Person, at_ms: int) -> float:
    hour = (at_ms // HOUR_MS + person.favourite_shift_h) % 24
    weekend = at_ms // DAY_MS % 7 in _WEEKEND
    return _HOURS[hour] * (_WEEKEND_FACTOR if weekend else 1.0)


def _act(random: Random, person: _Person, now_ms: int) -> int:
    """Do the person's next thing and return when the one after is due."""
    if person.channel_id is None:
        person.channel_id = _pick_channel(random, person)
        person.self_mute = random.random() < _JOINS_MUTED
        person.self_deaf = person.mute = person.deaf = False
        person.ends_ms = now_ms + _stay_ms(random, person)
    elif now_ms < person.ends_ms:
        _change_flags(random, person)
    elif random.random() < _MOVES_ON and _move_on(random, person):
        person.ends_ms = now_ms + _stay_ms(random, person)
    else:
        person.channel_id = None
        person.self_mute = person.self_deaf = person.mute = person.deaf = False
        return _next_join_ms(random, person, now_ms)
    flags_ms = now_ms + 1_000 + int(random.expovariate(1.0) * person.flag_every_ms)
    return min(flags_ms, person.ends_ms)


def _stay_ms(random: Random, person: _Person) -> int:
    minutes = random.lognormvariate(0, _STAY_SIGMA) * _STAY_MEDIAN_MIN * person.stay_factor
    return min(max(int(minutes * _MINUTE_MS), _STAY_MIN_MS), _STAY_MAX_MS)


def _pick_channel(random: Random, person: _Person) -> int:
    if random.random() < _FAVOURITE:
        return person.channels[person.favourite]
    return person.channels[int(random.random() * len(person.channels))]


def _move_on(random: Random, person: _Person) -> bool:
    """Go to another channel, now and then to the AFK channel; return whether there was one to go to."""
    if person.afk is not None and person.afk != person.channel_id and random.random() < _TO_AFK:
        person.channel_id = person.afk
        return True
    others = [channel for channel in person.channels if channel != person.channel_id]
    if others:
        person.channel_id = others[int(random.random() * len(others))]
    return bool(others)


def _change_flags(random: Random, person: _Person) -> None:
    """Toggle what people toggle: mostly their own mute, then their own deafness (which mutes too), rarely a moderator's."""
    draw = random.random()
    if draw < 0.74:  # noqa: PLR2004 - shares of a whole
        person.self_mute = not person.self_mute
        person.self_deaf = person.self_deaf and person.self_mute
    elif draw < 0.95:  # noqa: PLR2004
        person.self_deaf = not person.self_deaf
        person.self_mute = person.self_deaf
    elif draw < 0.985:  # noqa: PLR2004
        person.mute = not person.mute
    else:
        person.deaf = not person.deaf
