"""``/webhooks/…`` of a guild and ``POST /webhooks/attendance``, over HTTP."""

from __future__ import annotations

import asyncio
import json
from ipaddress import ip_network

import pytest
from sqlalchemy import select

from attendance.errors import UnavailableError
from attendance.store import schema
from attendance.store.external_attendance import SqlExternalAttendanceStore
from tests.api_world import ABSENT_GUILD, BASE, GUILD, MEMBER, OTHER_GUILD, World, http_client
from tests.signing_world import PASSPHRASE, SigningProcess, chain_of
from tests.webhook_world import Receiver, WebhookWorld

SETTINGS = f"{BASE}/webhooks/settings"
DELIVERIES = f"{BASE}/webhooks/deliveries"
URL = "https://receiver.example/hook?token=hidden"
EVENTS = ["session.completed", "period.archived", "signing.locked"]
SECRET = "the operator's secret, ä"
REPORT = {
    "id": "meeting/1",
    "guild_id": str(GUILD),
    "user_id": "7",
    "channel_id": None,
    "joined_at": "2027-01-15T06:00:00Z",
    "left_at": "2027-01-15T07:30:00.500Z",
    "source": "meetings",
}
INBOUND = "/webhooks/attendance"


@pytest.fixture
async def inbound(world: World):
    async with http_client(world.app(webhook_secret=SECRET.encode())) as client:
        client.headers["x-webhook-secret"] = SECRET
        yield client


async def rows(world: World, table) -> list:
    async with world.database.snapshot() as connection:
        return list((await connection.execute(select(table))).mappings())


async def deliver(world: World, receiver: Receiver) -> int:
    other = WebhookWorld(world.database, world.clock, receiver)
    process = other.process()
    process.sealing = world.services().webhooks.sealing
    return await process.deliver_due()


async def test_a_guild_begins_without_a_webhook(client, world):
    answer = await client.get(SETTINGS, headers=world.auth())
    assert answer.status_code == 200
    assert answer.json() == {
        "url": None,
        "secret_set": False,
        "events": EVENTS,
        "enabled": True,
        "failing_since": None,
        "disabled_reason": None,
    }


async def test_the_secret_is_shown_in_the_patch_that_made_it_and_never_again(client, world):
    first = (await client.patch(SETTINGS, headers=world.auth(), json={"url": URL})).json()
    assert first["secret"].startswith("whsec_")
    assert (first["url"], first["secret_set"], first["enabled"]) == (URL, True, True)
    again = (await client.patch(SETTINGS, headers=world.auth(), json={"url": URL})).json()
    assert again["secret"] is None
    rotated = (await client.patch(SETTINGS, headers=world.auth(), json={"rotate_secret": True})).json()
    assert rotated["secret"] not in (None, first["secret"])
    assert "secret" not in (await client.get(SETTINGS, headers=world.auth())).json()
    (row,) = await rows(world, schema.webhook)
    for shown in (first["secret"], rotated["secret"]):
        assert shown.encode() not in bytes(row["secret"])


async def test_a_patch_changes_only_the_members_it_has(client, world):
    await client.patch(SETTINGS, headers=world.auth(), json={"url": URL})
    for change in ({"events": ["period.archived"]}, {"enabled": False}, {"url": "https://b.example/"}, {"enabled": True}, {}):
        before = (await client.get(SETTINGS, headers=world.auth())).json()
        answer = await client.patch(SETTINGS, headers=world.auth(), json=change)
        assert answer.status_code == 200
        assert (await client.get(SETTINGS, headers=world.auth())).json() == before | change
    assert (await client.patch(SETTINGS, headers=world.auth(), json={"url": None})).json()["url"] is None


