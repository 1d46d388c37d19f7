"""``/webhooks`` of a guild: where its events are posted, and what has become of them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from litestar import Response, get, patch, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, Offset, Services, TableLimit, Who, table_limit
from api.routes import GUILD
from api.schemas.webhooks import (
    ChangedWebhookBody,
    ChangeWebhookBody,
    DeliveryBody,
    DeliveryDetailsBody,
    WebhookBody,
)
from api.schemas.wire import UUID_TEXT, Page, Strict
from api.shapes_webhooks import attempt_body, changed_webhook_body, delivery_body, webhook_body, webhook_edit
from api.tables import Format, listing
from attendance.domain.subscriptions import Feature
from attendance.domain.webhooks import DeliveryState
from attendance.services.access import Right

_TAGS = ["webhooks"]

DeliveryPath: TypeAlias = Annotated[
    str,
    PathParameter(pattern=UUID_TEXT, description="The delivery's id, its `webhook-id`"),
]
StateFilter: TypeAlias = Annotated[
    Literal["waiting", "delivered", "failed", "dropped"] | None,
    QueryParameter(name="state", description="Only deliveries of this state"),
]


@get(
    f"{GUILD}/webhooks/settings",
    operation_id="getWebhook",
    summary="Where the guild's events are posted",
    tags=_TAGS,
    guards=[requires(Right.READ, pro=Feature.WEBHOOKS)],
    responses=guild_errors(),
)
async def get_webhook(services: Services, guild: Guild) -> WebhookBody:
    """The settings."""
    return webhook_body(await services.webhooks.settings(guild))


@patch(
    f"{GUILD}/webhooks/settings",
    operation_id="changeWebhook",
    summary="Change where the guild's events are posted",
    description="Only the members given change. The first URL makes a secret, which the answer shows once; with "
    "`rotate_secret` another one is made, and the old one goes on signing beside it for 24 hours.",
    tags=_TAGS,
    guards=[requires(Right.WRITE, pro=Feature.WEBHOOKS)],
    dto=Strict[ChangeWebhookBody],
    return_dto=None,
    responses=guild_errors(413),
)
async def change_webhook(
    services: Services, guild: Guild, caller: Who, data: JSONBody[ChangeWebhookBody]
) -> ChangedWebhookBody:
    """Change the settings."""
    return changed_webhook_body(await services.webhooks.change(guild, caller.actor, webhook_edit(data)))


@get(
    f"{GUILD}/webhooks/deliveries",
    operation_id="listWebhookDeliveries",
    summary="What was posted, newest first",
    description="Deliveries are kept for 30 days.",
    tags=_TAGS,
    guards=[requires(Right.READ, pro=Feature.WEBHOOKS)],
    responses=guild_errors(),
)
async def list_deliveries(
    *,
    services: Services,
    guild: Guild,
    format_: Format = "json",
    state_: StateFilter = None,
    limit: TableLimit = None,
    offset: Offset = 0,
) -> Response[Page[DeliveryBody]]:
    """A page of the log."""
    wanted = None if state_ is None else DeliveryState(state_)
    page = await services.webhooks.deliveries(guild, wanted, table_limit(limit, is_table=format_ == "csv"), offset)
    items = [delivery_body(delivery) for delivery in page.deliveries]
    return listing("webhook-deliveries", items, DeliveryBody, page.total, format_)


@get(
    f"{GUILD}/webhooks/deliveries/{{delivery_id:str}}",
    operation_id="getWebhookDelivery",
    summary="One delivery and its attempts",
    tags=_TAGS,
    guards=[requires(Right.READ, pro=Feature.WEBHOOKS)],
    responses=guild_errors(),
)
async def get_delivery(services: Services, guild: Guild, delivery_id: DeliveryPath) -> DeliveryDetailsBody:
    """A delivery."""
    found = await services.webhooks.delivery(guild, UUID(delivery_id))
    return DeliveryDetailsBody(
        delivery=delivery_body(found.delivery), attempts=[attempt_body(attempt) for attempt in found.attempts]
    )


@post(
    f"{GUILD}/webhooks/deliveries/{{delivery_id:str}}/replay",
    operation_id="replayWebhookDelivery",
    summary="Post something once more, now",
    description="Under the same `webhook-id`, whatever has become of it. Within three days of the event it is tried again as "
    "any other; after that, this is one attempt.",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.WRITE, pro=Feature.WEBHOOKS)],
    responses=guild_errors(409),
)
async def replay_delivery(services: Services, guild: Guild, caller: Who, delivery_id: DeliveryPath) -> DeliveryBody:
    """Replay a delivery."""
    return delivery_body(await services.webhooks.replay(guild, caller.actor, UUID(delivery_id)))


@post(
    f"{GUILD}/webhooks/test",
    operation_id="testWebhook",
    summary="Post something that tells nothing",
    description="An event `webhook.test`. It is sent in a moment: its delivery says what came of it.",
    tags=_TAGS,
    status_code=201,
    guards=[requires(Right.WRITE, pro=Feature.WEBHOOKS)],
    responses=guild_errors(409),
)
async def send_test(services: Services, guild: Guild, caller: Who) -> DeliveryBody:
    """Test the webhook."""
    return delivery_body(await services.webhooks.test(guild, caller.actor))


ROUTES: list[ControllerRouterHandler] = [
    get_webhook,
    change_webhook,
    list_deliveries,
    get_delivery,
    replay_delivery,
    send_test,
]
