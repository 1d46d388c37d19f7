"""Bodies of the settings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.schemas.wire import Body, Instant, Snowflake, Wire

Mode = Literal["Off", "Allowlist", "Denylist", "All"]
AnyCaseMode = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?:[Oo][Ff][Ff]|[Aa][Ll][Ll]|(?:[Aa][Ll][Ll][Oo][Ww]|[Dd][Ee][Nn][Yy])[Ll][Ii][Ss][Tt])$",
        description="`Off`, `Allowlist`, `Denylist` or `All`, in any case",
        examples=["Allowlist"],
    ),
]
ChannelKindName = Literal["voice", "stage", "category"]
MinSession = Annotated[int, msgspec.Meta(ge=0, le=86_400)]
BridgeGap = Annotated[int, msgspec.Meta(ge=0, le=600)]
IntervalName = Literal["hourly", "daily", "weekly", "monthly", "yearly", "off"]
AnchorName = Literal["calendar", "rolling"]
Weekday = Annotated[int, msgspec.Meta(ge=0, le=6, description="0 is Monday")]
DayOfMonth = Annotated[int, msgspec.Meta(ge=1, le=31, description="29 to 31 mean a shorter month's last day")]
Month = Annotated[int, msgspec.Meta(ge=1, le=12)]
Hour = Annotated[int, msgspec.Meta(ge=0, le=23)]


class ChangeModeBody(Body, frozen=True, kw_only=True):
    """The mode, whatever its case."""

    mode: AnyCaseMode


class ModeBody(Wire, frozen=True, kw_only=True):
    """The mode."""

    mode: Mode


class FairnessBody(Wire, frozen=True, kw_only=True):
    """What pauses time, what is too short to count, and which gaps in sight are bridged."""

    pause_on_mute: bool
    pause_on_deafen: bool
    pause_when_solo: bool
    min_session_seconds: MinSession
    exclude_afk: bool
    bridge_gap_seconds: BridgeGap


class ChangeFairnessBody(Body, frozen=True, kw_only=True):
    """Only the members given change."""

    pause_on_mute: bool | UnsetType = UNSET
    pause_on_deafen: bool | UnsetType = UNSET
    pause_when_solo: bool | UnsetType = UNSET
    min_session_seconds: MinSession | UnsetType = UNSET
    exclude_afk: bool | UnsetType = UNSET
    bridge_gap_seconds: BridgeGap | UnsetType = UNSET


class ResetIntervalBody(Wire, frozen=True, kw_only=True):
    """When periods end, and the next five times that they will."""

    interval: IntervalName
    anchor: AnchorName
    timezone: str
    weekday: Weekday
    day: DayOfMonth
    month: Month
    hour: Hour
    next_reset_at: Instant | None
    next_resets: list[Instant]


class ChangeResetIntervalBody(Body, frozen=True, kw_only=True):
    """Only the members given change."""

    interval: IntervalName | UnsetType = UNSET
    anchor: AnchorName | UnsetType = UNSET
    timezone: Annotated[str, msgspec.Meta(max_length=64, examples=["Europe/Berlin"])] | UnsetType = UNSET
    weekday: Weekday | UnsetType = UNSET
    day: DayOfMonth | UnsetType = UNSET
    month: Month | UnsetType = UNSET
    hour: Hour | UnsetType = UNSET


class TrackChannelBody(Body, frozen=True, kw_only=True):
    """The channel or category to put on the list."""

    channel_id: Snowflake


class TrackedChannelBody(Wire, frozen=True, kw_only=True):
    """A channel of the list; a category stands for its channels, now and later."""

    channel_id: Snowflake
    name: str
    kind: ChannelKindName


class EndedPeriodBody(Wire, frozen=True, kw_only=True):
    """A period that is over; `state` is `signed` once its record is in the chain, `pending` before."""

    period_index: int
    started_at: Instant
    ended_at: Instant
    state: Literal["signed", "pending"]
    entry_count: int
