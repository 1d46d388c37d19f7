"""Log destinations as rows. See `attendance.ports.log_destinations`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.announcements import LogType
from attendance.domain.audit import Actor, AuditEntry
from attendance.domain.ids import ChannelId, GuildId
from attendance.domain.log_destinations import Frequency, LogDestination, next_checkpoint, next_due, ordered_types
from attendance.errors import ConflictError
from attendance.ports.log_destinations import DestinationChange
from attendance.store.audit import record_audit
from attendance.store.database import Database
from attendance.store.schema import guild, guild_settings, log_destination, log_item, log_message


@dataclass(frozen=True, slots=True)
class SqlLogDestinationStore:
    """`LogDestinationStore` on a database."""

    database: Database

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[Sequence[LogDestination], int]:
        """A guild's destinations in the order in which they were made, and how many there are in all."""
        here = log_destination.c.guild_id == guild_id
        query = select(log_destination).where(here).order_by(log_destination.c.created_at_ms, log_destination.c.destination_id)
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query.limit(limit).offset(offset))).mappings()
            total = await connection.scalar(select(func.count()).select_from(log_destination).where(here))
            return [read_destination(row) for row in rows], total or 0

    async def add(
        self, destination: LogDestination, change: DestinationChange, actor: Actor, limit: int
    ) -> tuple[LogDestination, bool]:
        """Add a destination, unless the channel is one already: then change that one."""
        guild_id, at_ms = destination.guild_id, destination.created_at_ms
        here = log_destination.c.guild_id == guild_id
        async with self.database.transaction() as connection:
            # The guild's row is held, so that two who add at once count, and look, one after the other.
            await connection.execute(select(guild.c.guild_id).where(guild.c.guild_id == guild_id).with_for_update())
            known = await hold_destination(connection, and_(here, log_destination.c.channel_id == destination.channel_id))
            if known is not None:
                return await _change(connection, known, change, actor, at_ms), False
            present = await connection.scalar(select(func.count()).select_from(log_destination).where(here))
            if (present or 0) >= limit:
                raise ConflictError(f"a guild has at most {limit} log destinations")
            timezone = await timezone_of(connection, guild_id)
            added = replace(
                destination,
                next_due_at_ms=next_due(destination.frequency, timezone, at_ms),
                checkpoint_due_at_ms=next_checkpoint(destination, timezone, at_ms),
            )
            await connection.execute(insert(log_destination).values(destination_values(added)))
            await record_audit(connection, _entry(at_ms, actor, "create", None, added))
        return added, True

    async def change(
        self, guild_id: GuildId, destination_id: UUID, change: DestinationChange, actor: Actor, at_ms: int
    ) -> LogDestination | None:
        """Change a destination and let it work again; None where the guild has no such."""
        async with self.database.transaction() as connection:
            known = await hold_destination(connection, _one(guild_id, destination_id))
            return None if known is None else await _change(connection, known, change, actor, at_ms)

    async def remove(self, guild_id: GuildId, destination_id: UUID, actor: Actor, at_ms: int) -> bool:
        """Remove a destination with everything that waits for it; whether there was one."""
        async with self.database.transaction() as connection:
            known = await hold_destination(connection, _one(guild_id, destination_id))
            if known is None:
                return False
            await connection.execute(delete(log_destination).where(log_destination.c.destination_id == destination_id))
            await delete_waiting(connection, destination_id)
            await record_audit(connection, _entry(at_ms, actor, "delete", known, None))
        return True


def read_destination(row: RowMapping) -> LogDestination:
    """A destination from its row."""
    members = dict(row)
    members["guild_id"], members["channel_id"] = GuildId(row["guild_id"]), ChannelId(row["channel_id"])
    members["types"] = tuple(LogType(one) for one in json.loads(row["types"]))
    members["frequency"] = Frequency(row["frequency"])
    return LogDestination(**members)


async def hold_destination(connection: AsyncConnection, which: Any) -> LogDestination | None:
    """A destination, which nobody else changes before the transaction ends; None where there is no such."""
    row = (await connection.execute(select(log_destination).where(which).with_for_update())).mappings().first()
    return None if row is None else read_destination(row)


async def timezone_of(connection: AsyncConnection, guild_id: GuildId) -> str:
    """The guild's time zone; UTC until one is chosen."""
    settings = guild_settings
    return await connection.scalar(select(settings.c.timezone).where(settings.c.guild_id == guild_id)) or "UTC"


async def delete_waiting(connection: AsyncConnection, destination_id: UUID) -> None:
    """Delete everything that waits for a destination. Whoever has a message of it in hand finds it gone."""
    await connection.execute(delete(log_message).where(log_message.c.destination_id == destination_id))
    await connection.execute(delete(log_item).where(log_item.c.destination_id == destination_id))


async def _change(
    connection: AsyncConnection, known: LogDestination, change: DestinationChange, actor: Actor, at_ms: int
) -> LogDestination:
    types = (set(known.types if change.types is None else change.types) | set(change.added)) - set(change.removed)
    changed = replace(known, types=ordered_types(types))
    if known.disabled_at_ms is not None:
        changed = replace(changed, disabled_at_ms=None, last_error=None, checkpoint_due_at_ms=None)
    if change.frequency not in {None, known.frequency} or known.disabled_at_ms is not None:
        frequency = change.frequency or known.frequency
        due_ms = next_due(frequency, await timezone_of(connection, known.guild_id), at_ms)
        changed = replace(changed, frequency=frequency, next_due_at_ms=due_ms)
    if (LogType.CHECKPOINT in changed.types) != (changed.checkpoint_due_at_ms is not None):
        due_ms = next_checkpoint(changed, await timezone_of(connection, known.guild_id), at_ms)
        changed = replace(changed, checkpoint_due_at_ms=due_ms)
    if changed == known:
        return known
    this = log_destination.c.destination_id == known.destination_id
    await connection.execute(update(log_destination).where(this).values(destination_values(changed)))
    await record_audit(connection, _entry(at_ms, actor, "update", known, changed))
    return changed


def destination_values(destination: LogDestination) -> dict[str, Any]:
    """The row of a destination."""
    values = {field.name: getattr(destination, field.name) for field in fields(destination)}
    return values | {"types": json.dumps(destination.types), "frequency": destination.frequency.value}


def _shown(destination: LogDestination) -> dict[str, Any]:
    return {
        "channel_id": str(destination.channel_id),
        "types": [one.value for one in destination.types],
        "frequency": destination.frequency.value,
        "disabled": destination.disabled_at_ms is not None,
    }


def _entry(at_ms: int, actor: Actor, verb: str, before: LogDestination | None, after: LogDestination | None) -> AuditEntry:
    """A change; at least one of ``before`` and ``after`` is there."""
    known = before or after
    assert known is not None  # noqa: S101  # the caller's promise
    return AuditEntry(
        guild_id=known.guild_id,
        at_ms=at_ms,
        actor=actor,
        action=f"log_destination.{verb}",
        target=str(known.destination_id),
        before=None if before is None else _shown(before),
        after=None if after is None else _shown(after),
    )


def _one(guild_id: GuildId, destination_id: UUID) -> Any:
    return and_(log_destination.c.guild_id == guild_id, log_destination.c.destination_id == destination_id)
