"""The whole life of a demo world since a Monday long ago: the crowd, the habits, and what happens to channels.

One stream, a function of the seed: what was recorded of it up to an instant, and a simulator that begins at that instant,
cannot contradict each other.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from simulator.changes import Change, ChannelMade, ChannelRemoved, ChannelRenamed, VoiceChange
from simulator.demo_ids import demo_channel_id, demo_guild_id, demo_user_id
from simulator.entities import VOICE_TYPES
from simulator.habits import GAMES, Habit, creatures_of_habit, habitual_changes
from simulator.patterns import DAY_MS, HOUR_MS, Cast, voice_changes
from simulator.settings import Settings
from simulator.world import World

_CATEGORY_STUDY = 2
_EXAM_ROOM = 50  # far behind the channels that a guild is founded with
_EXAM_FIRST_DAY, _EXAM_DAYS = 15, 3
_RENAMED_ON_DAY, _NEW_NAME = 9, "Board Games"
_EXAM_GROUP = (19, 20, 22, 23)
_EXAM_HABITS = tuple(Habit(member, _EXAM_ROOM, frozenset(range(7)), 16.5, 140, 0.9, muted=0.5) for member in _EXAM_GROUP)


def cast_of(world: World, *, without: frozenset[int] = frozenset()) -> Cast:
    """Return who can appear where in a world: everyone but the bot itself, in every voice channel but the AFK ones."""
    guilds = world.guilds.values()
    channels = {
        guild.id: [c.id for c in guild.channels.values() if c.type in VOICE_TYPES and c.id != guild.afk_channel_id]
        for guild in guilds
    }
    # An account has one voice connection: who is in two guilds lives in the first of them.
    homes: dict[int, tuple[int, int, bool]] = {}
    for guild in guilds:
        for user_id, member in guild.members.items():
            if user_id != world.bot.id and user_id not in without:
                homes.setdefault(user_id, (guild.id, user_id, member.user.bot))
    afk = {guild.id: guild.afk_channel_id for guild in guilds if guild.afk_channel_id is not None}
    return Cast(channels, list(homes.values()), afk)


def life_changes(settings: Settings, world: World) -> Iterator[Change]:
    """Yield everything that ever happens in a demo world, in order; offsets count from its first Monday's midnight."""
    numbers = range(settings.guilds)
    known = {demo_user_id(number, member) for number in numbers for member in creatures_of_habit(settings.members)}
    known |= {demo_user_id(0, member) for member in _EXAM_GROUP}
    crowd = voice_changes(settings.seed, cast_of(world, without=frozenset(known)))
    streams: list[Iterator[Change]] = [crowd]
    for number in numbers:
        streams += [
            habitual_changes(settings.seed, number, settings.members),
            iter(_edits(number)),
            _exam_weeks(settings, number),
        ]
    # Equal instants go in the order of the streams: nothing here depends on anything but the seed.
    return heapq.merge(*streams, key=lambda change: change.offset_ms)


def settled(changes: Iterator[Change], offset_ms: int) -> Iterator[Change]:
    """Yield a stream that comes to the same state at ``offset_ms``, leaving out how it came there, and goes on unchanged.

    Of the voice states up to then only each member's last one is given, at its instant.
    """
    latest: dict[tuple[int, int], VoiceChange] = {}
    following: Change | None = None
    for change in changes:
        if change.offset_ms > offset_ms:
            following = change
            break
        if isinstance(change, VoiceChange):
            latest[change.guild_id, change.user_id] = change
            continue
        if isinstance(change, ChannelRemoved):
            latest = {key: last for key, last in latest.items() if last.channel_id != change.channel_id}
        yield change._replace(offset_ms=0)
    yield from sorted((last for last in latest.values() if last.channel_id is not None), key=lambda last: last.offset_ms)
    if following is not None:
        yield following
    yield from changes


def _edits(number: int) -> list[Change]:
    """A room is renamed; another is made for an exam and deleted after it. In the first guild only."""
    if number:
        return []
    room = demo_channel_id(number, _EXAM_ROOM)
    first_ms = _EXAM_FIRST_DAY * DAY_MS
    return [
        ChannelRenamed(_RENAMED_ON_DAY * DAY_MS + 11 * HOUR_MS, demo_channel_id(number, GAMES), _NEW_NAME),
        ChannelMade(first_ms + 9 * HOUR_MS, demo_guild_id(number), room, "Exam Room", demo_channel_id(number, _CATEGORY_STUDY)),
        ChannelRemoved(first_ms + _EXAM_DAYS * DAY_MS, room),
    ]


def _exam_weeks(settings: Settings, number: int) -> Iterator[Change]:
    """The exam's group meets while its room is there, and deletes it at midnight with whoever is still in it."""
    if number:
        return
    room, first_ms = demo_channel_id(number, _EXAM_ROOM), _EXAM_FIRST_DAY * DAY_MS
    last_ms = first_ms + _EXAM_DAYS * DAY_MS
    for change in habitual_changes(settings.seed + 1, number, settings.members, _EXAM_HABITS):
        if change.offset_ms >= last_ms:
            return
        if change.offset_ms >= first_ms and change.channel_id in (room, None):
            yield change
