"""Tiers: by operators, by Discord's entitlements, and what ends when they do."""

from __future__ import annotations

import asyncio

import pytest
from httpx import AsyncClient

from attendance.discord.entitlements import entitlement_handler
from attendance.domain.subscriptions import Entitlement
from attendance.errors import InvalidInputError, UnavailableError
from attendance.services.entitlements import Entitlements
from attendance.store import schema
from attendance.store.subscriptions import SqlSubscriptionStore
from tests.api_world import ABSENT_GUILD, BASE, GUILD, HOUR, MANAGER, OPERATOR, START_MS, World, http_client
from tests.books import rows_of
from tests.role_world import audited, billed, end_period, make_rule, runs, stored_rule, worker

SUBSCRIPTION = f"{BASE}/subscription"
SKU = 900
ALL, NONE = (dict.fromkeys(("verified_roles", "webhooks", "exports"), has) for has in (True, False))


def entitlement(number: int = 1, **more) -> Entitlement:
    values = {"guild_id": GUILD, "sku_id": SKU, "starts_at_ms": None, "ends_at_ms": None, "deleted": False}
    return Entitlement(number, **{**values, **more})


async def note(world: World, *told: Entitlement) -> None:
    await SqlSubscriptionStore(world.database).note(told, world.clock.now_ms())


async def tier(client: AsyncClient, world: World) -> tuple[str, str | None]:
    body = (await client.get(SUBSCRIPTION, headers=world.auth())).json()
    overview = (await client.get(f"{BASE}/overview", headers=world.auth())).json()
    assert overview["tier"] == body["tier"]
    assert body["features"] == (ALL if body["tier"] == "pro" or not world.billing.on else NONE)
    return body["tier"], body["renews_at"]


async def test_without_billing_every_guild_has_everything(sqlite_client, sqlite_world: World) -> None:
    assert await tier(sqlite_client, sqlite_world) == ("pro", None)
    answer = await sqlite_client.patch(SUBSCRIPTION, json={"tier": "free"}, headers=sqlite_world.auth(OPERATOR))
    assert answer.json() == {"tier": "free", "features": ALL, "renews_at": None}


@pytest.mark.slow
async def test_an_operator_sets_the_tier_and_until_when(database) -> None:
    world = billed(World(database))
    await world.settle()
    async with http_client(world.app()) as client:
        assert await tier(client, world) == ("free", None)

        async def change(status=200, **body):
            answer = await client.patch(SUBSCRIPTION, json=body, headers=world.auth(OPERATOR))
            assert answer.status_code == status, answer.text
            return answer.json()

        assert await change(tier="pro") == {"tier": "pro", "features": ALL, "renews_at": None}
        assert (await change(renews_at="2027-01-15T09:00:00.5+00:00"))["renews_at"] == "2027-01-15T09:00:00.500Z"
        assert (await change(tier="pro"))["renews_at"] == "2027-01-15T09:00:00.500Z"
        assert await change() == await change(tier="pro")
        assert list((await change(422, renews_at="2027-01-15T08:00:00Z"))["details"]) == ["renews_at"]
        assert list((await change(422, renews_at="tomorrow"))["details"]) == ["renews_at"]
        assert list((await change(422, tier="free", renews_at="2027-01-15T09:00:00Z"))["details"]) == ["renews_at"]
        for body in ({"tier": "gold"}, {"tier": None}, {"tier": "pro", "price": 3}, {"renews_at": 5}):
            await change(422, **body)
        world.clock.advance(2 * HOUR)
        assert await tier(client, world) == ("free", None)
        assert await change(tier="pro", renews_at=None) == {"tier": "pro", "features": ALL, "renews_at": None}
        assert await change(tier="free") == {"tier": "free", "features": NONE, "renews_at": None}
        together = [client.patch(SUBSCRIPTION, json={"tier": t}, headers=world.auth(OPERATOR)) for t in ("pro", "free") * 3]
        assert {answer.status_code for answer in await asyncio.gather(*together)} == {200}
    assert (await audited(world))[:3] == [("subscription.update", OPERATOR)] * 3


async def test_only_operators_may_change_it_also_of_a_guild_that_the_bot_has_left(sqlite_client, sqlite_world: World) -> None:
    for user, status in ((MANAGER, 403), (OPERATOR, 200)):
        answer = await sqlite_client.patch(SUBSCRIPTION, json={"tier": "pro"}, headers=sqlite_world.auth(user))
        assert answer.status_code == status
        assert status == 200 or "operators" in answer.json()["error"]
    left = f"/api/v1/guilds/{ABSENT_GUILD}/subscription"
    answer = await sqlite_client.patch(left, json={"tier": "pro"}, headers=sqlite_world.auth(OPERATOR, ABSENT_GUILD))
    assert answer.status_code == 200


