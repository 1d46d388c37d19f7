"""Bodies of "explain my time" and of the fairness preview."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.schemas.reports import Name
from api.schemas.settings import AnyCaseMode, BridgeGap, MinSession, Mode
from api.schemas.wire import Body, Difference, Instant, PartSeconds, Seconds, Snowflake, Wire

Status = Annotated[
    str,
    msgspec.Meta(
        description="Of a session: `counted`, `bridged`, `unwitnessed`, `deafened`, `muted`, `solo`. Without one: `untracked`, "
        "`afk`, `off`, `opted_out`",
        examples=["muted"],
    ),
]


class StretchBody(Wire, frozen=True, kw_only=True):
    """A stretch of one status, clipped to the range. What only a session has is null where none was opened."""

    start: Instant
    end: Instant
    seconds: Annotated[Seconds, msgspec.Meta(description="Rounded so that all stretches of a total add up to it")]
    status: Status
    credited: Annotated[bool, msgspec.Meta(description="Whether it is in `seconds` of the whole")]
    channel_id: Snowflake
    channel_name: Name
    session_id: Annotated[str | None, msgspec.Meta(description="Null while the session is open")]
    state: Annotated[Literal["open", "pending", "signed"] | None, msgspec.Meta(description="Of the session's record")]
    stay: Annotated[int | None, msgspec.Meta(description="Number of the unbroken presence, from 0 in the guild")]
    part: Annotated[int | None, msgspec.Meta(description="Number of the session within the stay, from 0")]
    reason: Annotated[str | None, msgspec.Meta(description="Why the session ended; null while it is open", examples=["leave"])]
    below_minimum: Annotated[bool, msgspec.Meta(description="The stay is too short so far to be worth anything")]
    rule: Annotated[
        str | None,
        msgspec.Meta(description="The setting behind the status; null where time simply counts", examples=["pause_on_mute"]),
    ]
    rules_version: Annotated[int | None, msgspec.Meta(description="Which of the guild's rule sets was in force")]
    rules_set_by: Annotated[Snowflake | None, msgspec.Meta(description="Null: nobody; the default, or the AFK channel moved")]
    rules_set_by_name: Annotated[
        str | None,
        msgspec.Meta(description="As the guild calls them now; the id where it does not know them", examples=["Ada"]),
    ]
    rules_since: Instant | None


class StatusSecondsBody(Wire, frozen=True, kw_only=True):
    """Time by status. `counted`, `bridged` and corrections add up to the credited time; `below_minimum` counted in vain."""

    counted: Seconds
    bridged: Seconds
    below_minimum: Seconds
    unwitnessed: Seconds
    deafened: Seconds
    muted: Seconds
    solo: Seconds
    untracked: Seconds
    afk: Seconds
    off: Seconds
    opted_out: Seconds


class ExplainedBlindBody(Wire, frozen=True, kw_only=True):
    """A time in which nothing was seen, in full; one that goes on has no end."""

    started_at: Instant
    ended_at: Instant | None
    cause: str
    ended_by: str | None


class ExplainedCorrectionBody(Wire, frozen=True, kw_only=True):
    """Time given or taken by hand. After the period's archive it stands beside it and is in no total."""

    session_id: str
    at: Instant
    seconds: Difference
    after_archive: bool


class ExplanationBody(Wire, frozen=True, kw_only=True):
    """A member's time in a range, stretch by stretch. `seconds` is what leaderboards and `/stats` show for it."""

    user_id: Snowflake
    display_name: Name
    from_: Instant = msgspec.field(name="from")
    to: Instant
    as_of: Annotated[Instant, msgspec.Meta(description="Up to when the guild was seen: the open session is reckoned to it")]
    journal_from: Annotated[
        Instant | None, msgspec.Meta(description="Since when time without a session is known; null: not in this range")
    ]
    seconds: PartSeconds
    by_status: StatusSecondsBody
    blind_seconds: Annotated[Seconds, msgspec.Meta(description="Of the blind intervals, within the range")]
    blind: list[ExplainedBlindBody]
    corrected_seconds: Annotated[Difference, msgspec.Meta(description="Corrected after the archive, in no other number here")]
    corrections: list[ExplainedCorrectionBody]
    stretches: list[StretchBody]


class PreviewFairnessBody(Body, frozen=True, kw_only=True):
    """What would be different; what is not given stays as it is."""

    pause_on_mute: bool | UnsetType = UNSET
    pause_on_deafen: bool | UnsetType = UNSET
    pause_when_solo: bool | UnsetType = UNSET
    min_session_seconds: MinSession | UnsetType = UNSET
    exclude_afk: bool | UnsetType = UNSET
    bridge_gap_seconds: BridgeGap | UnsetType = UNSET
    tracking_mode: AnyCaseMode | UnsetType = UNSET
    tracked_channels: (
        Annotated[list[Snowflake], msgspec.Meta(max_length=1000, description="The whole list of the mode")] | UnsetType
    ) = UNSET


class RulesBody(Wire, frozen=True, kw_only=True):
    """The rules of one side."""

    tracking_mode: Mode
    tracked_channels: list[Snowflake]
    pause_on_mute: bool
    pause_on_deafen: bool
    pause_when_solo: bool
    min_session_seconds: int
    exclude_afk: bool
    bridge_gap_seconds: int


class NotCoveredBody(Wire, frozen=True, kw_only=True):
    """A part of the week that could not be computed. `why`: `journal_trimmed` or `not_recorded`."""

    from_: Instant = msgspec.field(name="from")
    to: Instant
    why: Literal["journal_trimmed", "not_recorded"]


class MemberPreviewBody(Wire, frozen=True, kw_only=True):
    """A member on both sides. `change`: `appears` and `disappears` are from and to no time at all."""

    user_id: Snowflake
    display_name: Name
    seconds_now: Seconds
    seconds_then: Seconds
    difference_seconds: Difference
    sessions_now: int
    sessions_then: int
    change: Literal["appears", "disappears", "more", "less", "same"]


class PreviewBody(Wire, frozen=True, kw_only=True):
    """The last week under the rules in force (`now`) and under others (`then`), each for the whole time."""

    from_: Instant = msgspec.field(name="from")
    to: Instant
    not_covered: list[NotCoveredBody]
    blind_seconds: Seconds
    rules_now: RulesBody
    rules_then: RulesBody
    seconds_now: Seconds
    seconds_then: Seconds
    difference_seconds: Difference
    members_now: Annotated[int, msgspec.Meta(description="Members with credited time")]
    members_then: int
    appearing: Annotated[int, msgspec.Meta(description="Members who have time only under the other rules")]
    disappearing: int
    items: Annotated[list[MemberPreviewBody], msgspec.Meta(description="The largest difference first")]
    total: int
