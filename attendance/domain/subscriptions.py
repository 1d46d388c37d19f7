"""Tiers, what each of them has, and how a guild comes to one. The only table of what needs Pro."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from attendance.domain.ids import GuildId, UserId


class Tier(StrEnum):
    """What a guild has paid for, or was given."""

    FREE = "free"
    PRO = "pro"


class Feature(StrEnum):
    """What a tier may or may not have."""

    VERIFIED_ROLES = "verified_roles"
    WEBHOOKS = "webhooks"
    EXPORTS = "exports"


# Everything else is everybody's. Verifying is never here: whoever holds a record can check it.
FEATURES: Mapping[Tier, frozenset[Feature]] = {Tier.FREE: frozenset(), Tier.PRO: frozenset(Feature)}


@dataclass(frozen=True, slots=True)
class Billing:
    """The deployment's settings: whether tiers count at all, and which SKUs of its application are Pro (none named: all)."""

    on: bool = False
    sku_ids: frozenset[int] = frozenset()

    def sells(self, sku_id: int) -> bool:
        """Whether a SKU is Pro."""
        return not self.sku_ids or sku_id in self.sku_ids


@dataclass(frozen=True, slots=True)
class OperatorTier:
    """What an operator has set. ``renews_at_ms``: until when, None for good."""

    tier: Tier
    renews_at_ms: int | None
    updated_by: UserId | None
    updated_at_ms: int


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What Discord says that a guild was sold: from ``starts_at_ms`` on and before ``ends_at_ms``; None: no bound."""

    entitlement_id: int
    guild_id: GuildId
    sku_id: int
    starts_at_ms: int | None
    ends_at_ms: int | None
    deleted: bool

    def holds(self, at_ms: int) -> bool:
        """Whether it is good at an instant."""
        begun = self.starts_at_ms is None or self.starts_at_ms <= at_ms
        return begun and not self.deleted and (self.ends_at_ms is None or at_ms < self.ends_at_ms)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a guild has now. ``renews_at_ms``: when that ends unless it is renewed; None: not known, or never."""

    tier: Tier
    features: frozenset[Feature]
    renews_at_ms: int | None


def subscription_of(
    billing: Billing, operator: OperatorTier | None, entitlements: Iterable[Entitlement], at_ms: int
) -> Subscription:
    """What a guild has: Pro by an operator or by an entitlement, whichever lasts longer; else free.

    With billing off every guild has every feature; the tier is then what an operator has said, and Pro where none has.
    """
    if not billing.on:
        tier, renews_at_ms = (Tier.PRO, None) if operator is None else (operator.tier, operator.renews_at_ms)
        return Subscription(tier, FEATURES[Tier.PRO], renews_at_ms)
    ends: list[int | None] = [
        one.ends_at_ms for one in entitlements if one.holds(at_ms) and billing.sells(one.sku_id)
    ]  # fmt: skip
    if operator is not None and operator.tier is Tier.PRO and (operator.renews_at_ms is None or at_ms < operator.renews_at_ms):
        ends.append(operator.renews_at_ms)
    if not ends:
        return Subscription(Tier.FREE, FEATURES[Tier.FREE], None)
    known = [end for end in ends if end is not None]
    return Subscription(Tier.PRO, FEATURES[Tier.PRO], max(known) if len(known) == len(ends) else None)
