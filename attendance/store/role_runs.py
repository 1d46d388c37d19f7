"""Runs of verified roles as rows. See `attendance.ports.role_runs`.

Locks are taken in one order: a run, its changes, grants, the rule. An erasure takes them so too (`forget_member`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import Actor, AuditEntry
from attendance.domain.ids import GuildId, UserId
from attendance.domain.role_rules import Action, Change, RoleRule
from attendance.errors import NotFoundError, OwnershipLostError
from attendance.ports.role_runs import Judgement, Outcome, RoleRun, RunClaim, RunState, Waiting
from attendance.store.audit import record_audit
from attendance.store.database import Database, bulk_insert, bulk_upsert
from attendance.store.role_judgements import credited_of, judged
from attendance.store.role_rules import read_rule
from attendance.store.role_run_lists import run_page, runs_of
from attendance.store.schema import erasure, role_change, role_grant, role_rule, role_run

_CHANGE_COLUMNS = ("run_id", "user_id", "guild_id", "action", "state", "error")
_GRANT_COLUMNS = ("guild_id", "rule_id", "user_id", "granted_at_ms")
_UNFINISHED = (RunState.DUE.value, RunState.JUDGED.value)


async def queue_role_runs(connection: AsyncConnection, guild_id: GuildId, period_index: int, now_ms: int) -> None:
    """Let every rule of the guild be judged at a period's end, in the transaction that archives it."""
    rules = await connection.scalars(select(role_rule.c.rule_id).where(role_rule.c.guild_id == guild_id))
    columns = ("run_id", "guild_id", "rule_id", "period_index", "state", "created_at_ms")
    rows = [
        (uuid5(NAMESPACE_OID, f"rollcall:role-run:{rule_id}:{period_index}"), guild_id, rule_id, period_index, "due", now_ms)
        for rule_id in rules
    ]
    await bulk_insert(connection, role_run, columns, rows)


async def forget_member(connection: AsyncConnection, guild_id: GuildId, user_id: UserId) -> None:
    """Forget a member's part in runs, and by which rules they have roles, in the caller's transaction."""
    for table in (role_change, role_grant):  # in this order: who settles holds the changes before writing grants
        await connection.execute(delete(table).where(table.c.guild_id == guild_id, table.c.user_id == user_id))


