"""A guild without Pro is told nothing by its webhook, and everything that still waits once it has it again."""

from __future__ import annotations

from attendance.domain.audit import SYSTEM
from attendance.domain.subscriptions import Billing, OperatorTier, Tier
from attendance.domain.webhooks import DeliveryState
from attendance.store.subscriptions import SqlSubscriptionStore
from tests.webhook_world import GUILD, WebhookWorld

HOUR = 3_600_000


async def test_deliveries_wait_for_pro_as_for_a_receiver_that_is_away(sqlite_database) -> None:
    world = WebhookWorld(sqlite_database, billing=Billing(on=True))
    store = SqlSubscriptionStore(sqlite_database)
    await world.set_up()
    await world.lock()
    await world.process().deliver_due()
    assert world.receiver.got == []
    waiting = await world.one()
    assert (waiting.state, waiting.last_error) == (DeliveryState.WAITING, "using webhooks needs Pro")
    await store.set_tier(GUILD, OperatorTier(Tier.PRO, None, None, 0), SYSTEM)
    world.clock.advance(HOUR)
    await world.process().deliver_due()
    assert len(world.receiver.got) == 1
    assert (await world.one()).state is DeliveryState.DELIVERED
    await store.set_tier(GUILD, OperatorTier(Tier.FREE, None, None, 0), SYSTEM)
    await world.lock(2)
    await world.process().deliver_due()
    assert len(world.receiver.got) == 1
