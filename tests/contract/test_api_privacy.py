"""``/settings`` and ``/members/…`` over HTTP: who may, what is shown, and that nothing is done twice."""

from __future__ import annotations

import asyncio
import json

import pytest

from attendance.domain.erasure import ERASURE_WAITS_MS
from attendance.store import schema
from tests.api_world import ABSENT_GUILD, BASE, GUILD, GUILD_ROLES, HOUR, MANAGER, MEMBER, OPERATOR, OTHER_GUILD, World
from tests.books import rows_of

SETTINGS, THEIRS = f"{BASE}/settings", f"{BASE}/members/{MEMBER}"
STRANGER = 770_123_456_789
AS_THEY_ARE = {"timezone": "UTC", "names_shown": True, "retention_days": None, "read_roles": [], "write_roles": []}


@pytest.mark.slow
async def test_settings_are_shown_and_only_the_members_given_change(client, world):
    assert (await client.get(SETTINGS, headers=world.auth())).json() == AS_THEY_ARE
    changes = [
        {"timezone": "Europe/Berlin"},
        {"retention_days": 365},
        {"names_shown": False, "read_roles": [str(GUILD_ROLES[1]), str(GUILD_ROLES[0])]},
        {"write_roles": [str(GUILD_ROLES[2])], "retention_days": None},
        {},
    ]
    expected = dict(AS_THEY_ARE)
    for change in changes:
        expected |= {name: sorted(value) if isinstance(value, list) else value for name, value in change.items()}
        for _ in range(2):
            answer = await client.patch(SETTINGS, headers=world.auth(), json=change)
            assert (answer.status_code, answer.json()) == (200, expected), answer.text
    assert (await client.get(f"{BASE}/reset-interval", headers=world.auth())).json()["timezone"] == "Europe/Berlin"
    audits = [row for row in await rows_of(world.database, schema.audit) if row["action"] == "preferences.update"]
    assert [sorted(json.loads(row["after"])) for row in audits] == [
        ["retention_days"],
        ["names_shown", "read_roles"],
        ["retention_days", "write_roles"],
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Mars/Olympus"},
        {"retention_days": 13},
        {"retention_days": 3651},
        {"retention_days": "365"},
        {"names_shown": None},
        {"read_roles": ["999"]},
        {"read_roles": [300]},
        {"write_roles": [str(GUILD)]},
        {"write_roles": ["-1"]},
        {"read_roles": [str(role) for role in range(26)]},
        {"unknown": 1},
    ],
)
async def test_settings_that_cannot_be_are_422_and_change_nothing(sqlite_client, sqlite_world, wrong):
    change = {"names_shown": False, **wrong}
    answer = await sqlite_client.patch(SETTINGS, headers=sqlite_world.auth(), json=change)
    assert (answer.status_code, set(answer.json()) <= {"error", "details"}) == (422, True), answer.text
    assert (await sqlite_client.get(SETTINGS, headers=sqlite_world.auth())).json() == AS_THEY_ARE


async def test_two_who_change_different_settings_at_once_both_have_their_way(client, world):
    changes = [{"names_shown": False}, {"retention_days": 30}, {"read_roles": ["300"]}, {"write_roles": ["301"]}]
    answers = await asyncio.gather(*(client.patch(SETTINGS, headers=world.auth(), json=change) for change in changes))
    assert [answer.status_code for answer in answers] == [200] * 4
    expected = {"timezone": "UTC", "names_shown": False, "retention_days": 30, "read_roles": ["300"], "write_roles": ["301"]}
    assert (await client.get(SETTINGS, headers=world.auth())).json() == expected


async def test_programs_may_not_choose_panel_roles_or_retention(sqlite_client, sqlite_world):
    client, world = sqlite_client, sqlite_world
    made = await client.post(f"{BASE}/tokens", headers=world.auth(), json={"name": "x", "scopes": ["settings", "read"]})
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    assert (await client.patch(SETTINGS, headers=bearer, json={"names_shown": False})).status_code == 200
    for change in ({"read_roles": []}, {"write_roles": ["300"]}, {"retention_days": 14}):
        assert (await client.patch(SETTINGS, headers=bearer, json=change)).status_code == 403
    for method, path in (("POST", "erase"), ("GET", "data"), ("POST", "opt-out")):
        assert (await client.request(method, f"{THEIRS}/{path}", headers=bearer)).status_code == 403