async def test_every_change_is_audited_without_secrets_and_no_change_is_not(client, world):
    made = (await client.patch(SETTINGS, headers=world.auth(), json={"url": URL})).json()
    await client.patch(SETTINGS, headers=world.auth(), json={"url": URL, "enabled": True})
    await client.patch(SETTINGS, headers=world.auth(), json={"rotate_secret": True})
    await client.post(f"{BASE}/webhooks/test", headers=world.auth())
    entries = [row for row in await rows(world, schema.audit) if row["action"].startswith("webhook.")]
    assert [row["action"] for row in entries] == ["webhook.update", "webhook.update", "webhook.test"]
    assert [row["actor_id"] for row in entries] == [7, 7, 7]
    first, second = (json.loads(row["after"]) for row in entries[:2])
    assert first["secret"] == "made"
    assert (json.loads(entries[1]["before"]), second) == ({}, {"secret": "rotated"}), "only what is different is named"
    assert first["url"] == "https://receiver.example/hook?…"
    text = json.dumps([dict(row) for row in entries], default=str)
    assert "hidden" not in text
    assert made["secret"] not in text


REFUSED_SETTINGS = [
    ({"url": "http://receiver.example/"}, "url"),
    ({"url": "https://127.0.0.1/"}, "url"),
    ({"url": "https://user:pw@receiver.example/"}, "url"),
    ({"url": "https://receiver.example/" + "a" * 2000}, "url"),
    ({"url": 5}, "url"),
    ({"url": ""}, "url"),
    ({"url": "\x00"}, "url"),
    ({"events": ["everything"]}, "events[0]"),
    ({"events": "session.completed"}, "events"),
    ({"events": ["session.completed"] * 21}, "events"),
    ({"enabled": "true"}, "enabled"),
    ({"enabled": None}, "enabled"),
    ({"rotate_secret": 1}, "rotate_secret"),
    ({"secret": "whsec_mine"}, "body"),
    ({"failing_since": None}, "body"),
    ([], "body"),
]


async def test_what_cannot_be_is_refused_and_changes_nothing(sqlite_client, sqlite_world):
    for body, member in REFUSED_SETTINGS:
        answer = await sqlite_client.patch(SETTINGS, headers=sqlite_world.auth(), json=body)
        assert answer.status_code == 422, answer.text
        assert any(name.startswith(member.partition("[")[0]) for name in answer.json()["details"]), body
    assert await rows(sqlite_world, schema.webhook) == []


async def test_the_operator_s_networks_may_be_named(world):
    async with http_client(world.app(webhook_allow=(ip_network("10.0.0.0/8"),))) as client:
        answer = await client.patch(SETTINGS, headers=world.auth(), json={"url": "http://10.1.2.3:3000/hook"})
        assert answer.status_code == 200
        answer = await client.patch(SETTINGS, headers=world.auth(), json={"url": "http://192.168.1.1/"})
        assert answer.status_code == 422


async def test_a_test_is_sent_and_its_delivery_says_what_came_of_it(client, world):
    assert (await client.post(f"{BASE}/webhooks/test", headers=world.auth())).status_code == 409, "no URL yet"
    await client.patch(SETTINGS, headers=world.auth(), json={"url": URL})
    sent = await client.post(f"{BASE}/webhooks/test", headers=world.auth())
    assert sent.status_code == 201
    assert (sent.json()["event"], sent.json()["state"], sent.json()["attempts"]) == ("webhook.test", "waiting", 0)
    receiver = Receiver(status=500)
    assert await deliver(world, receiver) == 1
    details = (await client.get(f"{DELIVERIES}/{sent.json()['id']}", headers=world.auth())).json()
    assert (details["delivery"]["state"], details["delivery"]["last_status"]) == ("waiting", 500)
    assert [attempt["error"] for attempt in details["attempts"]] == ["the receiver answered 500"]
    assert (await client.get(SETTINGS, headers=world.auth())).json()["failing_since"] == "2027-01-15T08:00:00.000Z"
    replayed = await client.post(f"{DELIVERIES}/{sent.json()['id']}/replay", headers=world.auth())
    assert (replayed.status_code, replayed.json()["state"]) == (200, "waiting")
    receiver.status = 200
    assert await deliver(world, receiver) == 1
    assert {request.id for request in receiver.got} == {sent.json()["id"]}
    log = (await client.get(DELIVERIES, headers=world.auth())).json()
    assert (log["total"], log["items"][0]["state"], log["items"][0]["attempts"]) == (1, "delivered", 2)


