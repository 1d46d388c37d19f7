"""Tiers and entitlements as rows. See `attendance.ports.subscriptions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import Actor, AuditEntry
from attendance.domain.ids import GuildId, UserId
from attendance.domain.instants import to_rfc3339
from attendance.domain.subscriptions import Entitlement, OperatorTier, Tier
from attendance.store.audit import record_audit
from attendance.store.database import Database, bulk_upsert
from attendance.store.schema import entitlement, guild, subscription

_COLUMNS = ("guild_id", "tier", "renews_at_ms", "updated_by", "updated_at_ms")
_KNOWN = ("guild_id", "sku_id", "starts_at_ms", "ends_at_ms", "deleted", "updated_at_ms")


@dataclass(frozen=True, slots=True)
class SqlSubscriptionStore:
    """`SubscriptionStore` on a database."""

    database: Database

    async def of(self, guild_id: GuildId) -> tuple[OperatorTier | None, Sequence[Entitlement]]:
        """What an operator has set for a guild, and every entitlement that is not deleted."""
        query = select(entitlement).where(entitlement.c.guild_id == guild_id, entitlement.c.deleted.is_(False))
        async with self.database.snapshot() as connection:
            operator = await _tier(connection, guild_id)
            rows = (await connection.execute(query)).all()
        sold = [
            Entitlement(row.entitlement_id, guild_id, row.sku_id, row.starts_at_ms, row.ends_at_ms, row.deleted) for row in rows
        ]
        return operator, sold

    async def set_tier(self, guild_id: GuildId, tier: OperatorTier, actor: Actor) -> None:
        """Set it over whatever was set, audited in the same transaction."""
        async with self.database.transaction() as connection:
            # The guild's row is held, so that of two operators each sees in "before" what the other has set.
            await connection.execute(select(guild.c.guild_id).where(guild.c.guild_id == guild_id).with_for_update())
            before = await _tier(connection, guild_id)
            if before is not None and _terms(before) == _terms(tier):
                return
            row = (guild_id, tier.tier.value, tier.renews_at_ms, tier.updated_by, tier.updated_at_ms)
            await bulk_upsert(connection, subscription, _COLUMNS, [row], replace=_COLUMNS[1:])
            entry = AuditEntry(
                guild_id=guild_id,
                at_ms=tier.updated_at_ms,
                actor=actor,
                action="subscription.update",
                before=None if before is None else _terms(before),
                after=_terms(tier),
            )
            await record_audit(connection, entry)

    async def note(self, entitlements: Sequence[Entitlement], as_of_ms: int) -> None:
        """Write down what Discord said at an instant; what it said later stands."""
        async with self.database.transaction() as connection:
            for one in sorted(entitlements, key=lambda one: one.entitlement_id):
                await _note(connection, one, as_of_ms)

    async def drop_missing(self, entitlement_ids: Sequence[int], as_of_ms: int) -> int:
        """Mark as deleted what Discord did not list at an instant and has not mentioned since; how many."""
        standing = select(entitlement.c.entitlement_id).where(
            entitlement.c.deleted.is_(False), entitlement.c.updated_at_ms <= as_of_ms
        )
        listed = set(entitlement_ids)
        async with self.database.transaction() as connection:
            missing = sorted(set(await connection.scalars(standing)) - listed)
            for entitlement_id in missing:
                this = (entitlement.c.entitlement_id == entitlement_id) & (entitlement.c.updated_at_ms <= as_of_ms)
                await connection.execute(update(entitlement).where(this).values(deleted=True, updated_at_ms=as_of_ms))
        return len(missing)


async def _tier(connection: AsyncConnection, guild_id: GuildId) -> OperatorTier | None:
    row = (await connection.execute(select(subscription).where(subscription.c.guild_id == guild_id))).first()
    if row is None:
        return None
    updated_by = None if row.updated_by is None else UserId(row.updated_by)
    return OperatorTier(Tier(row.tier), row.renews_at_ms, updated_by, row.updated_at_ms)


def _terms(tier: OperatorTier) -> dict[str, Any]:
    return {"tier": tier.tier.value, "renews_at": None if tier.renews_at_ms is None else to_rfc3339(tier.renews_at_ms)}


async def _note(connection: AsyncConnection, one: Entitlement, as_of_ms: int) -> None:
    told = (one.guild_id, one.sku_id, one.starts_at_ms, one.ends_at_ms, one.deleted, as_of_ms)
    values = dict(zip(_KNOWN, told, strict=True))
    this = entitlement.c.entitlement_id == one.entitlement_id
    known = await connection.scalar(select(entitlement.c.updated_at_ms).where(this).with_for_update())
    if known is None:
        # Two processes may read the same list: whoever comes second finds the row, and it says the same.
        await bulk_upsert(connection, entitlement, ("entitlement_id", *_KNOWN), [(one.entitlement_id, *told)])
    elif known <= as_of_ms:
        await connection.execute(update(entitlement).where(this).values(**values))
