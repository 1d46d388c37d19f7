"""``/verified-roles``: what is taken, what is refused, who may, and that a dry run says what a run does."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from uuid import uuid4

import pytest

from attendance.domain.role_rules import MAX_CHANNELS, MAX_RULES, MAX_THRESHOLD_SECONDS
from attendance.domain.subscriptions import Tier
from attendance.store import schema
from tests.api_world import BASE, GUILD, MANAGER, MEMBER, OPERATOR, OTHER_GUILD, World, http_client
from tests.role_world import ROLE, audited, billed, changes, end_period, granted, make_rule, runs, worker

RULES = f"{BASE}/verified-roles"
NEW = {"role_id": str(ROLE), "threshold_seconds": 100}


async def saved(client, world, body, status=201):
    answer = await client.post(RULES, json=body, headers=world.auth())
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_rule_is_made_listed_changed_and_removed_and_each_is_audited(client, world: World) -> None:
    made = await saved(client, world, {**NEW, "channel_ids": ["51", "50", "51"]})
    assert made | {"created_at": "", "updated_at": ""} == {
        "id": made["id"], "role_id": str(ROLE), "threshold_seconds": 100, "scope": "period", "channel_ids": ["50", "51"],
        "remove_below": False, "last_error": None, "created_at": "", "updated_at": "",
    }  # fmt: skip
    world.clock.advance(1000)
    changed = await saved(client, world, {"id": made["id"], "scope": "lifetime", "channel_ids": []}, 200)
    assert changed == {**made, "scope": "lifetime", "channel_ids": [], "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > made["updated_at"]
    assert await saved(client, world, {"id": made["id"], "scope": "lifetime"}, 200) == changed
    listed = await client.get(RULES, headers=world.auth())
    assert listed.json() == {"items": [changed], "total": 1}
    gone = await client.delete(f"{RULES}/{made['id']}", headers=world.auth())
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.delete(f"{RULES}/{made['id']}", headers=world.auth())).status_code == 404
    assert (await client.get(RULES, headers=world.auth())).json() == {"items": [], "total": 0}
    assert await audited(world) == [(f"role_rule.{verb}", MANAGER) for verb in ("create", "update", "delete")]


async def test_the_same_rule_twice_is_one_also_at_the_same_time(client, world: World) -> None:
    answers = await asyncio.gather(*(client.post(RULES, json=NEW, headers=world.auth()) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_guild_has_a_bounded_number_of_rules(sqlite_client, sqlite_world: World) -> None:
    for number in range(MAX_RULES):
        await make_rule(sqlite_world, 1000 + number)
    answer = await sqlite_client.post(RULES, json=NEW, headers=sqlite_world.auth())
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "role_id"),
        ({"role_id": str(ROLE)}, "threshold_seconds"),
        ({**NEW, "role_id": ROLE}, "role_id"),
        ({**NEW, "role_id": "\uff17"}, "role_id"),
        ({**NEW, "role_id": str(2**63)}, "role_id"),
        ({**NEW, "role_id": None}, "role_id"),
        ({**NEW, "threshold_seconds": 0}, "threshold_seconds"),
        ({**NEW, "threshold_seconds": MAX_THRESHOLD_SECONDS + 1}, "threshold_seconds"),
        ({**NEW, "threshold_seconds": 1.5}, "threshold_seconds"),
        ({**NEW, "threshold_seconds": "100"}, "threshold_seconds"),
        ({**NEW, "scope": "month"}, "scope"),
        ({**NEW, "channel_ids": ["53"]}, "channel_ids"),
        ({**NEW, "channel_ids": [50]}, "channel_ids"),
        ({**NEW, "channel_ids": [str(n) for n in range(MAX_CHANNELS + 1)]}, "channel_ids"),
        ({**NEW, "remove_below": 1}, "remove_below"),
        ({**NEW, "id": "7"}, "id"),
        ({**NEW, "colour": "red"}, "body"),
        ({**NEW, "role_id": "666"}, "role_id"),
    ],
)
async def test_what_cannot_be_is_422_and_named(sqlite_client, sqlite_world: World, body, named) -> None:
    sqlite_world.roles.problems[666] = "the guild has no such role"
    answer = await sqlite_client.post(RULES, json=body, headers=sqlite_world.auth())
    assert answer.status_code == 422, answer.text
    assert any(key.startswith(named) for key in answer.json()["details"]), answer.text
    assert (await sqlite_client.get(RULES, headers=sqlite_world.auth())).json()["total"] == 0


async def test_a_channel_of_another_guild_and_a_role_into_the_panel_are_422(sqlite_client, sqlite_world: World) -> None:
    await sqlite_world.channel(77, "Elsewhere", guild_id=OTHER_GUILD)
    answer = await sqlite_client.post(RULES, json={**NEW, "channel_ids": ["77"]}, headers=sqlite_world.auth())
    assert (answer.status_code, list(answer.json()["details"])) == (422, ["channel_ids"])
    await sqlite_world.put(
        schema.guild_preferences, guild_id=GUILD, names_shown=True, read_roles=f'["{ROLE}"]', write_roles="[]", updated_at_ms=0
    )
    answer = await sqlite_client.post(RULES, json=NEW, headers=sqlite_world.auth())
    assert (answer.status_code, list(answer.json()["details"])) == (422, ["role_id"])


async def test_a_rule_of_another_guild_is_not_there(sqlite_client, sqlite_world: World) -> None:
    rule = await make_rule(sqlite_world, guild_id=OTHER_GUILD)
    headers = sqlite_world.auth()
    for rule_id, status in ((rule.rule_id, 404), (uuid4(), 404), ("x", 422), (f"{{{rule.rule_id}}}", 422)):
        assert (await sqlite_client.delete(f"{RULES}/{rule_id}", headers=headers)).status_code == status
        for action in ("dry-run", "run"):
            assert (await sqlite_client.post(f"{RULES}/{rule_id}/{action}", headers=headers)).status_code == status
        assert (await sqlite_client.get(f"{RULES}/{rule_id}/runs", headers=headers)).status_code == status
    answer = await sqlite_client.post(RULES, json={"id": str(rule.rule_id), "threshold_seconds": 5}, headers=headers)
    assert answer.status_code == 404


async def test_discord_away_is_503_and_stores_nothing(sqlite_client, sqlite_world: World) -> None:
    sqlite_world.roles.away = True
    assert (await sqlite_client.post(RULES, json=NEW, headers=sqlite_world.auth())).status_code == 503
    assert (await sqlite_client.get(RULES, headers=sqlite_world.auth())).json()["total"] == 0


@pytest.mark.slow
async def test_a_dry_run_says_what_the_run_does_and_changes_nothing(client, world: World) -> None:
    await world.name(11, "Ada")
    rule = await make_rule(world, 100, remove_below=True)
    await end_period(world, 3, {11: 300, 12: 300, 13: 100, 14: 99})
    await worker(world).work()
    world.clock.advance(1000)
    await end_period(world, 4, {11: 40, 12: 500, 20: 700, 21: 100})
    judged_at_the_end = (await runs(world))[-1]["run_id"]
    address = f"{RULES}/{rule.rule_id}"
    dry = (await client.post(f"{address}/dry-run", headers=world.auth())).json()
    assert dry == {
        "rule_id": str(rule.rule_id), "role_id": str(ROLE), "period_index": 4, "problem": None,
        "grant": 2, "remove": 2, "keep": 1, "total": 4,
        "items": [
            {"user_id": "11", "display_name": "Ada", "seconds": 40, "action": "remove"},
            {"user_id": "13", "display_name": "13", "seconds": 0, "action": "remove"},
            {"user_id": "20", "display_name": "20", "seconds": 700, "action": "grant"},
            {"user_id": "21", "display_name": "21", "seconds": 100, "action": "grant"},
        ],
    }  # fmt: skip
    page = (await client.post(f"{address}/dry-run?limit=1&offset=2", headers=world.auth())).json()
    assert (page["items"], page["total"]) == ([dry["items"][2]], 4)
    assert await granted(world) == {11, 12, 13}
    await worker(world).work()
    done = {user: action for user, (action, _, _) in (await changes(world, judged_at_the_end)).items()}
    assert done == {int(item["user_id"]): item["action"] for item in dry["items"]}
    assert world.roles.held[ROLE] == {12, 20, 21}
    listed = (await client.get(f"{address}/runs", headers=world.auth())).json()
    assert (listed["total"], listed["items"][0]["id"]) == (2, str(judged_at_the_end))
    counts = ("waiting", "granted", "removed", "passed_over", "failed")
    assert [listed["items"][0][name] for name in counts] == [0, 2, 2, 0, 0]
    assert listed["items"][0]["state"] == "done"


async def test_a_dry_run_says_why_it_cannot_be(sqlite_client, sqlite_world: World) -> None:
    rule = await make_rule(sqlite_world, 100)
    sqlite_world.roles.problems[ROLE] = "it is above the bot"
    answer = await sqlite_client.post(f"{RULES}/{rule.rule_id}/dry-run", headers=sqlite_world.auth())
    assert (answer.json()["problem"], answer.json()["period_index"], answer.json()["items"]) == (
        "it is above the bot",
        None,
        [],
    )


async def test_a_run_on_demand_is_201_and_while_it_waits_200(sqlite_client, sqlite_world: World) -> None:
    rule = await make_rule(sqlite_world, 100)
    address, headers = f"{RULES}/{rule.rule_id}/run", sqlite_world.auth()
    first = await sqlite_client.post(address, headers=headers)
    again = await sqlite_client.post(address, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["period_index"]) == ("due", None)
    assert await audited(sqlite_world) == [("role_rule.run", MANAGER)]


async def test_lists_are_tables_too(sqlite_client, sqlite_world: World) -> None:
    rule = await make_rule(sqlite_world, 100, channel_ids=(50, 51))
    headers = sqlite_world.auth()
    await sqlite_client.post(f"{RULES}/{rule.rule_id}/run", headers=headers)
    for path, column, value in ((RULES, "channel_ids", "50 51"), (f"{RULES}/{rule.rule_id}/runs", "state", "due")):
        answer = await sqlite_client.get(path, params={"format": "csv"}, headers=headers)
        [row] = csv.DictReader(io.StringIO(answer.text))
        assert row[column] == value


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_who_may(sqlite_client, sqlite_world: World, method: str) -> None:
    path = RULES if method != "DELETE" else f"{RULES}/{uuid4()}"
    reached = {"GET": 200, "POST": 422, "DELETE": 404}[method]
    for user, status in ((MANAGER, reached), (OPERATOR, reached), (MEMBER, 403)):
        body = {"json": {}} if method == "POST" else {}
        answer = await sqlite_client.request(method, path, headers=sqlite_world.auth(user), **body)
        assert answer.status_code == status, user


WEBHOOKS = f"{BASE}/webhooks"
# Every operation that needs Pro, what for, and what it answers a manager whose guild has it.
GATES = [
    ("GET", RULES, "verified roles", 200),
    ("POST", RULES, "verified roles", 422),
    ("DELETE", f"{RULES}/{uuid4()}", "verified roles", 404),
    ("POST", f"{RULES}/{uuid4()}/dry-run", "verified roles", 404),
    ("POST", f"{RULES}/{uuid4()}/run", "verified roles", 404),
    ("GET", f"{RULES}/{uuid4()}/runs", "verified roles", 404),
    ("GET", f"{WEBHOOKS}/settings", "webhooks", 200),
    ("PATCH", f"{WEBHOOKS}/settings", "webhooks", 422),
    ("GET", f"{WEBHOOKS}/deliveries", "webhooks", 200),
    ("GET", f"{WEBHOOKS}/deliveries/{uuid4()}", "webhooks", 404),
    ("POST", f"{WEBHOOKS}/deliveries/{uuid4()}/replay", "webhooks", 404),
    ("POST", f"{WEBHOOKS}/test", "webhooks", 409),
    ("GET", f"{BASE}/export/period/0", "exports", 404),
]
BODIES: dict[str, dict] = {"POST": {}, "PATCH": {"colour": "red"}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("billing", "tier"), [(False, None), (False, Tier.FREE), (True, None), (True, Tier.FREE), (True, Tier.PRO)]
)
async def test_what_is_pro_needs_pro_where_the_deployment_bills(sqlite_world: World, billing: bool, tier: Tier | None) -> None:  # noqa: FBT001
    if billing:
        billed(sqlite_world)
    if tier is not None:
        await sqlite_world.put(schema.subscription, guild_id=GUILD, tier=tier.value, updated_at_ms=0)
    refused = billing and tier is not Tier.PRO
    async with http_client(sqlite_world.app()) as client:
        for method, path, name, status in GATES:
            body = {"json": BODIES[method]} if method in BODIES else {}
            answer = await client.request(method, path, headers=sqlite_world.auth(), **body)
            assert answer.status_code == (403 if refused else status), (method, path, answer.text)
            if refused:
                assert answer.json() == {"error": f"using {name} needs Pro"}
            nobody = await client.request(method, path, headers=sqlite_world.auth(MEMBER), **body)
            assert nobody.json()["error"] == "this needs the Manage Server permission"
        free = [f"{BASE}/{name}" for name in ("overview", "leaderboard", "fairness", "subscription")]
        assert {(await client.get(path, headers=sqlite_world.auth())).status_code for path in free} == {200}


@pytest.mark.slow
async def test_no_operation_is_gated_that_the_table_does_not_name(sqlite_world: World) -> None:
    billed(sqlite_world)
    named = {(method, path.replace(BASE, "").split("/")[1]) for method, path, _, _ in GATES}
    async with http_client(sqlite_world.app()) as client:
        for template, item in json.loads(sqlite_world.app().state.openapi_json)["paths"].items():
            path = re.sub(r"\{(\w+)\}", lambda found: str(GUILD) if found[1] == "guild_id" else str(uuid4()), template)
            for method in item if path.startswith(BASE) and not path.endswith("/events") else ():
                answer = await client.request(method.upper(), path, headers=sqlite_world.auth())
                gated = answer.status_code == 403 and answer.json()["error"].endswith("needs Pro")
                assert gated == ((method.upper(), path.replace(BASE, "").split("/")[1]) in named), (method, template)
