"""Bodies of the subscription."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.schemas.wire import Body, Instant, Wire

TierName = Literal["free", "pro"]


class FeaturesBody(Wire, frozen=True, kw_only=True):
    """What the guild may use."""

    verified_roles: bool
    webhooks: bool
    exports: bool


class SubscriptionBody(Wire, frozen=True, kw_only=True):
    """The guild's tier. `renews_at`: when it ends unless it is renewed; null: never, or not known."""

    tier: TierName
    features: FeaturesBody
    renews_at: Instant | None


class ChangeSubscriptionBody(Body, frozen=True, kw_only=True):
    """What an operator says of the guild; only the members given change. `renews_at` of `pro` only; null: for good."""

    tier: TierName | UnsetType = UNSET
    renews_at: (
        Annotated[str, msgspec.Meta(max_length=40, description="RFC 3339 with an offset", examples=["2099-01-15T08:00:00Z"])]
        | UnsetType
        | None
    ) = UNSET
