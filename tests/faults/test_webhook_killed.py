"""SIGKILL at any request, on both databases, with a second process at the same outbox and a real receiver."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web

from attendance.domain.audit import SYSTEM
from attendance.domain.webhooks import DeliveryState
from attendance.outbound.guarded_http import open_sender
from attendance.services.webhooks import WebhookEdit, Webhooks
from tests.faults.webhook_child import LOOPBACK
from tests.integration.test_webhook_receiver import receiving
from tests.webhook_world import GUILD, WebhookWorld

ROOT = Path(__file__).parents[2]
EVENTS, KILLS = 60, 3
LATER_MS = 120_000  # every claim has run out by then


@pytest.mark.slow
async def test_processes_that_are_killed_at_any_request_lose_nothing(database):
    chance = random.Random(7)
    arrived: Counter[str] = Counter()
    more = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        arrived[request.headers["webhook-id"]] += 1
        more.set()
        return web.Response(status=204)

    async with receiving(handler) as port:
        world = WebhookWorld(database)
        world.webhooks = Webhooks(world.webhooks.store, world.sealer, world.clock, world.ids, LOOPBACK)
        changed = await world.webhooks.change(GUILD, SYSTEM, WebhookEdit(url=f"http://127.0.0.1:{port}/"))
        assert changed.secret
        await world.lock(EVENTS)
        url = database.url.render_as_string(hide_password=False)
        children = []
        for kill in range(KILLS):
            while len(children) < 2:
                command = (sys.executable, "-m", "tests.faults.webhook_child", url, str(world.clock.now_ms()), str(kill))
                children.append(await asyncio.create_subprocess_exec(*command, cwd=ROOT))
            goal = arrived.total() + chance.randrange(1, EVENTS // KILLS)
            async with asyncio.timeout(60):
                while arrived.total() < goal:
                    more.clear()
                    await more.wait()
            victim = children.pop(chance.randrange(2))
            victim.kill()
            await victim.wait()
            world.clock.advance(LATER_MS)
        for child in children:
            child.kill()
            await child.wait()
        world.clock.advance(LATER_MS)
        async with open_sender(LOOPBACK, "test") as sender:
            process = world.process(sender=sender)
            process.allowed = LOOPBACK
            await process.deliver_due()
    log = {str(delivery.delivery_id): delivery for delivery in await world.log()}
    assert {delivery.state for delivery in log.values()} == {DeliveryState.DELIVERED}
    assert set(arrived) == set(log)
    assert len(log) == EVENTS
    for delivery_id, times in arrived.items():
        assert times <= log[delivery_id].attempts, "an attempt that two processes made"
    assert arrived.total() <= EVENTS + (KILLS + 1) * 4, "only what was on its way when a process was killed arrives twice"
