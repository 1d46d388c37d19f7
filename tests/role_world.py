"""Rules of verified roles, archived periods and the worker, around the guild of `tests.api_world`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from attendance.domain.audit import SYSTEM
from attendance.domain.role_rules import RoleRule, Scope
from attendance.domain.subscriptions import Billing
from attendance.services.archive import Archiver
from attendance.services.role_runs import RoleRuns
from attendance.services.subscriptions import Subscriptions
from attendance.store import schema
from attendance.store.periods import SqlPeriodStore
from attendance.store.role_rules import SqlRoleRuleStore
from attendance.store.role_runs import SqlRoleRunStore
from attendance.store.subscriptions import SqlSubscriptionStore
from tests.api_world import GUILD, MANAGER, World
from tests.books import rows_of

ROLE = 7_000


def worker(world: World, store: Any = None, discord: Any = None, holder: str = "one") -> RoleRuns:
    subscriptions = Subscriptions(SqlSubscriptionStore(world.database), world.clock, world.billing)
    store = store or SqlRoleRunStore(world.database)
    return RoleRuns(store, discord or world.roles, subscriptions, world.clock, world.ids, holder)


async def make_rule(world: World, threshold_seconds: int = 100, **terms: Any) -> RoleRule:
    """A rule as the API would have stored it."""
    now_ms = world.clock.now_ms()
    values: dict[str, Any] = {
        "rule_id": world.ids.session_id(now_ms),
        "guild_id": GUILD,
        "role_id": ROLE,
        "threshold_seconds": threshold_seconds,
        "scope": Scope.PERIOD,
        "channel_ids": (),
        "remove_below": False,
        "last_error": None,
        "created_by": MANAGER,
        "created_at_ms": now_ms,
        "updated_at_ms": now_ms,
    }
    rule = RoleRule(**{**values, **terms})
    stored = {name: getattr(rule, name) for name in values} | {
        "scope": rule.scope.value,
        "channel_ids": str(list(rule.channel_ids)),
    }
    await world.put(schema.role_rule, **stored)
    return rule


async def end_period(world: World, index: int, seconds: dict[int, int], *, channel_id: int = 50) -> None:
    """Members with so many seconds in a period, which is then archived for good."""
    for user_id, amount in seconds.items():
        await world.session(user_id, amount * 1000, period_index=index, channel_id=channel_id)
    this = (schema.period.c.guild_id == GUILD) & (schema.period.c.period_index == index)
    now_ms = world.clock.now_ms()
    await world.change(schema.period, this, state="closed", ended_at_ms=now_ms, reason="schedule")
    await world.put(schema.period, guild_id=GUILD, period_index=index + 1, started_at_ms=now_ms, state="running")
    await Archiver(SqlPeriodStore(world.database), world.clock, world.ids, "archiver").archive_due()


async def ask(world: World, rule: RoleRule) -> UUID:
    """A run on demand."""
    store, now_ms = SqlRoleRunStore(world.database), world.clock.now_ms()
    run, _ = await store.ask(rule, world.ids.session_id(now_ms), SYSTEM, now_ms)
    return run.run_id


async def runs(world: World) -> list[dict[str, Any]]:
    return await rows_of(world.database, schema.role_run, schema.role_run.c.created_at_ms, schema.role_run.c.period_index)


async def changes(world: World, run_id: UUID | None = None) -> dict[int, tuple[str, str, str | None]]:
    """By member: action, state, note; of one run, or of the only one."""
    rows = await rows_of(world.database, schema.role_change)
    return {r["user_id"]: (r["action"], r["state"], r["error"]) for r in rows if run_id in (None, r["run_id"])}


async def granted(world: World) -> set[int]:
    return {row["user_id"] for row in await rows_of(world.database, schema.role_grant)}


async def stored_rule(world: World, rule: RoleRule) -> RoleRule:
    found = await SqlRoleRuleStore(world.database).rule(GUILD, rule.rule_id)
    assert found is not None
    return found


async def audited(world: World) -> list[tuple[str, int | None]]:
    query = select(schema.audit.c.action, schema.audit.c.actor_id).order_by(schema.audit.c.id)
    async with world.database.snapshot() as connection:
        return [tuple(row) for row in await connection.execute(query)]


def billed(world: World, *sku_ids: int) -> World:
    world.billing = Billing(on=True, sku_ids=frozenset(sku_ids))
    return world
