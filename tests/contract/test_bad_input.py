"""Bad input to every route that takes some, by its own description: nothing but 422 (or 413), nothing stored, never a 500."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from attendance.store import schema
from attendance.store.database import open_database
from tests.api_world import GUILD, MEMBER, OTHER_GUILD, World, http_client

pytestmark = pytest.mark.slow

Operation = dict[str, Any]
_METHODS = ("get", "post", "patch", "put", "delete")
_DESCRIPTION = json.loads(World(open_database("sqlite:///never-opened.sqlite3")).app().state.openapi_json)
_COMPONENTS = _DESCRIPTION["components"]["schemas"]
_IN_PATHS = {"guild_id": str(GUILD), "user_id": str(MEMBER), "channel_id": "50", "rules_sha256": "A" * 43, "period_index": "0"}
_UNKNOWN = "01972f3c-7c00-7000-8000-0123456789ab"
# What must be as it was after all of this.
_KEPT = (
    "command",
    "api_token",
    "correction",
    "log_destination",
    "webhook",
    "role_rule",
    "signing_key",
    "audit",
    "subscription",
)


def _operations() -> Iterator[tuple[str, str, Operation]]:
    for path, item in _DESCRIPTION["paths"].items():
        if path.startswith("/api/"):
            yield from ((method.upper(), path, item[method]) for method in _METHODS if method in item)


def _schema_of(value: Operation) -> Operation:
    while "$ref" in value:
        value = _COMPONENTS[value["$ref"].rpartition("/")[2]]
    return value


def _body_of(operation: Operation) -> Operation | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return None if content is None else content


def _address(path: str, operation: Operation) -> str:
    for one in operation.get("parameters", []):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", _IN_PATHS.get(one["name"], _UNKNOWN))
    required = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query" and one.get("required")]
    return path + ("?" + "&".join(f"{name}=50" for name in required) if required else "")


WITH_BODY = [
    pytest.param(method, _address(path, operation), _body_of(operation), id=operation["operationId"])
    for method, path, operation in _operations()
    if _body_of(operation) is not None
]


def _example(content: Operation) -> dict[str, Any]:
    examples = content.get("examples") or {}
    value = content["example"] if "example" in content else next(iter(examples.values()))["value"]
    return copy.deepcopy(value)


def _wrong_bodies(content: Operation) -> Iterator[tuple[str, bytes]]:
    body = _schema_of(content["schema"])
    good = _example(content)
    for name in ("null", "[]", '"text"', "1", "true", "{", "", "\xff", "[" * 5000, '{"a":1}{"a":1}', "NaN"):
        yield f"not one JSON object: {name[:10]!r}", name.encode("latin-1")
    yield "an unknown member", json.dumps(good | {"nonsense_member": 1}).encode()
    for name in body.get("required", []):
        yield f"without {name}", json.dumps({key: value for key, value in good.items() if key != name}).encode()
    for name, described in body.get("properties", {}).items():
        member = _schema_of(described)
        kinds = {member.get("type")} | {_schema_of(one).get("type") for one in member.get("anyOf", [])}
        wrong: list[Any] = [{"a": {}}, [[1]], 1.5]
        wrong += [] if "string" in kinds else ["text", "1", "\uff11"]
        wrong += [] if "integer" in kinds else [7]
        wrong += [] if "boolean" in kinds else [True]
        wrong += [] if "null" in kinds else [None]
        wrong += [2**63, -(2**63) - 1, 10**400 if "integer" in kinds else 2**64]
        if name.endswith("_id") and "string" in kinds:
            wrong += ["", "x", "\uff11\uff12", str(2**63), "-1", "01", "1\n", " 1", "+1", "1_0", "\u0000"]
        for value in wrong:
            yield f"{name} = {str(value)[:30]!r}", json.dumps(good | {name: value}).encode()


@pytest.fixture
async def quiet(sqlite_world: World):
    app = sqlite_world.app(requests_per_minute_user=0, requests_per_minute_ip=0)
    async with http_client(app) as client:
        yield client


async def _stored(world: World) -> dict[str, int]:
    async with world.database.snapshot() as connection:
        counts = {}
        for name in _KEPT:
            counts[name] = (await connection.execute(select(func.count()).select_from(getattr(schema, name)))).scalar_one()
        return counts


@pytest.mark.parametrize(("method", "path", "content"), WITH_BODY)
async def test_a_body_that_does_not_fit_is_422_and_changes_nothing(quiet, sqlite_world, method, path, content):
    headers = sqlite_world.auth() | {"Content-Type": "application/json"}
    before, wrong = await _stored(sqlite_world), []
    if "/subscription" in path:
        headers |= sqlite_world.auth(9)  # operators alone
    for what, body in _wrong_bodies(content):
        answer = await quiet.request(method, path, headers=headers, content=body)
        if answer.status_code != 422 or set(answer.json()) - {"error", "details"}:
            wrong.append(f"{what}: {answer.status_code} {answer.text[:100]}")
    assert not wrong, "\n".join(wrong)
    assert await _stored(sqlite_world) == before


@pytest.mark.parametrize(("method", "path", "content"), WITH_BODY)
async def test_a_body_of_ten_megabytes_or_of_another_kind_is_refused(quiet, sqlite_world, method, path, content):
    headers = sqlite_world.auth(9) if "/subscription" in path else sqlite_world.auth()
    good = json.dumps(_example(content)).encode()
    before = await _stored(sqlite_world)
    long = await quiet.request(method, path, headers=headers, content=b" " * 10_000_000)
    assert long.status_code == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    parts = {"Content-Type": "multipart/form-data; boundary=x"}
    for kind, body in ((form, b"a=1"), (parts, b"--x\r\n"), (parts | {"Content-Type": "application/msgpack"}, b"\x81")):
        answer = await quiet.request(method, path, headers=headers | kind, content=body)
        assert answer.status_code == 422, (kind, answer.text)
    assert (await quiet.request(method, path, headers=headers, content=good[:-1])).status_code == 422
    assert await _stored(sqlite_world) == before


_BAD_IDS = ("x", "-1", "+1", "01", "1_0", "1.0", "\uff11", str(2**63), str(2**64), "9" * 40, "%00", "1%0a", "%20")


async def test_ids_in_paths_and_queries_that_are_none_are_422(quiet, sqlite_world):
    headers, wrong = sqlite_world.auth(), []
    for method, path, operation in _operations():
        for one in operation.get("parameters", []):
            name = one["name"]
            if name == "guild_id" or one["in"] == "header" or not name.endswith(("_id", "_index", "_sha256")):
                continue
            for bad in _BAD_IDS:
                values = _IN_PATHS | {name: bad}
                address = path
                for other in operation["parameters"]:
                    if other["in"] == "path":
                        address = address.replace(f"{{{other['name']}}}", values.get(other["name"], _UNKNOWN))
                queries = [
                    f"{other['name']}={bad if other is one else '50'}"
                    for other in operation["parameters"]
                    if other["in"] == "query" and (other.get("required") or other is one)
                ]
                answer = await quiet.request(method, f"{address}?{'&'.join(queries)}", headers=headers)
                # To JSON, and so to a query, 1.0 is the integer 1; a period that cannot be is one that is not there.
                allowed = {422, 404} if name == "period_index" else {422}
                if answer.status_code not in allowed:
                    wrong.append(f"{method} {address}?{queries}: {answer.status_code} {answer.text[:80]}")
    assert not wrong, "\n".join(wrong)


async def test_every_whole_number_of_a_query_is_written_in_digits(quiet, sqlite_world):
    headers, tried, wrong = sqlite_world.auth(), set(), []
    for method, path, operation in _operations():
        for one in operation.get("parameters", []):
            kinds = [_schema_of(kind).get("type") for kind in one["schema"].get("oneOf", [one["schema"]])]
            if one["in"] == "query" and "integer" in kinds:
                tried.add(one["name"])
                for value in ("1e1", "1.0", "0x1", "1_0"):
                    address = _address(path, operation)
                    address += f"{'&' if '?' in address else '?'}{one['name']}={value}"
                    answer = await quiet.request(method, address, headers=headers)
                    if answer.status_code != 422:
                        wrong.append(f"{method} {address}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
    assert tried >= {"limit", "offset", "days", "period_index"}
    assert (await quiet.get("/health/live?limit=1e1")).status_code == 200  # what a route does not take is nothing to it


async def test_numbers_choices_and_times_in_queries_that_are_none_are_422(quiet, sqlite_world):
    headers, wrong = sqlite_world.auth(), []
    bad = {
        "limit": ("0", "-1", "x", "1e2", "1e3", "1.0", "10001", str(2**70), "\uff11", ""),
        "offset": ("-1", "x", str(2**70), ""),
        "format": ("xml", "CSV", ""),
        "from": ("yesterday", "2027-01-15", "2027-13-01T00:00:00Z", "9" * 60, ""),
        "to": ("x", "2027-01-15T25:00:00Z"),
        "tz": ("Mars/Olympus", "../../etc/passwd", ""),
        "days": ("0", "367", "x", "1e2", "7.0", "+7", ""),
        "search": ("", "x" * 101, "%00"),
        "action": ("x", "%00"),
    }
    for method, path, operation in _operations():
        for one in operation.get("parameters", []):
            for value in bad.get(one["name"], ()) if one["in"] == "query" else ():
                address = _address(path, operation)
                joint = "&" if "?" in address else "?"
                answer = await quiet.request(method, f"{address}{joint}{one['name']}={value}", headers=headers)
                if answer.status_code != 422:
                    wrong.append(f"{method} {address} {one['name']}={value[:20]!r}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


async def test_channels_and_roles_of_other_guilds_are_422(client, world):
    await world.channel(5000, "Elsewhere", guild_id=OTHER_GUILD)
    base, auth = f"/api/v1/guilds/{GUILD}", world.auth()
    foreign = [
        ("/tracked-channels", {"channel_id": "5000"}),
        ("/log-destinations", {"channel_id": "5000", "types": ["session_end"], "frequency": "immediate"}),
        ("/verified-roles", {"role_id": "300", "threshold_seconds": 60, "channel_ids": ["5000"]}),
    ]
    for path, body in foreign:
        answer = await client.post(base + path, headers=auth, json=body)
        assert answer.status_code == 422, (path, answer.text)
    for member in ("read_roles", "write_roles"):
        answer = await client.patch(f"{base}/settings", headers=auth, json={member: ["5000"]})
        assert answer.status_code == 422, (member, answer.text)


async def test_the_same_write_by_many_at_once_and_again_is_never_a_fault_of_ours(client, world):
    base, auth = f"/api/v1/guilds/{GUILD}", world.auth()
    session = await world.session(11, 600_000, signed=True)
    writes = [
        ("PATCH", "/fairness", {"pause_on_mute": True}),
        ("PATCH", "/tracking-mode", {"mode": "Allowlist"}),
        ("POST", "/tracked-channels", {"channel_id": "50"}),
        ("DELETE", "/tracked-channels/50", None),
        ("PATCH", "/settings", {"names_shown": False, "read_roles": ["300"]}),
        ("POST", "/log-destinations", {"channel_id": "60", "types": ["session_end"], "frequency": "immediate"}),
        ("PATCH", "/webhooks/settings", {"url": "https://example.org/x", "enabled": True}),
        ("POST", "/verified-roles", {"role_id": "301", "threshold_seconds": 60}),
        ("POST", "/tokens", {"name": "x", "scopes": ["read"]}),
        ("POST", "/corrections", {"session_id": str(session), "delta_seconds": -1, "note": "x"}),
        ("POST", "/signing/generate-keys", {"passphrase": "correct horse battery staple"}),
        ("POST", "/signing/lock", None),
    ]
    for method, path, body in writes:
        many = [client.request(method, base + path, headers=auth, json=body) for _ in range(6)]
        answers = await asyncio.gather(*many)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[-1] < 500, (path, statuses, answers[-1].text)
        assert statuses[0] < 300 or path.startswith("/tracked-channels/"), (path, statuses, answers[0].text)
    for path in ("/reset-now", "/corrections"):
        body = {"session_id": str(session), "delta_seconds": -2, "note": "y"} if path == "/corrections" else None
        keyed = auth | {"Idempotency-Key": "one"}
        answers = await asyncio.gather(*(client.post(base + path, headers=keyed, json=body) for _ in range(6)))
        assert {answer.status_code for answer in answers} <= {200, 201}
        assert len({answer.text for answer in answers}) == 1, "a replay answers with the same"
