"""What live events hold in their ``data``. `occupancy` is `OccupancyBody`, `session` is `SessionBody`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from api.schemas.reports import Name
from api.schemas.wire import Instant, Snowflake, Wire


class PresenceBody(Wire, frozen=True, kw_only=True):
    """A member with an open session."""

    user_id: Snowflake
    display_name: Name
    channel_id: Snowflake
    channel_name: Name
    joined_at: Instant
    status: str


class OccupancyChangeBody(Wire, frozen=True, kw_only=True):
    """`present`: who came, moved or changed status; `gone`: who has no session any more; `members`: how many there are now."""

    as_of: Instant
    members: int
    present: list[PresenceBody]
    gone: list[Snowflake]


class ResetBody(Wire, frozen=True, kw_only=True):
    """A period that is over; the next one has the index after it."""

    period_index: int
    started_at: Instant
    ended_at: Instant


class SkippedBody(Wire, frozen=True, kw_only=True):
    """So many sessions ended that they are not told one by one: read `/sessions`."""

    sessions: int


class EndBody(Wire, frozen=True, kw_only=True):
    """Why the stream ends: `time` (come back), `forbidden`, `unavailable`, `slow`, `stopping`, `failed`."""

    reason: Annotated[str, msgspec.Meta(examples=["time"])]
