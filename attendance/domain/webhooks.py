"""Webhooks: what a guild sets, what a delivery is, and when it is tried again.

A delivery is tried at once, then after pauses that grow, for three days; a webhook that has only failed for five days is
switched off. Between two failures there is a random part of the longest pause (full jitter), so that receivers that come back
are not met by everyone at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from attendance.domain.announcements import WebhookEvent
from attendance.domain.ids import GuildId

TEST_EVENT = "webhook.test"

_SECOND_MS = 1_000
_HOUR_MS = 3_600 * _SECOND_MS
_DAY_MS = 24 * _HOUR_MS
RETRIED_FOR_MS = 3 * _DAY_MS
GIVEN_UP_AFTER_MS = 5 * _DAY_MS
SIGNATURE_WAIT_MS = 60 * _SECOND_MS
OLD_SECRET_MS = 24 * _HOUR_MS
KEPT_MS = 30 * _DAY_MS  # of deliveries that are over
MOST_SECRETS = 5  # that sign at once, however often it is rotated
MOST_ATTEMPTS = 100  # three days have about 30; more is an attempt that kills whoever makes it
_FIRST_PAUSE_MS = 10 * _SECOND_MS
_LONGEST_PAUSE_MS = 6 * _HOUR_MS
_GROWTH = 4

GONE = 410
_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)


class DeliveryState(StrEnum):
    """Where a delivery stands. Only what waits is tried by itself."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"  # what it was about has been erased


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """A guild's webhook. ``disabled_reason`` says why it was switched off by itself."""

    url: str | None = None
    secret_set: bool = False
    events: frozenset[WebhookEvent] = frozenset(WebhookEvent)
    enabled: bool = True
    failing_since_ms: int | None = None
    disabled_reason: str | None = None

    @property
    def delivers(self) -> bool:
        """Whether anything is sent."""
        return self.enabled and self.url is not None


@dataclass(frozen=True, slots=True)
class Secret:
    """A key that signs. ``until_ms`` is when one that was replaced stops."""

    key: bytes = field(repr=False)
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as the log shows it. ``attempts`` counts those begun."""

    delivery_id: UUID
    guild_id: GuildId
    event: str
    session_id: UUID | None
    period_index: int | None
    created_at_ms: int
    state: DeliveryState
    attempts: int
    next_attempt_at_ms: int | None
    last_status: int | None
    last_error: str | None
    delivered_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and what came of it. ``status`` is None where nothing was answered."""

    number: int
    at_ms: int
    duration_ms: int
    status: int | None
    error: str | None

    @property
    def ended_ms(self) -> int:
        """When it was over."""
        return self.at_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class Reply:
    """What a receiver answered: a status, or what was wrong in words. ``retry_after_ms`` is what it asked for."""

    status: int | None
    error: str | None = None
    retry_after_ms: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and self.status in _SUCCESS

    @property
    def problem(self) -> str | None:
        """Why it has failed, in one line; None where it has not."""
        if self.succeeded:
            return None
        if self.status is None:
            return self.error or "no answer"
        if self.status == GONE:
            return "the receiver answered 410: it wants no more"
        if self.status in _REDIRECT:
            return f"the receiver answered {self.status}: redirects are not followed"
        return f"the receiver answered {self.status}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt means for its delivery: its state, and when to try again (None: no more)."""

    state: DeliveryState
    next_attempt_at_ms: int | None = None


def outcome_of(reply: Reply, *, attempt: int, created_at_ms: int, now_ms: int, chance: float) -> Outcome:
    """What follows from a reply.

    Args:
        reply: what came of the attempt.
        attempt: its number, from 1.
        created_at_ms: when the delivery was stored.
        now_ms: now.
        chance: 0 to below 1, evenly distributed.
    """
    if reply.succeeded:
        return Outcome(DeliveryState.DELIVERED)
    deadline_ms = created_at_ms + RETRIED_FOR_MS
    if reply.status == GONE or now_ms >= deadline_ms or attempt >= MOST_ATTEMPTS:
        return Outcome(DeliveryState.FAILED)
    pause_ms = max(int(chance * longest_pause_ms(attempt)), _SECOND_MS, min(reply.retry_after_ms, _LONGEST_PAUSE_MS))
    # The last attempt is at the end of the three days, not some hours before it.
    return Outcome(DeliveryState.WAITING, min(now_ms + pause_ms, deadline_ms))


def longest_pause_ms(attempt: int) -> int:
    """The longest pause after an attempt that failed: 10 s, 40 s, 160 s … 6 h."""
    return int(min(_FIRST_PAUSE_MS * _GROWTH ** min(attempt - 1, 10), _LONGEST_PAUSE_MS))


def shown_url(url: str | None) -> str | None:
    """A URL for the audit: what stands behind the question mark is often a password."""
    if url is None:
        return None
    place, mark, _ = url.partition("?")
    return f"{place}?…" if mark else place


def shown_settings(settings: WebhookSettings) -> Mapping[str, Any]:
    """What the audit keeps of settings."""
    return {
        "url": shown_url(settings.url),
        "events": sorted(event.value for event in settings.events),
        "enabled": settings.enabled,
        "disabled_reason": settings.disabled_reason,
    }