@dataclass(frozen=True, slots=True)
class SqlRoleRunStore:
    """`RoleRunStore` on a database."""

    database: Database

    async def judgement(self, rule: RoleRule, period_index: int | None) -> Judgement:
        """What the rule says now."""
        async with self.database.snapshot() as connection:
            return await judged(connection, rule, period_index)

    async def credited(self, rule: RoleRule, period_index: int | None, user_ids: Sequence[UserId]) -> dict[UserId, int]:
        """The milliseconds that the rule counts, of those of the members who have any."""
        async with self.database.snapshot() as connection:
            return await credited_of(connection, rule, period_index, user_ids)

    async def ask(self, rule: RoleRule, run_id: UUID, actor: Actor, now_ms: int) -> tuple[RoleRun, bool]:
        """Queue a run on demand, unless one is not done yet; the run, and whether it is new."""
        async with self.database.transaction() as connection:
            hold = select(role_rule.c.rule_id).where(role_rule.c.rule_id == rule.rule_id).with_for_update()
            if await connection.scalar(hold) is None:
                raise NotFoundError("the guild has no such rule")
            on_demand = and_(role_run.c.rule_id == rule.rule_id, role_run.c.period_index.is_(None), _is_unfinished(role_run))
            waiting = await connection.scalar(select(role_run.c.run_id).where(on_demand).limit(1))
            if waiting is None:
                await connection.execute(
                    insert(role_run).values(
                        run_id=run_id,
                        guild_id=rule.guild_id,
                        rule_id=rule.rule_id,
                        state=RunState.DUE.value,
                        created_at_ms=now_ms,
                    )
                )
                target = str(rule.rule_id)
                entry = AuditEntry(guild_id=rule.guild_id, at_ms=now_ms, actor=actor, action="role_rule.run", target=target)
                await record_audit(connection, entry)
            [run] = await runs_of(connection, role_run.c.run_id == (run_id if waiting is None else waiting))
        return run, waiting is None

    async def page(self, guild_id: GuildId, rule_id: UUID, limit: int, offset: int) -> tuple[list[RoleRun], int]:
        """Runs of a rule, newest first, and how many there are in all."""
        async with self.database.snapshot() as connection:
            return await run_page(connection, guild_id, rule_id, limit, offset)

    async def due(self, now_ms: int, limit: int) -> list[UUID]:
        """Runs that are not done and in nobody's hands, the longest waiting first; of each role only its oldest."""
        order = (func.coalesce(role_run.c.claimed_until_ms, 0), role_run.c.created_at_ms, role_run.c.run_id)
        async with self.database.snapshot() as connection:
            return list(
                await connection.scalars(select(role_run.c.run_id).where(_is_due(now_ms)).order_by(*order).limit(limit))
            )

    async def claim(self, run_id: UUID, claimed_by: str, now_ms: int, until_ms: int) -> RunClaim | None:
        """Take a run, if it is due and no other claim stands."""
        this = role_run.c.run_id == run_id
        take = update(role_run).where(this, _is_due(now_ms)).values(claimed_by=claimed_by, claimed_until_ms=until_ms)
        async with self.database.transaction() as connection:
            if (await connection.execute(take)).rowcount != 1:
                return None
            run = (await connection.execute(select(role_run).where(this))).one()
            query = select(role_rule).where(role_rule.c.rule_id == run.rule_id)
            rule = (await connection.execute(query)).mappings().first()
            if rule is None:  # removed while its period was being archived
                await connection.execute(delete(role_change).where(role_change.c.run_id == run_id))
                await connection.execute(delete(role_run).where(this))
                return None
            return RunClaim(run_id, claimed_by, run.period_index, RunState(run.state), read_rule(rule))

    async def is_superseded(self, claim: RunClaim) -> bool:
        """Whether a newer run of the same rule waits to be judged."""
        newer = select(role_run.c.run_id).where(
            role_run.c.rule_id == claim.rule.rule_id,
            role_run.c.run_id != claim.run_id,
            role_run.c.state == RunState.DUE.value,
        )
        async with self.database.snapshot() as connection:
            return await connection.scalar(newer.limit(1)) is not None

    async def list_changes(self, claim: RunClaim, changes: Sequence[Change], until_ms: int) -> None:
        """Write down what was judged."""
        guild_id = claim.rule.guild_id
        rows = [(claim.run_id, user_id, guild_id, action.value, "waiting", None) for user_id, action in changes]
        async with self.database.transaction() as connection:
            await _hold(connection, claim, state=RunState.JUDGED.value, claimed_until_ms=until_ms)
            # A run that is judged anew, since its rule was changed, has changes that were made already.
            await bulk_upsert(connection, role_change, _CHANGE_COLUMNS, rows, replace=("action", "state", "error"))

    async def waiting(self, claim: RunClaim, until_ms: int, limit: int) -> list[Waiting]:
        """Some changes that wait. Those of members who were erased since the run began are dropped."""
        change, rule = role_change.c, claim.rule
        grants = select(role_grant.c.user_id).where(
            role_grant.c.guild_id == rule.guild_id, role_grant.c.user_id == change.user_id
        )
        others = grants.join(role_rule, role_rule.c.rule_id == role_grant.c.rule_id).where(
            role_rule.c.role_id == rule.role_id, role_rule.c.rule_id != rule.rule_id
        )
        held = exists(grants.where(role_grant.c.rule_id == rule.rule_id)).label("held")
        query = select(change.user_id, change.action, held, exists(others).label("otherwise"))
        query = query.where(change.run_id == claim.run_id, change.state == "waiting").order_by(change.user_id).limit(limit)
        async with self.database.transaction() as connection:
            await _hold(connection, claim, claimed_until_ms=until_ms)
            while rows := (await connection.execute(query)).all():
                erased = await _erased_since(connection, claim, [row.user_id for row in rows])
                found = [Waiting(UserId(user), Action(a), bool(own), bool(o)) for user, a, own, o in rows if user not in erased]
                await connection.execute(delete(role_change).where(change.run_id == claim.run_id, change.user_id.in_(erased)))
                if found:
                    return found
        return []

    async def intend(self, claim: RunClaim, user_ids: Sequence[UserId], now_ms: int) -> None:
        """Note that these members have the role by this rule, before Discord is told."""
        async with self.database.transaction() as connection:
            await _hold(connection, claim)
            await _grant(connection, claim, await _present(connection, claim, user_ids), now_ms)

    async def settle(
        self, claim: RunClaim, outcomes: Sequence[Outcome], now_ms: int, next_at_ms: int, error: str | None = None
    ) -> None:
        """Write down what was done and give the run back until then; with its last change it is done, with an error failed."""
        here = role_change.c.run_id == claim.run_id
        async with self.database.transaction() as connection:
            await _hold(connection, claim, claimed_by=None, claimed_until_ms=next_at_ms)
            present = set(await _present(connection, claim, [outcome.user_id for outcome in outcomes]))
            told = [outcome for outcome in outcomes if outcome.user_id in present]
            await _grant(connection, claim, [outcome.user_id for outcome in told if outcome.held], now_ms)
            lost = [outcome.user_id for outcome in told if not outcome.held]
            await connection.execute(delete(role_grant).where(_grants(claim), role_grant.c.user_id.in_(lost)))
            forgotten = [outcome.user_id for outcome in told if outcome.forgotten]
            await connection.execute(delete(role_change).where(here, role_change.c.user_id.in_(forgotten)))
            rows = [
                (claim.run_id, o.user_id, claim.rule.guild_id, o.action.value, "failed" if o.failed else "done", o.note)
                for o in told
                if not o.forgotten
            ]
            await bulk_upsert(connection, role_change, _CHANGE_COLUMNS, rows, replace=("action", "state", "error"))
            more = await connection.scalar(select(role_change.c.user_id).where(here, role_change.c.state == "waiting").limit(1))
            if error is not None or more is None:
                await _end(connection, claim, now_ms, error, RunState.DONE if error is None else RunState.FAILED)

    async def end(self, claim: RunClaim, now_ms: int, error: str | None, *, failed: bool) -> None:
        """End the run. A failure stays with the rule until a run succeeds."""
        async with self.database.transaction() as connection:
            await _hold(connection, claim, claimed_by=None, claimed_until_ms=None)
            await _end(connection, claim, now_ms, error, RunState.FAILED if failed else RunState.DONE)

    async def release(self, claim: RunClaim, next_at_ms: int) -> None:
        """Give the run back until then, if it is still ours."""
        give_back = update(role_run).where(_is_ours(claim)).values(claimed_by=None, claimed_until_ms=next_at_ms)
        async with self.database.transaction() as connection:
            await connection.execute(give_back)

    async def trim(self, before_ms: int, limit: int) -> int:
        """Delete up to ``limit`` runs that ended before then; how many."""
        old = select(role_run.c.run_id).where(role_run.c.done_at_ms < before_ms).limit(limit)
        async with self.database.transaction() as connection:
            runs = list(await connection.scalars(old))
            await connection.execute(delete(role_change).where(role_change.c.run_id.in_(runs)))
            await connection.execute(delete(role_run).where(role_run.c.run_id.in_(runs)))
        return len(runs)


