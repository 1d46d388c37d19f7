"""Who may ask for what, which error comes first, and what every answer has in common."""

from __future__ import annotations

import base64
import json
import re

import jwt
import pytest

from attendance.errors import ConfigError
from attendance.services.recording.recorder import LEASE_MS
from attendance.store import schema
from tests.api_world import (
    ABSENT_GUILD,
    BASE,
    GUILD,
    MANAGER,
    MEMBER,
    OLD_SECRET,
    OPERATOR,
    OTHER_GUILD,
    SECRET,
    World,
    http_client,
)


@pytest.fixture
async def client(sqlite_client):
    return sqlite_client


@pytest.fixture
async def world(sqlite_world):
    return sqlite_world


async def status(client, headers, path=f"{BASE}/fairness", method="GET", **more) -> int:
    answer = await client.request(method, path, headers=headers, **more)
    if answer.status_code >= 400:
        assert set(answer.json()) <= {"error", "details"}
    return answer.status_code


def unsigned(claims: dict) -> str:
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


async def test_a_manager_s_token_is_accepted_with_integers_and_with_text(client, world):
    assert await status(client, world.auth()) == 200
    assert await status(client, world.auth(str(MANAGER), str(GUILD))) == 200
    assert await status(client, {"authorization": "bearer " + world.token()}) == 200
    assert await status(client, {"Authorization": f"Bearer {world.token(secret=OLD_SECRET)}"}) == 200
    assert await status(client, world.auth(aud="x", iss="y", sub=5, jti=7, iat="never")) == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": ...},
        {"user_id": ...},
        {"guild_id": ...},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": float("nan")},
        {"user_id": "07"},
        {"user_id": "+7"},
        {"user_id": "\uff17"},
        {"user_id": 7.0},
        {"user_id": -7},
        {"user_id": True},
        {"user_id": None},
        {"user_id": 2**63},
        {"guild_id": [GUILD]},
        {"guild_id": "guild"},
        {"nbf": 4_000_000_000},
    ],
)
async def test_a_token_with_claims_that_do_not_fit_is_401(client, world, claims):
    user, guild = claims.pop("user_id", MANAGER), claims.pop("guild_id", GUILD)
    assert await status(client, world.auth(user, guild, **claims)) == 401


