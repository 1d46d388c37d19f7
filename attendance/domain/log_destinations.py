"""Log destinations: channels in Discord that are told what happens in a guild, and when each is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from attendance.domain.announcements import LogType
from attendance.domain.ids import ChannelId, GuildId
from attendance.domain.schedule import Interval, Schedule, next_reset

MAX_DESTINATIONS = 25
"""For each guild: what happens once is written once for each of them."""


TOLD_UNASKED = tuple(one for one in LogType if one is not LogType.CHECKPOINT)
"""What a destination is told that was added without a choice: checkpoints are for who wants to keep them."""


class Frequency(StrEnum):
    """How often a destination is told: at once, or what has gathered, at the start of the next local hour, day or week."""

    IMMEDIATE = "immediate"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class LogDestination:
    """A channel that is told.

    Attributes:
        next_due_at_ms: when what has gathered is told next; None for `Frequency.IMMEDIATE`.
        checkpoint_due_at_ms: when the log's next checkpoint is posted, whatever the frequency; None: never.
        last_error: why the last message could not be delivered, or why the destination was disabled; None after a success.
        disabled_at_ms: since when nothing is told because Discord refuses for good; None while it is at work.
    """

    destination_id: UUID
    guild_id: GuildId
    channel_id: ChannelId
    types: tuple[LogType, ...]
    frequency: Frequency
    created_at_ms: int
    next_due_at_ms: int | None = None
    last_delivered_at_ms: int | None = None
    last_error: str | None = None
    disabled_at_ms: int | None = None
    checkpoint_due_at_ms: int | None = None


def ordered_types(types: Iterable[LogType]) -> tuple[LogType, ...]:
    """Each type once, in the order of `LogType`."""
    wanted = set(types)
    return tuple(known for known in LogType if known in wanted)


def next_checkpoint(destination: LogDestination, timezone: str, after_ms: int) -> int | None:
    """When a destination is posted the log's checkpoint next: at the start of the local day after ``after_ms``; None: never.

    Raises:
        InvalidInputError: there is no such time zone.
    """
    if LogType.CHECKPOINT not in destination.types or destination.disabled_at_ms is not None:
        return None
    return next_due(Frequency.DAILY, timezone, after_ms)


def next_due(frequency: Frequency, timezone: str, after_ms: int) -> int | None:
    """The first instant (Unix milliseconds) after ``after_ms`` at which a destination is told; None: at once, always.

    The start of a local hour, day or week (Monday) in ``timezone`` by the rule for changes of clocks that resets have.

    Raises:
        InvalidInputError: there is no such time zone.
    """
    if frequency is Frequency.IMMEDIATE:
        return None
    return next_reset(Schedule(interval=Interval(frequency.value), timezone=timezone), after_ms, None)
