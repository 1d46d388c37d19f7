"""``/subscription``: the guild's tier."""

from __future__ import annotations

from litestar import get, patch
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import UNSET

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, Services, Who, instant
from api.routes import GUILD
from api.schemas.subscription import ChangeSubscriptionBody, SubscriptionBody
from api.schemas.wire import Strict
from api.shapes_verified_roles import subscription_body
from attendance.domain.subscriptions import Tier
from attendance.services.access import Right

_TAGS = ["subscription"]


@get(
    f"{GUILD}/subscription",
    operation_id="getSubscription",
    summary="The guild's tier and what it may use",
    description="Where the deployment does not bill, every guild has every feature.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_subscription(services: Services, guild: Guild) -> SubscriptionBody:
    """The subscription."""
    return subscription_body(await services.subscriptions.of(guild))


@patch(
    f"{GUILD}/subscription",
    operation_id="changeSubscription",
    summary="Set the guild's tier",
    description="For the deployment's operators (`ADMIN_USER_IDS`). What was bought in Discord counts besides: the answer is "
    "what holds now.",
    tags=_TAGS,
    guards=[requires(Right.SUBSCRIPTION)],
    dto=Strict[ChangeSubscriptionBody],
    return_dto=None,
    responses=guild_errors(413),
)
async def change_subscription(
    services: Services, guild: Guild, caller: Who, data: JSONBody[ChangeSubscriptionBody]
) -> SubscriptionBody:
    """Change the subscription."""
    tier = None if data.tier is UNSET else Tier(data.tier)
    renews = data.renews_at is not UNSET
    renews_at_ms = None if data.renews_at is UNSET else instant(data.renews_at, "renews_at")
    if tier is not None or renews:
        await services.subscriptions.change(caller.actor, guild, tier, renews_at_ms, renews=renews)
    return subscription_body(await services.subscriptions.of(guild))


ROUTES: list[ControllerRouterHandler] = [get_subscription, change_subscription]
