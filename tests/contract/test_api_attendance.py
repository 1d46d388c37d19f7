"""Sessions, blind intervals, live occupancy and channels over HTTP, on both databases."""

from __future__ import annotations

import pytest

from attendance.domain.instants import to_rfc3339
from attendance.store import schema
from tests.api_world import BASE, GUILD, HOUR, START_MS


async def users(client, world, **params):
    answer = await client.get(f"{BASE}/sessions", headers=world.auth(), params=params)
    assert answer.status_code == 200, answer.text
    return [int(item["user_id"]) for item in answer.json()["items"]], answer.json()["total"]


async def test_sessions_come_newest_first_and_in_pages(client, world):
    for user in range(10, 15):
        await world.session(user, 1000, ago_ms=(20 - user) * HOUR)
    assert await users(client, world) == ([14, 13, 12, 11, 10], 5)
    assert await users(client, world, limit=2, offset=1) == ([13, 12], 5)
    assert await users(client, world, offset=9) == ([], 5)


async def test_sessions_overlap_their_range_and_show_in_full(client, world):
    await world.session(11, HOUR, ago_ms=4 * HOUR)  # from 5 hours ago to 4 hours ago
    await world.session(12, HOUR, ago_ms=3 * HOUR, channel_id=51)
    at = {hours: to_rfc3339(START_MS - hours * HOUR) for hours in range(7)}
    assert await users(client, world, **{"from": at[4]}) == ([12], 1)
    assert await users(client, world, to=at[4]) == ([11], 1)
    assert await users(client, world, **{"from": at[5], "to": at[3]}) == ([12, 11], 2)
    assert await users(client, world, **{"from": at[6], "to": at[5]}) == ([], 0)
    assert await users(client, world, user_id="12") == ([12], 1)
    assert await users(client, world, channel_id="50") == ([11], 1)
    assert await users(client, world, user_id="12", channel_id="50") == ([], 0)


async def test_a_session_is_shown_with_names_and_whether_it_is_signed(client, world):
    await world.name(11, "Ada")
    session_id = await world.session(11, 1999, signed=True, pauses=(1000, 2000, 3000, 4000), below_minimum=True)
    body = (await client.get(f"{BASE}/sessions", headers=world.auth())).json()
    assert body["items"] == [
        {
            "session_id": str(session_id),
            "user_id": "11",
            "display_name": "Ada",
            "channel_id": "50",
            "channel_name": "Lobby",
            "period_index": 3,
            "joined_at": "2027-01-15T05:59:48.001Z",
            "left_at": "2027-01-15T06:00:00.000Z",
            "seconds": 0,
            "paused_seconds": {"deafened": 2, "muted": 3, "solo": 4},
            "unwitnessed_seconds": 1,
            "below_minimum": True,
            "reason": "leave",
            "state": "signed",
            "corrected_seconds": 0,
        }
    ]
    table = await client.get(f"{BASE}/sessions", headers=world.auth(), params={"format": "csv"})
    header, line, *rest = table.text.split("\r\n")
    assert header.split(",")[9:12] == ["paused_seconds_deafened", "paused_seconds_muted", "paused_seconds_solo"]
    assert line.startswith(f"{session_id},11,Ada,50,Lobby,3,")
    assert rest == [""]


@pytest.mark.parametrize(
    "params",
    [
        {"from": "yesterday"},
        {"from": "2027-01-15"},
        {"from": "2027-01-15T08:00:00"},
        {"from": "2027-13-15T08:00:00Z"},
        {"to": "2027-01-15T08:00:00+25:00"},
        {"from": "2027-01-15T08:00:00Z", "to": "2027-01-15T07:59:59Z"},
        {"user_id": "x"},
        {"user_id": ""},
        {"channel_id": str(2**63)},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "1_0"},
        {"limit": "\uff15"},
        {"offset": "-1"},
        {"offset": "9" * 30},
        {"format": "xml"},
    ],
)
async def test_parameters_that_do_not_fit_are_422(sqlite_client, sqlite_world, params):
    answer = await sqlite_client.get(f"{BASE}/sessions", headers=sqlite_world.auth(), params=params)
    assert answer.status_code == 422
    assert list(answer.json()["details"]) == list(params)[-1:]


