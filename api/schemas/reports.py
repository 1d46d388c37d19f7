"""Bodies of the reports."""

from __future__ import annotations

from typing import Annotated

import msgspec

from api.schemas.wire import Difference, Instant, PartSeconds, Seconds, Snowflake, Wire

Rank = Annotated[int, msgspec.Meta(ge=1, description="Equal times share a rank: 1, 2, 2, 4")]
Day = Annotated[str, msgspec.Meta(description="A calendar day of the guild's time zone", examples=["2027-01-15"])]
Corrected = Annotated[
    Difference, msgspec.Meta(description="What its corrections come to. `seconds` stay as they were recorded")
]
Name = Annotated[str, msgspec.Meta(description="Other people's text: escape it", examples=["Ada"])]


class LeaderboardLineBody(Wire, frozen=True, kw_only=True):
    """A member on a leaderboard; `user_id` and `display_name` are null after an erasure."""

    rank: Rank
    user_id: Snowflake | None
    display_name: Name | None
    seconds: Seconds
    sessions: Annotated[int, msgspec.Meta(ge=0, description="The open one included")]
    live: Annotated[bool, msgspec.Meta(description="Has an open session right now")]
    corrected_seconds: Annotated[
        Difference, msgspec.Meta(description="Corrected after the period's archive, which stays as it is: not in `seconds`")
    ]


class PausedBody(Wire, frozen=True, kw_only=True):
    """Paused time by its reason."""

    deafened: Seconds
    muted: Seconds
    solo: Seconds


class ChannelPartBody(Wire, frozen=True, kw_only=True):
    """A member's part in one channel."""

    channel_id: Snowflake
    name: Name
    seconds: Seconds
    sessions: int


class DayPartBody(Wire, frozen=True, kw_only=True):
    """A member's part on one day."""

    date: Day
    seconds: PartSeconds


class RecentSessionBody(Wire, frozen=True, kw_only=True):
    """A closed session. `state` is `signed` once its record is in the guild's chain, `pending` before."""

    session_id: str
    channel_id: Snowflake
    joined_at: Instant
    left_at: Instant
    seconds: Seconds
    reason: str
    state: str
    corrected_seconds: Corrected


class StatsBody(Wire, frozen=True, kw_only=True):
    """A member in the running period, the open session included. `by_channel` and `by_day` add up to `seconds`."""

    user_id: Snowflake
    display_name: Name
    period_index: int
    seconds: Seconds
    sessions: int
    rank: Rank | None
    live: bool
    paused_seconds: PausedBody
    unwitnessed_seconds: Seconds
    external_seconds: Annotated[
        Seconds, msgspec.Meta(description="Reported by other systems (`attendance.external`): in no total")
    ]
    first_seen: Instant | None
    last_seen: Instant | None
    by_channel: list[ChannelPartBody]
    by_day: list[DayPartBody]
    recent: list[RecentSessionBody]


class SessionBody(Wire, frozen=True, kw_only=True):
    """A closed session in full."""

    session_id: str
    user_id: Snowflake
    display_name: Name
    channel_id: Snowflake
    channel_name: Name
    period_index: int
    joined_at: Instant
    left_at: Instant
    seconds: Seconds
    paused_seconds: PausedBody
    unwitnessed_seconds: Seconds
    below_minimum: bool
    reason: str
    state: str
    corrected_seconds: Corrected


class BlindBody(Wire, frozen=True, kw_only=True):
    """A time in which nothing was seen; one that goes on has no end, and `seconds` are up to now."""

    started_at: Instant
    ended_at: Instant | None
    seconds: Seconds
    cause: str
    ended_by: str | None


class OccupantBody(Wire, frozen=True, kw_only=True):
    """A member with an open session; `status` is `counted`, `deafened`, `muted` or `solo`."""

    user_id: Snowflake
    display_name: Name
    joined_at: Instant
    status: str


class OccupiedChannelBody(Wire, frozen=True, kw_only=True):
    """A channel with open sessions."""

    channel_id: Snowflake
    name: Name
    members: list[OccupantBody]


class OccupancyBody(Wire, frozen=True, kw_only=True):
    """Who has an open session. `as_of` lies back while nothing is seen."""

    as_of: Instant
    members: int
    channels: list[OccupiedChannelBody]


class OverviewPeriodBody(Wire, frozen=True, kw_only=True):
    """The running period; `ends_at` is null without a reset schedule."""

    index: int
    started_at: Instant
    ends_at: Instant | None


class OverviewOccupancyBody(Wire, frozen=True, kw_only=True):
    """How many members have an open session, in how many channels."""

    members: int
    channels: int


class OverviewSigningBody(Wire, frozen=True, kw_only=True):
    """Whether there is a key, whether it is open, and how many records wait for it."""

    configured: bool
    unlocked: bool
    pending: int


class OverviewTotalsBody(Wire, frozen=True, kw_only=True):
    """The running period, open sessions included."""

    seconds: Seconds
    sessions: int
    members: int


class OverviewBody(Wire, frozen=True, kw_only=True):
    """A guild at a glance; `period` is null before the first one began."""

    guild_id: Snowflake
    name: Name
    tracking_mode: Annotated[str, msgspec.Meta(description="`Off`, `Allowlist`, `Denylist` or `All`")]
    period: OverviewPeriodBody | None
    occupancy: OverviewOccupancyBody
    signing: OverviewSigningBody
    totals: OverviewTotalsBody
    blind_seconds: Seconds
    tier: str
