"""Settings and resets over HTTP: they wait for the guild's owner, and a retry does nothing twice."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from attendance.store import schema
from tests.api_world import BASE, GUILD, HOUR, OPERATOR, OTHER_GUILD, START_MS, World

FAIR = {
    "pause_on_mute": False,
    "pause_on_deafen": False,
    "pause_when_solo": False,
    "min_session_seconds": 0,
    "exclude_afk": True,
    "bridge_gap_seconds": 120,
}


async def commands(world: World) -> int:
    async with world.database.snapshot() as connection:
        return (await connection.execute(select(func.count()).select_from(schema.command))).scalar_one()


async def test_the_mode_is_set_whatever_its_case(client, world):
    for given, shown in (("allowlist", "Allowlist"), ("OFF", "Off"), ("Denylist", "Denylist"), ("aLL", "All")):
        answer = await client.patch(f"{BASE}/tracking-mode", headers=world.auth(), json={"mode": given})
        assert (answer.status_code, answer.json()) == (200, {"mode": shown})
    assert (await client.get(f"{BASE}/overview", headers=world.auth())).json()["tracking_mode"] == "All"


@pytest.mark.parametrize(
    "body",
    [{}, {"mode": "some"}, {"mode": None}, {"mode": 1}, {"mode": "All", "more": 1}, [], "All", None, {"mode": "ALL\n"}],
)
async def test_modes_that_are_none_are_422_and_ask_nothing_of_anyone(sqlite_client, sqlite_world, body):
    answer = await sqlite_client.patch(f"{BASE}/tracking-mode", headers=sqlite_world.auth(), json=body)
    assert answer.status_code == 422
    assert answer.json()["details"]
    assert await commands(sqlite_world) == 0


async def test_fairness_changes_only_what_is_named(client, world):
    path = f"{BASE}/fairness"
    assert (await client.get(path, headers=world.auth())).json() == FAIR
    changed = await client.patch(path, headers=world.auth(), json={"pause_on_mute": True, "min_session_seconds": 60})
    assert (changed.status_code, changed.json()) == (200, FAIR | {"pause_on_mute": True, "min_session_seconds": 60})
    nothing = await client.patch(path, headers=world.auth(), json={})
    assert nothing.json() == (await client.get(path, headers=world.auth())).json() == changed.json()
    assert await commands(world) == 1


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"pause_on_mute": 1}, "pause_on_mute"),
        ({"pause_on_mute": "true"}, "pause_on_mute"),
        ({"pause_on_mute": None}, "pause_on_mute"),
        ({"min_session_seconds": -1}, "min_session_seconds"),
        ({"min_session_seconds": 86_401}, "min_session_seconds"),
        ({"min_session_seconds": 1.5}, "min_session_seconds"),
        ({"min_session_seconds": "60"}, "min_session_seconds"),
        ({"bridge_gap_seconds": 601}, "bridge_gap_seconds"),
        ({"bridge_gap_seconds": 2**70}, "bridge_gap_seconds"),
        ({"pause_on_mut": True}, "body"),
    ],
)
async def test_fairness_that_does_not_fit_is_422_and_names_the_member(sqlite_client, sqlite_world, body, member):
    answer = await sqlite_client.patch(f"{BASE}/fairness", headers=sqlite_world.auth(), json=body)
    assert (answer.status_code, list(answer.json()["details"])) == (422, [member])
    assert await commands(sqlite_world) == 0


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"a":1}x', b"[" * 5000])
async def test_bodies_that_are_no_json_are_422(sqlite_client, sqlite_world, content):
    answer = await sqlite_client.patch(f"{BASE}/fairness", headers=sqlite_world.auth(), content=content)
    assert answer.status_code == 422


async def test_channels_are_tracked_once_and_listed_by_position(client, world):
    path, auth = f"{BASE}/tracked-channels", world.auth()
    assert (await client.get(path, headers=auth)).json() == {"items": [], "total": 0}
    first = await client.post(path, headers=auth, json={"channel_id": "52"})
    assert (first.status_code, first.json()) == (201, {"channel_id": "52", "name": "Rooms", "kind": "category"})
    again = await client.post(path, headers=auth, json={"channel_id": "52"})
    assert (again.status_code, again.json()) == (200, first.json())
    await client.post(path, headers=auth, json={"channel_id": "51"})
    assert [item["channel_id"] for item in (await client.get(path, headers=auth)).json()["items"]] == ["51", "52"]
    page = (await client.get(path, headers=auth, params={"limit": 1, "offset": 1})).json()
    assert ([item["kind"] for item in page["items"]], page["total"]) == (["category"], 2)
    gone = await client.delete(f"{path}/52", headers=auth)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.delete(f"{path}/52", headers=auth)).status_code == 404
    assert (await client.get(path, headers=auth)).json()["total"] == 1


async def test_channels_of_other_guilds_and_deleted_ones_are_422(client, world):
    await world.channel(60, "Elsewhere", guild_id=OTHER_GUILD)
    await world.channel(61, "Gone", deleted=True)
    for channel in ("60", "61", "4711", "abc", "", "052", str(2**63)):
        answer = await client.post(f"{BASE}/tracked-channels", headers=world.auth(), json={"channel_id": channel})
        assert (answer.status_code, list(answer.json()["details"])) == (422, ["channel_id"])
    assert (await client.post(f"{BASE}/tracked-channels", headers=world.auth(), json={"channel_id": 50})).status_code == 422
    assert (await client.delete(f"{BASE}/tracked-channels/abc", headers=world.auth())).status_code == 422
    assert await commands(world) == 0


async def test_a_reset_schedule_answers_with_the_next_five(client, world):
    path, auth = f"{BASE}/reset-interval", world.auth()
    assert (await client.get(path, headers=auth)).json() == {
        "interval": "off",
        "anchor": "calendar",
        "timezone": "UTC",
        "weekday": 0,
        "day": 1,
        "month": 1,
        "hour": 0,
        "next_reset_at": None,
        "next_resets": [],
    }
    body = {"interval": "monthly", "timezone": "Europe/Berlin", "day": 31, "hour": 6}
    changed = await client.patch(path, headers=auth, json=body)
    assert changed.status_code == 200
    assert changed.json()["next_reset_at"] == "2027-01-31T05:00:00.000Z"
    assert changed.json()["next_resets"] == [
        "2027-01-31T05:00:00.000Z",
        "2027-02-28T05:00:00.000Z",
        "2027-03-31T04:00:00.000Z",
        "2027-04-30T04:00:00.000Z",
        "2027-05-31T04:00:00.000Z",
    ]
    assert (await client.get(path, headers=auth)).json() == changed.json()
    overview = (await client.get(f"{BASE}/overview", headers=auth)).json()
    assert overview["period"]["ends_at"] == "2027-01-31T05:00:00.000Z"


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"interval": "fortnightly"}, "interval"),
        ({"anchor": "sun"}, "anchor"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"weekday": 7}, "weekday"),
        ({"day": 0}, "day"),
        ({"month": 13}, "month"),
        ({"hour": 24}, "hour"),
        ({"hour": True}, "hour"),
        ({"next_reset_at": "2027-01-31T05:00:00.000Z"}, "body"),
    ],
)
async def test_schedules_that_do_not_fit_are_422_and_name_the_member(sqlite_client, sqlite_world, body, member):
    answer = await sqlite_client.patch(f"{BASE}/reset-interval", headers=sqlite_world.auth(), json=body)
    assert (answer.status_code, list(answer.json()["details"])) == (422, [member])


async def test_a_reset_answers_with_the_period_that_ended(client, world):
    await world.session(11, 5000)
    await world.opened(12)
    await world.opened(13, ago_ms=0)
    answer = await client.post(f"{BASE}/reset-now", headers=world.auth())
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "period_index": 3,
            "started_at": "2027-01-11T04:00:00.000Z",
            "ended_at": "2027-01-15T08:00:00.020Z",
            "state": "pending",
            "entry_count": 3,
        },
    )
    assert (await client.get(f"{BASE}/overview", headers=world.auth())).json()["period"]["index"] == 4


async def test_a_reset_with_the_same_key_is_one_reset(client, world):
    headers = world.auth() | {"Idempotency-Key": "reset-1"}
    first = await client.post(f"{BASE}/reset-now", headers=headers)
    period = schema.period
    await world.change(period, period.c.period_index == 3, state="archived", entry_count=0)
    await world.put(
        schema.record,
        guild_id=GUILD,
        guild_seq=0,
        type="leaderboard.period",
        record_sha256=b"h" * 32,
        kid="k",
        signed_at_ms=START_MS,
        period_index=3,
    )
    again = await client.post(f"{BASE}/reset-now", headers=headers)
    assert again.json() == first.json() | {"state": "signed"}
    assert await commands(world) == 1
    other = await client.patch(f"{BASE}/tracking-mode", headers=headers, json={"mode": "Off"})
    assert other.status_code == 409
    assert (await client.post(f"{BASE}/reset-now", headers=world.auth())).json()["period_index"] == 4
    bad = await client.post(f"{BASE}/reset-now", headers=world.auth() | {"Idempotency-Key": "x" * 81})
    assert bad.status_code == 422


async def test_without_an_owner_a_write_is_503_and_waits_for_one(client, world):
    world.owner.present = False
    headers = world.auth() | {"Idempotency-Key": "later"}
    answer = await client.patch(f"{BASE}/tracking-mode", headers=headers, json={"mode": "Off"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    waited = world.clock.now_ms() - START_MS
    assert 5000 <= waited <= 5300
    world.owner.present = True
    again = await client.patch(f"{BASE}/tracking-mode", headers=world.auth() | headers, json={"mode": "Off"})
    assert (again.status_code, again.json()) == (200, {"mode": "Off"})
    assert world.owner.applied == ["settings"]


@pytest.mark.slow
async def test_resets_that_nobody_was_answered_are_one_reset(client, world):
    """A client without keys that asks again and again while the owner is away must not end one period for each time."""
    path, owner = f"{BASE}/reset-now", world.owner
    owner.present = False
    for _ in range(3):
        assert (await client.post(path, headers=world.auth())).status_code == 503
    assert (await client.post(path, headers=world.auth(OPERATOR))).status_code == 503
    assert await commands(world) == 2, "what somebody else asks for is theirs"
    owner.present = True
    await owner.pause(0)
    assert owner.applied == ["reset", "reset"]
    for _ in range(2):
        answer = await client.post(path, headers=world.auth())
        assert (answer.status_code, answer.json()["period_index"]) == (200, 3), "done after its caller was told to come back"
    world.clock.advance(60_000)
    assert (await client.post(path, headers=world.auth())).json()["period_index"] == 5
    assert (await client.post(path, headers=world.auth())).json()["period_index"] == 6, "an answered one is over"


async def test_resets_at_the_same_time_that_wait_are_one_reset(client, world):
    world.owner.present = False
    answers = await asyncio.gather(*(client.post(f"{BASE}/reset-now", headers=world.auth()) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {503}
    assert await commands(world) == 1


async def test_what_the_owner_refuses_is_422(client, world, monkeypatch):
    async def refuse(*_arguments: object) -> dict[str, str]:
        return {"error": "not now"}

    monkeypatch.setattr(world.owner, "_apply", refuse)
    answer = await client.patch(f"{BASE}/tracking-mode", headers=world.auth(), json={"mode": "Off"})
    assert (answer.status_code, answer.json()) == (422, {"error": "not now"})


async def test_writes_at_the_same_time_are_all_answered(client, world):
    auth = world.auth()
    keyed = auth | {"Idempotency-Key": "k"}
    answers = await asyncio.gather(
        *(client.post(f"{BASE}/tracked-channels", headers=auth, json={"channel_id": "50"}) for _ in range(8)),
        *(client.patch(f"{BASE}/fairness", headers=auth, json={"min_session_seconds": n}) for n in range(8)),
        *(client.post(f"{BASE}/reset-now", headers=keyed) for _ in range(4)),
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["ended_at"] for answer in answers[16:]}) == 1
    assert world.clock.now_ms() < START_MS + HOUR