async def test_the_log_is_a_list_and_a_table(client, world):
    await client.patch(SETTINGS, headers=world.auth(), json={"url": URL})
    for _ in range(3):
        await client.post(f"{BASE}/webhooks/test", headers=world.auth())
        world.clock.advance(1000)
    log = (await client.get(f"{DELIVERIES}?limit=2", headers=world.auth())).json()
    assert (len(log["items"]), log["total"]) == (2, 3)
    assert log["items"][0]["created_at"] > log["items"][1]["created_at"], "newest first"
    rest = (await client.get(f"{DELIVERIES}?limit=2&offset=2&state=waiting", headers=world.auth())).json()
    assert (len(rest["items"]), rest["total"]) == (1, 3)
    assert (await client.get(f"{DELIVERIES}?state=failed", headers=world.auth())).json() == {"items": [], "total": 0}
    table = await client.get(f"{DELIVERIES}?format=csv", headers=world.auth())
    assert table.headers["X-Total-Count"] == "3"
    assert len(table.text.splitlines()) == 4


async def test_another_guild_s_delivery_is_not_there(client, world):
    await client.patch(SETTINGS, headers=world.auth(), json={"url": URL})
    sent = (await client.post(f"{BASE}/webhooks/test", headers=world.auth())).json()
    other, headers = f"/api/v1/guilds/{OTHER_GUILD}/webhooks/deliveries", world.auth(guild=OTHER_GUILD)
    unknown = "00000000-0000-7000-8000-000000000000"
    for delivery_id in (sent["id"], unknown):
        assert (await client.get(f"{other}/{delivery_id}", headers=headers)).status_code == 404
        assert (await client.post(f"{other}/{delivery_id}/replay", headers=headers)).status_code == 404
    assert (await client.get(other, headers=headers)).json()["total"] == 0
    for malformed in ("1", "x" * 36, sent["id"][:-1], "{" + sent["id"] + "}", "urn:uuid:" + sent["id"]):
        assert (await client.get(f"{DELIVERIES}/{malformed}", headers=world.auth())).status_code in {404, 422}


@pytest.mark.slow
async def test_changes_at_once_never_fail_and_the_last_secret_signs(client, world):
    changes = [{"url": URL}, {"enabled": False}, {"rotate_secret": True}, {"events": []}, {"url": "https://b.example/"}] * 3
    answers = await asyncio.gather(*(client.patch(SETTINGS, headers=world.auth(), json=change) for change in changes))
    assert {answer.status_code for answer in answers} == {200}
    settings = (await client.get(SETTINGS, headers=world.auth())).json()
    assert (settings["secret_set"], settings["enabled"], settings["events"]) == (True, False, [])


async def test_members_without_the_permission_see_and_change_nothing(client, world):
    for method, path in (
        ("GET", SETTINGS),
        ("PATCH", SETTINGS),
        ("GET", DELIVERIES),
        ("POST", f"{BASE}/webhooks/test"),
    ):
        assert (await client.request(method, path, json={})).status_code == 401
        assert (await client.request(method, path, headers=world.auth(MEMBER), json={})).status_code == 403


async def test_without_a_secret_of_the_operator_s_the_route_is_not_implemented(client):
    for body in (REPORT, {}, None):
        assert (await client.post(INBOUND, json=body, headers={"x-webhook-secret": SECRET.encode()})).status_code == 501


async def test_another_secret_is_refused_before_anything_is_read(sqlite_world):
    async with http_client(sqlite_world.app(webhook_secret=SECRET.encode())) as client:
        for given in (None, "", "the operator's secret, a", SECRET + " ", "\x7f", "ä" * 5000):
            headers = {} if given is None else {"x-webhook-secret": given.encode()}
            for body in (REPORT, {"nonsense": True}):
                assert (await client.post(INBOUND, json=body, headers=headers)).status_code == 401