def _is_unfinished(table: Any) -> ColumnElement[bool]:
    unfinished: ColumnElement[bool] = table.c.state.in_(_UNFINISHED)
    return unfinished


def _is_due(now_ms: int) -> ColumnElement[bool]:
    """Not done, in nobody's hands, and the oldest of its role: two runs about one role never work against each other.

    Of two rules that gave at once, the second found the role given, took it for one by hand and noted no grant; later
    the first took it from members who had reached the second.
    """
    other = role_run.alias("other")
    mine, theirs = role_rule.alias("mine"), role_rule.alias("theirs")
    same_role = exists(
        select(mine.c.rule_id)
        .join(theirs, and_(theirs.c.guild_id == mine.c.guild_id, theirs.c.role_id == mine.c.role_id))
        .where(mine.c.rule_id == role_run.c.rule_id, theirs.c.rule_id == other.c.rule_id)
        .correlate(role_run, other)  # by itself SQLAlchemy correlates one level only
    )
    earlier = or_(
        other.c.created_at_ms < role_run.c.created_at_ms,
        and_(other.c.created_at_ms == role_run.c.created_at_ms, other.c.run_id < role_run.c.run_id),
    )
    of_same = or_(other.c.rule_id == role_run.c.rule_id, same_role)
    is_behind = exists(select(other.c.run_id).where(of_same, _is_unfinished(other), earlier))
    is_free = or_(role_run.c.claimed_until_ms.is_(None), role_run.c.claimed_until_ms <= now_ms)
    return and_(_is_unfinished(role_run), is_free, ~is_behind)