@pytest.mark.slow
async def test_who_may_do_what_with_a_member(sqlite_client, sqlite_world):
    client, world = sqlite_client, sqlite_world
    for method, path in (("GET", "data"), ("GET", "opt-out"), ("POST", "opt-out"), ("POST", "erase"), ("GET", "erase")):
        statuses = [
            (await client.request(method, f"{THEIRS}/{path}", headers=world.auth(user))).status_code
            for user in (STRANGER, MEMBER, MANAGER, OPERATOR)
        ]
        assert statuses[0] == 403
        assert set(statuses[1:]) <= {200, 201}, (method, path, statuses)
    # Whose data it is says the path, whatever the query says.
    answer = await client.get(f"{THEIRS}/data?user_id={STRANGER}", headers=world.auth(STRANGER))
    assert answer.status_code == 403
    for wrong in ("x", "-1", "\uff19", str(2**63)):
        assert (await client.get(f"{BASE}/members/{wrong}/data", headers=world.auth())).status_code == 422
    left = f"/api/v1/guilds/{ABSENT_GUILD}/members/{MEMBER}/data"
    assert (await client.get(left, headers=world.auth(MEMBER, ABSENT_GUILD))).status_code == 404
    assert (await client.get(left, headers=world.auth(OPERATOR, ABSENT_GUILD))).status_code == 200


async def test_what_members_opt_out_of_themselves_no_manager_undoes(client, world):
    async def opt(method: str, user: int) -> int:
        return (await client.request(method, f"{THEIRS}/opt-out", headers=world.auth(user))).status_code

    since = "2027-01-15T08:00:00.000Z"
    assert await opt("POST", MANAGER) == 200
    shown = (await client.get(f"{THEIRS}/opt-out", headers=world.auth(MEMBER))).json()
    assert (shown["user_id"], shown["opted_out"]) == (str(MEMBER), True)
    assert shown["since"] >= since
    assert await opt("DELETE", MANAGER) == 204
    assert await opt("DELETE", MANAGER) == 204
    assert await opt("POST", MANAGER) == 200
    assert await opt("POST", MEMBER) == 200  # now it is their own
    assert await opt("DELETE", MANAGER) == 403
    assert (await client.get(f"{THEIRS}/opt-out", headers=world.auth())).json()["opted_out"]
    assert await opt("DELETE", MEMBER) == 204
    assert await opt("POST", MEMBER) == 200
    assert await opt("DELETE", OPERATOR) == 204
    shown = (await client.get(f"{THEIRS}/opt-out", headers=world.auth())).json()
    assert shown == {"user_id": str(MEMBER), "opted_out": False, "since": None}


async def test_everything_that_is_held_of_a_member_is_told_and_nothing_of_others(client, world):
    await world.name(MEMBER, "Ada")
    await world.name(STRANGER, "Grace")
    session_id = await world.session(MEMBER, HOUR)
    await world.session(STRANGER, HOUR)
    record = json.dumps({"user_id": str(MEMBER), "salt": "x"}).encode()
    signed = {"record_sha256": b"h" * 32, "body": record, "signature": b"s" * 64, "kid": "k", "signed_at_ms": 5}
    await world.put(
        schema.record, guild_id=GUILD, guild_seq=0, type="voice.session", session_id=session_id, period_index=3, **signed
    )
    states = [{"user_id": str(user), "channel_id": "50"} for user in (MEMBER, STRANGER)]
    line = json.dumps({"at": 1, "type": "snapshot", "guild_id": str(GUILD), "voice_states": states}, separators=(",", ":"))
    for seq, user, text in ((0, None, line), (1, MEMBER, "{}"), (2, STRANGER, "{}")):
        kind = "snapshot" if user is None else "voice_state"
        await world.put(schema.journal, guild_id=GUILD, seq=seq, at_ms=seq, user_id=user, type=kind, line=text.encode())
    answer = await client.get(f"{THEIRS}/data", headers=world.auth(MEMBER))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="rollcall-{GUILD}-{MEMBER}.json"'
    data = answer.json()
    assert (data["user_id"], data["display_name"], data["bot"]) == (str(MEMBER), "Ada", False)
    (session,) = data["sessions"]
    assert (session["session_id"], session["record"], session["credited_ms"]) == (str(session_id), record.decode(), HOUR)
    assert session["joined_at"].endswith("Z")
    assert session["timeline"][0][2] == "counted"
    assert [row["credited_ms"] for row in data["period_totals"]] == [HOUR]
    assert [row["type"] for row in data["journal"]] == ["snapshot", "voice_state"]
    assert str(STRANGER) not in answer.text.replace(str(GUILD), "")
    assert "Grace" not in answer.text
    empty = (await client.get(f"{BASE}/members/12345/data", headers=world.auth())).json()
    assert (empty["display_name"], empty["sessions"], empty["journal"]) == (None, [], [])


