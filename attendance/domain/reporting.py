"""How stored sums, open sessions and ranges become what a report shows. Everything is in milliseconds until it is shown.

The engine alone knows how time counts; here its numbers are only added, clipped to ranges and rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from attendance.core import quarters_of
from attendance.domain.ids import ChannelId, UserId

QUARTER_MS = 900_000


@dataclass(frozen=True, slots=True)
class Sums:
    """What sessions add up to, in milliseconds. The pauses and the unwitnessed time are beside the credited time."""

    credited_ms: int = 0
    session_count: int = 0
    unwitnessed_ms: int = 0
    deafened_ms: int = 0
    muted_ms: int = 0
    solo_ms: int = 0

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(
            self.credited_ms + other.credited_ms,
            self.session_count + other.session_count,
            self.unwitnessed_ms + other.unwitnessed_ms,
            self.deafened_ms + other.deafened_ms,
            self.muted_ms + other.muted_ms,
            self.solo_ms + other.solo_ms,
        )


# As much of an open session as a leaderboard needs, which asks for a thousand of them: user_id, joined_at_ms, status, since_ms,
# counted_ms, stay_counted_ms, min_session_ms. See `OpenSession` for what they are.
LiveSession: TypeAlias = tuple[UserId, int, str, int, int, int, int]
LIVE_SESSION = ("user_id", "joined_at_ms", "status", "since_ms", "counted_ms", "stay_counted_ms", "min_session_ms")


def credited_as_closed(  # noqa: PLR0917  # positional, in the order of LiveSession: keywords take as long as the rest
    as_of_ms: int,
    joined_at_ms: int,
    status: str,
    since_ms: int,
    counted_ms: int,
    stay_counted_ms: int,
    min_session_ms: int,
) -> tuple[int, int]:
    """Credited milliseconds and number of sessions (0 or 1) if an open session closed at ``as_of_ms``."""
    until_ms = as_of_ms if as_of_ms > since_ms else since_ms  # noqa: FURB136  # max() is a call
    counted = counted_ms + (until_ms - since_ms if status == "counted" else 0)
    below_minimum = stay_counted_ms + counted < min_session_ms
    # A session of length zero is dropped when it closes, so it is none yet.
    return (0 if below_minimum else counted), (1 if until_ms > joined_at_ms else 0)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that runs: sums over its closed segments, and the segment that runs with ``status`` since ``since_ms``.

    ``timeline`` holds the closed segments as canonical JSON; it is None where it was not asked for.
    """

    user_id: UserId
    channel_id: ChannelId
    period_index: int
    joined_at_ms: int
    status: str
    since_ms: int
    counted_ms: int
    unwitnessed_ms: int
    deafened_ms: int
    muted_ms: int
    solo_ms: int
    stay_counted_ms: int
    min_session_ms: int
    timeline: bytes | None = None

    def as_closed(self, as_of_ms: int) -> Sums:
        """What it would add if it closed at ``as_of_ms`` (accounting, section 7)."""
        running = max(0, as_of_ms - self.since_ms)
        credited_ms, session_count = credited_as_closed(
            as_of_ms,
            self.joined_at_ms,
            self.status,
            self.since_ms,
            self.counted_ms,
            self.stay_counted_ms,
            self.min_session_ms,
        )
        return Sums(
            credited_ms=credited_ms,
            session_count=session_count,
            unwitnessed_ms=self.unwitnessed_ms,
            deafened_ms=self.deafened_ms + (running if self.status == "deafened" else 0),
            muted_ms=self.muted_ms + (running if self.status == "muted" else 0),
            solo_ms=self.solo_ms + (running if self.status == "solo" else 0),
        )

    def quarters(self, as_of_ms: int) -> list[tuple[int, int]]:
        """The credited time of `as_closed` by UTC quarter-hour. Needs the timeline.

        Raises:
            StateError: the stored timeline is damaged.
        """
        assert self.timeline is not None  # noqa: S101  # the caller asked for it
        if self.as_closed(as_of_ms).credited_ms == 0:
            return []
        quarters = quarters_of(self.timeline)
        if self.status == "counted" and as_of_ms > self.since_ms:
            quarters += quarters_of(b'[[%d,%d,"counted"]]' % (self.since_ms, as_of_ms))
        return quarters


@dataclass(frozen=True, slots=True)
class Watch:
    """How far a guild was seen: its running blind interval, and the lease of the shard that owns it.

    None where there is none.
    """

    blind_since_ms: int | None
    lease_expires_at_ms: int | None
    lease_alive_at_ms: int | None

    def seen_until(self, now_ms: int) -> int:
        """Up to when open sessions may be reckoned.

        While blind: the start of the interval. While the owner lives: now. After it died nothing was seen any more since its
        last durable sign of life; and of a guild that never had an owner there is nothing to reckon.
        """
        if self.blind_since_ms is not None:
            return min(self.blind_since_ms, now_ms)
        if self.lease_expires_at_ms is None or self.lease_expires_at_ms > now_ms:
            return now_ms
        return min(self.lease_alive_at_ms or 0, now_ms)


def overlap_ms(start_ms: int, end_ms: int, from_ms: int, to_ms: int) -> int:
    """How much of ``[start, end)`` lies in ``[from, to)``: the one clipping rule of every report."""
    return max(0, min(end_ms, to_ms) - max(start_ms, from_ms))


def whole_seconds(parts_ms: Iterable[int]) -> list[int]:
    """Parts under one total, in seconds that add up to the total's (accounting, section 7: rounded cumulatively)."""
    seconds: list[int] = []
    so_far_ms = 0
    for part_ms in parts_ms:
        seconds.append((so_far_ms + part_ms) // 1000 - so_far_ms // 1000)
        so_far_ms += part_ms
    return seconds


def by_day(quarters: Iterable[tuple[int, int]], timezone: str) -> list[tuple[date, int]]:
    """Credited milliseconds by local calendar day, ascending, only days that have some.

    ``quarters`` are (start_ms // 900_000, milliseconds); every zone of today is a multiple of them away from UTC.
    """
    zone = ZoneInfo(timezone)
    days: dict[date, int] = {}
    for quarter, credited_ms in quarters:
        day = datetime.fromtimestamp(quarter * QUARTER_MS // 1000, UTC).astimezone(zone).date()
        days[day] = days.get(day, 0) + credited_ms
    return sorted((day, credited_ms) for day, credited_ms in days.items() if credited_ms)


def with_live(stored: Sums | None, session: OpenSession | None, as_of_ms: int) -> Sums:
    """A member's sums with their open session."""
    total = stored or Sums()
    return total if session is None else total.plus(session.as_closed(as_of_ms))
