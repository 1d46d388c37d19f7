"""Bodies of ``/members/…``: a member's data, erasure and opting out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from api.schemas.reports import Name
from api.schemas.wire import Instant, Snowflake, Wire

_EXAMPLE_ROWS: list[dict[str, Any]] = []
Rows = Annotated[list[dict[str, Any]], msgspec.Meta(examples=[_EXAMPLE_ROWS])]


class OptOutBody(Wire, frozen=True, kw_only=True):
    """Whether a member is opted out, and since when."""

    user_id: Snowflake
    opted_out: bool
    since: Instant | None


class ErasureBody(Wire, frozen=True, kw_only=True):
    """A request to erase a member; `told_at` or `tell_error` once they were told by direct message, or could not be."""

    user_id: Snowflake
    state: Annotated[Literal["waiting", "running", "withdrawn", "done"], msgspec.Meta(examples=["waiting"])]
    requested_by: Snowflake
    requested_at: Instant
    due_at: Instant
    ended_at: Instant | None
    told_at: Instant | None
    tell_error: Annotated[str, msgspec.Meta(examples=["their direct messages are closed to the bot"])] | None


class OptedOutBody(Wire, frozen=True, kw_only=True):
    """A member who has opted out."""

    user_id: Snowflake
    display_name: Name
    since: Instant
    own: Annotated[bool, msgspec.Meta(description="They said so themselves: only they or an operator undo it", examples=[True])]


class PendingErasureBody(Wire, frozen=True, kw_only=True):
    """A request to erase a member that waits to be due, or is under way and cannot be withdrawn any more."""

    user_id: Snowflake
    display_name: Name
    state: Annotated[Literal["waiting", "running"], msgspec.Meta(examples=["waiting"])]
    requested_by: Snowflake
    requested_at: Instant
    due_at: Instant
    told_at: Instant | None
    tell_error: Annotated[str, msgspec.Meta(examples=["their direct messages are closed to the bot"])] | None


class MemberDataBody(Wire, frozen=True, kw_only=True):
    """Everything that is held of a member. A record is the very text that was signed; lengths are milliseconds, as recorded."""

    guild_id: Snowflake
    user_id: Snowflake
    as_of: Instant
    display_name: str | None
    bot: bool | None
    sessions: Rows
    correction_records: Rows
    external_records: Rows
    open_sessions: Rows
    period_totals: Rows
    period_channels: Rows
    quarter_hours: Rows
    entries: Rows
    corrections: Rows
    external_attendance: Rows
    role_grants: Rows
    role_changes: Rows
    opt_outs: Rows
    erasures: Rows
    deliveries: Rows
    commands: Rows
    audit: Rows
    audit_by_them: Rows
    correction_by_them: Rows
    rules_version_by_them: Rows
    api_token_by_them: Rows
    role_rule_by_them: Rows
    subscription_by_them: Rows
    journal: Rows
