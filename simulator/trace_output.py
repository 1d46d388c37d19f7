"""Believable traces (accounting, section 2) of any length, for the replay benchmark and for trying things out.

About 95 lines in a hundred are `voice_state`; the others are what a long-running service sees: reconnections, resumed or
not, channels that change category, opt-outs, periods that end, rules that change.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from random import Random
from typing import Any, BinaryIO

from simulator.changes import VoiceChange
from simulator.demo_ids import demo_channel_id, demo_guild_id, demo_user_id
from simulator.encoding import encode_json
from simulator.patterns import Cast, voice_changes
from simulator.truth import voice_line

TRACE_STARTS_AT_MS = 1_767_571_200_000
"""2026-01-05T00:00Z, a Monday: the patterns' first midnight."""

_OTHER_LINES_SHARE = 0.05
_VOICE_CHANNELS = range(5, 11)
_AFK_CHANNEL = 11
_CATEGORIES = (1, 2)
_MUSIC_BOT_EVERY = 40
_RECONNECT_MAX_MS = 90_000
_CHANNELS_A_GUILD = 8


def write_trace(fp: BinaryIO, seed: int, lines: int, guilds: int, members: int) -> None:
    """Write a trace of exactly ``lines`` lines to a binary file: the same arguments give the same bytes.

    ``members`` is for each guild; one in forty is a bot. A guild's first lines are its rules, its channels and an empty
    snapshot, written when it first has something to say.
    """
    for _, line in zip(range(lines), trace_lines(seed, guilds, members), strict=False):
        fp.write(encode_json(line))
        fp.write(b"\n")


def trace_lines(seed: int, guilds: int, members: int) -> Iterator[dict[str, Any]]:
    """Yield the lines of an endless trace (an empty one if there is nobody)."""
    events = _OtherEvents(Random(seed ^ 0x5EED))
    written = others = 0
    for change in voice_changes(seed, trace_cast(guilds, members)):
        now_ms = TRACE_STARTS_AT_MS + change.offset_ms
        extra = [*events.due(now_ms), *events.introduce(now_ms, change.guild_id)]
        if others < written * _OTHER_LINES_SHARE:
            extra += events.happen(now_ms)
        yield from extra
        events.follow(change)
        yield voice_line((now_ms, *change[1:]))
        others += len(extra)
        written += len(extra) + 1


def trace_cast(guilds: int, members: int) -> Cast:
    """Return the people and channels of the traces: the demo world's ids."""
    numbers = range(guilds)
    channels = {demo_guild_id(n): [demo_channel_id(n, c) for c in _VOICE_CHANNELS] for n in numbers}
    people = [
        (demo_guild_id(n), demo_user_id(n, m), m % _MUSIC_BOT_EVERY == _MUSIC_BOT_EVERY - 1)
        for n in numbers
        for m in range(members)
    ]
    return Cast(channels, people, {demo_guild_id(n): demo_channel_id(n, _AFK_CHANNEL) for n in numbers})


