"""What guilds are told: by log destinations in Discord and by webhooks.

An announcement is stored for everyone who wants it in the transaction that decides what it tells
(`attendance.store.announcements`); delivering is somebody else's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from attendance.domain.ids import GuildId


class LogType(StrEnum):
    """What a log destination can be told."""

    SESSION_END = "session_end"
    PERIOD_RESET = "period_reset"
    LEADERBOARD = "leaderboard"
    SIGNING = "signing"
    CHECKPOINT = "checkpoint"  # once a day, whatever happened: see `attendance.services.checkpoint_posts`


class WebhookEvent(StrEnum):
    """What a webhook can be told."""

    SESSION_COMPLETED = "session.completed"
    PERIOD_ARCHIVED = "period.archived"
    SIGNING_LOCKED = "signing.locked"


class Happening(StrEnum):
    """What happened, and who may want to know it (`LOG_TYPES`, `WEBHOOK_EVENTS`)."""

    SESSION_ENDED = "session_ended"  # session_id
    PERIOD_CUT = "period_cut"  # period_index: its end was decided
    PERIOD_ARCHIVED = "period_archived"  # period_index: its entries stand
    SIGNING_LOCKED = "signing_locked"  # body: {"kid", "reason"}
    SIGNING_UNLOCKED = "signing_unlocked"  # body: {"kid"}
    KEY_CHANGED = "key_changed"  # body: {"kid", "change"}


LOG_TYPES: dict[Happening, LogType] = {
    Happening.SESSION_ENDED: LogType.SESSION_END,
    Happening.PERIOD_CUT: LogType.PERIOD_RESET,
    Happening.PERIOD_ARCHIVED: LogType.LEADERBOARD,
    Happening.SIGNING_LOCKED: LogType.SIGNING,
    Happening.SIGNING_UNLOCKED: LogType.SIGNING,
    Happening.KEY_CHANGED: LogType.SIGNING,
}
WEBHOOK_EVENTS: dict[Happening, WebhookEvent] = {
    Happening.SESSION_ENDED: WebhookEvent.SESSION_COMPLETED,
    Happening.PERIOD_ARCHIVED: WebhookEvent.PERIOD_ARCHIVED,
    Happening.SIGNING_LOCKED: WebhookEvent.SIGNING_LOCKED,
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened. It names a session or a period and holds nothing of them.

    ``body`` is JSON without personal data, for what is neither.
    """

    guild_id: GuildId
    what: Happening
    at_ms: int
    session_id: UUID | None = None
    period_index: int | None = None
    body: Mapping[str, Any] | None = None
