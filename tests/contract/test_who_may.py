"""Who may do what: every route against every kind of caller, in one table that must name every route.

Written without a look at `attendance.services.access`: it says what api.md's paragraph "who may" says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from litestar.routes import HTTPRoute

from attendance.store import schema
from tests.api_world import ABSENT_GUILD, GUILD, MEMBER, OPERATOR, OTHER_GUILD, World, http_client

READER, WRITER, STRANGER = 20, 21, 99
READ_ROLE, WRITE_ROLE = 300, 301
SCOPES = ("read", "export", "settings", "attendance")
UNKNOWN = "01972f3c-7c00-7000-8000-0123456789ab"
GUILD_PATH = "/api/v1/guilds/{guild_id}"

_ADMINS = {"manager", "operator", "operator, bot gone"}
_READERS = _ADMINS | {"panel reader", "panel writer", "token read"}
_EVERYONE = _READERS | {"stranger", "the member", "token export", "token settings", "token attendance", "token of nobody"}
MAY: Mapping[str, set[str]] = {
    "presence": _EVERYONE | {"manager, bot gone"},
    "own numbers": _READERS | {"the member"},
    "own data": _ADMINS | {"the member"},
    "read": _READERS,
    "write": _ADMINS | {"panel writer", "token settings"},
    "correct": _ADMINS | {"panel writer", "token attendance"},
    "export": _ADMINS | {"panel reader", "panel writer", "token export"},
    "keys": _ADMINS,
    "tokens": _ADMINS,
    "erase": _ADMINS | {"the member"},
    "privacy lists": _ADMINS,
    "subscription": {"operator", "operator, bot gone"},
}


class Row(NamedTuple):
    """Which right, the status that a manager (of the subscription an operator) is answered, and how it is asked."""

    right: str
    status: int
    query: str = ""
    body: Any = None
    headers: Mapping[str, str] = {}


# A body that no route takes: whoever is let in is told so, and nothing is changed.
_WRONG: dict[str, Any] = {"nonsense": 1}
TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/access"): Row("presence", 200),
    ("GET", "/analytics/channels"): Row("read", 200),
    ("GET", "/analytics/distribution"): Row("read", 200),
    ("GET", "/analytics/heatmap"): Row("read", 200),
    ("GET", "/analytics/live-occupancy"): Row("read", 200),
    ("GET", "/analytics/trend"): Row("read", 200),
    ("GET", "/audit"): Row("read", 200),
    ("GET", "/blind"): Row("read", 200),
    ("GET", "/bot-present"): Row("presence", 200),
    ("GET", "/channel-stats"): Row("read", 200, "?channel_id=50"),
    ("GET", "/channels"): Row("read", 200),
    ("GET", "/corrections"): Row("read", 200),
    ("POST", "/corrections"): Row("correct", 422, body=_WRONG),
    ("GET", "/erasures"): Row("privacy lists", 200),
    ("GET", "/events"): Row("read", 200),
    ("GET", "/fairness"): Row("read", 200),
    ("PATCH", "/fairness"): Row("write", 422, body=_WRONG),
    ("POST", "/fairness/preview"): Row("write", 422, body=_WRONG),
    ("GET", "/leaderboard"): Row("read", 200),
    ("GET", "/log-destinations"): Row("read", 200),
    ("POST", "/log-destinations"): Row("write", 422, body=_WRONG),
    ("DELETE", "/log-destinations/{destination_id}"): Row("write", 404),
    ("PATCH", "/log-destinations/{destination_id}/frequency"): Row("write", 422, body=_WRONG),
    ("PATCH", "/log-destinations/{destination_id}/types"): Row("write", 422, body=_WRONG),
    ("GET", "/opt-outs"): Row("privacy lists", 200),
    ("GET", "/overview"): Row("read", 200),
    ("GET", "/reset-interval"): Row("read", 200),
    ("PATCH", "/reset-interval"): Row("write", 422, body=_WRONG),
    ("POST", "/reset-now"): Row("write", 422, headers={"Idempotency-Key": "no key"}),
    ("GET", "/roles"): Row("read", 200),
    ("GET", "/rules"): Row("read", 200),
    ("GET", "/rules/{rules_sha256}"): Row("read", 404),
    ("GET", "/sessions"): Row("read", 200),
    ("GET", "/settings"): Row("read", 200),
    ("PATCH", "/settings"): Row("write", 422, body=_WRONG),
    ("POST", "/signing/change-passphrase"): Row("keys", 422, body=_WRONG),
    ("POST", "/signing/generate-keys"): Row("keys", 422, body=_WRONG),
    ("GET", "/signing/history"): Row("read", 200),
    ("GET", "/signing/keys"): Row("read", 200),
    ("POST", "/signing/lock"): Row("keys", 404),
    ("GET", "/signing/public-key"): Row("read", 404),
    ("POST", "/signing/revoke"): Row("keys", 422, body=_WRONG),
    ("POST", "/signing/rotate"): Row("keys", 422, body=_WRONG),
    ("GET", "/signing/status"): Row("read", 200),
    ("POST", "/signing/unlock"): Row("keys", 422, body=_WRONG),
    ("POST", "/signing/verify-period"): Row("read", 422, body=_WRONG),
    ("POST", "/signing/verify-session"): Row("read", 422, body=_WRONG),
    ("GET", "/stats"): Row("own numbers", 200, f"?user_id={MEMBER}"),
    ("GET", "/stats/days"): Row("own numbers", 200, f"?user_id={MEMBER}"),
    ("GET", "/stats/explain"): Row("own numbers", 200, f"?user_id={MEMBER}"),
    ("GET", "/subscription"): Row("read", 200),
    ("PATCH", "/subscription"): Row("subscription", 422, body=_WRONG),
    ("GET", "/text-channels"): Row("write", 200),
    ("GET", "/tokens"): Row("tokens", 200),
    ("POST", "/tokens"): Row("tokens", 422, body=_WRONG),
    ("DELETE", "/tokens/{token_id}"): Row("tokens", 404),
    ("GET", "/tracked-channels"): Row("read", 200),
    ("POST", "/tracked-channels"): Row("write", 422, body=_WRONG),
    ("DELETE", "/tracked-channels/{channel_id}"): Row("write", 422, headers={"Idempotency-Key": "no key"}),
    ("PATCH", "/tracking-mode"): Row("write", 422, body=_WRONG),
    ("GET", "/verified-roles"): Row("read", 200),
    ("POST", "/verified-roles"): Row("write", 422, body=_WRONG),
    ("DELETE", "/verified-roles/{rule_id}"): Row("write", 404),
    ("POST", "/verified-roles/{rule_id}/dry-run"): Row("read", 404),
    ("POST", "/verified-roles/{rule_id}/run"): Row("write", 404),
    ("GET", "/verified-roles/{rule_id}/runs"): Row("read", 404),
    ("GET", "/webhooks/deliveries"): Row("read", 200),
    ("GET", "/webhooks/deliveries/{delivery_id}"): Row("read", 404),
    ("POST", "/webhooks/deliveries/{delivery_id}/replay"): Row("write", 404),
    ("GET", "/webhooks/settings"): Row("read", 200),
    ("PATCH", "/webhooks/settings"): Row("write", 422, body=_WRONG),
    ("GET", "/export/period/{period_index}"): Row("export", 404),
    ("GET", "/members/{user_id}/data"): Row("own data", 200),
    ("DELETE", "/members/{user_id}/erase"): Row("erase", 404),
    ("GET", "/members/{user_id}/erase"): Row("erase", 404),
    ("POST", "/members/{user_id}/erase"): Row("erase", 200),
    ("DELETE", "/members/{user_id}/opt-out"): Row("erase", 422, headers={"Idempotency-Key": "no key"}),
    ("GET", "/members/{user_id}/opt-out"): Row("erase", 200),
    ("POST", "/members/{user_id}/opt-out"): Row("erase", 422, headers={"Idempotency-Key": "no key"}),
    ("GET", "/receipts/{session_id}"): Row("read", 404),  # of an unknown session nobody is the owner
    ("POST", "/webhooks/test"): Row("write", 409),
}
# Routes that take no token of a guild, and what they answer without one.
PUBLIC: dict[tuple[str, str], int] = {
    ("GET", "/.well-known/jwks.json"): 200,
    ("GET", "/docs"): 200,
    ("GET", "/health"): 200,
    ("GET", "/health/live"): 200,
    ("GET", "/log/checkpoint"): 404,
    ("GET", "/log/consistency"): 422,
    ("GET", "/log/proof/{leaf_index}"): 404,
    ("GET", "/log/tile/{tile}"): 404,
    ("GET", "/openapi.json"): 200,
    ("GET", "/verify"): 200,
    ("GET", "/verify/page/{name}"): 200,
    ("GET", "/verify/period/{guild_id}/{period_index}"): 404,
    ("GET", "/verify/session/{session_id}"): 404,
    ("POST", "/webhooks/attendance"): 501,
}
_IN_PATHS = {
    "channel_id": "50",
    "guild_id": str(GUILD),
    "leaf_index": "0",
    "name": "page.js",
    "period_index": "0",
    "rules_sha256": "A" * 43,
    "tile": "0/000",
    "user_id": str(MEMBER),
}


class Callers(NamedTuple):
    """The headers of each kind of caller; and whose token is for the guild that the bot has left."""

    headers: dict[str, dict[str, str]]

    def guild(self, name: str) -> int:
        return ABSENT_GUILD if name.endswith("bot gone") else GUILD


@pytest.fixture
async def callers(sqlite_world: World) -> Callers:
    world = sqlite_world
    world.lookup.roles = {READER: frozenset({READ_ROLE}), WRITER: frozenset({WRITE_ROLE}), STRANGER: frozenset({302})}
    await world.put(
        schema.guild_preferences,
        guild_id=GUILD,
        names_shown=True,
        read_roles=f'["{READ_ROLE}"]',
        write_roles=f'["{WRITE_ROLE}"]',
        updated_at_ms=0,
    )
    headers = {
        "no token": {},
        "garbage": {"Authorization": "Bearer x.y.z"},
        "unknown token": {"Authorization": "Bearer rc_" + "A" * 43},
        "expired": world.auth(exp=world.clock.now_ms() // 1000 - 60),
        "of another guild": world.auth(guild=OTHER_GUILD),
        "operator of another guild": world.auth(OPERATOR, OTHER_GUILD),
        "stranger": world.auth(STRANGER),
        "the member": world.auth(MEMBER),
        "panel reader": world.auth(READER),
        "panel writer": world.auth(WRITER),
        "manager": world.auth(),
        "operator": world.auth(OPERATOR),
        "manager, bot gone": world.auth(guild=ABSENT_GUILD),
        "operator, bot gone": world.auth(OPERATOR, ABSENT_GUILD),
    }
    async with http_client(world.app(stream_seconds=0)) as client:
        for scope in (*SCOPES, "of nobody"):
            body = {"name": scope, "scopes": list(SCOPES) if scope == "of nobody" else [scope]}
            made = await client.post(f"/api/v1/guilds/{GUILD}/tokens", headers=world.auth(), json=body)
            headers[f"token {scope}"] = {"Authorization": f"Bearer {made.json()['token']}"}
    table = schema.api_token
    await world.change(table, table.c.name == "of nobody", created_by=STRANGER)
    return Callers(headers)


def _path(template: str, guild: int) -> str:
    path = template
    for name, value in {**_IN_PATHS, "guild_id": str(guild)}.items():
        path = path.replace(f"{{{name}}}", value)
    return path if "{" not in path else path[: path.index("{")] + UNKNOWN + path[path.index("}") + 1 :]


def _verdict(answer: Any) -> str:
    """Whether a caller was let in, and if not, by which status."""
    if answer.status_code in {401, 403} or answer.status_code >= 500:
        return str(answer.status_code)
    if answer.status_code == 404 and "the bot is not in this guild" in answer.text:
        return "404"
    return "in"


def _expected(name: str, right: str) -> str:
    if name in {"no token", "garbage", "unknown token", "expired"}:
        return "401"
    if name in MAY[right]:
        return "in"
    return "404" if name == "manager, bot gone" else "403"


def operations(world: World) -> set[tuple[str, str]]:
    return {
        (method, route.path_format)
        for route in world.app(stream_seconds=0).routes
        if isinstance(route, HTTPRoute) and not route.path_format.startswith("/openapi/") and route.path_format != "/openapi"
        for method in route.methods - {"OPTIONS", "HEAD"}
    }


def test_every_route_is_in_the_table(sqlite_world):
    table = {(method, GUILD_PATH + path) for method, path in TABLE} | set(PUBLIC)
    assert operations(sqlite_world) == table


@pytest.mark.slow
async def test_every_caller_is_let_in_or_refused_as_the_table_says(sqlite_world, callers):
    app = sqlite_world.app(requests_per_minute_user=0, requests_per_minute_ip=0, stream_seconds=0)
    wrong = []
    async with http_client(app) as client:
        for (method, template), row in TABLE.items():
            for name, headers in callers.headers.items():
                path = _path(GUILD_PATH + template, callers.guild(name)) + row.query
                async with asyncio.timeout(60):  # a stream that does not end says so
                    answer = await client.request(method, path, headers=headers | dict(row.headers), json=row.body)
                if _verdict(answer) != _expected(name, row.right):
                    wrong.append(f"{method} {template} {name}: {answer.status_code} {answer.text[:80]}")
                judged = "operator" if row.right == "subscription" else "manager"
                if name == judged and answer.status_code != row.status:
                    wrong.append(f"{method} {template} {name}: {answer.status_code} and not {row.status} {answer.text[:80]}")
    assert not wrong, "\n".join(wrong)


async def test_the_public_routes_ask_for_no_token(sqlite_world):
    wrong = []
    async with http_client(sqlite_world.app(requests_per_minute_ip=0, stream_seconds=0)) as client:
        for (method, template), status in PUBLIC.items():
            answer = await client.request(method, _path(template, GUILD), json={} if method == "POST" else None)
            if answer.status_code != status:
                wrong.append(f"{method} {template}: {answer.status_code} and not {status} {answer.text[:80]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
async def test_discord_away_lets_nobody_in_but_operators_and_members_about_themselves(sqlite_world, callers):
    sqlite_world.lookup.away = True
    app = sqlite_world.app(requests_per_minute_user=0, requests_per_minute_ip=0, stream_seconds=0)
    without = {"operator", "operator, bot gone", "the member"}
    wrong = []
    async with http_client(app) as client:
        for (method, template), row in TABLE.items():
            for name in MAY[row.right] - without if row.right != "presence" else ():
                path = _path(GUILD_PATH + template, GUILD) + row.query
                answer = await client.request(method, path, headers=callers.headers[name] | dict(row.headers), json=row.body)
                if answer.status_code != 503:
                    wrong.append(f"{method} {template} {name}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


async def test_nobody_raises_themselves_or_others_by_a_panel_role_or_a_token(sqlite_world, callers):
    path = f"/api/v1/guilds/{GUILD}/settings"
    async with http_client(sqlite_world.app(stream_seconds=0)) as client:
        for name in ("panel writer", "token settings"):
            for change in ({"write_roles": ["302"]}, {"read_roles": []}, {"retention_days": 400}):
                answer = await client.patch(path, headers=callers.headers[name], json=change)
                assert answer.status_code == 403
        settings = (await client.get(path, headers=sqlite_world.auth())).json()
    assert (settings["read_roles"], settings["write_roles"]) == ([str(READ_ROLE)], [str(WRITE_ROLE)])
