"""Verified roles and the subscription on the wire."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from api.schemas import subscription as tiers
from api.schemas import verified_roles as body
from api.shapes import given
from attendance.domain.ids import ChannelId, RoleId, parse_snowflake
from attendance.domain.instants import to_rfc3339
from attendance.domain.role_rules import RoleRule, Scope
from attendance.domain.subscriptions import Feature, Subscription
from attendance.ports.role_runs import RoleRun
from attendance.services.verified_roles import DryRun


def rule_terms(data: body.SaveRuleBody) -> tuple[UUID | None, dict[str, Any]]:
    """The rule that is meant, if one, and the terms that are given, named and typed as in `RoleRule`."""
    terms = given(data)
    rule_id = terms.pop("id", None)
    if "role_id" in terms:
        terms["role_id"] = RoleId(parse_snowflake(terms["role_id"], name="role_id"))
    if "scope" in terms:
        terms["scope"] = Scope(terms["scope"])
    if "channel_ids" in terms:
        channel_ids = {ChannelId(parse_snowflake(channel_id, name="channel_ids")) for channel_id in terms["channel_ids"]}
        terms["channel_ids"] = tuple(sorted(channel_ids))
    return None if rule_id is None else UUID(rule_id), terms


def rule_body(rule: RoleRule) -> body.RuleBody:
    """A rule."""
    return body.RuleBody(**_members(rule), channel_ids=[str(channel_id) for channel_id in rule.channel_ids])


def rule_row(rule: RoleRule) -> body.RuleRow:
    """A rule as a line of a table."""
    return body.RuleRow(**_members(rule), channel_ids=" ".join(str(channel_id) for channel_id in rule.channel_ids))


def _members(rule: RoleRule) -> dict[str, Any]:
    return {
        "id": str(rule.rule_id),
        "role_id": str(rule.role_id),
        "threshold_seconds": rule.threshold_seconds,
        "scope": rule.scope.value,
        "remove_below": rule.remove_below,
        "last_error": rule.last_error,
        "created_at": to_rfc3339(rule.created_at_ms),
        "updated_at": to_rfc3339(rule.updated_at_ms),
    }


def dry_run_body(dry_run: DryRun) -> body.DryRunBody:
    """What a run would do."""
    return body.DryRunBody(
        rule_id=str(dry_run.rule.rule_id),
        role_id=str(dry_run.rule.role_id),
        period_index=dry_run.period_index,
        problem=dry_run.problem,
        grant=dry_run.grants,
        remove=dry_run.removals,
        keep=dry_run.keeps,
        items=[
            body.JudgedMemberBody(
                user_id=str(member.user_id),
                display_name=member.display_name,
                seconds=member.credited_ms // 1000,
                action=cast("body.ActionName", member.action.value),
            )
            for member in dry_run.members
        ],
        total=dry_run.total,
    )


def run_body(run: RoleRun) -> body.RunBody:
    """A run."""
    return body.RunBody(
        id=str(run.run_id),
        rule_id=str(run.rule_id),
        period_index=run.period_index,
        state=run.state.value,
        error=run.error,
        created_at=to_rfc3339(run.created_at_ms),
        done_at=None if run.done_at_ms is None else to_rfc3339(run.done_at_ms),
        waiting=run.waiting,
        granted=run.granted,
        removed=run.removed,
        passed_over=run.passed_over,
        failed=run.failed,
    )


def subscription_body(subscription: Subscription) -> tiers.SubscriptionBody:
    """A guild's tier."""
    return tiers.SubscriptionBody(
        tier=subscription.tier.value,
        features=tiers.FeaturesBody(**{feature.value: feature in subscription.features for feature in Feature}),
        renews_at=None if subscription.renews_at_ms is None else to_rfc3339(subscription.renews_at_ms),
    )
