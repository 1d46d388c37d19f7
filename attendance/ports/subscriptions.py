"""Stored tiers and entitlements, and Discord's own list of entitlements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attendance.domain.audit import Actor
from attendance.domain.ids import GuildId
from attendance.domain.subscriptions import Entitlement, OperatorTier


class SubscriptionStore(Protocol):
    """What operators have set and Discord has sold. Every call raises `UnavailableError`."""

    async def of(self, guild_id: GuildId) -> tuple[OperatorTier | None, Sequence[Entitlement]]:
        """What an operator has set for a guild, and every entitlement that is not deleted."""
        ...

    async def set_tier(self, guild_id: GuildId, tier: OperatorTier, actor: Actor) -> None:
        """Set it over whatever was set, audited in the same transaction. What is so already is no change."""
        ...

    async def note(self, entitlements: Sequence[Entitlement], as_of_ms: int) -> None:
        """Write down what Discord said at an instant; what it said later stands."""
        ...

    async def drop_missing(self, entitlement_ids: Sequence[int], as_of_ms: int) -> int:
        """Mark as deleted what Discord did not list at an instant and has not mentioned since; how many."""
        ...


class EntitlementSource(Protocol):
    """Discord's list."""

    async def entitlements(self) -> list[Entitlement]:
        """Every entitlement of a guild to something of this application, not those that are deleted or over.

        Raises:
            UnavailableError: Discord is away.
        """
        ...
