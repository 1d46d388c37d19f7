"""API tokens: shown once, stored hashed, good for one guild and one purpose, and for as long as their creator may manage."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import select

from attendance.domain.tokens import MAX_TOKENS, secret_sha256
from attendance.store import schema
from tests.api_world import BASE, GUILD, MANAGER, MEMBER, OTHER_GUILD, World, http_client
from tests.books import rows_of

TOKENS = f"{BASE}/tokens"
WRITES = {"read": f"{BASE}/overview", "settings": f"{BASE}/fairness"}


async def make(client, world: World, *scopes: str, **more) -> dict:
    answer = await client.post(TOKENS, headers=world.auth(), json={"name": "report", "scopes": list(scopes), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearing(token: dict) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['token']}"}


async def test_a_token_is_shown_once_and_stored_as_a_hash(client, world):
    made = await make(client, world, "read", "settings", expires_at="2028-01-01T00:00:00+02:00")
    assert made.pop("token").startswith("rc_")
    assert made == {
        "token_id": made["token_id"],
        "name": "report",
        "scopes": ["read", "settings"],
        "created_by": str(MANAGER),
        "created_at": "2027-01-15T08:00:00.000Z",
        "expires_at": "2027-12-31T22:00:00.000Z",
        "last_used_at": None,
    }
    listed = await client.get(TOKENS, headers=world.auth())
    assert listed.json() == {"items": [made], "total": 1}
    assert (await client.get(TOKENS, headers=world.auth(), params={"format": "csv"})).text.startswith("token_id,name,scopes")
    (row,) = await rows_of(world.database, schema.api_token)
    assert len(row["token_sha256"]) == 32
    assert all("rc_" not in str(value) for value in row.values())


async def test_what_a_token_may_be_used_for_is_what_its_scopes_say(client, world):
    read, settings = await make(client, world, "read"), await make(client, world, "settings")
    assert (await client.get(f"{BASE}/overview", headers=bearing(read))).status_code == 200
    assert (await client.get(f"{BASE}/overview", headers=bearing(settings))).status_code == 403
    change = {"json": {"pause_on_mute": True}}
    assert (await client.patch(f"{BASE}/fairness", headers=bearing(read), **change)).status_code == 403
    assert (await client.patch(f"{BASE}/fairness", headers=bearing(settings), **change)).status_code == 200
    for token in (read, settings):
        for method, path in (("GET", TOKENS), ("POST", f"{BASE}/signing/lock")):
            assert (await client.request(method, path, headers=bearing(token))).status_code == 403
    (command,) = await rows_of(world.database, schema.command)
    assert command["actor_id"] == MANAGER
    assert json.loads(command["origin"]) == {"address": "127.0.0.1", "token_id": settings["token_id"], "via": "token"}


async def test_a_token_is_good_for_its_own_guild_only_and_no_text_like_it_for_any(client, world):
    token = await make(client, world, "read")
    other = await client.get(f"/api/v1/guilds/{OTHER_GUILD}/overview", headers=bearing(token))
    assert other.status_code == 403
    secret = token["token"]
    for wrong in (secret[:-1], secret + "A", secret.swapcase(), "rc_" + "A" * 43, "rc_", "rc_é" + secret[4:], secret[3:]):
        headers = {b"Authorization": f"Bearer {wrong}".encode()}
        assert (await client.get(f"{BASE}/overview", headers=headers)).status_code == 401
    assert secret_sha256("rc_" + "A" * 42 + "\n") is None


async def test_a_revoked_token_is_dead_at_once_and_only_the_guild_s_own_can_be_revoked(client, world):
    token = await make(client, world, "read")
    elsewhere = f"/api/v1/guilds/{OTHER_GUILD}/tokens/{token['token_id']}"
    assert (await client.delete(elsewhere, headers=world.auth(guild=OTHER_GUILD))).status_code == 404
    gone = [await client.delete(f"{TOKENS}/{token['token_id']}", headers=world.auth()) for _ in range(2)]
    assert [answer.status_code for answer in gone] == [204, 404]
    assert (await client.get(f"{BASE}/overview", headers=bearing(token))).status_code == 401
    assert (await client.get(TOKENS, headers=world.auth())).json()["total"] == 0
    assert (await client.delete(f"{TOKENS}/nonsense", headers=world.auth())).status_code == 422
    audit = await rows_of(world.database, schema.audit)
    assert [(row["action"], row["actor_id"], row["via"], row["address"]) for row in audit] == [
        ("token.create", MANAGER, "api", "127.0.0.1"),
        ("token.revoke", MANAGER, "api", "127.0.0.1"),
    ]
    assert {row["target"] for row in audit} == {token["token_id"]}
    assert json.loads(audit[0]["after"]) == json.loads(audit[1]["before"])
    assert all("rc_" not in str(row) for row in audit)


async def test_an_expired_token_is_dead(client, world):
    token = await make(client, world, "read", expires_at="2027-01-15T09:00:00Z")
    assert (await client.get(f"{BASE}/overview", headers=bearing(token))).status_code == 200
    world.clock.advance(3_600_000)
    assert (await client.get(f"{BASE}/overview", headers=bearing(token))).status_code == 401


async def test_a_token_dies_with_its_creator_s_permission_and_discord_away_is_never_an_allow(client, world):
    token = await make(client, world, "read")
    table = schema.api_token
    await world.change(table, table.c.guild_id == GUILD, created_by=MEMBER)
    assert (await client.get(f"{BASE}/overview", headers=bearing(token))).status_code == 403
    await world.change(table, table.c.guild_id == GUILD, created_by=MANAGER)
    world.lookup.away = True
    assert (await client.get(f"{BASE}/overview", headers=bearing(token))).status_code == 503


async def test_its_last_use_is_known_to_the_minute_without_a_write_for_each_request(client, world):
    token = await make(client, world, "read")
    used = []
    for _ in range(5):
        await client.get(f"{BASE}/overview", headers=bearing(token))
        used.append((await client.get(TOKENS, headers=world.auth())).json()["items"][0]["last_used_at"])
        world.clock.advance(20_000)
    assert used == ["2027-01-15T08:00:00.000Z"] * 3 + ["2027-01-15T08:01:00.000Z"] * 2


async def test_tokens_have_a_rate_of_their_own(world):
    async with http_client(world.app(requests_per_minute_user=3)) as client:
        token = await make(client, world, "read")
        answers = [await client.get(f"{BASE}/overview", headers=bearing(token)) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert (await client.get(TOKENS, headers=world.auth())).status_code == 200


@pytest.mark.slow
async def test_a_guild_has_only_so_many_tokens_however_many_ask_at_once(client, world):
    body = {"name": "x", "scopes": ["read"]}
    answers = await asyncio.gather(*(client.post(TOKENS, headers=world.auth(), json=body) for _ in range(MAX_TOKENS + 10)))
    assert sorted({answer.status_code for answer in answers}) == [201, 409]
    async with world.database.snapshot() as connection:
        assert len((await connection.execute(select(schema.api_token.c.token_id))).all()) == MAX_TOKENS


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"scopes": ["read"]}, "body"),
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "   ", "scopes": ["read"]}, "name"),
        ({"name": "a\u0000b", "scopes": ["read"]}, "name"),
        ({"name": "x" * 81, "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["keys"]}, "scopes[0]"),
        ({"name": "x", "scopes": "read"}, "scopes"),
        ({"name": "x", "scopes": ["read"], "expires_at": "soon"}, "expires_at"),
        ({"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "scopes": ["read"], "more": 1}, "body"),
    ],
)
async def test_tokens_that_cannot_be_are_422(sqlite_client, sqlite_world, body, member):
    answer = await sqlite_client.post(TOKENS, headers=sqlite_world.auth(), json=body)
    assert (answer.status_code, list(answer.json()["details"])) == (422, [member])
