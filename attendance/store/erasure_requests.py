"""Requests to erase members, as rows of `erasure`: asked, told, claimed, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Update, and_, cast, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import Actor, AuditEntry
from attendance.domain.erasure import Erasure, ErasureState
from attendance.domain.ids import GuildId, UserId
from attendance.errors import OwnershipLostError
from attendance.ports.privacy import ErasureClaim, ErasureToTell, PendingErasure
from attendance.store.audit import record_audit
from attendance.store.database import Database
from attendance.store.schema import erasure, guild, member

_COLUMNS = tuple(erasure.c[name] for name in Erasure.__slots__)
_WAITING, _RUNNING = ErasureState.WAITING.value, ErasureState.RUNNING.value
_UNTOLD = and_(erasure.c.told_at_ms.is_(None), erasure.c.tell_error.is_(None))


@dataclass(frozen=True, slots=True)
class SqlErasureRequests:
    """`ErasureRequests` on a database."""

    database: Database

    async def request(self, asked: Erasure, actor: Actor) -> tuple[Erasure, bool]:
        """Store a request, unless one stands."""
        async with self.database.transaction() as connection:
            # The guild's row is what two who ask at once wait for.
            await connection.execute(select(guild.c.guild_id).where(guild.c.guild_id == asked.guild_id).with_for_update())
            standing = erasure.c.state.in_((_WAITING, _RUNNING))
            row = (await connection.execute(_of_member(asked.guild_id, asked.user_id).where(standing))).first()
            if row is not None:
                return _erasure(row), False
            values = {name: getattr(asked, name) for name in Erasure.__slots__}
            await connection.execute(insert(erasure).values(**{**values, "state": asked.state.value}))
            await record_audit(connection, _audit(asked, actor, "member.erase", asked.requested_at_ms))
        return asked, True

    async def latest(self, guild_id: GuildId, user_id: UserId) -> Erasure | None:
        """The member's last request."""
        newest = erasure.c.ended_at_ms.is_(None).desc(), erasure.c.requested_at_ms.desc(), erasure.c.erasure_id.desc()
        query = _of_member(guild_id, user_id).order_by(*newest).limit(1)
        async with self.database.snapshot() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _erasure(row)

    async def pending(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[PendingErasure], int]:
        """Requests that wait or run, the next to be due first."""
        here = and_(erasure.c.guild_id == guild_id, erasure.c.state.in_((_WAITING, _RUNNING)))
        theirs = and_(member.c.guild_id == erasure.c.guild_id, member.c.user_id == erasure.c.user_id)
        name = func.coalesce(member.c.display_name, cast(erasure.c.user_id, String)).label("display_name")
        query = (
            select(*_COLUMNS, name)
            .select_from(erasure.outerjoin(member, theirs))
            .where(here)
            .order_by(erasure.c.due_at_ms, erasure.c.erasure_id)
        )
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query.limit(limit).offset(offset))).all()
            total = (await connection.execute(select(func.count()).select_from(erasure).where(here))).scalar_one()
        return [PendingErasure(_erasure(row[:-1]), row[-1]) for row in rows], total

    async def withdraw(self, asked: Erasure, actor: Actor, now_ms: int) -> bool:
        """Withdraw a waiting request."""
        this = erasure.c.erasure_id == asked.erasure_id, erasure.c.state == _WAITING
        ended = update(erasure).where(*this).values(state=ErasureState.WITHDRAWN.value, ended_at_ms=now_ms)
        async with self.database.transaction() as connection:
            if (await connection.execute(ended)).rowcount != 1:
                return False
            await record_audit(connection, _audit(asked, actor, "member.erase_withdraw", now_ms))
        return True

    async def to_tell(self, now_ms: int, limit: int) -> list[UUID]:
        """Waiting requests of which the member is still to be told."""
        return await self._ids(limit, erasure.c.state == _WAITING, _UNTOLD, _unclaimed(now_ms))

    async def claim_to_tell(self, erasure_id: UUID, claimed_by: str, now_ms: int, until_ms: int) -> ErasureToTell | None:
        """Take it."""
        taken = update(erasure).where(erasure.c.state == _WAITING, _UNTOLD)
        name = select(guild.c.name).where(guild.c.guild_id == erasure.c.guild_id).scalar_subquery()
        async with self.database.transaction() as connection:
            row = await _take(connection, taken, erasure_id, claimed_by, now_ms, until_ms)
            if row is None:
                return None
            told = (await connection.execute(select(name).where(erasure.c.erasure_id == erasure_id))).scalar_one()
        return ErasureToTell(_claim(row), told or "", UserId(row.requested_by), row.due_at_ms)

    async def note_told(self, claim: ErasureClaim, told_at_ms: int | None, error: str | None) -> None:
        """Note that the member was told, or why they cannot be."""
        # Whoever has the claim by now: that it was sent is a fact.
        noted = update(erasure).where(erasure.c.erasure_id == claim.erasure_id, _UNTOLD)
        values = {"told_at_ms": told_at_ms, "tell_error": error, "claimed_by": None, "claimed_until_ms": None}
        async with self.database.transaction() as connection:
            await connection.execute(noted.values(**values))

    async def due(self, now_ms: int, limit: int) -> list[UUID]:
        """Requests that are due and in nobody's hands."""
        return await self._ids(limit, _is_due(now_ms), _unclaimed(now_ms))

    async def claim(self, erasure_id: UUID, claimed_by: str, now_ms: int, until_ms: int) -> ErasureClaim | None:
        """Begin it, or take up what another attempt left."""
        taken = update(erasure).where(_is_due(now_ms))
        async with self.database.transaction() as connection:
            row = await _take(connection, taken, erasure_id, claimed_by, now_ms, until_ms, state=_RUNNING)
        return None if row is None else _claim(row)

    async def hold(self, claim: ErasureClaim, until_ms: int) -> None:
        """Prolong a claim."""
        async with self.database.transaction() as connection:
            await hold_claim(connection, claim, claimed_until_ms=until_ms)

    async def forget_subjects(self, ended_before_ms: int) -> int:
        """Forget whom ended requests were about."""
        old = erasure.c.user_id.is_not(None), erasure.c.ended_at_ms < ended_before_ms
        async with self.database.transaction() as connection:
            return (await connection.execute(update(erasure).where(*old).values(user_id=None, requested_by=None))).rowcount

    async def _ids(self, limit: int, *conditions: ColumnElement[bool]) -> list[UUID]:
        query = select(erasure.c.erasure_id).where(*conditions).order_by(erasure.c.due_at_ms).limit(limit)
        async with self.database.snapshot() as connection:
            return list(await connection.scalars(query))


