"""What really happened in the world, as a trace: tests compare the service's sessions with the accounting of it.

The truth knows no blind time: it goes on while sockets are down. Its lines are those of accounting, section 2.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from simulator.entities import VoiceState

Record = tuple[int, str, int, dict[str, Any]]
VoiceRecord = tuple[int, int, int, int | None, bool, bool, bool, bool, bool]


def wall_clock_ms() -> int:
    """Return Unix milliseconds."""
    return time.time_ns() // 1_000_000


class TruthLog:
    """An append-only list of world changes with the instant at which each was put on the sockets.

    Instants never decrease, also when the wall clock steps back. A voice change is kept as one tuple, since a burst
    makes tens of thousands. Beyond ``limit`` lines the oldest tenth is forgotten: a demo may run for weeks.
    """

    def __init__(self, now_ms: Callable[[], int] = wall_clock_ms, *, limit: int = 2_000_000) -> None:
        self._now_ms = now_ms
        self._limit = limit
        self._last_ms = 0
        self._forgotten = 0
        self._records: list[Record | VoiceRecord] = []
        self.voice_changes = 0

    def __len__(self) -> int:
        """Return the number of lines so far, forgotten ones included: the index of the next."""
        return self._forgotten + len(self._records)

    def _keep(self, record: Record | VoiceRecord) -> None:
        if len(self._records) >= self._limit:
            tenth = max(self._limit // 10, 1)
            del self._records[:tenth]
            self._forgotten += tenth
        self._records.append(record)

    def _instant_ms(self) -> int:
        self._last_ms = max(self._last_ms, self._now_ms())
        return self._last_ms

    def clear(self) -> None:
        """Forget everything so far; note snapshots of the guilds next, for what follows to make sense."""
        self._records.clear()
        self._forgotten = 0
        self.voice_changes = 0

    def add_voice(self, guild_id: int, state: VoiceState, *, bot: bool) -> None:
        """Record one member's new state."""
        self.voice_changes += 1
        self._keep(
            (
                self._instant_ms(),
                guild_id,
                state.user_id,
                state.channel_id,
                state.self_mute,
                state.mute,
                state.self_deaf,
                state.deaf,
                bot,
            )
        )

    def add(self, kind: str, guild_id: int, **members: Any) -> None:
        """Record a line of another type: `snapshot`, `channel`, `channel_deleted` or `guild_left`."""
        self._keep((self._instant_ms(), kind, guild_id, members))

    def lines(self, start: int = 0, *, guild_id: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the trace lines from index ``start`` on (or the oldest that is kept), of one guild if given."""
        for index in range(max(start - self._forgotten, 0), len(self._records)):
            line = _line(self._records[index])
            if guild_id is None or line["guild_id"] == str(guild_id):
                yield line


def voice_line(record: VoiceRecord) -> dict[str, Any]:
    """Return a `voice_state` trace line of (at, guild, user, channel, self_mute, mute, self_deaf, deaf, bot)."""
    at_ms, guild_id, user_id, channel_id, self_mute, mute, self_deaf, deaf, bot = record
    return {
        "at": at_ms,
        "type": "voice_state",
        "guild_id": str(guild_id),
        "user_id": str(user_id),
        "channel_id": None if channel_id is None else str(channel_id),
        "self_mute": self_mute,
        "mute": mute,
        "self_deaf": self_deaf,
        "deaf": deaf,
        "bot": bot,
    }


def _line(record: Record | VoiceRecord) -> dict[str, Any]:
    if len(record) == 4:  # noqa: PLR2004 - the length is what tells the two tuples apart
        at_ms, kind, guild_id, members = record
        return {"at": at_ms, "type": kind, "guild_id": str(guild_id), **members}
    return voice_line(record)
