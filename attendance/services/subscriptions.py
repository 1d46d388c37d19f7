"""What a guild may use: decided here only. Routes ask through `api.auth.requires`, background work asks `allows`."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.domain.audit import Actor
from attendance.domain.ids import GuildId
from attendance.domain.subscriptions import Billing, Feature, OperatorTier, Subscription, Tier, subscription_of
from attendance.errors import ForbiddenError, InvalidInputError
from attendance.ports.clock import Clock
from attendance.ports.subscriptions import SubscriptionStore

_NAMES = {
    Feature.VERIFIED_ROLES: "verified roles",
    Feature.WEBHOOKS: "webhooks",
    Feature.EXPORTS: "exports",
}


def needs_pro(feature: Feature) -> str:
    """What a guild without a feature is told."""
    return f"using {_NAMES[feature]} needs Pro"


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Tiers of guilds. Nothing is kept in memory: what was bought or withdrawn holds from the next question on."""

    store: SubscriptionStore
    clock: Clock
    billing: Billing

    async def of(self, guild_id: GuildId) -> Subscription:
        """What the guild has now.

        Raises:
            UnavailableError: the database is away.
        """
        operator, entitlements = await self.store.of(guild_id)
        return subscription_of(self.billing, operator, entitlements, self.clock.now_ms())

    async def allows(self, guild_id: GuildId, feature: Feature) -> bool:
        """Whether the guild may use a feature. With billing off every guild may, and nothing is looked up.

        Raises:
            UnavailableError: the database is away.
        """
        return not self.billing.on or feature in (await self.of(guild_id)).features

    async def require(self, guild_id: GuildId, feature: Feature) -> None:
        """Refuse what the guild may not use.

        Raises:
            ForbiddenError: it needs Pro.
            UnavailableError: the database is away.
        """
        if not await self.allows(guild_id, feature):
            raise ForbiddenError(needs_pro(feature))

    async def change(
        self, actor: Actor, guild_id: GuildId, tier: Tier | None, renews_at_ms: int | None, *, renews: bool
    ) -> None:
        """Set what an operator says of a guild: the tier, or until when, or both.

        Args:
            actor: the operator.
            guild_id: whose.
            tier: the tier; None leaves it.
            renews_at_ms: until when it holds; None for good.
            renews: whether ``renews_at_ms`` is said; with another tier it falls back to for good, else it stays.

        Raises:
            InvalidInputError: only Pro ends, and not in the past.
            UnavailableError: the database is away.
        """
        before, _ = await self.store.of(guild_id)
        now_ms = self.clock.now_ms()
        new_tier = tier or (Tier.FREE if before is None else before.tier)
        if not renews:
            renews_at_ms = before.renews_at_ms if before is not None and before.tier is new_tier else None
        elif renews_at_ms is not None and (new_tier is Tier.FREE or renews_at_ms <= now_ms):
            raise InvalidInputError("the subscription is not valid", details={"renews_at": "a time to come, of tier pro"})
        await self.store.set_tier(guild_id, OperatorTier(new_tier, renews_at_ms, actor.user_id, now_ms), actor)