async def hold_claim(connection: AsyncConnection, claim: ErasureClaim, **values: Any) -> None:
    """Change a claimed erasure's row: a rival waits for our commit.

    Raises:
        OwnershipLostError: another attempt has it.
    """
    mine = erasure.c.erasure_id == claim.erasure_id, erasure.c.claimed_by == claim.claimed_by, erasure.c.state == _RUNNING
    if (await connection.execute(update(erasure).where(*mine).values(**values))).rowcount != 1:
        raise OwnershipLostError(f"erasure {claim.erasure_id} is in other hands, or done")


async def _take(  # noqa: PLR0917  # each is a different type
    connection: AsyncConnection, taken: Update, erasure_id: UUID, claimed_by: str, now_ms: int, until_ms: int, **values: str
) -> Any:
    changed = (
        taken.where(erasure.c.erasure_id == erasure_id, _unclaimed(now_ms))
        .values(claimed_by=claimed_by, claimed_until_ms=until_ms, **values)
        .returning(erasure)
    )
    return (await connection.execute(changed)).first()


def _is_due(now_ms: int) -> ColumnElement[bool]:
    ready = and_(erasure.c.state == _WAITING, erasure.c.due_at_ms <= now_ms, ~_UNTOLD)
    return or_(ready, erasure.c.state == _RUNNING)


def _unclaimed(now_ms: int) -> ColumnElement[bool]:
    return or_(erasure.c.claimed_by.is_(None), erasure.c.claimed_until_ms < now_ms)


def _of_member(guild_id: GuildId, user_id: UserId) -> Any:
    return select(*_COLUMNS).where(erasure.c.guild_id == guild_id, erasure.c.user_id == user_id)


def _erasure(row: Any) -> Erasure:
    values = dict(zip(Erasure.__slots__, row, strict=True))
    return Erasure(**{**values, "state": ErasureState(values["state"])})


def _claim(row: Any) -> ErasureClaim:
    return ErasureClaim(row.erasure_id, GuildId(row.guild_id), UserId(row.user_id), row.claimed_by)


def _audit(asked: Erasure, actor: Actor, action: str, at_ms: int) -> AuditEntry:
    """It names the member until they are erased, and then no more."""
    return AuditEntry(guild_id=asked.guild_id, at_ms=at_ms, actor=actor, action=action, target=str(asked.user_id))
