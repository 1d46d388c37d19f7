"""Bodies of the verified roles."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.schemas.wire import DECIMAL_ID, UUID_TEXT, Body, Instant, Seconds, Snowflake, Wire
from attendance.domain.role_rules import MAX_CHANNELS, MAX_THRESHOLD_SECONDS

ScopeName = Literal["period", "lifetime"]
ActionName = Literal["grant", "remove"]
RunStateName = Literal["due", "judged", "done", "failed"]
_ID = "01972f3c-7c00-7000-8000-0123456789ab"
RuleId = Annotated[str, msgspec.Meta(pattern=UUID_TEXT, description="The rule's id", examples=[_ID])]
RunId = Annotated[str, msgspec.Meta(description="The run's id", examples=[_ID])]
Threshold = Annotated[int, msgspec.Meta(ge=1, le=MAX_THRESHOLD_SECONDS, description="Credited seconds", examples=[36_000])]
Channels = Annotated[
    list[Annotated[str, msgspec.Meta(pattern=DECIMAL_ID)]],
    msgspec.Meta(
        max_length=MAX_CHANNELS,
        description="Only time in these counts, a category standing for its channels; empty: all",
        examples=[["81384788765712384"]],
    ),
]
Count = Annotated[int, msgspec.Meta(ge=0)]
Problem = Annotated[str, msgspec.Meta(examples=["the bot lacks the permission Manage Roles"])]


class SaveRuleBody(Body, frozen=True, kw_only=True):
    """A new rule needs `role_id` and `threshold_seconds`. With an `id` that rule changes, and only the members given do."""

    id: RuleId | UnsetType = UNSET
    role_id: Snowflake | UnsetType = UNSET
    threshold_seconds: Threshold | UnsetType = UNSET
    scope: ScopeName | UnsetType = UNSET
    channel_ids: Channels | UnsetType = UNSET
    remove_below: bool | UnsetType = UNSET


class RuleBody(Wire, frozen=True, kw_only=True):
    """A rule. `last_error`: why its last run could not give the role."""

    id: RuleId
    role_id: Snowflake
    threshold_seconds: Threshold
    scope: ScopeName
    channel_ids: Channels
    remove_below: bool
    last_error: Problem | None
    created_at: Instant
    updated_at: Instant


class RuleRow(Wire, frozen=True, kw_only=True):
    """A rule as a line of a table; its channels with spaces between."""

    id: str
    role_id: str
    threshold_seconds: int
    scope: str
    channel_ids: str
    remove_below: bool
    last_error: str | None
    created_at: str
    updated_at: str


class JudgedMemberBody(Wire, frozen=True, kw_only=True):
    """A member for whom something changes, with the seconds that the rule counts."""

    user_id: Snowflake
    display_name: str
    seconds: Seconds
    action: ActionName


class DryRunBody(Wire, frozen=True, kw_only=True):
    """What a run would do now.

    `problem`: why the role cannot be given at all. `period_index`: of the archived period that was looked at; null: all time,
    or no period is archived yet. `keep`: how many have the role by the rule and keep it.
    """

    rule_id: RuleId
    role_id: Snowflake
    period_index: int | None
    problem: Problem | None
    grant: Count
    remove: Count
    keep: Count
    items: list[JudgedMemberBody]
    total: Count


class RunBody(Wire, frozen=True, kw_only=True):
    """A run and how far it is.

    `due`: not judged yet; `judged`: Discord is being asked. `period_index`: null on demand. `waiting`: members still to be
    asked about. `passed_over`: members that needed nothing, because they had the role otherwise or are members no more.
    """

    id: RunId
    rule_id: RuleId
    period_index: int | None
    state: Annotated[RunStateName, msgspec.Meta(examples=["judged"])]
    error: Problem | None
    created_at: Instant
    done_at: Instant | None
    waiting: Count
    granted: Count
    removed: Count
    passed_over: Count
    failed: Count
