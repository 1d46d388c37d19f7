"""Reading the audit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from attendance.domain.audit import Actor, AuditEntry, Via
from attendance.domain.ids import GuildId, UserId
from attendance.ports.audit import AuditFilter
from attendance.store.database import Database
from attendance.store.schema import audit


@dataclass(frozen=True, slots=True)
class SqlAuditLog:
    """`AuditLog` over the `audit` table."""

    database: Database

    async def page(self, which: AuditFilter, limit: int, offset: int) -> tuple[list[AuditEntry], int]:
        """Entries, newest first, and how many there are."""
        asked = _matching(which)
        order = audit.c.at_ms.desc(), audit.c.id.desc()
        query = select(audit).where(asked).order_by(*order).limit(limit).offset(offset)
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query)).all()
            total = (await connection.execute(select(func.count()).select_from(audit).where(asked))).scalar_one()
        return [_entry(row) for row in rows], total


def _matching(which: AuditFilter) -> ColumnElement[bool]:
    conditions = [audit.c.guild_id == which.guild_id]
    if which.action is not None:
        conditions.append(audit.c.action == which.action)
    if which.actor_id is not None:
        conditions.append(audit.c.actor_id == which.actor_id)
    if which.from_ms is not None:
        conditions.append(audit.c.at_ms >= which.from_ms)
    if which.to_ms is not None:
        conditions.append(audit.c.at_ms < which.to_ms)
    return and_(*conditions)


def _entry(row: Any) -> AuditEntry:
    actor_id = None if row.actor_id is None else UserId(row.actor_id)
    return AuditEntry(
        guild_id=GuildId(row.guild_id),
        at_ms=row.at_ms,
        actor=Actor(actor_id, Via(row.via), row.address, row.token_id),
        action=row.action,
        target=row.target,
        before=_object(row.before),
        after=_object(row.after),
    )


def _object(text: str | None) -> Mapping[str, Any] | None:
    value: Mapping[str, Any] | None = None if text is None else json.loads(text)
    return value
