"""Keeps what Discord has sold: told by the gateway at once, and read anew from time to time for what was missed."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from attendance.domain.subscriptions import Entitlement
from attendance.ports.clock import Clock
from attendance.ports.subscriptions import EntitlementSource, SubscriptionStore

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entitlements:
    """Writes down entitlements. Any number of processes may: each statement of Discord's carries its own instant."""

    store: SubscriptionStore
    clock: Clock

    async def note(self, entitlement: Entitlement) -> None:
        """Write down what a dispatch said just now.

        Raises:
            UnavailableError: the database is away. What is lost by that, `reconcile` finds.
        """
        await self.store.note([entitlement], self.clock.now_ms())
        _log.info("entitlement", guild_id=entitlement.guild_id, sku_id=entitlement.sku_id, deleted=entitlement.deleted)

    async def reconcile(self, source: EntitlementSource) -> int:
        """Take over Discord's whole list; what it does not have any more is deleted. How many entitlements there are.

        Raises:
            UnavailableError: Discord or the database is away: everything stays as it was.
        """
        # Before asking: what a dispatch says while the list is on its way is newer than the list.
        as_of_ms = self.clock.now_ms() - 1
        listed = await source.entitlements()
        await self.store.note(listed, as_of_ms)
        dropped = await self.store.drop_missing([one.entitlement_id for one in listed], as_of_ms)
        if dropped:
            _log.info("entitlements ended", count=dropped)
        return len(listed)