def _is_ours(claim: RunClaim) -> ColumnElement[bool]:
    return and_(
        role_run.c.run_id == claim.run_id, role_run.c.claimed_by == claim.claimed_by, _is_unfinished(role_run)
    )  # fmt: skip


def _grants(claim: RunClaim) -> ColumnElement[bool]:
    return and_(role_grant.c.guild_id == claim.rule.guild_id, role_grant.c.rule_id == claim.rule.rule_id)


async def _hold(connection: AsyncConnection, claim: RunClaim, **changes: Any) -> None:
    """Change the claimed run's row first: on PostgreSQL its lock keeps every rival out until we commit."""
    result = await connection.execute(
        update(role_run).where(_is_ours(claim)).values(**(changes or {"claimed_by": claim.claimed_by}))
    )
    if result.rowcount != 1:
        raise OwnershipLostError(f"role run {claim.run_id} is over or in other hands")


async def _erased_since(connection: AsyncConnection, claim: RunClaim, user_ids: Sequence[int]) -> list[int]:
    """Whose erasure came between the judgement and now: what was judged of them must not be carried out."""
    began = select(role_run.c.created_at_ms).where(role_run.c.run_id == claim.run_id).scalar_subquery()
    query = select(erasure.c.user_id).where(
        erasure.c.guild_id == claim.rule.guild_id,
        erasure.c.user_id.in_(user_ids),
        erasure.c.state == "done",
        erasure.c.ended_at_ms >= began,
    )
    return list(await connection.scalars(query))


async def _present(connection: AsyncConnection, claim: RunClaim, user_ids: Sequence[UserId]) -> list[UserId]:
    """Those whose changes are still listed, held until the commit: an erasure comes before, and is seen, or after us."""
    query = select(role_change.c.user_id).where(role_change.c.run_id == claim.run_id, role_change.c.user_id.in_(user_ids))
    rows = await connection.scalars(query.order_by(role_change.c.user_id).with_for_update())
    return [UserId(user_id) for user_id in rows]


async def _grant(connection: AsyncConnection, claim: RunClaim, user_ids: Sequence[UserId], now_ms: int) -> None:
    rows = [(claim.rule.guild_id, claim.rule.rule_id, user_id, now_ms) for user_id in user_ids]
    await bulk_upsert(connection, role_grant, _GRANT_COLUMNS, rows)


async def _end(connection: AsyncConnection, claim: RunClaim, now_ms: int, error: str | None, state: RunState) -> None:
    await connection.execute(
        update(role_run)
        .where(role_run.c.run_id == claim.run_id)
        .values(state=state.value, error=error, done_at_ms=now_ms, claimed_by=None, claimed_until_ms=None)
    )
    last_error = error if state is RunState.FAILED else None
    await connection.execute(
        update(role_rule).where(role_rule.c.rule_id == claim.rule.rule_id).values(last_error=last_error)
    )  # fmt: skip
