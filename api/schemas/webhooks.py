"""Bodies of webhooks, out and in."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.schemas.wire import Body, Instant, Seconds, Snowflake, Wire
from attendance.domain.addresses import MAX_URL_CHARACTERS

EventName = Literal["session.completed", "period.archived", "signing.locked"]
StateName = Literal["waiting", "delivered", "failed", "dropped"]
# What PostgreSQL and the signing profile both take.
_PLAIN = r"^[^\x00-\x1f\x7f]+$"
NewUrl = Annotated[
    str,
    msgspec.Meta(
        max_length=MAX_URL_CHARACTERS,
        description="https:// on port 443 or from 1024 on, on the internet; null for none",
        examples=["https://example.org/rollcall"],
    ),
]


class WebhookBody(Wire, frozen=True, kw_only=True):
    """Where a guild's events are posted. `failing_since` is null while the receiver takes them."""

    url: str | None
    secret_set: bool
    events: list[EventName]
    enabled: bool
    failing_since: Instant | None
    disabled_reason: Annotated[str | None, msgspec.Meta(description="Why it was switched off by itself")]


class ChangedWebhookBody(Wire, frozen=True, kw_only=True):
    """The settings as they are now, and the secret where this change has made one."""

    url: str | None
    secret_set: bool
    events: list[EventName]
    enabled: bool
    failing_since: Instant | None
    disabled_reason: str | None
    secret: Annotated[
        str | None,
        msgspec.Meta(
            description="Shown here and never again; null where no secret was made",
            examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        ),
    ]


class ChangeWebhookBody(Body, frozen=True, kw_only=True):
    """Only the members given change."""

    url: NewUrl | UnsetType | None = UNSET
    events: Annotated[list[EventName], msgspec.Meta(max_length=20)] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    rotate_secret: Annotated[bool, msgspec.Meta(description="Make another secret; the old one signs too for 24 hours")] = False


class DeliveryBody(Wire, frozen=True, kw_only=True):
    """A line of the delivery log. `id` is the `webhook-id` of every attempt; `attempts` are those begun."""

    id: Annotated[str, msgspec.Meta(examples=["01972f3c-7c00-7000-8000-0123456789ab"])]
    event: Annotated[str, msgspec.Meta(examples=["session.completed"])]
    session_id: str | None
    period_index: int | None
    state: StateName
    attempts: int
    created_at: Instant
    next_attempt_at: Instant | None
    delivered_at: Instant | None
    last_status: Annotated[int | None, msgspec.Meta(description="The last answer's HTTP status", examples=[200])]
    last_error: str | None


class AttemptBody(Wire, frozen=True, kw_only=True):
    """One request."""

    number: int
    at: Instant
    duration_ms: int
    status: Annotated[int | None, msgspec.Meta(description="Null where nothing was answered", examples=[200])]
    error: str | None


class DeliveryDetailsBody(Wire, frozen=True, kw_only=True):
    """A delivery and its attempts, the first first."""

    delivery: DeliveryBody
    attempts: list[AttemptBody]


class ReportAttendanceBody(Body, frozen=True, kw_only=True):
    """Attendance that another system has seen."""

    id: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=128,
            pattern=_PLAIN,
            description="Unique in this deployment; the same report again under it changes nothing",
            examples=["meeting-2027-01-15/ada"],
        ),
    ]
    guild_id: Snowflake
    user_id: Snowflake
    channel_id: Snowflake | None = None
    joined_at: Annotated[str, msgspec.Meta(max_length=40, examples=["2027-01-15T08:00:00Z"])]
    left_at: Annotated[str, msgspec.Meta(max_length=40, examples=["2027-01-15T09:00:00Z"])]
    source: Annotated[
        str,
        msgspec.Meta(
            min_length=1, max_length=100, pattern=_PLAIN, description="The system that has seen it", examples=["meetings"]
        ),
    ]


class ReportedAttendanceBody(Wire, frozen=True, kw_only=True):
    """What was recorded."""

    id: Annotated[str, msgspec.Meta(examples=["meeting-2027-01-15/ada"])]
    guild_id: Snowflake
    user_id: Snowflake
    channel_id: Snowflake | None
    joined_at: Instant
    left_at: Instant
    source: str
    seconds: Seconds
