"""Bodies of the reports over time and of one channel."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from api.schemas.reports import DayPartBody, Name
from api.schemas.wire import Instant, PartSeconds, Seconds, Snowflake, Wire

TimeZone = Annotated[str, msgspec.Meta(description="A name of the IANA database", examples=["Europe/Berlin"])]
UnitName = Literal["day", "week", "month"]
Hour = Annotated[int, msgspec.Meta(description="Member-seconds of a local hour; below 0 only by a correction", examples=[5400])]
Count = Annotated[int, msgspec.Meta(ge=0, examples=[12])]
Day = Annotated[list[Hour], msgspec.Meta(min_length=24, max_length=24)]


class HeatmapBody(Wire, frozen=True, kw_only=True):
    """Member-seconds by local hour of the week: seven rows from Monday on, 24 cells each. They add up to the range's total."""

    timezone: TimeZone
    from_: Instant = msgspec.field(name="from")
    to: Instant
    cells: Annotated[list[Day], msgspec.Meta(min_length=7, max_length=7)]


class HeatmapRowBody(Wire, frozen=True, kw_only=True):
    """A cell as a line of a table. `weekday` 0 is Monday."""

    weekday: int
    hour: int
    seconds: PartSeconds


class TrendPartBody(Wire, frozen=True, kw_only=True):
    """A local day, or a week or month by its first day. `seconds` add up to the range's total."""

    date: Annotated[str, msgspec.Meta(description="The unit's first local day", examples=["2027-01-11"])]
    seconds: PartSeconds
    sessions: Annotated[int, msgspec.Meta(ge=0, description="That ended then; open ones count in the last unit")]
    members: Annotated[int, msgspec.Meta(ge=0, description="Who had a session then, whenever it began or ended")]


class TrendBody(Wire, frozen=True, kw_only=True):
    """A range by local units without gaps, oldest first; the first and the last may be cut by the range."""

    timezone: TimeZone
    unit: UnitName
    from_: Instant = msgspec.field(name="from")
    to: Instant
    seconds: Seconds
    sessions: int
    items: list[TrendPartBody]
    total: Annotated[int, msgspec.Meta(ge=0, description="How many units there are")]


class AmountClassBody(Wire, frozen=True, kw_only=True):
    """Members who have `from_seconds` or more, and less than `to_seconds`; the first class holds those below 0 too."""

    from_seconds: Annotated[int, msgspec.Meta(ge=0, description="0, 1, 900 and from there on doubled", examples=[3600])]
    to_seconds: Annotated[int | None, msgspec.Meta(description="null in the last class there is", examples=[7200])]
    members: Count
    seconds: Annotated[int, msgspec.Meta(description="What they have together; below 0 only by a correction", examples=[64800])]


class QuartilesBody(Wire, frozen=True, kw_only=True):
    """The smallest time that a quarter, a half, three quarters of the members with time do not exceed: each is somebody's."""

    lower_seconds: Seconds
    median_seconds: Seconds
    upper_seconds: Seconds


class TopTenthBody(Wire, frozen=True, kw_only=True):
    """The tenth of the members with time who have the most, rounded up."""

    members: Count
    seconds: Seconds
    share: Annotated[
        float | None, msgspec.Meta(description="Their part of `seconds`, 0 to 1; null where there are none", examples=[0.4321])
    ]


class DistributionBody(Wire, frozen=True, kw_only=True):
    """How the time of a range is distributed over its members.

    `items` add up to `members` and `seconds`, and `seconds` with `erased_seconds` are the trend's of the same range.
    """

    timezone: TimeZone
    from_: Instant = msgspec.field(name="from")
    to: Instant
    members: Annotated[int, msgspec.Meta(ge=0, description="Who had a session then, be it without credited time")]
    members_with_time: Annotated[int, msgspec.Meta(ge=0, description="Who have a second at least", examples=[11])]
    seconds: Annotated[int, msgspec.Meta(description="What the members have together", examples=[86400])]
    erased_seconds: Annotated[
        int, msgspec.Meta(description="Of sessions that were erased: nobody's, but still in trend and heatmap", examples=[0])
    ]
    quartiles: Annotated[QuartilesBody | None, msgspec.Meta(description="null where nobody has time")]
    top_tenth: TopTenthBody
    items: list[AmountClassBody]
    total: Annotated[int, msgspec.Meta(ge=0, description="How many classes there are")]


class ChannelShareBody(Wire, frozen=True, kw_only=True):
    """A channel's part of a range."""

    channel_id: Snowflake
    name: Name
    seconds: PartSeconds
    sessions: Annotated[int, msgspec.Meta(ge=0, description="That ended then, and the open ones")]
    members: Annotated[int, msgspec.Meta(ge=0, description="Who had a session there then; they do not add up")]


class ChannelSharesBody(Wire, frozen=True, kw_only=True):
    """A range by channel, most time first. `items` add up to `seconds` and `sessions`, which are the trend's of the range."""

    timezone: TimeZone
    from_: Instant = msgspec.field(name="from")
    to: Instant
    seconds: Seconds
    sessions: int
    items: list[ChannelShareBody]
    total: Annotated[int, msgspec.Meta(ge=0, description="How many channels there are")]


class MemberDaysBody(Wire, frozen=True, kw_only=True):
    """A member's time by local day without gaps, oldest first; `items` add up to `seconds`."""

    user_id: Snowflake
    timezone: TimeZone
    from_: Instant = msgspec.field(name="from")
    to: Instant
    seconds: Seconds
    items: list[DayPartBody]
    total: Annotated[int, msgspec.Meta(ge=0, description="How many days there are")]


class ChannelMemberBody(Wire, frozen=True, kw_only=True):
    """A member's time in the channel."""

    user_id: Snowflake
    display_name: Name
    seconds: Seconds
    sessions: int
    live: bool


class ChannelStatsBody(Wire, frozen=True, kw_only=True):
    """A channel in the running period, open sessions included.

    `by_day` adds up to `seconds`, and so does `by_member` (most time first) where `limit` leaves nobody out.
    """

    channel_id: Snowflake
    name: Name
    seconds: Seconds
    sessions: int
    members: int
    peak: Annotated[int, msgspec.Meta(ge=0, description="Most members at once in the running period")]
    by_member: list[ChannelMemberBody]
    by_day: list[DayPartBody]