class _OtherEvents:
    """What happens besides voice. It knows who is in voice, since a snapshot has to say so."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._numbers: dict[int, int] = {}
        self._guilds: list[int] = []
        self._in_voice: dict[int, dict[int, VoiceChange]] = {}
        self._people: dict[int, list[int]] = {}
        self._out: set[tuple[int, int]] = set()
        self._blind: set[int] = set()
        self._pending: list[tuple[int, int, str]] = []

    def introduce(self, now_ms: int, guild_id: int) -> list[dict[str, Any]]:
        """Return a guild's first lines, once."""
        if guild_id in self._in_voice:
            return []
        number = (guild_id >> 22) - (demo_guild_id(0) >> 22)
        self._numbers[guild_id] = number
        self._guilds.append(guild_id)
        self._in_voice[guild_id] = {}
        self._people[guild_id] = []
        rules = {"mode": "all", "afk_channel_id": str(demo_channel_id(number, _AFK_CHANNEL)), "pause_on_deafen": True}
        lines = [_line(now_ms, "rules", guild_id, rules=rules)]
        lines += [self._channel(now_ms, guild_id, channel) for channel in _VOICE_CHANNELS]
        return [*lines, _line(now_ms, "snapshot", guild_id, voice_states=[])]

    def follow(self, change: VoiceChange) -> None:
        """Take note of a voice change."""
        states = self._in_voice[change.guild_id]
        if change.channel_id is None:
            states.pop(change.user_id, None)
        else:
            if change.user_id not in states and not change.bot:
                self._people[change.guild_id] = [*self._people[change.guild_id][-15:], change.user_id]
            states[change.user_id] = change

    def due(self, now_ms: int) -> Iterator[dict[str, Any]]:
        """Yield the ends of the reconnections that are over."""
        while self._pending and self._pending[0][0] <= now_ms:
            _, guild_id, kind = heapq.heappop(self._pending)
            self._blind.discard(guild_id)
            # Written at the present instant and not at its own, which may lie before a line that stands already.
            yield self._snapshot(now_ms, guild_id) if kind == "snapshot" else _line(now_ms, kind, guild_id)

    def happen(self, now_ms: int) -> list[dict[str, Any]]:
        """Return one more event of some guild that was introduced."""
        if not self._guilds:
            return []
        guild_id = self._random.choice(self._guilds)
        draw = self._random.random()
        if draw < 0.70:  # noqa: PLR2004 - shares of a whole
            return self._reconnect(now_ms, guild_id)
        if draw < 0.93:  # noqa: PLR2004
            return [self._channel(now_ms, guild_id, self._random.choice(_VOICE_CHANNELS))]
        if draw < 0.99:  # noqa: PLR2004
            return self._opt_out(now_ms, guild_id)
        if draw < 0.997:  # noqa: PLR2004
            return [_line(now_ms, "period_end", guild_id)]
        afk = str(demo_channel_id(self._numbers[guild_id], _AFK_CHANNEL))
        rules = {"mode": "all", "afk_channel_id": afk, "pause_when_solo": self._random.random() < 0.5}  # noqa: PLR2004
        return [_line(now_ms, "rules", guild_id, rules=rules)]

    def _reconnect(self, now_ms: int, guild_id: int) -> list[dict[str, Any]]:
        if guild_id in self._blind:
            return []
        self._blind.add(guild_id)
        kind = "resumed" if self._random.random() < 0.9 else "snapshot"  # noqa: PLR2004
        back_ms = now_ms + 500 + int(self._random.random() ** 3 * _RECONNECT_MAX_MS)
        heapq.heappush(self._pending, (back_ms, guild_id, kind))
        return [_line(now_ms, "blind", guild_id)]

    def _opt_out(self, now_ms: int, guild_id: int) -> list[dict[str, Any]]:
        people = self._people[guild_id]
        if not people:
            return []
        user_id = self._random.choice(people)
        key = (guild_id, user_id)
        # Few stay out: otherwise a long trace would end with nobody left.
        out = key not in self._out and self._random.random() < 0.5  # noqa: PLR2004
        self._out.symmetric_difference_update({key} if out != (key in self._out) else ())
        return [_line(now_ms, "opt_out", guild_id, user_id=str(user_id), out=out)]

    def _snapshot(self, now_ms: int, guild_id: int) -> dict[str, Any]:
        shown = []
        for change in self._in_voice[guild_id].values():
            state = voice_line((now_ms, *change[1:]))
            shown.append({key: value for key, value in state.items() if key not in {"at", "type", "guild_id"}})
        return _line(now_ms, "snapshot", guild_id, voice_states=shown)

    def _channel(self, now_ms: int, guild_id: int, channel: int) -> dict[str, Any]:
        number = self._numbers[guild_id]
        category = str(demo_channel_id(number, self._random.choice(_CATEGORIES)))
        own = str(demo_channel_id(number, channel))
        return _line(now_ms, "channel", guild_id, channel_id=own, parent_id=category)


def _line(now_ms: int, kind: str, guild_id: int, **members: Any) -> dict[str, Any]:
    return {"at": now_ms, "type": kind, "guild_id": str(guild_id), **members}
