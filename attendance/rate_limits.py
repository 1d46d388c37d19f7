"""Rate limits: so many requests a minute for a key, in memory, with a bounded table.

A window slides in two halves: the previous minute counts in proportion to how much of it still lies within the last sixty
seconds. Two numbers a key, and no burst of twice the limit at a minute's edge. Each process counts for itself.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from attendance.ports.clock import Clock

WINDOW_SECONDS = 60
# About 10 MB when full. An attacker with more addresses than this only makes the oldest keys be forgotten.
TABLE_SIZE = 65_536


@dataclass(slots=True)
class _Count:
    window: int
    current: int = 0
    previous: int = 0


@dataclass(slots=True)
class RateLimiter:
    """Counts requests by key. ``per_minute`` of 0 switches it off."""

    clock: Clock
    per_minute: int
    table_size: int = TABLE_SIZE
    _counts: OrderedDict[object, _Count] = field(default_factory=OrderedDict)

    def take(self, key: object) -> int | None:
        """Count one request.

        Returns:
            None if it may pass; otherwise the seconds after which to try again. A refused request is not counted.
        """
        if self.per_minute <= 0:
            return None
        window, within = divmod(self.clock.monotonic(), WINDOW_SECONDS)
        count = self._count(key, int(window))
        used = count.current + count.previous * (1 - within / WINDOW_SECONDS)
        if used + 1 > self.per_minute:
            return self._seconds_until_room(count, within)
        count.current += 1
        return None

    def _count(self, key: object, window: int) -> _Count:
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(window)
            if len(self._counts) > self.table_size:
                self._counts.popitem(last=False)
        else:
            self._counts.move_to_end(key)
        if count.window != window:
            count.previous = count.current if count.window == window - 1 else 0
            count.current = 0
            count.window = window
        return count

    def _seconds_until_room(self, count: _Count, within: float) -> int:
        room = self.per_minute - 1 - count.current
        if room >= 0 and count.previous > 0:
            at = WINDOW_SECONDS * (1 - room / count.previous)
        else:  # this window is full by itself: it must slide out of the next one far enough
            at = WINDOW_SECONDS + WINDOW_SECONDS * max(0.0, 1 - (self.per_minute - 1) / max(1, count.current))
        return max(1, math.ceil(at - within))


def ip_key(address: IPv4Address | IPv6Address | None) -> object:
    """What counts as one client: an IPv4 address, an IPv6 /64 (one customer holds at least that much)."""
    if isinstance(address, IPv6Address):
        return int(address) >> 64
    return address
