"""Log destinations over HTTP: whose channels they may be, what changes, and what the audit says of it."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest
from sqlalchemy import func, select

from attendance.store import schema
from tests.api_world import BASE, GUILD, MEMBER, OTHER_GUILD, START_MS, World

PATH = f"{BASE}/log-destinations"
NO_SUCH = f"{PATH}/01972f3c-7c00-7000-8000-0123456789ab"
ALL_TYPES = ["session_end", "period_reset", "leaderboard", "signing"]


async def added(client, world: World, channel: int = 60, **more) -> dict:
    answer = await client.post(PATH, headers=world.auth(), json={"channel_id": str(channel), **more})
    assert answer.status_code == 201, answer.json()
    world.clock.advance(1)
    return answer.json()


async def audited(world: World) -> list:
    table = schema.audit
    query = select(table).where(table.c.action.startswith("log_destination.")).order_by(table.c.id)
    async with world.database.snapshot() as connection:
        return list((await connection.execute(query)).all())


async def destination(world: World):
    async with world.database.snapshot() as connection:
        return (await connection.execute(select(schema.log_destination))).one()


async def test_a_channel_is_added_listed_and_removed(client, world):
    assert (await client.get(PATH, headers=world.auth())).json() == {"items": [], "total": 0}
    first = await added(client, world)
    assert first == {
        "id": first["id"],
        "channel_id": "60",
        "types": ALL_TYPES,
        "frequency": "immediate",
        "last_delivered_at": None,
        "last_error": None,
    }
    second = await added(client, world, 61, types=["signing", "session_end", "signing"], frequency="daily")
    assert (second["types"], second["frequency"]) == (["session_end", "signing"], "daily")
    listed = await client.get(PATH, headers=world.auth())
    assert listed.json() == {"items": [first, second], "total": 2}
    page = await client.get(f"{PATH}?limit=1&offset=1", headers=world.auth())
    assert page.json() == {"items": [second], "total": 2}
    table = await client.get(f"{PATH}?format=csv", headers=world.auth())
    assert table.text.splitlines()[0] == "id,channel_id,types,frequency,last_delivered_at,last_error"
    for expected in (204, 404):
        assert (await client.delete(f"{PATH}/{first['id']}", headers=world.auth())).status_code == expected
    assert (await client.get(PATH, headers=world.auth())).json()["items"] == [second]


async def test_adding_a_channel_again_is_200_and_changes_only_what_is_given(client, world):
    first = await added(client, world, types=["signing"], frequency="weekly")
    again = await client.post(PATH, headers=world.auth(), json={"channel_id": "60"})
    assert (again.status_code, again.json()) == (200, first)
    changed = await client.post(PATH, headers=world.auth(), json={"channel_id": "60", "frequency": "hourly"})
    assert (changed.status_code, changed.json()) == (200, first | {"frequency": "hourly"})
    assert [row.action for row in await audited(world)] == ["log_destination.create", "log_destination.update"]


async def test_many_who_add_the_same_channel_at_once_add_it_once(client, world):
    body = {"channel_id": "60"}
    answers = await asyncio.gather(*(client.post(PATH, headers=world.auth(), json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await audited(world)) == 1


@pytest.mark.slow
async def test_a_guild_has_at_most_25_also_when_many_add_at_once(client, world):
    for channel in range(60, 83):
        await added(client, world, channel)
    bodies = [{"channel_id": str(channel)} for channel in range(83, 89)]
    answers = await asyncio.gather(*(client.post(PATH, headers=world.auth(), json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409, 409]


@pytest.mark.parametrize("channel", ["50", "1", "9223372036854775807"])
async def test_a_channel_that_is_not_the_guilds_is_422(sqlite_client, sqlite_world, channel):
    answer = await sqlite_client.post(PATH, headers=sqlite_world.auth(), json={"channel_id": channel})
    assert (answer.status_code, list(answer.json()["details"])) == (422, ["channel_id"])


async def test_a_channel_in_which_the_bot_may_not_post_is_422_and_says_what_it_lacks(sqlite_client, sqlite_world):
    sqlite_world.lookup.missing = ("Send Messages",)
    answer = await sqlite_client.post(PATH, headers=sqlite_world.auth(), json={"channel_id": "60"})
    assert (answer.status_code, answer.json()["details"]) == (422, {"channel_id": "the bot lacks: Send Messages"})


async def test_while_discord_is_away_nothing_is_added(sqlite_client, sqlite_world):
    sqlite_world.lookup.away = True
    answer = await sqlite_client.post(PATH, headers=sqlite_world.auth(9), json={"channel_id": "60"})
    assert answer.status_code == 503
    assert await audited(sqlite_world) == []


async def test_types_are_replaced_or_turned_on_and_off_one_by_one(client, world):
    path = f"{PATH}/{(await added(client, world))['id']}/types"
    for body, types in [
        ({"types": ["leaderboard"]}, ["leaderboard"]),
        ({"type": "session_end", "enabled": True}, ["session_end", "leaderboard"]),
        ({"type": "session_end", "enabled": True}, ["session_end", "leaderboard"]),
        ({"type": "leaderboard", "enabled": False}, ["session_end"]),
        ({}, ["session_end"]),
        ({"types": []}, []),
        ({"types": ["signing"], "type": "leaderboard", "enabled": True}, ["leaderboard", "signing"]),
        ({"type": "checkpoint", "enabled": True}, ["leaderboard", "signing", "checkpoint"]),
        ({"type": "checkpoint", "enabled": False}, ["leaderboard", "signing"]),
        ({"types": ["checkpoint"]}, ["checkpoint"]),
    ]:
        answer = await client.patch(path, headers=world.auth(), json=body)
        assert (answer.status_code, answer.json()["types"]) == (200, types)


@pytest.mark.parametrize(
    "body",
    [
        {"types": "signing"},
        {"types": ["other"]},
        {"types": None},
        {"types": ["signing"] * 9},
        {"type": "signing"},
        {"enabled": True},
        {"type": "signing", "enabled": 1},
        {"type": "other", "enabled": True},
        {"frequency": "daily"},
        [],
        None,
    ],
)
async def test_types_that_make_no_sense_are_422(sqlite_client, sqlite_world, body):
    path = f"{PATH}/{(await added(sqlite_client, sqlite_world))['id']}/types"
    answer = await sqlite_client.patch(path, headers=sqlite_world.auth(), json=body)
    assert answer.status_code == 422
    assert answer.json()["details"]


@pytest.mark.parametrize("body", [{}, {"frequency": "yearly"}, {"frequency": None}, {"frequency": "daily", "hour": 3}, []])
async def test_frequencies_that_are_none_are_422(sqlite_client, sqlite_world, body):
    path = f"{PATH}/{(await added(sqlite_client, sqlite_world))['id']}/frequency"
    assert (await sqlite_client.patch(path, headers=sqlite_world.auth(), json=body)).status_code == 422


@pytest.mark.parametrize(
    "body", [{}, {"channel_id": 60}, {"channel_id": "+60"}, {"channel_id": "\uff16\uff10"}, {"channel_id": "60", "a": 1}]
)
async def test_destinations_that_make_no_sense_are_422(sqlite_client, sqlite_world, body):
    assert (await sqlite_client.post(PATH, headers=sqlite_world.auth(), json=body)).status_code == 422


async def test_a_frequency_is_reckoned_in_the_guilds_time_zone(client, world):
    change = {"interval": "daily", "timezone": "Asia/Kolkata"}
    assert (await client.patch(f"{BASE}/reset-interval", headers=world.auth(), json=change)).status_code == 200
    path = f"{PATH}/{(await added(client, world))['id']}/frequency"
    # 2027-01-15 is a Friday; it is 08:00 UTC, 13:30 in Kolkata.
    for frequency, ahead_ms in (
        ("hourly", 30 * 60_000),
        ("daily", 630 * 60_000),
        ("weekly", (48 * 60 + 630) * 60_000),
        ("immediate", None),
    ):
        answer = await client.patch(path, headers=world.auth(), json={"frequency": frequency})
        assert (answer.status_code, answer.json()["frequency"]) == (200, frequency)
        due_ms = (await destination(world)).next_due_at_ms
        assert due_ms == (None if ahead_ms is None else START_MS + ahead_ms)


@pytest.mark.parametrize("how", ["post", "types", "frequency"])
async def test_a_disabled_destination_works_again_after_any_change(client, world, how):
    known = await added(client, world, frequency="immediate")
    table = schema.log_destination
    await world.change(table, table.c.guild_id == GUILD, disabled_at_ms=1, last_error="disabled: the channel is gone")
    shown = (await client.get(PATH, headers=world.auth())).json()["items"]
    assert shown == [known | {"last_error": "disabled: the channel is gone"}]
    if how == "post":
        answer = await client.post(PATH, headers=world.auth(), json={"channel_id": "60"})
    else:
        body = {"types": {"types": ALL_TYPES}, "frequency": {"frequency": "immediate"}}[how]
        answer = await client.patch(f"{PATH}/{known['id']}/{how}", headers=world.auth(), json=body)
    assert (answer.status_code, answer.json()) == (200, known)
    assert (await destination(world)).disabled_at_ms is None
    entry = (await audited(world))[-1]
    assert (entry.action, json.loads(entry.before)["disabled"], json.loads(entry.after)["disabled"]) == (
        "log_destination.update",
        True,
        False,
    )


async def test_every_change_is_audited_and_nothing_else_is(client, world):
    known = await added(client, world)
    one = f"{PATH}/{known['id']}"
    for body in ({"types": ["signing"]}, {"types": ["signing"]}):
        await client.patch(f"{one}/types", headers=world.auth(), json=body)
    await client.patch(f"{one}/frequency", headers=world.auth(), json={"frequency": "daily"})
    await client.delete(one, headers=world.auth())
    rows = await audited(world)
    verbs = [row.action.removeprefix("log_destination.") for row in rows]
    assert verbs == ["create", "update", "update", "delete"]
    assert {row.target for row in rows} == {known["id"]}
    assert {(row.actor_id, row.via, row.address) for row in rows} == {(7, "api", "127.0.0.1")}
    assert json.loads(rows[1].before)["types"] == ALL_TYPES
    assert json.loads(rows[1].after)["types"] == ["signing"]
    assert (rows[0].before, rows[-1].after) == (None, None)


async def test_another_guilds_destination_is_not_there(client, world):
    known = await added(client, world)
    await world.change(schema.log_destination, schema.log_destination.c.guild_id == GUILD, guild_id=OTHER_GUILD)
    for path in (f"{PATH}/{known['id']}", NO_SUCH):
        assert (await client.delete(path, headers=world.auth())).status_code == 404
        assert (await client.patch(f"{path}/types", headers=world.auth(), json={"types": []})).status_code == 404
        assert (await client.patch(f"{path}/frequency", headers=world.auth(), json={"frequency": "daily"})).status_code == 404


async def test_who_may_not_manage_the_server_may_not_change_what_is_told(sqlite_client, sqlite_world):
    for method, path in (("GET", PATH), ("POST", PATH), ("DELETE", NO_SUCH), ("PATCH", f"{NO_SUCH}/types")):
        answer = await sqlite_client.request(method, path, headers=sqlite_world.auth(MEMBER), json={"channel_id": "60"})
        assert answer.status_code == 403
    assert (await sqlite_client.delete(f"{PATH}/none", headers=sqlite_world.auth())).status_code in {404, 422}


async def test_removing_a_destination_removes_what_waits_for_it(client, world):
    known = await added(client, world)
    other = await added(client, world, 61)
    async with world.database.transaction() as connection:
        for one in (known, other):
            values = {"destination_id": UUID(one["id"]), "guild_id": GUILD, "type": "signing", "created_at_ms": START_MS}
            await connection.execute(schema.log_item.insert().values(**values))
    await client.delete(f"{PATH}/{known['id']}", headers=world.auth())
    async with world.database.snapshot() as connection:
        assert await connection.scalar(select(func.count()).select_from(schema.log_item)) == 1