async def test_who_guesses_is_slowed_and_who_knows_is_not(world):
    async with http_client(world.app(webhook_secret=SECRET.encode(), requests_per_minute_ip=3)) as client:
        codes = [(await client.post(INBOUND, json=REPORT, headers={"x-webhook-secret": "no"})).status_code for _ in range(5)]
        assert codes == [401, 401, 401, 429, 429]
        headers = {"x-webhook-secret": SECRET.encode()}
        assert [(await client.post(INBOUND, json=REPORT, headers=headers)).status_code for _ in range(5)] == [201] + [200] * 4


async def test_a_report_is_recorded_once_and_signed(inbound, world):
    first = await inbound.post(INBOUND, json=REPORT)
    assert first.status_code == 201
    assert first.json() == REPORT | {
        "joined_at": "2027-01-15T06:00:00.000Z",
        "left_at": "2027-01-15T07:30:00.500Z",
        "seconds": 5400,
    }
    same = REPORT | {"joined_at": "2027-01-15T07:00:00.000+01:00"}
    assert (await inbound.post(INBOUND, json=same)).status_code == 200
    signing = SigningProcess(world.database, clock=world.clock)
    await signing.succession.generate(GUILD, PASSPHRASE)
    await signing.sign_all()
    record = (await chain_of(world.database, GUILD))[-1]
    assert {name: record[name] for name in ("type", "source", "external_id", "user_id", "joined_at_ms", "left_at_ms")} == {
        "type": "attendance.external",
        "source": "meetings",
        "external_id": "meeting/1",
        "user_id": "7",
        "joined_at_ms": 1_799_992_800_000,
        "left_at_ms": 1_799_998_200_500,
    }
    assert len(await chain_of(world.database, GUILD)) == 2, "the key's record, and one of the report"


async def test_another_body_under_the_same_id_contradicts(inbound, world):
    assert (await inbound.post(INBOUND, json=REPORT)).status_code == 201
    for other in (
        {"user_id": "8"},
        {"guild_id": str(OTHER_GUILD)},
        {"channel_id": "50"},
        {"left_at": "2027-01-15T07:31:00Z"},
        {"source": "classes"},
    ):
        answer = await inbound.post(INBOUND, json=REPORT | other)
        assert (answer.status_code, list(answer.json()["details"])) == (409, ["id"])
    assert len(await rows(world, schema.record_queue)) == 1


