"""Who has the time that a rule asks for: read from archives and sums, never from sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, Subquery, Table, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import UserId
from attendance.domain.role_rules import RoleRule, Scope, judge
from attendance.ports.role_runs import Judgement
from attendance.store.schema import channel, correction, period, period_channel, period_entry, period_member, role_grant


async def judged(connection: AsyncConnection, rule: RoleRule, period_index: int | None) -> Judgement:
    """What a rule says of a period (None: the last archived one), or of all time."""
    looked_at = None
    if rule.scope is Scope.PERIOD:
        looked_at = await _last_archived(connection, rule) if period_index is None else period_index
        if looked_at is None:
            return Judgement(None, ())
    sums = _sums(rule, looked_at).subquery()
    enough = select(sums.c.user_id).where(sums.c.credited_ms >= rule.threshold_ms)
    held = select(role_grant.c.user_id).where(
        role_grant.c.guild_id == rule.guild_id, role_grant.c.rule_id == rule.rule_id
    )  # fmt: skip
    reached = {UserId(user_id) for user_id in await connection.scalars(enough)}
    holders = {UserId(user_id) for user_id in await connection.scalars(held)}
    return Judgement(looked_at, judge(reached, holders, remove_below=rule.remove_below))


async def credited_of(
    connection: AsyncConnection, rule: RoleRule, period_index: int | None, user_ids: Sequence[UserId]
) -> dict[UserId, int]:
    """The milliseconds that the rule counts, of some members."""
    if rule.scope is Scope.PERIOD and period_index is None:
        return {}
    sums = _sums(rule, period_index).subquery()
    rows = await connection.execute(select(sums).where(sums.c.user_id.in_(user_ids)))
    return {UserId(row.user_id): int(row.credited_ms) for row in rows}


async def _last_archived(connection: AsyncConnection, rule: RoleRule) -> int | None:
    archived = select(func.max(period.c.period_index)).where(period.c.guild_id == rule.guild_id, period.c.state == "archived")
    last: int | None = await connection.scalar(archived)
    return last


def _sums(rule: RoleRule, period_index: int | None) -> Select[Any]:
    """Users and their ``credited_ms``. An archive's entries stand: what was corrected later counts over all time only."""
    if rule.scope is Scope.PERIOD and not rule.channel_ids:
        table = period_entry
        query = select(table.c.user_id, table.c.credited_ms).where(table.c.user_id.is_not(None))
        return query.where(table.c.guild_id == rule.guild_id, table.c.period_index == period_index)
    stored = _in_channels(period_channel if rule.channel_ids else period_member, rule)
    if rule.scope is Scope.PERIOD:
        return _added_up(stored.where(stored.selected_columns.period_index == period_index).subquery())
    late = select(correction.c.user_id, correction.c.period_index, correction.c.delta_ms.label("credited_ms"))
    late = late.where(correction.c.guild_id == rule.guild_id, correction.c.after_archive)
    if rule.channel_ids:
        late = late.where(correction.c.channel_id.in_(_channels(rule)))
    return _added_up(union_all(stored, late).subquery())


def _in_channels(table: Table, rule: RoleRule) -> Select[Any]:
    query = select(table.c.user_id, table.c.period_index, table.c.credited_ms).where(table.c.guild_id == rule.guild_id)
    return query.where(table.c.channel_id.in_(_channels(rule))) if rule.channel_ids else query


def _added_up(parts: Subquery) -> Select[Any]:
    return select(parts.c.user_id, func.sum(parts.c.credited_ms).label("credited_ms")).group_by(parts.c.user_id)


def _channels(rule: RoleRule) -> Select[Any]:
    named = or_(channel.c.channel_id.in_(rule.channel_ids), channel.c.parent_id.in_(rule.channel_ids))
    return select(channel.c.channel_id).where(channel.c.guild_id == rule.guild_id, named)
