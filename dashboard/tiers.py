"""What a guild's subscription opens: pages of what it does not say so instead of failing."""

from __future__ import annotations

import msgspec

from dashboard.page import GuildPage


class Subscription(msgspec.Struct, frozen=True):
    """What pages need of ``GET /subscription``: by feature, whether the guild has it."""

    features: dict[str, bool]


async def has_feature(page: GuildPage, feature: str) -> bool:
    """Whether the guild may use ``exports``, ``verified_roles`` or ``webhooks``. The API decides at each call all the same."""
    found = await page.api.get("/subscription", Subscription)
    return found.features.get(feature, True)
