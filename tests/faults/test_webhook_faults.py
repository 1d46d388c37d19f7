"""Delivering webhooks when writes fail, stored or not, and when a process is stopped anywhere.

Whatever happens, every event arrives at least once under one id, and what is logged as delivered has arrived.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import SYSTEM
from attendance.domain.webhooks import DeliveryState, Reply
from attendance.errors import UnavailableError
from attendance.services.webhooks import WebhookEdit, Webhooks
from attendance.store.database import Database
from attendance.store.webhooks import SqlWebhookStore
from tests.webhook_world import GUILD, WebhookWorld

pytestmark = pytest.mark.slow

EVENTS = 5
MINUTE = 60_000


class FaultyDatabase:
    """A database whose n-th write transaction fails: before its commit, or although it was committed."""

    def __init__(self, database: Database, failing: int, mode: str) -> None:
        self.database, self.failing, self.mode, self.transactions = database, failing, mode, 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.transactions += 1
        fails = self.transactions == self.failing
        async with self.database.transaction() as connection:
            yield connection
            if fails and self.mode == "not stored":
                raise UnavailableError("the commit failed")
        if fails and self.mode == "stored":
            raise UnavailableError("the commit was stored, but nobody said so")

    def __getattr__(self, name: str) -> object:
        return getattr(self.database, name)


async def until_nothing_waits(world: WebhookWorld, process) -> None:
    """What the scheduler does, with the clock moved to whatever is due next."""
    for _ in range(20):
        with suppress(UnavailableError):
            await process.deliver_due()
        waiting = [one.next_attempt_at_ms for one in await world.log() if one.state is DeliveryState.WAITING]
        if not waiting:
            return
        world.clock.at_ms = max(world.clock.at_ms, *waiting)
    pytest.fail("one fault must not keep anything waiting for ever")


async def assert_all_arrived(world: WebhookWorld, *, most: int) -> None:
    log = await world.log()
    assert {delivery.state for delivery in log} == {DeliveryState.DELIVERED}
    arrived = Counter(request.id for request in world.receiver.got)
    assert set(arrived) == {str(delivery.delivery_id) for delivery in log}
    assert len(log) == EVENTS
    assert max(arrived.values()) <= most
    for delivery in log:
        attempts = [row for row in await world.attempts() if row.delivery_id == delivery.delivery_id]
        assert [row.number for row in attempts] == sorted({row.number for row in attempts})
        assert attempts[-1].number == delivery.attempts
    assert all(world.genuine(request) for request in world.receiver.got)


@pytest.mark.parametrize("mode", ["not stored", "stored"])
@pytest.mark.parametrize("failing", range(1, 8))
async def test_a_failing_transaction_loses_nothing_and_repeats_only_what_it_must(database, mode, failing):
    world = WebhookWorld(database)
    await world.set_up()
    await world.lock(EVENTS)
    faulty = FaultyDatabase(database, failing, mode)
    process = world.process(faulty)
    await until_nothing_waits(world, process)
    assert faulty.transactions >= failing, "the fault never came: fewer transactions than this test believes"
    await assert_all_arrived(world, most=2)


@pytest.mark.parametrize("failing", range(1, 9))
async def test_a_failing_statement_loses_nothing(database, failing):
    world = WebhookWorld(database)
    await world.set_up()
    await world.lock(EVENTS)
    world.receiver.status = 500
    await world.process().deliver_due()  # so that the webhook's own row is written too
    world.receiver.status, world.receiver.got = 200, []
    world.clock.advance(MINUTE)
    writes = 0

    @event.listens_for(database.writer.sync_engine, "before_cursor_execute")
    def fail_one(_connection, _cursor, statement, *_rest):
        nonlocal writes
        if statement.split(None, 1)[0] in ("INSERT", "UPDATE", "DELETE"):
            writes += 1
            if writes == failing:
                raise OperationalError(statement, None, Exception("the disk is full"))

    await until_nothing_waits(world, world.process())
    assert writes >= failing, "the fault never came"
    assert (await world.webhooks.settings(GUILD)).failing_since_ms is None
    await assert_all_arrived(world, most=2)


@pytest.mark.parametrize("failing", range(1, 5))
async def test_switching_off_happens_with_everything_that_follows_or_not_at_all(sqlite_database, failing):
    world = WebhookWorld(sqlite_database)
    await world.set_up()
    await world.lock(EVENTS)
    world.receiver.status = 410
    writes = 0

    @event.listens_for(sqlite_database.writer.sync_engine, "before_cursor_execute")
    def fail_one(_connection, _cursor, statement, *_rest):
        nonlocal writes
        if "UPDATE webhook SET" in statement or "audit" in statement:
            writes += 1
            if writes == failing:
                raise OperationalError(statement, None, Exception("the disk is full"))

    for _ in range(3):
        try:
            await world.process().deliver_due()
        except UnavailableError:
            settings, states = await world.webhooks.settings(GUILD), {one.state for one in await world.log()}
            audited = ("webhook.disable", "system") in await world.audited()
            assert settings.enabled is not audited
            assert settings.enabled is (DeliveryState.WAITING in states)
        world.clock.advance(2 * MINUTE)
    assert writes >= failing
    assert not (await world.webhooks.settings(GUILD)).enabled
    assert (await world.audited()).count(("webhook.disable", "system")) == 1
    assert {one.state for one in await world.log()} == {DeliveryState.FAILED}


@pytest.mark.parametrize("mode", ["not stored", "stored"])
async def test_a_change_whose_commit_fails_is_all_there_or_not_at_all(database, mode):
    world = WebhookWorld(database)
    old = await world.set_up()
    webhooks = Webhooks(SqlWebhookStore(FaultyDatabase(database, 1, mode)), world.sealer, world.clock, world.ids)
    with pytest.raises(UnavailableError):
        await webhooks.change(GUILD, SYSTEM, WebhookEdit(rotate_secret=True, enabled=False))
    stored = mode == "stored"
    assert (await world.webhooks.settings(GUILD)).enabled is not stored
    assert (await world.audited()).count(("webhook.update", "system")) == 1 + stored
    await world.webhooks.change(GUILD, SYSTEM, WebhookEdit(enabled=True))
    await world.webhooks.test(GUILD, SYSTEM)
    await world.process().deliver_due()
    assert world.genuine(world.receiver.got[0]), "the old secret signs in either case"
    assert len(world.receiver.got[0].headers["webhook-signature"].split(" ")) == 1 + stored
    assert old == world.secrets[GUILD]


@pytest.mark.parametrize("seed", range(6))
async def test_a_process_that_is_stopped_anywhere_is_continued_by_the_next(database, seed):
    chance = random.Random(seed)
    world = WebhookWorld(database)
    await world.set_up()
    await world.lock(EVENTS)

    async def answer(_url, _headers, _body):
        for _ in range(chance.randrange(5)):
            await asyncio.sleep(0)
        return Reply(200)

    world.receiver.answer = answer
    for _ in range(6):
        task = asyncio.create_task(world.process().deliver_due())
        for _ in range(chance.randrange(1, 150)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        world.clock.advance(2 * MINUTE)
    await until_nothing_waits(world, world.process())
    await assert_all_arrived(world, most=7)
