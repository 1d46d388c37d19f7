"""Settings history: every change with who, how, from where, before and after; and the rules that records name, for ever."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest
from sqlalchemy import insert

from attendance.domain.audit import Actor, Via, origin_text
from attendance.domain.ids import UserId
from attendance.store import schema
from tests.api_world import BASE, GUILD, MANAGER, OPERATOR, OTHER_GUILD, World, http_client
from tests.books import rows_of
from tests.observed import GUILDS, ScriptedDiscord
from tests.owner import START_MS, Owner, answer, ask, drained
from tests.signing_world import b64url

PASSPHRASE = "correct horse battery staple"
RULES = b'{"bridge_gap_seconds":120,"channels":["50"],"mode":"all"}'


async def put_rules(world: World, version: int, rules: bytes, **more) -> None:
    values = {"guild_id": GUILD, "from_ms": world.clock.now_ms() + version, "actor_id": None} | more
    await world.put(schema.rules_version, version=version, rules=rules, rules_sha256=hashlib.sha256(rules).digest(), **values)


async def changes(client, world: World, **params) -> list[dict]:
    found = await client.get(f"{BASE}/audit", headers=world.auth(), params=params)
    assert found.status_code == 200, found.text
    return found.json()["items"]


async def test_what_is_done_to_keys_is_audited_with_who_and_from_where(world):
    app = world.app(trusted_proxies=())
    async with http_client(app, peer=("2001:db8::7", 5)) as client:
        post = {"headers": world.auth(), "json": {"passphrase": PASSPHRASE}}
        kid = (await client.post(f"{BASE}/signing/generate-keys", **post)).json()["kid"]
        assert (await client.post(f"{BASE}/signing/generate-keys", **post)).status_code == 409
        for _ in range(2):
            assert (await client.post(f"{BASE}/signing/lock", headers=world.auth(OPERATOR))).status_code == 200
        assert (await client.post(f"{BASE}/signing/unlock", **post)).status_code == 200
        wrong = {"headers": world.auth(), "json": {"passphrase": "not this one at all", "new_passphrase": PASSPHRASE}}
        await client.post(f"{BASE}/signing/change-passphrase", **wrong)
        renew = {"headers": world.auth(), "json": {"passphrase": "another fine long passphrase"}}
        new = (await client.post(f"{BASE}/signing/rotate", **renew)).json()["kid"]
        stolen = {"reason": "stolen", "last_good_guild_seq": 0, "kid": kid}
        assert (await client.post(f"{BASE}/signing/revoke", headers=world.auth(), json=stolen)).status_code == 200
        told = await changes(client, world)
    actions = [(entry["action"], entry["actor_id"], entry["target"]) for entry in reversed(told)]
    assert [one for one in actions if one[0] != "signing_key.change_passphrase"] == [
        ("signing_key.generate", str(MANAGER), kid),
        ("signing_key.lock", str(OPERATOR), None),
        ("signing_key.unlock", str(MANAGER), kid),
        ("signing_key.rotate", str(MANAGER), new),
        ("signing_key.revoke", str(MANAGER), kid),
    ]
    assert {(entry["via"], entry["address"], entry["token_id"]) for entry in told} == {("api", "2001:db8::7", None)}
    assert (told[0]["before"], told[0]["after"]) == (
        {"state": "retired", "last_good_guild_seq": 1},
        {"state": "revoked", "last_good_guild_seq": 0, "reason": "stolen"},
    )
    assert PASSPHRASE not in str(told)


async def test_the_address_is_the_client_s_as_far_as_trusted_proxies_say(world):
    from ipaddress import ip_network  # noqa: PLC0415

    app = world.app(trusted_proxies=(ip_network("10.0.0.0/8"),))
    body = {"name": "x", "scopes": ["read"]}
    async with http_client(app, peer=("10.0.0.1", 5)) as client:
        for forwarded in ("198.51.100.7", "6.6.6.6, 203.0.113.9", "fe80::1%" + "z" * 60):
            made = await client.post(f"{BASE}/tokens", headers=world.auth() | {"X-Forwarded-For": forwarded}, json=body)
            assert made.status_code == 201
        told = await changes(client, world)
    assert [entry["address"] for entry in reversed(told)] == ["198.51.100.7", "203.0.113.9", "fe80::1"]


async def test_entries_are_found_by_action_by_actor_and_by_time_newest_first(client, world):
    for number, (actor, action) in enumerate([(7, "fairness.update"), (8, "token.create"), (None, "rules.update")]):
        at_ms = world.clock.now_ms() + number * 1000
        values = {"guild_id": GUILD, "at_ms": at_ms, "actor_id": actor, "via": "api", "action": action}
        await world.put(schema.audit, **values, before=json.dumps({"n": number}))
    await world.put(schema.audit, guild_id=OTHER_GUILD, at_ms=1, via="api", action="fairness.update")

    async def actions(**params) -> list[str]:
        return [entry["action"] for entry in await changes(client, world, **params)]

    assert await actions() == ["rules.update", "token.create", "fairness.update"]
    assert await actions(action="token.create") == ["token.create"]
    assert await actions(actor_id="7") == ["fairness.update"]
    assert await actions(**{"from": "2027-01-15T08:00:01Z", "to": "2027-01-15T08:00:02Z"}) == ["token.create"]
    assert await actions(limit=1, offset=1) == ["token.create"]
    for wrong in (
        {"action": "x"},
        {"actor_id": "x"},
        {"from": "x"},
        {"from": "2027-01-02T00:00:00Z", "to": "2027-01-01T00:00:00Z"},
    ):
        assert (await client.get(f"{BASE}/audit", headers=world.auth(), params=wrong)).status_code == 422
    sheet = await client.get(f"{BASE}/audit", headers=world.auth(), params={"format": "csv"})
    lines = list(csv.DictReader(io.StringIO(sheet.text)))
    assert [line["before"] for line in lines] == ['{"n": 2}', '{"n": 1}', '{"n": 0}']


async def test_what_was_changed_is_named_where_it_is_a_member_or_a_voice_channel(client, world):
    await world.put(schema.member, guild_id=GUILD, user_id=9_007, display_name="Ada", bot=False)
    await world.put(schema.channel, guild_id=GUILD, channel_id=9_050, name="Lounge", kind="voice", position=0, deleted=False)
    named = (
        ("opt_out.add", "9007", "Ada"),
        ("member.erase", "9008", "9008"),
        ("member.erase", "erased", None),
        ("tracked_channel.add", "9050", "Lounge"),
        ("tracked_channel.remove", "9051", "9051"),
        ("token.create", "9007", None),
        ("fairness.update", None, None),
    )
    for number, (action, target, _) in enumerate(named):
        at_ms = world.clock.now_ms() - number
        await world.put(schema.audit, guild_id=GUILD, at_ms=at_ms, via="api", action=action, target=target)
    assert [(entry["action"], entry["target"], entry["target_name"]) for entry in await changes(client, world)] == list(named)


async def test_the_rules_that_a_record_names_are_served_byte_for_byte(client, world):
    other = RULES.replace(b"all", b"off")
    await put_rules(world, 1, RULES)
    await put_rules(world, 2, other, actor_id=MANAGER)
    await put_rules(world, 3, RULES, actor_id=MANAGER)
    listed = (await client.get(f"{BASE}/rules", headers=world.auth())).json()
    assert [(item["version"], item["actor_id"]) for item in listed["items"]] == [(3, "7"), (2, "7"), (1, None)]
    for item in listed["items"]:
        assert b64url(hashlib.sha256(item["rules"].encode()).digest()) == item["rules_sha256"]
    digest = b64url(hashlib.sha256(RULES).digest())
    found = await client.get(f"{BASE}/rules/{digest}", headers=world.auth())
    assert found.json() == {
        "rules_sha256": digest,
        "rules": RULES.decode(),
        "versions": [
            {"version": 1, "from": "2027-01-15T08:00:00.001Z", "actor_id": None},
            {"version": 3, "from": "2027-01-15T08:00:00.003Z", "actor_id": "7"},
        ],
    }
    unknown = b64url(hashlib.sha256(b"").digest())
    elsewhere = f"/api/v1/guilds/{OTHER_GUILD}/rules/{digest}"
    assert (await client.get(f"{BASE}/rules/{unknown}", headers=world.auth())).status_code == 404
    assert (await client.get(elsewhere, headers=world.auth(guild=OTHER_GUILD))).status_code == 404
    for wrong in ("x", digest[:-1] + "B", digest + "="):
        assert (await client.get(f"{BASE}/rules/{wrong}", headers=world.auth())).status_code == 422


async def recorded(database, *asked, origin=None) -> list[dict]:
    """What the audit holds after a real owner applied these commands, each twice."""
    owner, discord, guild_id = Owner(database), ScriptedDiscord(1, START_MS), GUILDS[0]
    async with owner.term() as recorder:
        recorder.inlet.put_all(discord.connect())
        await drained(owner)
        for kind, body in asked:
            for _ in range(2):
                if origin is None:
                    command_id = await ask(database, guild_id, kind, **body)
                else:
                    row = {"guild_id": guild_id, "kind": kind, "body": json.dumps(body), "actor_id": 5, "created_at_ms": 0}
                    async with database.transaction() as connection:
                        made = await connection.execute(insert(schema.command).values(**row, origin=origin))
                    command_id = int(made.inserted_primary_key[0])
                assert "error" not in await answer(database, recorder, command_id)
    return [row for row in await rows_of(database, schema.audit) if row["guild_id"] == guild_id]


def shown(rows: list[dict]) -> list[tuple]:
    objects = [[None if row[side] is None else json.loads(row[side]) for side in ("before", "after")] for row in rows]
    return [(row["action"], row["target"], *both) for row, both in zip(rows, objects, strict=True)]


@pytest.mark.slow
async def test_a_command_is_audited_once_if_it_changes_something_and_never_if_not(database):
    origin = origin_text(Actor(UserId(5), Via.SLASH, "203.0.113.9"))
    rows = await recorded(
        database,
        ("settings", {"pause_on_mute": True, "min_session_seconds": 60, "exclude_afk": True}),
        ("settings", {"tracking_mode": "allowlist"}),
        ("track", {"channel_id": "77"}),
        ("untrack", {"channel_id": "77"}),
        ("schedule", {"interval": "weekly", "hour": 6}),
        ("opt_out", {"user_id": "12", "out": True}),
        ("opt_out", {"user_id": "12", "out": False}),
        origin=origin,
    )
    assert shown(rows) == [
        (
            "fairness.update",
            None,
            {"pause_on_mute": False, "min_session_seconds": 0},
            {"pause_on_mute": True, "min_session_seconds": 60},
        ),
        ("tracking_mode.update", None, {"tracking_mode": "all"}, {"tracking_mode": "allowlist"}),
        ("tracked_channel.add", "77", None, {"channel_id": "77"}),
        ("tracked_channel.remove", "77", {"channel_id": "77"}, None),
        ("reset_interval.update", None, {"interval": "off", "hour": 0}, {"interval": "weekly", "hour": 6}),
        ("opt_out.add", "12", {"out": False}, {"out": True}),
        ("opt_out.remove", "12", {"out": True}, {"out": False}),
    ]
    assert {(row["actor_id"], row["via"], row["address"]) for row in rows} == {(5, "slash", "203.0.113.9")}


@pytest.mark.slow
async def test_every_reset_by_hand_is_audited(database):
    rows = await recorded(database, ("reset", {}))
    assert [(row["action"], row["target"], row["actor_id"], row["via"]) for row in rows] == [
        ("period.reset", "0", 5, "api"),
        ("period.reset", "1", 5, "api"),
    ]


class OnceStoredButFailed:
    """Dice: the first commit seems to fail although it was stored."""

    def __init__(self) -> None:
        self.thrown = 0

    def random(self) -> float:
        self.thrown += 1
        return 0.2 if self.thrown == 1 else 1.0


async def test_a_commit_that_failed_but_was_stored_is_not_audited_twice(database, monkeypatch):
    """A change of the schedule puts no line: that it is stored already shows by the command's answer."""
    monkeypatch.setattr("attendance.services.recording.retrying._FIRST_PAUSE_S", 0.0)
    owner, discord = Owner(database), ScriptedDiscord(1, START_MS)
    async with owner.term() as recorder:
        recorder.inlet.put_all(discord.connect())
        await drained(owner)
        command_id = await ask(database, GUILDS[0], "schedule", interval="daily")
        owner.fault.random = OnceStoredButFailed()
        await answer(database, recorder, command_id)
    assert owner.fault.failures == 1
    assert [row["action"] for row in await rows_of(database, schema.audit)] == ["reset_interval.update"]
