"""The audit: rows are added in the transaction that makes the change, and never edited."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import AuditEntry
from attendance.store import schema

_Terms: TypeAlias = Mapping[str, Any] | None


async def record_audit(connection: AsyncConnection, *entries: AuditEntry) -> None:
    """Add entries in the caller's transaction: a change that is undone leaves no entry."""
    for entry in entries:
        before, after = _differing(entry.before, entry.after)
        await connection.execute(
            insert(schema.audit).values(
                guild_id=entry.guild_id,
                at_ms=entry.at_ms,
                actor_id=entry.actor.user_id,
                via=entry.actor.via.value,
                token_id=entry.actor.token_id,
                address=entry.actor.address,
                action=entry.action,
                target=entry.target,
                before=_text(before),
                after=_text(after),
            )
        )


def _differing(before: _Terms, after: _Terms) -> tuple[_Terms, _Terms]:
    """What a change changed: members that stayed as they were say nothing, and only hide those that did not."""
    if before is None or after is None:
        return before, after
    same = {name for name in before.keys() & after.keys() if before[name] == after[name]}
    return _without(before, same), _without(after, same)


def _without(terms: Mapping[str, Any], names: set[str]) -> Mapping[str, Any]:
    return {name: value for name, value in terms.items() if name not in names}


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)