async def test_an_erasure_is_asked_for_once_shown_and_withdrawn(client, world):
    assert (await client.get(f"{THEIRS}/erase", headers=world.auth(MEMBER))).status_code == 404
    assert (await client.delete(f"{THEIRS}/erase", headers=world.auth(MEMBER))).status_code == 404
    asked = await client.post(f"{THEIRS}/erase", headers=world.auth(MEMBER))
    assert asked.status_code == 201
    body = asked.json()
    assert (body["state"], body["requested_by"], body["told_at"]) == ("waiting", str(MEMBER), None)
    assert body["requested_at"] == "2027-01-15T08:00:00.000Z"
    assert body["due_at"] == "2027-01-18T08:00:00.000Z"
    again = await asyncio.gather(*(client.post(f"{THEIRS}/erase", headers=world.auth()) for _ in range(4)))
    assert [(answer.status_code, answer.json()) for answer in again] == [(200, body)] * 4
    assert (await client.get(f"{THEIRS}/erase", headers=world.auth())).json() == body
    assert (await client.delete(f"{THEIRS}/erase", headers=world.auth(MANAGER))).status_code == 403
    for _ in range(2):
        assert (await client.delete(f"{THEIRS}/erase", headers=world.auth(MEMBER))).status_code == 204
    assert (await client.get(f"{THEIRS}/erase", headers=world.auth())).json()["state"] == "withdrawn"
    asked = await client.post(f"{THEIRS}/erase", headers=world.auth())
    assert (asked.status_code, asked.json()["requested_by"]) == (201, str(MANAGER))
    assert (await client.delete(f"{THEIRS}/erase", headers=world.auth(OPERATOR))).status_code == 204
    actions = [row["action"] for row in await rows_of(world.database, schema.audit)]
    assert actions == ["member.erase", "member.erase_withdraw"] * 2


async def test_a_manager_is_told_who_has_opted_out_and_whose_erasure_is_pending(client, world):
    async def listed(path: str, user: int = MANAGER, **params) -> dict:
        answer = await client.get(f"{BASE}/{path}", headers=world.auth(user), params=params)
        assert answer.status_code == 200
        return answer.json()

    nothing = {"items": [], "total": 0}
    assert (await listed("opt-outs"), await listed("erasures")) == (nothing, nothing)
    await world.name(MEMBER, "Ada")
    now = world.clock.now_ms()
    for user, since_ms, actor in ((MEMBER, now - 2, MEMBER), (12, now - 1, MANAGER), (13, now, None)):
        await world.put(schema.opt_out, guild_id=GUILD, user_id=user, since_ms=since_ms, actor_id=actor)
    await world.put(schema.opt_out, guild_id=OTHER_GUILD, user_id=14, since_ms=now, actor_id=14)
    out = await listed("opt-outs")
    assert [(one["user_id"], one["display_name"], one["own"]) for one in out["items"]] == [
        ("13", "13", True),
        ("12", "12", False),
        (str(MEMBER), "Ada", True),
    ]
    assert out["items"][0]["since"] == "2027-01-15T08:00:00.000Z"
    assert (await listed("opt-outs", limit=1, offset=1)) == {"items": out["items"][1:2], "total": 3}

    asked = (await client.post(f"{THEIRS}/erase", headers=world.auth(MEMBER))).json()
    world.clock.advance(1)
    for user, state in ((12, "running"), (13, "done"), (14, "withdrawn")):
        assert (await client.post(f"{BASE}/members/{user}/erase", headers=world.auth())).status_code == 201
        await world.change(schema.erasure, schema.erasure.c.user_id == user, state=state)
    pending = await listed("erasures")
    assert pending["total"] == 2
    assert pending["items"][0] == {name: asked[name] for name in asked if name != "ended_at"} | {"display_name": "Ada"}
    assert [(one["user_id"], one["state"]) for one in pending["items"]] == [(str(MEMBER), "waiting"), ("12", "running")]
    for path in ("opt-outs", "erasures"):
        assert (await client.get(f"{BASE}/{path}", headers=world.auth(MEMBER))).status_code == 403


async def test_what_has_begun_cannot_be_withdrawn(sqlite_client, sqlite_world):
    client, world = sqlite_client, sqlite_world
    await client.post(f"{THEIRS}/erase", headers=world.auth(MEMBER))
    world.clock.advance(ERASURE_WAITS_MS)
    await world.change(schema.erasure, schema.erasure.c.user_id == MEMBER, state="running")
    assert (await client.delete(f"{THEIRS}/erase", headers=world.auth(MEMBER))).status_code == 409
    assert (await client.post(f"{THEIRS}/erase", headers=world.auth(MEMBER))).status_code == 200


async def test_twenty_who_ask_at_once_make_one_request(client, world: World):
    answers = await asyncio.gather(*(client.post(f"{THEIRS}/erase", headers=world.auth(MEMBER)) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len(await rows_of(world.database, schema.erasure)) == 1
