"""Bodies of the log destinations."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.schemas.wire import Body, Instant, Snowflake, Wire

LogTypeName = Literal["session_end", "period_reset", "leaderboard", "signing", "checkpoint"]
FrequencyName = Literal["immediate", "hourly", "daily", "weekly"]
LogTypes = Annotated[
    list[LogTypeName],
    msgspec.Meta(max_length=8, description="What it is told; each counts once", examples=[["session_end", "leaderboard"]]),
]
DestinationId = Annotated[str, msgspec.Meta(examples=["01972f3c-7c00-7000-8000-0123456789ab"])]


class LogDestinationBody(Wire, frozen=True, kw_only=True):
    """A channel that is told.

    `last_error` says why a message could not be delivered; it begins with `disabled:` where nothing
    is told any more until the destination is changed or added again.
    """

    id: DestinationId
    channel_id: Snowflake
    types: list[LogTypeName]
    frequency: FrequencyName
    last_delivered_at: Instant | None
    last_error: Annotated[str, msgspec.Meta(examples=["disabled: the channel is gone"])] | None


class AddLogDestinationBody(Body, frozen=True, kw_only=True):
    """Which channel. Without `types` a new one is told everything but checkpoints, without `frequency` at once."""

    channel_id: Snowflake
    types: LogTypes | UnsetType = UNSET
    frequency: FrequencyName | UnsetType = UNSET


class ChangeLogTypesBody(Body, frozen=True, kw_only=True):
    """`types` replaces them; `type` and `enabled` go together and turn one of them on or off."""

    types: LogTypes | UnsetType = UNSET
    type: LogTypeName | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class ChangeLogFrequencyBody(Body, frozen=True, kw_only=True):
    """At once, or what has gathered at the start of each hour, day or week (Monday) in the guild's time zone."""

    frequency: FrequencyName