async def test_the_same_report_at_once_is_recorded_once(inbound, world):
    answers = await asyncio.gather(*(inbound.post(INBOUND, json=REPORT) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    others = [REPORT | {"user_id": str(user)} for user in range(20, 24)]
    answers = await asyncio.gather(*(inbound.post(INBOUND, json=body | {"id": "meeting/2"}) for body in others * 2))
    assert sorted(answer.status_code for answer in answers) == [200, 201] + [409] * 6
    assert len(await rows(world, schema.record_queue)) == 2
    assert len(await rows(world, schema.external_attendance)) == 2


async def test_statistics_show_it_beside_the_total_and_leaderboards_not_at_all(inbound, world):
    await world.session(8, 60_000)
    await inbound.post(INBOUND, json=REPORT)
    await inbound.post(
        INBOUND, json=REPORT | {"id": "2", "joined_at": "2027-01-10T00:00:00Z", "left_at": "2027-01-12T00:00:00Z"}
    )
    stats = (await inbound.get(f"{BASE}/stats?user_id=7", headers=world.auth())).json()
    # The running period began 100 hours ago, at 2027-01-11T04:00: what was before is not in it.
    assert (stats["external_seconds"], stats["seconds"], stats["sessions"]) == (5400 + 20 * 3600, 0, 0)
    assert (stats["rank"], stats["by_day"]) == (None, [])
    board = (await inbound.get(f"{BASE}/leaderboard", headers=world.auth())).json()
    assert [line["user_id"] for line in board["items"]] == ["8"]
    overview = (await inbound.get(f"{BASE}/overview", headers=world.auth())).json()
    assert overview["totals"] == {"seconds": 60, "sessions": 1, "members": 1}


IMPOSSIBLE_REPORTS = [
    {"left_at": "2027-01-15T06:00:00Z"},
    {"left_at": "2027-01-15T05:00:00Z"},
    {"left_at": "2027-01-15T08:05:01Z"},
    {"joined_at": "2026-12-15T07:30:00Z"},
    {"joined_at": "1969-12-31T23:59:59Z", "left_at": "1970-01-01T00:00:01Z"},
    {"joined_at": "yesterday"},
    {"joined_at": 1_800_000_000},
    {"joined_at": "2027-01-15T06:00:00"},
    {"user_id": 7},
    {"user_id": "9223372036854775808"},
    {"user_id": "\uff17"},
    {"user_id": "-1"},
    {"channel_id": "x"},
    {"id": ""},
    {"id": "x" * 129},
    {"id": "a\u0000b"},
    {"id": "a\nb"},
    {"id": None},
    {"source": ""},
    {"source": "x" * 101},
    {"source": "\u0000"},
    {"more": 1},
]


async def test_a_report_that_cannot_be_is_refused(sqlite_world):
    async with http_client(sqlite_world.app(webhook_secret=SECRET.encode())) as client:
        for change in IMPOSSIBLE_REPORTS:
            answer = await client.post(INBOUND, json=REPORT | change, headers={"x-webhook-secret": SECRET.encode()})
            assert answer.status_code == 422, answer.text
            assert answer.json()["details"], change
    assert await rows(sqlite_world, schema.external_attendance) == []


async def test_a_report_without_a_member_or_that_is_no_report_is_refused(sqlite_world):
    async with http_client(sqlite_world.app(webhook_secret=SECRET.encode())) as client:
        headers = {"x-webhook-secret": SECRET.encode()}
        for missing in ("id", "guild_id", "user_id", "joined_at", "left_at", "source"):
            body = {name: value for name, value in REPORT.items() if name != missing}
            assert (await client.post(INBOUND, json=body, headers=headers)).status_code == 422, missing
        for content in (b"", b"[]", b"null", b"\xff", b'{"id": "\\ud800"}'):
            answer = await client.post(INBOUND, content=content, headers=headers | {"content-type": "application/json"})
            assert answer.status_code == 422, content
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
            assert (await client.post(INBOUND, content=b"a=b", headers=headers | {"content-type": kind})).status_code == 422
        answer = await client.post(INBOUND, content=b"x" * 300_000, headers=headers)
        assert answer.status_code == 413


async def test_a_guild_without_the_bot_and_a_member_who_opted_out_are_not_recorded(inbound, world):
    for guild_id in (ABSENT_GUILD, 12345):
        answer = await inbound.post(INBOUND, json=REPORT | {"guild_id": str(guild_id), "left_at": "2000-01-01T00:00:00Z"})
        assert answer.status_code == 404, "before the times are looked at"
    await world.put(schema.opt_out, guild_id=GUILD, user_id=7, since_ms=world.clock.now_ms())
    assert (await inbound.post(INBOUND, json=REPORT)).status_code == 409
    assert await rows(world, schema.external_attendance) == []


async def test_a_database_that_is_away_is_a_503_and_trying_again_is_safe(inbound, world, monkeypatch):
    stored = SqlExternalAttendanceStore.add

    async def stored_but_nobody_says_so(self, report, now_ms):
        await stored(self, report, now_ms)
        raise UnavailableError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(SqlExternalAttendanceStore, "add", stored_but_nobody_says_so)
        assert (await inbound.post(INBOUND, json=REPORT)).status_code == 503
    assert (await inbound.post(INBOUND, json=REPORT)).status_code == 200
    assert len(await rows(world, schema.record_queue)) == 1


async def test_a_line_break_after_an_id_is_422_and_not_a_fault(client, world):
    for path in (
        f"{BASE}/webhooks/deliveries/01972f3c-7c00-7000-8000-0123456789ab%0A",
        f"{BASE}/receipts/01972f3c-7c00-7000-8000-0123456789ab%0A",
    ):
        answer = await client.get(path, headers=world.auth())
        assert (answer.status_code, "a UUID" in answer.text) == (422, True)