async def test_tokens_of_another_key_algorithm_or_kind_are_401(client, world):
    claims = {"user_id": MANAGER, "guild_id": GUILD, "exp": world.clock.now_ms() // 1000 + 30}
    for header in (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer x.y.z",
        f"Bearer {unsigned(claims)}",
        f"Bearer {world.token(secret=b'x' * 32)}",
        f"Bearer {world.token(algorithm='HS512', secret=SECRET * 2)}",
        f"Bearer {world.token()[:-2]}",
        f"Bearer {'[' * 10_000}",
    ):
        answer = await client.get(f"{BASE}/fairness", headers={} if header is None else {"Authorization": header})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_token_lives_sixty_seconds_at_most_give_or_take_five(client, world):
    now = world.clock.now_ms() // 1000
    for exp, expected in ((now + 65, 200), (now + 66, 401), (now - 4, 200), (now - 5, 401)):
        assert await status(client, world.auth(exp=exp)) == expected


async def test_a_short_secret_is_refused_at_the_start(world):
    from api.auth import Tokens  # noqa: PLC0415

    for secrets in ((), (b"short",), (SECRET, b"short")):
        with pytest.raises(ConfigError):
            Tokens(secrets, world.clock)


async def test_a_token_is_good_for_its_own_guild_only(client, world):
    assert await status(client, world.auth(guild=OTHER_GUILD)) == 403
    assert await status(client, world.auth(OPERATOR, OTHER_GUILD)) == 403
    for bad in ("abc", "+1", "1_0", "\uff10", str(2**63), "-1", "1.0", "%20"):
        assert await status(client, world.auth(), f"/api/v1/guilds/{bad}/fairness") == 403
        assert await status(client, {}, f"/api/v1/guilds/{bad}/fairness") == 401


async def test_members_without_manage_server_are_403_everywhere_but_for_their_own_stats(client, world):
    for path in ("overview", "leaderboard", "sessions", "blind", "analytics/live-occupancy", "tracked-channels", "channels"):
        assert await status(client, world.auth(MEMBER), f"{BASE}/{path}") == 403
    assert await status(client, world.auth(MEMBER), f"{BASE}/reset-now", "POST") == 403
    assert await status(client, world.auth(MEMBER), f"{BASE}/stats?user_id={MEMBER}") == 200
    assert await status(client, world.auth(MEMBER), f"{BASE}/bot-present") == 200


async def test_discord_away_is_503_and_never_an_allow(client, world):
    world.lookup.away = True
    answer = await client.get(f"{BASE}/overview", headers=world.auth())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert await status(client, world.auth(OPERATOR)) == 200


async def test_a_guild_without_the_bot_is_404_but_for_operators_and_the_question_itself(client, world):
    for guild in (ABSENT_GUILD, 12_345):
        path = f"/api/v1/guilds/{guild}"
        assert await status(client, world.auth(guild=guild), f"{path}/fairness") == 404
        present = await client.get(f"{path}/bot-present", headers=world.auth(MEMBER, guild))
        assert present.json() == {"present": False, "missing_permissions": []}
    assert await status(client, world.auth(OPERATOR, ABSENT_GUILD), f"/api/v1/guilds/{ABSENT_GUILD}/overview") == 200
    assert await status(client, world.auth(OPERATOR, 12_345), "/api/v1/guilds/12345/overview") == 404


async def test_the_bot_s_missing_permissions_are_told(client, world):
    world.lookup.missing = ("View Channels",)
    answer = await client.get(f"{BASE}/bot-present", headers=world.auth(MEMBER))
    assert answer.json() == {"present": True, "missing_permissions": ["View Channels"]}


async def test_errors_come_in_order_401_403_404_422(client, world):
    bad = {"json": {"nonsense": 1}, "path": f"{BASE}/fairness", "method": "PATCH"}
    assert await status(client, {}, **bad) == 401
    assert await status(client, world.auth(MEMBER), **bad) == 403
    assert (
        await status(client, world.auth(guild=ABSENT_GUILD), f"/api/v1/guilds/{ABSENT_GUILD}/fairness", "PATCH", json=1) == 404
    )
    assert await status(client, world.auth(), **bad) == 422
    assert await status(client, world.auth(MEMBER), f"{BASE}/leaderboard?limit=0") == 403
    assert await status(client, world.auth(), f"{BASE}/leaderboard?limit=0") == 422


async def test_unknown_paths_are_404_and_other_methods_405_in_our_own_words(client, world):
    for path in ("/", "/nothing", "/openapi", "/openapi/x", f"{BASE}/nothing", "/api/v1/guilds/"):
        assert await status(client, world.auth(), path) == 404
    answer = await client.put(f"{BASE}/fairness", headers=world.auth())
    assert (answer.status_code, answer.json()) == (405, {"error": "this path has no such method"})
    assert {"GET", "PATCH"} <= set(answer.headers["allow"].split(", "))


async def test_a_body_over_256_kib_is_413(client, world):
    for size, expected in ((256 * 1024, 422), (256 * 1024 + 1, 413)):
        body = b'"' + b"x" * (size - 2) + b'"'
        assert await status(client, world.auth(), f"{BASE}/fairness", "PATCH", content=body) == expected

    async def chunks():
        for _ in range(300):
            yield b" " * 1024

    assert await status(client, world.auth(), f"{BASE}/fairness", "PATCH", content=chunks()) == 413


async def test_every_answer_has_a_request_id_and_keeps_out_of_caches(client):
    for method, path in (
        ("GET", "/health/live"),
        ("GET", "/nothing"),
        ("PUT", f"{BASE}/fairness"),
        ("GET", f"{BASE}/fairness"),
    ):
        answer = await client.request(method, path)
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
        assert answer.headers["cache-control"] == "no-store"
    given = await client.get("/health/live", headers={"X-Request-Id": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    refused = await client.get("/health/live", headers={"X-Request-Id": "bad id\t"})
    assert refused.headers["x-request-id"] != "bad id\t"


async def test_a_fault_of_ours_is_500_without_any_detail(world, monkeypatch):
    async def broken(*_arguments: object) -> None:
        raise RuntimeError("secret detail")

    app = world.app()
    monkeypatch.setattr(type(app.state.services.overviews), "of", broken)
    async with http_client(app) as client:
        answer = await client.get(f"{BASE}/overview", headers=world.auth())
    assert (answer.status_code, answer.json()) == (500, {"error": "internal error"})


async def test_a_user_has_so_many_requests_a_minute(world):
    async with http_client(world.app(requests_per_minute_user=3)) as client:
        assert [await status(client, world.auth()) for _ in range(4)] == [200, 200, 200, 429]
        answer = await client.get(f"{BASE}/fairness", headers=world.auth())
        assert 1 <= int(answer.headers["retry-after"]) <= 120
        assert await status(client, world.auth(OPERATOR)) == 200
        assert (await client.get("/health/live")).status_code == 200
        world.clock.advance(int(answer.headers["retry-after"]) * 1000)
        assert await status(client, world.auth()) == 200


async def test_a_dashboard_has_a_limit_of_its_own_and_says_from_where_its_user_asks(world):
    def through_dashboard(claim):
        claims = {"user_id": str(MANAGER), "guild_id": str(GUILD), "exp": world.clock.now_ms() // 1000 + 60, "dashboard": claim}
        return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"}

    headers = through_dashboard({"address": "203.0.113.7"})
    async with http_client(world.app(requests_per_minute_user=1, requests_per_minute_dashboard=3)) as client:
        assert [await status(client, world.auth()) for _ in range(2)] == [200, 429]
        assert [await status(client, headers) for _ in range(3)] == [200, 200, 200]
        assert (await client.get(f"{BASE}/fairness", headers=headers)).status_code == 429
    async with http_client(world.app()) as client:
        await client.patch(f"{BASE}/settings", json={"names_shown": False}, headers=headers)
        (entry,) = (await client.get(f"{BASE}/audit", headers=world.auth())).json()["items"]
        assert entry["address"] == "203.0.113.7"
        assert await status(client, through_dashboard({"address": None})) == 200
        for wrong in ({}, None, [], "203.0.113.7", {"address": "nowhere"}, {"address": 7}):
            assert await status(client, through_dashboard(wrong)) == 401


async def test_access_says_what_the_caller_may_do(world):
    async with http_client(world.app()) as client:

        async def rights(user, guild=GUILD):
            return (await client.get(f"/api/v1/guilds/{guild}/access", headers=world.auth(user, guild))).json()

        manager = await rights(MANAGER)
        assert (manager["present"], manager["timezone"]) == (True, "UTC")
        assert {"read", "write", "keys", "tokens", "erase"} <= set(manager["rights"])
        assert "subscription" not in manager["rights"]
        assert "subscription" in (await rights(OPERATOR))["rights"]
        assert (await rights(MEMBER))["rights"] == []
        absent = {"present": False, "name": None, "timezone": "UTC", "rights": []}
        assert await rights(MANAGER, ABSENT_GUILD) == absent
        world.lookup.away = True
        assert await status(client, world.auth(), f"{BASE}/access") == 503
        # A panel role's rights are those of its list.
    world.lookup.away = False
    world.lookup.roles = {MEMBER: frozenset({300})}
    async with http_client(world.app()) as client:
        await client.patch(f"{BASE}/settings", json={"read_roles": ["300"]}, headers=world.auth())
        answer = await client.get(f"{BASE}/access", headers=world.auth(MEMBER))
        assert answer.json()["rights"] == ["export", "own_stats", "read"]


async def test_health_is_public_and_says_what_is_wrong(client, world):
    from attendance import __version__  # noqa: PLC0415

    fine = await client.get("/health")
    assert (fine.status_code, fine.json()) == (
        200,
        {"status": "ok", "database": "ok", "gateway": "connected", "version": __version__},
    )
    lease = schema.shard_lease
    await world.change(lease, lease.c.shard_id == 0, connected=False)
    down = await client.get("/health")
    assert (down.status_code, down.json()["status"], down.json()["gateway"]) == (503, "degraded", "disconnected")
    renewed_ms = world.clock.now_ms()
    await world.change(lease, lease.c.shard_id == 0, connected=True, expires_at_ms=renewed_ms + LEASE_MS)
    world.clock.advance(5_999)
    assert (await client.get("/health")).json()["gateway"] == "connected"
    world.clock.advance(1)
    assert (await client.get("/health")).json()["gateway"] == "disconnected", "long before anybody may take the lease over"
    assert (await client.get("/health/live")).json() == {"status": "ok"}


async def test_with_the_database_away_everything_is_503(tmp_path):
    from attendance.store.database import open_database  # noqa: PLC0415

    database = open_database(f"postgresql:///rollcall?host={tmp_path}/missing")
    world = World(database)
    async with http_client(world.app()) as client:
        health = await client.get("/health")
        assert (health.status_code, health.json()["database"], health.json()["gateway"]) == (503, "unavailable", "unknown")
        for path in ("overview", "leaderboard", "stats?user_id=1", "bot-present", "fairness"):
            answer = await client.get(f"{BASE}/{path}", headers=world.auth())
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert "postgresql" not in answer.text.lower()
    await database.close()


async def test_the_description_is_complete_and_needs_nobody_else(client):
    page = await client.get("/docs")
    assert page.status_code == 200
    assert not re.search(r"(src|href)=.https?:", page.text)
    description = (await client.get("/openapi.json")).json()
    operations = [
        (path, method, operation)
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "patch", "put", "delete"}
    ]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids)) >= 20
    for path, _, operation in operations:
        assert operation["summary"]
        assert "400" not in operation["responses"] or path.startswith(("/verify/", "/log/"))
        if path.startswith("/api/"):
            assert {"401", "403", "404", "422", "429", "500", "503"} <= set(operation["responses"])
            assert "guild_id" in [parameter["name"] for parameter in operation["parameters"]]
        else:
            assert operation["security"] == [{}]