async def test_an_entitlement_makes_a_guild_pro_for_as_long_as_it_holds(database) -> None:
    world = billed(World(database), SKU)
    await world.settle()
    async with http_client(world.app()) as client:
        await note(world, entitlement(sku_id=SKU + 1), entitlement(2, guild_id=ABSENT_GUILD))
        assert await tier(client, world) == ("free", None)
        await note(world, entitlement(3, starts_at_ms=START_MS + HOUR, ends_at_ms=START_MS + 2 * HOUR))
        assert await tier(client, world) == ("free", None)
        world.clock.advance(HOUR)
        assert await tier(client, world) == ("pro", "2027-01-15T10:00:00.000Z")
        await note(world, entitlement(3, ends_at_ms=START_MS + 3 * HOUR))
        world.clock.advance(HOUR)
        assert await tier(client, world) == ("pro", "2027-01-15T11:00:00.000Z")
        await note(world, entitlement(3, deleted=True))
        assert await tier(client, world) == ("free", None)


async def test_what_discord_said_later_stands_whatever_comes_late(database) -> None:
    world = World(database)
    await world.settle()
    store = SqlSubscriptionStore(database)
    await store.note([entitlement(deleted=True)], 500)
    await store.note([entitlement(), entitlement(2)], 400)
    assert await store.drop_missing([2], 450) == 0
    await store.note([entitlement(3)], 460)
    assert [one.entitlement_id for one in (await store.of(GUILD))[1]] == [2, 3]
    await asyncio.gather(*(store.note([entitlement(4), entitlement(5)], 600) for _ in range(3)))
    assert await store.drop_missing([4, 5], 600) == 2
    assert [one.entitlement_id for one in (await store.of(GUILD))[1]] == [4, 5]


async def test_the_list_is_taken_over_and_a_dispatch_meanwhile_is_newer(sqlite_world: World) -> None:
    store = SqlSubscriptionStore(sqlite_world.database)
    service = Entitlements(store, sqlite_world.clock)
    await store.note([entitlement(1), entitlement(2)], START_MS - HOUR)

    class Source:
        async def entitlements(self):
            await service.note(entitlement(4))
            return [entitlement(2, ends_at_ms=9 * START_MS), entitlement(3)]

    assert await service.reconcile(Source()) == 2
    found = {one.entitlement_id: one.ends_at_ms for one in (await store.of(GUILD))[1]}
    assert found == {2: 9 * START_MS, 3: None, 4: None}

    class Away:
        async def entitlements(self):
            raise UnavailableError("Discord is away")

    with pytest.raises(UnavailableError):
        await service.reconcile(Away())
    assert len((await store.of(GUILD))[1]) == 3


async def test_dispatches_are_read_strictly(sqlite_world: World) -> None:
    handle = entitlement_handler(Entitlements(SqlSubscriptionStore(sqlite_world.database), sqlite_world.clock).note)
    payload = {"id": "5", "guild_id": str(GUILD), "sku_id": str(SKU), "type": 8, "deleted": False, "ends_at": None}
    await handle("ENTITLEMENT_CREATE", {**payload, "starts_at": "2022-09-14T17:00:18.704163+00:00"})
    await handle("ENTITLEMENT_CREATE", {**payload, "guild_id": None, "user_id": "7"})
    [row] = await rows_of(sqlite_world.database, schema.entitlement)
    assert (row["starts_at_ms"], row["deleted"]) == (1_663_174_818_704, False)
    await handle("ENTITLEMENT_DELETE", payload)
    assert [row["deleted"] for row in await rows_of(sqlite_world.database, schema.entitlement)] == [True]
    for bad in (
        None,
        [],
        {**payload, "id": 5},
        {**payload, "sku_id": "x"},
        {**payload, "ends_at": 5},
        {**payload, "deleted": 1},
    ):
        with pytest.raises(InvalidInputError):
            await handle("ENTITLEMENT_UPDATE", bad)


@pytest.mark.slow
async def test_a_downgrade_ends_what_is_under_way_and_says_so(database) -> None:
    world = billed(World(database), SKU)
    await world.settle()
    rule = await make_rule(world, 100)
    await note(world, entitlement())
    await end_period(world, 3, dict.fromkeys(range(100, 125), 300))
    [run] = await runs(world)
    assert await worker(world).step(run["run_id"])
    await note(world, entitlement(deleted=True))
    await worker(world).work()
    [run] = await runs(world)
    assert (run["state"], run["error"]) == ("failed", "using verified roles needs Pro")
    assert (await stored_rule(world, rule)).last_error == "using verified roles needs Pro"
    assert len(world.roles.calls) == 10
