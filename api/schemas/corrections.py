"""Bodies of the corrections."""

from __future__ import annotations

from typing import Annotated

import msgspec

from api.schemas.wire import UUID_TEXT, Body, Difference, Instant, Snowflake, Wire
from attendance.domain.corrections import MAX_DELTA_SECONDS, MAX_NOTE_CHARACTERS

_EXAMPLE_ID = "01972f3c-7c00-7000-8000-0123456789ab"
Note = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=MAX_NOTE_CHARACTERS,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*(?!\n)$",
        description="Why; it is part of the record",
        examples=["was in the room, but muted by mistake"],
    ),
]


class CorrectSessionBody(Body, frozen=True, kw_only=True):
    """Which session, by how much, and why."""

    session_id: Annotated[str, msgspec.Meta(pattern=UUID_TEXT, examples=[_EXAMPLE_ID])]
    delta_seconds: Annotated[
        int,
        msgspec.Meta(
            ge=-MAX_DELTA_SECONDS,
            le=MAX_DELTA_SECONDS,
            description="Added to what the session counts for, or taken from it; not 0",
            examples=[600],
        ),
    ]
    note: Note


class CorrectionBody(Wire, frozen=True, kw_only=True):
    """A correction. It counts at `at`, its session's last millisecond."""

    correction_id: Annotated[str, msgspec.Meta(examples=[_EXAMPLE_ID])]
    session_id: Annotated[str, msgspec.Meta(examples=[_EXAMPLE_ID])]
    user_id: Snowflake
    channel_id: Snowflake
    period_index: int
    at: Instant
    delta_seconds: Difference
    note: Note
    actor_id: Snowflake
    actor_name: Annotated[
        str, msgspec.Meta(description="As the guild calls them now; the id where it does not know them", examples=["Ada"])
    ]
    created_at: Instant
    after_archive: Annotated[
        bool, msgspec.Meta(description="Made after the period's archive: beside it as `corrected_seconds`, and in no sum")
    ]
