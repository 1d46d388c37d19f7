"""People who keep to their days: a morning worker, a study group, night owls, two who work together. From the seed alone.

`simulator.patterns` makes a crowd; these are the members whom one knows by name. Who has habits here is not in the crowd.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from simulator.changes import VoiceChange
from simulator.demo_ids import demo_channel_id, demo_guild_id, demo_user_id
from simulator.patterns import DAY_MS, HOUR_MS

_MINUTE_MS = 60_000
_WORKDAYS = frozenset(range(5))
_EVERY_DAY = frozenset(range(7))
# Places of the demo's channels in its list (`simulator.demo_world`).
LOUNGE, GAMES, MUSIC, FOCUS, STUDY = 5, 6, 7, 8, 9

_ADMIN, _MEMBER = 1, 2
_STUDY_GROUP = (4, 5, 7, 8, 10)
_NIGHT_OWLS = (11, 13, 14)
_TOGETHER = (16, 17)
_PRIVATE = 25  # opts out one evening (what is asked of the service is not the simulator's business), and goes on coming


@dataclass(frozen=True, slots=True)
class Habit:
    """One member's: on these days of the week (0 is Monday) at this hour, for about so long, as often as ``chance`` says."""

    member: int
    channel: int
    days: frozenset[int]
    hour: float
    minutes: float
    chance: float
    muted: float = 0.2


HABITS = (
    Habit(_ADMIN, LOUNGE, _WORKDAYS, 18.5, 55, 0.75),
    Habit(_ADMIN, GAMES, frozenset({4, 5}), 20.5, 150, 0.85),
    Habit(_MEMBER, FOCUS, _WORKDAYS, 8.0, 100, 0.93, muted=0.7),
    Habit(_MEMBER, STUDY, frozenset({1, 3}), 18.0, 125, 0.95, muted=0.5),
    Habit(_MEMBER, GAMES, frozenset({4, 5}), 20.6, 140, 0.7),
    Habit(_MEMBER, LOUNGE, frozenset({6}), 15.0, 70, 0.6),
    *(Habit(member, STUDY, frozenset({1, 3}), 18.0, 110, 0.85, muted=0.5) for member in _STUDY_GROUP),
    *(Habit(member, GAMES, frozenset({5}), 20.5, 130, 0.5) for member in _STUDY_GROUP),
    *(Habit(member, LOUNGE, _EVERY_DAY, 22.4, 170, 0.6) for member in _NIGHT_OWLS),
    Habit(_PRIVATE, LOUNGE, _EVERY_DAY, 18.3, 150, 0.9),
    *(Habit(member, FOCUS, _WORKDAYS, 9.0, 190, 0.8, muted=0.6) for member in _TOGETHER),
    *(Habit(member, FOCUS, _WORKDAYS, 13.2, 170, 0.7, muted=0.6) for member in _TOGETHER),
)


def creatures_of_habit(members: int) -> frozenset[int]:
    """The numbers of those who have habits in a guild of so many members."""
    return frozenset(habit.member for habit in HABITS if habit.member < members)


def habitual_changes(seed: int, guild_number: int, members: int, habits: Sequence[Habit] = HABITS) -> Iterator[VoiceChange]:
    """Yield the endless, time-ordered stream of one guild's habits; offsets count from a Monday's midnight.

    The same arguments give the same stream on every machine.
    """
    own = sorted((habit for habit in habits if habit.member < members), key=lambda habit: (habit.hour, habit.member))
    if not own:
        return
    free_from_ms: dict[int, int] = {}
    waiting: list[VoiceChange] = []
    day = 0
    while True:
        random = Random(f"{seed}/{guild_number}/{day}")
        for habit in own:
            visit = _visit(random, habit, guild_number, day)
            # Nobody is in two rooms: who is still somewhere else does not come.
            if visit and visit[0].offset_ms > free_from_ms.get(habit.member, -1):
                free_from_ms[habit.member] = visit[-1].offset_ms
                for change in visit:
                    heapq.heappush(waiting, change)
        day += 1
        # No visit begins more than an hour before its day.
        while waiting and waiting[0].offset_ms < day * DAY_MS - HOUR_MS:
            yield heapq.heappop(waiting)


def _visit(random: Random, habit: Habit, guild_number: int, day: int) -> list[VoiceChange]:
    """One visit: coming, a few flags, perhaps a short break, leaving; empty if it does not take place.

    Each call draws first whether it does, so that one visit more or less changes nothing but the rest of its day.
    """
    if day % 7 not in habit.days or random.random() > habit.chance:
        return []
    at_ms = int(day * DAY_MS + habit.hour * HOUR_MS + random.gauss(0, 8) * _MINUTE_MS)
    at_ms = max(at_ms, day * DAY_MS - HOUR_MS, 0)
    end_ms = at_ms + max(int(habit.minutes * random.lognormvariate(0, 0.25) * _MINUTE_MS), 5 * _MINUTE_MS)
    here = demo_channel_id(guild_number, habit.channel)
    muted, deaf, channel = random.random() < habit.muted, False, here
    visit = [_state(at_ms, habit, guild_number, here, muted=muted)]
    while True:
        at_ms += 20_000 + int(random.expovariate(1 / (17 * _MINUTE_MS)))
        if at_ms >= end_ms:
            return [*visit, _state(end_ms, habit, guild_number, None)]
        draw = random.random()
        if draw < 0.6:  # noqa: PLR2004 - shares of a whole
            muted, deaf = not muted, False
        elif draw < 0.85:  # noqa: PLR2004
            deaf = not deaf
            muted = deaf
        else:  # looks in elsewhere, and comes back
            elsewhere = demo_channel_id(guild_number, LOUNGE if habit.channel != LOUNGE else GAMES)
            channel = here if channel == elsewhere else elsewhere
        visit.append(_state(at_ms, habit, guild_number, channel, muted=muted, deaf=deaf))


def _state(
    at_ms: int, habit: Habit, guild_number: int, channel_id: int | None, *, muted: bool = False, deaf: bool = False
) -> VoiceChange:
    guild_id, user_id = demo_guild_id(guild_number), demo_user_id(guild_number, habit.member)
    return VoiceChange(at_ms, guild_id, user_id, channel_id, muted, mute=False, self_deaf=deaf, deaf=False, bot=False)
