"""Delivering webhooks over both databases: what is told, when it is tried again, and when it ends."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import delete, update

from attendance.clock import FixedClock
from attendance.domain.announcements import Announcement, Happening
from attendance.domain.audit import SYSTEM
from attendance.domain.ids import GuildId
from attendance.domain.webhooks import DeliveryState, Reply
from attendance.errors import ConflictError, UnavailableError
from attendance.keys.sealing import SecretSealer
from attendance.services.webhook_delivery import MOST_A_GUILD, MOST_A_HOST, MOST_AT_ONCE, MOST_FAILING_AT_ONCE
from attendance.services.webhooks import WebhookEdit
from attendance.store import schema
from attendance.store.database import open_database
from tests.signing_world import PASSPHRASE, SigningProcess, a_session, period_over, put_sessions
from tests.webhook_receiver import accepts
from tests.webhook_world import GUILD, URL, Receiver, WebhookWorld

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.fixture
async def world(database) -> WebhookWorld:
    return WebhookWorld(database)


async def ended(world: WebhookWorld, number: int = 0):
    """A closed session, announced as the recorder does."""
    facts = a_session(number)
    await put_sessions(world.database, [facts])
    told = Announcement(GUILD, Happening.SESSION_ENDED, world.clock.now_ms(), session_id=facts.session_id)
    await world.announce(told)
    return facts


async def test_an_event_is_posted_signed_and_logged(world):
    secret = await world.set_up()
    await world.lock()
    assert await world.process().deliver_due() == 1
    (request,) = world.receiver.got
    assert request.url == URL
    assert accepts(secret, request.headers, request.body, world.clock.now_ms() // 1000)
    assert request.event == {
        "type": "signing.locked",
        "timestamp": "2027-01-15T08:00:00.000Z",
        "data": {"guild_id": str(GUILD), "kid": "k0"},
    }
    delivery = await world.one()
    assert (delivery.state, delivery.attempts, delivery.last_status) == (DeliveryState.DELIVERED, 1, 200)
    assert (delivery.delivered_at_ms, delivery.next_attempt_at_ms) == (world.clock.now_ms(), None)
    assert request.id == str(delivery.delivery_id)
    (attempt,) = await world.attempts()
    assert (attempt.number, attempt.status, attempt.error) == (1, 200, None)
    assert await world.process().deliver_due() == 0


async def test_what_is_told_twice_is_one_delivery(world):
    await world.set_up()
    await world.lock()
    await world.lock()
    assert await world.process().deliver_due() == 1


async def test_a_guild_without_a_webhook_or_without_that_event_is_told_nothing(world):
    await world.lock()
    await world.set_up(events=frozenset())
    await world.lock()
    await world.webhooks.change(GUILD, SYSTEM, WebhookEdit(enabled=False))
    await world.lock()
    assert await world.log() == []


async def test_a_session_waits_for_its_signature_and_carries_its_record(world):
    await world.set_up()
    facts = await ended(world)
    assert await world.process().deliver_due() == 0, "its record is not signed yet"
    signing = SigningProcess(world.database, clock=world.clock)
    await signing.succession.generate(GUILD, PASSPHRASE)
    await signing.sign_all()
    assert await world.process().deliver_due() == 1
    data = world.receiver.got[0].event["data"]
    record = json.loads(data["record"])
    assert record["session_id"] == data["session_id"] == str(facts.session_id)
    assert (data["state"], data["kid"], data["guild_seq"]) == ("signed", record["kid"], record["guild_seq"])
    assert isinstance(data["record"], str)
    assert (data["user_id"], data["seconds"], data["paused_seconds"]["muted"]) == (str(facts.user_id), 50, 10)
    assert (data["joined_at"], data["reason"]) == ("2027-01-15T08:00:00.000Z", "leave")
    assert "display_name" not in data, "nobody knows a name yet"
    async with world.database.snapshot() as connection:
        stored = (await connection.execute(schema.record.select().where(schema.record.c.session_id == facts.session_id))).one()
    assert data["record"].encode() == bytes(stored.body), "the exact bytes that were signed"


async def test_after_a_minute_it_goes_without_and_says_so(world):
    await world.set_up()
    await ended(world)
    world.clock.advance(MINUTE - 1)
    assert await world.process().deliver_due() == 0
    world.clock.advance(1)
    assert await world.process().deliver_due() == 1
    data = world.receiver.got[0].event["data"]
    assert data["state"] == "pending"
    assert not {"record", "signature", "kid"} & set(data)


async def test_a_period_s_event_carries_its_record_too(world):
    await world.set_up()
    await period_over(world.database)
    await world.announce(Announcement(GUILD, Happening.PERIOD_ARCHIVED, world.clock.now_ms(), period_index=0))
    assert await world.process().deliver_due() == 0
    signing = SigningProcess(world.database, clock=world.clock)
    await signing.succession.generate(GUILD, PASSPHRASE)
    await signing.sign_all()
    assert await world.process().deliver_due() == 1
    data = world.receiver.got[0].event["data"]
    assert (data["period_index"], data["entry_count"], data["state"]) == (0, 0, "signed")
    assert json.loads(data["record"])["type"] == "leaderboard.period"


async def test_a_key_that_is_locked_is_told_in_the_transaction_that_locks_it(world):
    await world.set_up()
    signing = SigningProcess(world.database, clock=world.clock)
    key = await signing.succession.generate(GUILD, PASSPHRASE)
    await signing.keyring.lock(GUILD)
    await signing.keyring.lock(GUILD)
    assert await world.process().deliver_due() == 1, "what was locked is not locked again"
    event = world.receiver.got[0].event
    assert (event["type"], event["data"]) == ("signing.locked", {"guild_id": str(GUILD), "kid": key.kid, "reason": "lock"})


async def test_names_are_told_unless_the_guild_hides_them(world):
    await world.set_up()
    facts = await ended(world)
    await world.put(schema.member, guild_id=GUILD, user_id=facts.user_id, display_name="Ada", bot=False)
    await world.put(
        schema.channel, guild_id=GUILD, channel_id=facts.channel_id, name="Lobby", kind="voice", position=0, deleted=False
    )
    world.clock.advance(MINUTE)
    await world.process().deliver_due()
    await world.put(
        schema.guild_preferences, guild_id=GUILD, names_shown=False, read_roles="[]", write_roles="[]", updated_at_ms=0
    )
    await world.webhooks.replay(GUILD, SYSTEM, (await world.one()).delivery_id)
    await world.process().deliver_due()
    shown, hidden = (request.event["data"] for request in world.receiver.got)
    assert (shown["display_name"], shown["channel_name"]) == ("Ada", "Lobby")
    assert "display_name" not in hidden


async def test_what_has_been_erased_is_dropped_and_never_sent(world):
    await world.set_up()
    facts = await ended(world)
    async with world.database.transaction() as connection:
        await connection.execute(delete(schema.session).where(schema.session.c.session_id == facts.session_id))
    world.clock.advance(MINUTE)
    await world.process().deliver_due()
    delivery = await world.one()
    assert (delivery.state, world.receiver.got) == (DeliveryState.DROPPED, [])
    with pytest.raises(ConflictError):
        await world.webhooks.replay(GUILD, SYSTEM, delivery.delivery_id)


@pytest.mark.slow
async def test_a_failure_is_tried_again_under_the_same_id_for_three_days(world):
    await world.set_up()
    world.receiver.status = 500
    await world.lock()
    began = world.clock.now_ms()
    while (delivery := (await world.log())[0]).state is DeliveryState.WAITING:
        world.clock.at_ms = delivery.next_attempt_at_ms
        assert await world.process().deliver_due() == 1
    assert delivery.state is DeliveryState.FAILED
    assert world.clock.now_ms() == began + 3 * DAY
    assert {request.id for request in world.receiver.got} == {str(delivery.delivery_id)}
    assert len(world.receiver.got) == delivery.attempts == len(await world.attempts()) >= 10
    settings = await world.webhooks.settings(GUILD)
    assert (settings.enabled, settings.failing_since_ms) == (True, began)
    times = [int(request.headers["webhook-timestamp"]) for request in world.receiver.got]
    assert times == sorted(set(times)), "each attempt is signed with its own time"


async def test_success_ends_the_failing(world):
    await world.set_up()
    world.receiver.status = 503
    await world.lock()
    await world.process().deliver_due()
    assert (await world.webhooks.settings(GUILD)).failing_since_ms == world.clock.now_ms()
    world.receiver.status = 200
    world.clock.advance(HOUR)
    await world.process().deliver_due()
    assert (await world.webhooks.settings(GUILD)).failing_since_ms is None
    assert (await world.one()).state is DeliveryState.DELIVERED


async def test_410_switches_off_and_everything_that_waits_fails(world):
    await world.set_up()
    world.receiver.status = 410
    await world.lock(10)
    await world.process().deliver_due()
    settings = await world.webhooks.settings(GUILD)
    assert not settings.enabled
    assert "410" in str(settings.disabled_reason)
    assert {delivery.state for delivery in await world.log()} == {DeliveryState.FAILED}
    assert len(world.receiver.got) <= MOST_A_GUILD
    assert (await world.audited()).count(("webhook.disable", "system")) == 1
    await world.lock(1)
    assert len(await world.log()) == 10, "who is switched off is told nothing, later neither"
    with pytest.raises(ConflictError):
        await world.webhooks.test(GUILD, SYSTEM)
    world.receiver.status = 200
    changed = await world.webhooks.change(GUILD, SYSTEM, WebhookEdit(enabled=True))
    assert (changed.settings.enabled, changed.settings.disabled_reason) == (True, None)
    await world.webhooks.replay(GUILD, SYSTEM, (await world.log())[0].delivery_id)
    assert await world.process().deliver_due() == 1


@pytest.mark.slow
async def test_five_days_of_nothing_but_failures_switch_off(world):
    await world.set_up()
    world.receiver.status = 500
    began = world.clock.now_ms()
    for day in range(6):
        world.clock.at_ms = began + day * DAY
        await world.announce(Announcement(GUILD, Happening.SIGNING_LOCKED, world.clock.now_ms(), body={"kid": str(day)}))
        await world.process().deliver_due()
        assert (await world.webhooks.settings(GUILD)).enabled is (day < 5)
    assert "5 days" in str((await world.webhooks.settings(GUILD)).disabled_reason)


async def test_a_reply_for_an_old_url_says_nothing_of_the_new_one(world):
    await world.set_up()
    await world.lock()

    async def moves_away(_url, _headers, _body):
        await world.webhooks.change(GUILD, SYSTEM, WebhookEdit(url="https://elsewhere.example/"))
        return Reply(410)

    world.receiver.answer = moves_away
    await world.process().deliver_due()
    settings = await world.webhooks.settings(GUILD)
    assert (settings.enabled, settings.failing_since_ms) == (True, None)


async def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(world):
    old = await world.set_up()
    changed = await world.webhooks.change(GUILD, SYSTEM, WebhookEdit(rotate_secret=True))
    assert changed.secret not in (None, old)
    world.clock.advance(DAY - 1)
    await world.webhooks.test(GUILD, SYSTEM)
    await world.process().deliver_due()
    world.clock.advance(1)
    await world.webhooks.test(GUILD, SYSTEM)
    await world.process().deliver_due()
    during, after = world.receiver.got
    now = world.clock.now_ms() // 1000
    assert accepts(old, during.headers, during.body, now)
    assert accepts(changed.secret, during.headers, during.body, now)
    assert accepts(changed.secret, after.headers, after.body, now)
    assert not accepts(old, after.headers, after.body, now)


async def test_a_secret_of_another_master_key_is_a_failure_that_rotating_mends(world):
    await world.set_up()
    await world.webhooks.test(GUILD, SYSTEM)
    process = world.process()
    world.sealer = process.sealing = SecretSealer(b"another master key of 32 bytes..")
    world.webhooks = type(world.webhooks)(world.webhooks.store, world.sealer, world.clock, world.ids)
    await process.deliver_due()
    delivery = await world.one()
    assert (delivery.state, world.receiver.got) == (DeliveryState.WAITING, [])
    assert "rotate" in str(delivery.last_error)
    changed = await world.webhooks.change(GUILD, SYSTEM, WebhookEdit(rotate_secret=True))
    world.clock.advance(HOUR)
    await process.deliver_due()
    (request,) = world.receiver.got
    assert accepts(changed.secret, request.headers, request.body, world.clock.now_ms() // 1000)


async def test_switching_off_fails_what_waits_and_an_attempt_on_its_way_changes_nothing(world):
    await world.set_up()
    await world.lock()

    async def is_switched_off(_url, _headers, _body):
        await world.webhooks.change(GUILD, SYSTEM, WebhookEdit(enabled=False))
        return Reply(200)

    world.receiver.answer = is_switched_off
    await world.process().deliver_due()
    delivery = await world.one()
    assert (delivery.state, delivery.last_error) == (DeliveryState.FAILED, "the webhook was switched off")
    assert await world.attempts() == []


@pytest.mark.slow
async def test_a_guild_and_a_host_take_only_their_share(world):
    hosts = 3
    for number in range(30):
        guild_id = GuildId(1000 + number)
        await world.set_up(guild_id, f"https://host{number % hosts}.example/{number}")
        await world.lock(12, guild_id)
    now: dict[str, int] = {}
    most: dict[str, int] = {}
    release = asyncio.Event()

    async def answer(url, _headers, _body):
        keys = (url, url.split("/")[2])
        for key in keys:
            now[key] = now.get(key, 0) + 1
            most[key] = max(most.get(key, 0), now[key])
        if len(world.receiver.got) >= MOST_A_HOST * hosts:
            release.set()
        await release.wait()
        for key in keys:
            now[key] -= 1
        return Reply(200)

    world.receiver.answer = answer
    assert await world.process().deliver_due() == 360
    assert max(count for key, count in most.items() if "/" in key) <= MOST_A_GUILD
    assert max(count for key, count in most.items() if "/" not in key) <= MOST_A_HOST
    assert world.receiver.most_at_once <= MOST_AT_ONCE
    assert {request.id for request in world.receiver.got} == {
        str(row.delivery_id) for number in range(30) for row in await world.log(1000 + number)
    }


@pytest.mark.slow
async def test_receivers_that_are_away_leave_room_for_the_others(world):
    for number in range(2 * MOST_AT_ONCE):
        guild_id = GuildId(1000 + number)
        await world.set_up(guild_id, f"https://dead{number}.example/")
        await world.lock(1, guild_id)
    async with world.database.transaction() as connection:
        await connection.execute(update(schema.webhook).values(failing_since_ms=1))
    last = GuildId(10**9)
    await world.set_up(last, "https://living.example/")
    await world.lock(1, last)
    waiting, arrived = 0, asyncio.Event()

    async def answer(url, _headers, _body):
        nonlocal waiting
        if "living" in url:
            arrived.set()
            return Reply(200)
        waiting += 1
        assert waiting <= MOST_FAILING_AT_ONCE or arrived.is_set()
        await arrived.wait()
        return Reply(None, "no answer within 15 s")

    world.receiver.answer = answer
    assert await world.process().deliver_due() == 2 * MOST_AT_ONCE + 1


@pytest.mark.slow
async def test_two_processes_share_the_work_and_make_no_attempt_twice(world):
    for number in range(6):
        await world.set_up(1000 + number, f"https://host{number}.example/")
        await world.lock(25, GuildId(1000 + number))
    url = world.database.url.render_as_string(hide_password=False)
    others = [open_database(url) for _ in range(2)]
    processes = [world.process(other, f"process-{index}") for index, other in enumerate(others)]
    first, second = await asyncio.gather(*(process.deliver_due() for process in processes))
    assert first + second == 150
    ids = [request.id for request in world.receiver.got]
    assert len(ids) == len(set(ids)) == 150
    assert len(await world.attempts()) == 150
    for other in others:
        await other.close()


async def test_a_process_that_was_only_slow_finds_its_claim_gone(world):
    await world.set_up()
    await world.lock()

    async def sleeps_through_its_claim(_url, _headers, _body):
        world.receiver.answer = None
        world.clock.advance(2 * MINUTE)
        assert await world.process(holder="other").deliver_due() == 1
        return Reply(500)

    world.receiver.answer = sleeps_through_its_claim
    await world.process(holder="slow").deliver_due()
    delivery = await world.one()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)
    (attempt,) = await world.attempts()
    assert attempt.number == 2


async def test_a_database_that_goes_away_is_told_after_everything_on_its_way_has_ended(world):
    await world.set_up()
    await world.lock(3)
    process = world.process()
    finished = []

    class Failing:
        def __getattr__(self, name):
            return getattr(process_store, name)

        async def finish(self, due, *_rest):
            finished.append(due.delivery_id)
            raise UnavailableError("the database is away")

    process_store, process.store = process.store, Failing()
    with pytest.raises(UnavailableError):
        await process.deliver_due()
    assert len(finished) == 3
    process.store = process_store
    assert await process.deliver_due() == 0, "until the claims run out"
    world.clock.advance(MINUTE)
    assert await process.deliver_due() == 3
    assert {delivery.state for delivery in await world.log()} == {DeliveryState.DELIVERED}


async def test_old_deliveries_are_forgotten_with_their_attempts(world):
    await world.set_up()
    await world.lock(3)
    await world.process().deliver_due()
    world.clock.advance(30 * DAY)
    await world.announce(Announcement(GUILD, Happening.SIGNING_LOCKED, world.clock.now_ms(), body={"kid": "new"}))
    assert await world.process().forget_old() == 0
    world.clock.advance(1)
    assert await world.process().forget_old() == 3
    assert len(await world.log()) == 1
    assert await world.count(schema.webhook_attempt) == 0


async def test_a_replay_of_what_is_on_its_way_changes_nothing(world):
    await world.set_up()
    await world.lock()

    async def is_replayed(_url, _headers, _body):
        world.receiver.answer = None
        await world.webhooks.replay(GUILD, SYSTEM, (await world.one()).delivery_id)
        return Reply(200)

    world.receiver.answer = is_replayed
    assert await world.process().deliver_due() == 1
    assert (await world.one()).state is DeliveryState.DELIVERED


@pytest.mark.slow
async def test_the_sender_gets_no_url_that_the_operator_does_not_allow_any_more(sqlite_database):
    world = WebhookWorld(sqlite_database, clock=FixedClock(), receiver=Receiver())
    await world.set_up()
    async with sqlite_database.transaction() as connection:
        await connection.execute(update(schema.webhook).values(url="http://10.0.0.1/"))
    await world.webhooks.test(GUILD, SYSTEM)
    await world.process().deliver_due()
    assert world.receiver.got == []
    assert "https" in str((await world.one()).last_error)
