"""Runs of verified roles with how far they are, for those who look."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import GuildId
from attendance.ports.role_runs import RoleRun, RunState
from attendance.store.schema import role_change, role_run


async def run_page(
    connection: AsyncConnection, guild_id: GuildId, rule_id: UUID, limit: int, offset: int
) -> tuple[list[RoleRun], int]:
    """Runs of a rule, newest first, and how many there are in all."""
    here = (role_run.c.guild_id == guild_id) & (role_run.c.rule_id == rule_id)
    total = await connection.scalar(select(func.count()).select_from(role_run).where(here))
    return await runs_of(connection, here, limit, offset), total or 0


async def runs_of(connection: AsyncConnection, which: ColumnElement[bool], limit: int = 1, offset: int = 0) -> list[RoleRun]:
    """Runs, newest first, with the counts of their changes."""
    query = select(role_run).where(which).order_by(role_run.c.created_at_ms.desc(), role_run.c.run_id.desc())
    rows = (await connection.execute(query.limit(limit).offset(offset))).all()
    progress = await _progress(connection, [row.run_id for row in rows])
    return [
        RoleRun(
            run_id=row.run_id,
            guild_id=GuildId(row.guild_id),
            rule_id=row.rule_id,
            period_index=row.period_index,
            state=RunState(row.state),
            error=row.error,
            created_at_ms=row.created_at_ms,
            done_at_ms=row.done_at_ms,
            **progress[row.run_id],
        )
        for row in rows
    ]


async def _progress(connection: AsyncConnection, run_ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    change = role_change.c
    what = case(
        (change.state == "waiting", "waiting"),
        (change.state == "failed", "failed"),
        (change.error.is_not(None), "passed_over"),
        (change.action == "remove", "removed"),
        else_="granted",
    ).label("what")
    each = select(change.run_id, what).where(change.run_id.in_(run_ids)).subquery()
    query = select(each.c.run_id, each.c.what, func.count()).group_by(each.c.run_id, each.c.what)
    counts: dict[UUID, dict[str, int]] = defaultdict(dict)
    for run_id, name, count in await connection.execute(query):
        counts[run_id][name] = count
    return counts
