"""A guild's settings, and the accounting rules that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from attendance.domain.ids import ChannelId
from attendance.domain.schedule import Schedule


class TrackingMode(StrEnum):
    """Which channels are tracked (accounting, section 3)."""

    OFF = "off"
    ALLOWLIST = "allowlist"
    DENYLIST = "denylist"
    ALL = "all"


MAX_MIN_SESSION_SECONDS = 86_400
MAX_BRIDGE_GAP_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Fairness:
    """What pauses time and what is too short to count."""

    pause_on_mute: bool = False
    pause_on_deafen: bool = False
    pause_when_solo: bool = False
    min_session_seconds: int = 0
    exclude_afk: bool = True
    bridge_gap_seconds: int = 120


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """Everything an admin chose for one guild. The defaults are those of a guild that was just joined."""

    tracking_mode: TrackingMode = TrackingMode.ALL
    tracked_channels: frozenset[ChannelId] = frozenset()
    fairness: Fairness = field(default_factory=Fairness)
    schedule: Schedule = field(default_factory=Schedule)
    last_reset_at_ms: int | None = None
    next_reset_at_ms: int | None = None


def rules_of(settings: GuildSettings, afk_channel_id: ChannelId | None) -> dict[str, object]:
    """The ``rules`` member of a trace line: complete, ids as decimal strings, channels ascending (accounting, section 3).

    The guild's real AFK channel is filled in unless the admin wants time there to count.
    """
    fairness = settings.fairness
    afk = afk_channel_id if fairness.exclude_afk else None
    return {
        "mode": settings.tracking_mode.value,
        "channels": [str(channel) for channel in sorted(settings.tracked_channels)],
        "afk_channel_id": None if afk is None else str(afk),
        "pause_on_mute": fairness.pause_on_mute,
        "pause_on_deafen": fairness.pause_on_deafen,
        "pause_when_solo": fairness.pause_when_solo,
        "min_session_seconds": fairness.min_session_seconds,
        "bridge_gap_seconds": fairness.bridge_gap_seconds,
    }