@pytest.mark.parametrize("params", [{}, {"user_id": "x"}])
async def test_a_parameter_that_is_missing_or_wrong_is_named_as_callers_know_it(sqlite_client, sqlite_world, params):
    answer = await sqlite_client.get(f"{BASE}/stats", headers=sqlite_world.auth(), params=params)
    assert (answer.status_code, list(answer.json()["details"])) == (422, ["user_id"])


async def test_a_body_that_is_missing_is_named(sqlite_client, sqlite_world):
    answer = await sqlite_client.patch(f"{BASE}/tracking-mode", headers=sqlite_world.auth())
    assert (answer.status_code, answer.json()["details"]) == (422, {"body": "required"})


async def test_blind_intervals_overlap_their_range(client, world):
    blind = schema.blind_interval
    first = {"started_at_ms": START_MS - 5 * HOUR, "ended_at_ms": START_MS - 4 * HOUR, "ended_by": "snapshot"}
    await world.put(blind, guild_id=GUILD, seq=1, cause="restart", **first)
    await world.put(blind, guild_id=GUILD, seq=2, started_at_ms=START_MS - HOUR, cause="disconnected")
    body = (await client.get(f"{BASE}/blind", headers=world.auth())).json()
    assert body == {
        "items": [
            {
                "started_at": "2027-01-15T07:00:00.000Z",
                "ended_at": None,
                "seconds": 3600,
                "cause": "disconnected",
                "ended_by": None,
            },
            {
                "started_at": "2027-01-15T03:00:00.000Z",
                "ended_at": "2027-01-15T04:00:00.000Z",
                "seconds": 3600,
                "cause": "restart",
                "ended_by": "snapshot",
            },
        ],
        "total": 2,
    }
    later = await client.get(f"{BASE}/blind", headers=world.auth(), params={"from": "2027-01-15T04:00:00Z"})
    assert [item["cause"] for item in later.json()["items"]] == ["disconnected"]
    earlier = await client.get(f"{BASE}/blind", headers=world.auth(), params={"to": "2027-01-15T09:00:00+02:00"})
    assert [item["cause"] for item in earlier.json()["items"]] == ["restart"]


async def test_live_occupancy_lists_open_sessions_by_channel(client, world):
    await world.name(11, "Ada")
    await world.opened(12, ago_ms=1000, channel_id=51, status="muted")
    await world.opened(11, ago_ms=3000)
    await world.opened(13, ago_ms=4000, channel_id=99)
    body = (await client.get(f"{BASE}/analytics/live-occupancy", headers=world.auth())).json()
    assert body["as_of"] == "2027-01-15T08:00:00.000Z"
    assert body["members"] == 3
    assert [(channel["channel_id"], channel["name"]) for channel in body["channels"]] == [
        ("50", "Lobby"),
        ("51", "=Stage"),
        ("99", "99"),
    ]
    assert body["channels"][0]["members"] == [
        {"user_id": "11", "display_name": "Ada", "joined_at": "2027-01-15T07:59:57.000Z", "status": "counted"}
    ]
    assert body["channels"][1]["members"][0]["status"] == "muted"
    await world.put(schema.blind_interval, guild_id=GUILD, seq=1, started_at_ms=START_MS - HOUR, cause="disconnected")
    blind = (await client.get(f"{BASE}/analytics/live-occupancy", headers=world.auth())).json()
    assert blind["as_of"] == "2027-01-15T07:00:00.000Z"


async def test_channels_are_those_that_the_gateway_knows(client, world):
    await world.channel(40, "Gone", deleted=True)
    body = (await client.get(f"{BASE}/channels", headers=world.auth())).json()
    assert body["total"] == 3
    assert body["items"][0] == {"channel_id": "50", "name": "Lobby", "kind": "voice", "parent_id": "52", "position": 50}
    page = (await client.get(f"{BASE}/channels", headers=world.auth(), params={"limit": 1, "offset": 2})).json()
    assert [item["kind"] for item in page["items"]] == ["category"]
