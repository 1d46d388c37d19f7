"""Rules of verified roles as rows. See `attendance.ports.role_rules`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import Actor, AuditEntry
from attendance.domain.ids import ChannelId, GuildId, RoleId, UserId
from attendance.domain.role_rules import RoleRule, Scope
from attendance.errors import ConflictError
from attendance.ports.role_runs import RunState
from attendance.store.audit import record_audit
from attendance.store.database import Database
from attendance.store.schema import guild, role_change, role_grant, role_rule, role_run


@dataclass(frozen=True, slots=True)
class SqlRoleRuleStore:
    """`RoleRuleStore` on a database."""

    database: Database

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[Sequence[RoleRule], int]:
        """Rules in the order in which they were made, and how many there are in all."""
        here = role_rule.c.guild_id == guild_id
        query = select(role_rule).where(here).order_by(role_rule.c.created_at_ms, role_rule.c.rule_id)
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query.limit(limit).offset(offset))).mappings()
            total = await connection.scalar(select(func.count()).select_from(role_rule).where(here))
            return [read_rule(row) for row in rows], total or 0

    async def rule(self, guild_id: GuildId, rule_id: UUID) -> RoleRule | None:
        """One rule, None where the guild has no such."""
        async with self.database.snapshot() as connection:
            return await _rule(connection, guild_id, rule_id)

    async def add(self, rule: RoleRule, actor: Actor, limit: int) -> RoleRule:
        """Add a rule, unless one that says the same is there: then that one is returned."""
        async with self.database.transaction() as connection:
            # The guild's row is held, so that two who add at once count, and compare, one after the other.
            await connection.execute(select(guild.c.guild_id).where(guild.c.guild_id == rule.guild_id).with_for_update())
            rows = (await connection.execute(select(role_rule).where(role_rule.c.guild_id == rule.guild_id))).mappings()
            present = [read_rule(row) for row in rows]
            for other in present:
                if other.says_the_same(rule):
                    return other
            if len(present) >= limit:
                raise ConflictError(f"a guild has at most {limit} rules")
            await connection.execute(insert(role_rule).values(_values(rule)))
            await record_audit(connection, _entry(rule.created_at_ms, actor, None, rule))
        return rule

    async def change(
        self, guild_id: GuildId, rule_id: UUID, changes: Mapping[str, Any], actor: Actor, at_ms: int
    ) -> RoleRule | None:
        """Change members of a rule; returns it as it is now, None where there is no such."""
        async with self.database.transaction() as connection:
            await _hold_runs(connection, rule_id)
            before = await _rule(connection, guild_id, rule_id, hold=True)
            if before is None:
                return None
            after = replace(before, **changes)
            if after.says_the_same(before):
                return before
            after = replace(after, updated_at_ms=at_ms)
            await connection.execute(update(role_rule).where(role_rule.c.rule_id == rule_id).values(_values(after)))
            await _judge_anew(connection, rule_id)
            if after.role_id != before.role_id:
                await connection.execute(delete(role_grant).where(_grants_of(before)))
            await record_audit(connection, _entry(at_ms, actor, before, after))
        return after

    async def remove(self, guild_id: GuildId, rule_id: UUID, actor: Actor, at_ms: int) -> bool:
        """Remove a rule with its runs; whether there was one."""
        async with self.database.transaction() as connection:
            await _hold_runs(connection, rule_id)
            before = await _rule(connection, guild_id, rule_id, hold=True)
            if before is None:
                return False
            runs = select(role_run.c.run_id).where(role_run.c.rule_id == rule_id)
            await connection.execute(delete(role_change).where(role_change.c.run_id.in_(runs)))
            await connection.execute(delete(role_run).where(role_run.c.rule_id == rule_id))
            await connection.execute(delete(role_grant).where(_grants_of(before)))
            await connection.execute(delete(role_rule).where(role_rule.c.rule_id == rule_id))
            await record_audit(connection, _entry(at_ms, actor, before, None))
        return True


def read_rule(row: RowMapping) -> RoleRule:
    """A rule from its row."""
    return RoleRule(
        rule_id=row["rule_id"],
        guild_id=GuildId(row["guild_id"]),
        role_id=RoleId(row["role_id"]),
        threshold_seconds=row["threshold_seconds"],
        scope=Scope(row["scope"]),
        channel_ids=tuple(ChannelId(channel_id) for channel_id in json.loads(row["channel_ids"])),
        remove_below=row["remove_below"],
        last_error=row["last_error"],
        created_by=UserId(row["created_by"]),
        created_at_ms=row["created_at_ms"],
        updated_at_ms=row["updated_at_ms"],
    )


async def _rule(connection: AsyncConnection, guild_id: GuildId, rule_id: UUID, *, hold: bool = False) -> RoleRule | None:
    query = select(role_rule).where(role_rule.c.guild_id == guild_id, role_rule.c.rule_id == rule_id)
    row = (await connection.execute(query.with_for_update() if hold else query)).mappings().first()
    return None if row is None else read_rule(row)


def _values(rule: RoleRule) -> dict[str, Any]:
    values = {field.name: getattr(rule, field.name) for field in fields(rule)}
    return values | {"scope": rule.scope.value, "channel_ids": json.dumps(rule.channel_ids)}


async def _hold_runs(connection: AsyncConnection, rule_id: UUID) -> None:
    """Runs before their rule, in one order: whoever ends a run takes the locks so too, and nobody waits in a circle."""
    query = select(role_run.c.run_id).where(role_run.c.rule_id == rule_id).order_by(role_run.c.run_id)
    await connection.execute(query.with_for_update())


async def _judge_anew(connection: AsyncConnection, rule_id: UUID) -> None:
    """What was judged by the rule as it was is not carried out any further; whoever was at it loses the claim."""
    unfinished = and_(role_run.c.rule_id == rule_id, role_run.c.state.in_((RunState.DUE.value, RunState.JUDGED.value)))
    runs = select(role_run.c.run_id).where(unfinished)
    await connection.execute(delete(role_change).where(role_change.c.run_id.in_(runs), role_change.c.state == "waiting"))
    await connection.execute(
        update(role_run).where(unfinished).values(state=RunState.DUE.value, claimed_by=None, claimed_until_ms=None)
    )


def _grants_of(rule: RoleRule) -> Any:
    return and_(role_grant.c.guild_id == rule.guild_id, role_grant.c.rule_id == rule.rule_id)


def _entry(at_ms: int, actor: Actor, before: RoleRule | None, after: RoleRule | None) -> AuditEntry:
    verb = "create" if before is None else "delete" if after is None else "update"
    rule = after or before
    assert rule is not None  # noqa: S101  # there is one side at least
    return AuditEntry(
        guild_id=rule.guild_id,
        at_ms=at_ms,
        actor=actor,
        action=f"role_rule.{verb}",
        target=str(rule.rule_id),
        before=None if before is None else before.terms(),
        after=None if after is None else after.terms(),
    )
