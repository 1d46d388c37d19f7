"""`/stats/explain` and `/fairness/preview` over HTTP, on both databases."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any
from uuid import UUID

import pytest

from attendance.domain.instants import to_rfc3339
from attendance.services import explain as explaining
from attendance.store import schema
from tests.api_world import BASE, GUILD, HOUR, MANAGER, MEMBER, OTHER_GUILD, START_MS, World

DAY = 24 * HOUR
ME = str(MEMBER)


at = to_rfc3339


async def explained(client, world: World, *, user: int = MANAGER, member: str = ME, **params) -> dict[str, Any]:
    answer = await client.get(f"{BASE}/stats/explain", headers=world.auth(user), params={"user_id": member, **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def rules(world: World, version: int, from_ms: int, actor: int | None = MANAGER) -> bytes:
    digest = hashlib.sha256(b"%d" % version).digest()
    await world.put(
        schema.rules_version,
        guild_id=GUILD,
        version=version,
        from_ms=from_ms,
        rules_sha256=digest,
        rules=b"{}",
        actor_id=actor,
    )
    return digest


async def change_session(world: World, session_id: UUID, **values: Any) -> None:
    await world.change(schema.session, schema.session.c.session_id == session_id, **values)


async def test_a_session_is_told_stretch_by_stretch_with_its_rules(client, world):
    begin = START_MS - 3 * HOUR
    digest = await rules(world, 1, begin - HOUR)
    session_id = await world.session(MEMBER, 5_500, ago_ms=3 * HOUR - 10_000, signed=True)
    timeline = b'[[%d,%d,"counted"],[%d,%d,"muted"],[%d,%d,"bridged"]]' % (
        begin, begin + 1_500, begin + 1_500, begin + 6_000, begin + 6_000, begin + 10_000
    )  # fmt: skip
    await change_session(world, session_id, timeline=timeline, joined_at_ms=begin, rules_sha256=digest)
    body = await explained(client, world)
    common = {
        "channel_id": "50",
        "channel_name": "Lobby",
        "session_id": str(session_id),
        "state": "signed",
        "stay": 0,
        "part": 0,
        "reason": "leave",
        "below_minimum": False,
        "rules_version": 1,
        "rules_set_by": str(MANAGER),
        "rules_set_by_name": str(MANAGER),
        "rules_since": at(begin - HOUR),
    }
    expected = [
        (0, 1_500, 1, "counted", True, None),
        (1_500, 6_000, 4, "muted", False, "pause_on_mute"),
        (6_000, 10_000, 4, "bridged", True, "bridge_gap_seconds"),
    ]
    assert body["stretches"] == [
        {"start": at(begin + start), "end": at(begin + end), "seconds": seconds, "status": status, "credited": credited}
        | {"rule": rule, **common}
        for start, end, seconds, status, credited, rule in expected
    ]
    assert body["seconds"] == 5
    totals = {name: seconds for name, seconds in body["by_status"].items() if seconds}
    assert totals == {"counted": 1, "bridged": 4, "muted": 4}
    assert (body["from"], body["to"], body["as_of"]) == (at(START_MS - 100 * HOUR), at(START_MS), at(START_MS))
    part = await explained(client, world, **{"from": at(begin + 1_000), "to": at(begin + 7_000)})
    assert [(it["start"], it["end"], it["seconds"]) for it in part["stretches"]] == [
        (at(begin + 1_000), at(begin + 1_500), 0),
        (at(begin + 1_500), at(begin + 6_000), 4),
        (at(begin + 6_000), at(begin + 7_000), 1),
    ]
    assert part["seconds"] == 1


async def test_the_open_session_is_reckoned_to_now_and_everything_is_what_stats_say(client, world):
    await world.session(MEMBER, 5_999, pauses=(1_500, 2_000, 700, 999))
    await world.session(MEMBER, 9_001, below_minimum=True)
    await world.opened(MEMBER, ago_ms=HOUR + 1_002)
    body = await explained(client, world)
    answer = await client.get(f"{BASE}/stats", headers=world.auth(), params={"user_id": ME})
    assert body["seconds"] == answer.json()["seconds"] == 3_607
    assert body["by_status"]["below_minimum"] == 9
    last = body["stretches"][-1]
    assert (last["state"], last["session_id"], last["reason"], last["end"]) == ("open", None, None, at(START_MS))
    short = next(it for it in body["stretches"] if it["below_minimum"])
    assert (short["status"], short["credited"], short["rule"]) == ("counted", False, "min_session_seconds")


async def test_an_open_session_below_its_minimum_is_worth_nothing_yet(client, world):
    await world.opened(MEMBER, ago_ms=HOUR, min_session_ms=2 * HOUR)
    body = await explained(client, world)
    assert (body["seconds"], body["by_status"]["below_minimum"]) == (0, 3600)
    await world.remove(schema.open_session, schema.open_session.c.user_id == MEMBER)
    await world.opened(MEMBER, ago_ms=HOUR, min_session_ms=2 * HOUR, stay_counted_ms=HOUR)
    assert (await explained(client, world))["seconds"] == 3600


async def test_while_a_cut_closes_a_session_it_belongs_to_the_period_that_ended(client, world):
    await world.opened(MEMBER, ago_ms=HOUR)
    period = schema.period
    cut_ms = START_MS - HOUR // 2
    await world.change(period, period.c.period_index == 3, state="cut", ended_at_ms=cut_ms)
    await world.put(period, guild_id=GUILD, period_index=4, started_at_ms=cut_ms, state="running")
    assert (await explained(client, world))["stretches"] == []
    body = await explained(client, world, **{"from": at(cut_ms - DAY)})
    assert (body["seconds"], body["stretches"][-1]["end"]) == (1800, at(cut_ms))


async def test_blind_intervals_that_touch_the_range_are_listed_and_their_part_in_it_is_summed(client, world):
    for seq, (start, end) in enumerate(((-90, -80), (-30, -20), (-10, None))):
        values = {"started_at_ms": START_MS + start * 60_000, "ended_at_ms": end and START_MS + end * 60_000}
        await world.put(schema.blind_interval, guild_id=GUILD, seq=seq, cause="disconnected", **values)
    await world.opened(MEMBER, ago_ms=HOUR)
    body = await explained(client, world, **{"from": at(START_MS - 25 * 60_000)})
    assert [(it["started_at"], it["ended_at"]) for it in body["blind"]] == [
        (at(START_MS - 30 * 60_000), at(START_MS - 20 * 60_000)),
        (at(START_MS - 10 * 60_000), None),
    ]
    assert (body["blind_seconds"], body["as_of"]) == (15 * 60, at(START_MS - 10 * 60_000))
    assert body["stretches"][-1]["end"] == body["as_of"]


async def correction(world: World, session_id: UUID, delta_ms: int, *, late: bool = False, ago_ms: int = 2 * HOUR) -> None:
    await world.put(
        schema.correction,
        correction_id=world.ids.session_id(START_MS),
        guild_id=GUILD,
        session_id=session_id,
        user_id=MEMBER,
        channel_id=50,
        period_index=3,
        at_ms=START_MS - ago_ms - 1,
        delta_ms=delta_ms,
        actor_id=MANAGER,
        note="n",
        created_at_ms=START_MS,
        after_archive=late,
    )


async def test_corrections_are_in_the_total_and_late_ones_beside_it(client, world):
    session_id = await world.session(MEMBER, 5_900)
    await correction(world, session_id, 1_200)
    await correction(world, session_id, -600)
    await correction(world, session_id, 7_000, late=True)
    body = await explained(client, world)
    assert (body["seconds"], body["by_status"]["counted"], body["corrected_seconds"]) == (6, 5, 7)
    assert [it["after_archive"] for it in body["corrections"]] == [False, False, True]
    in_total = [it["seconds"] for it in body["corrections"] if not it["after_archive"]]
    assert body["by_status"]["counted"] + sum(in_total) == body["seconds"]
    assert (await explained(client, world, **{"from": at(START_MS - HOUR)}))["corrections"] == []


async def journalled(world: World, *lines: bytes) -> None:
    """Lines of the guild from its beginning: `at` is minutes before now."""
    await world.put(schema.milestone, guild_id=GUILD, number=0, seq=0, at_ms=START_MS - HOUR, state=None)
    for seq, line in enumerate(lines):
        minutes, _, rest = line.partition(b" ")
        at_ms = START_MS - int(minutes) * 60_000
        user = MEMBER if b"user_id" in rest else None
        text = b'{"at":%d,"guild_id":"%d",%b}' % (at_ms, GUILD, rest)
        await world.put(schema.journal, guild_id=GUILD, seq=seq, at_ms=at_ms, user_id=user, type="x", line=text)


IN = b'"type":"voice_state","user_id":"8","channel_id":"%d"'
OUT = b'"type":"opt_out","user_id":"8","out":true'


async def test_time_without_a_session_is_told_and_that_of_an_opt_out_to_the_member_alone(client, world):
    await journalled(world, b'50 "type":"rules","rules":{"mode":"off"}', b"40 " + IN % 50, b"30 " + OUT, b'20 "type":"blind"')
    mine = await explained(client, world, user=MEMBER)
    assert [(it["status"], it["rule"], it["seconds"], it["state"]) for it in mine["stretches"]] == [
        ("off", "tracking_mode", 600, None),
        ("opted_out", "opt_out", 600, None),
    ]
    assert (mine["seconds"], mine["by_status"]["off"], mine["journal_from"]) == (0, 600, at(START_MS - HOUR))
    asked = await explained(client, world)
    assert [it["status"] for it in asked["stretches"]] == ["off"]
    assert asked["by_status"]["opted_out"] == 0


async def test_what_a_session_covers_is_not_told_twice_where_the_journal_is_ahead(client, world):
    await journalled(world, b"40 " + IN % 50, b'30 "type":"rules","rules":{"mode":"off"}')
    await world.opened(MEMBER, ago_ms=40 * 60_000, channel_id=50)
    body = await explained(client, world)
    assert [(it["status"], it["seconds"]) for it in body["stretches"]] == [("counted", 2400)]


BAD_QUESTIONS = [
    ({}, "user_id"),
    ({"user_id": "\uff18"}, "user_id"),
    ({"user_id": "08"}, "user_id"),
    ({"user_id": "-1"}, "user_id"),
    ({"user_id": str(2**63)}, "user_id"),
    ({"user_id": ME, "from": "yesterday"}, "from"),
    ({"user_id": ME, "to": "2027-01-15T08:00:00"}, "to"),
    ({"user_id": ME, "to": "\uff12027-01-15T08:00:00Z"}, "to"),
    ({"user_id": ME, "from": "2027-02-30T08:00:00Z"}, "from"),
    ({"user_id": ME, "from": at(START_MS), "to": at(START_MS - 1)}, "to"),
    ({"user_id": ME, "to": at(START_MS - 101 * HOUR)}, "to"),
    ({"user_id": ME, "from": at(START_MS - 366 * DAY - 1)}, "from"),
    ({"user_id": ME, "from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}, "from"),
    ({"user_id": ME, "format": "xml"}, "format"),
]


async def test_bad_questions_are_422_and_name_what_is_wrong(sqlite_client, sqlite_world):
    for params, named in BAD_QUESTIONS:
        answer = await sqlite_client.get(f"{BASE}/stats/explain", headers=sqlite_world.auth(), params=params)
        assert answer.status_code == 422, answer.text
        assert set(answer.json()["details"]) == {named}


async def test_any_other_range_is_answered(sqlite_client, sqlite_world):
    await sqlite_world.opened(MEMBER)
    for params in (
        {"from": at(START_MS - 366 * DAY)},
        {"from": at(START_MS), "to": at(START_MS)},
        {"from": at(START_MS + DAY), "to": at(START_MS + 2 * DAY)},
        {"from": "0001-01-01T00:00:00Z", "to": "0001-01-02T00:00:00+14:00"},
    ):
        assert (await explained(sqlite_client, sqlite_world, **params))["seconds"] in (0, 3600)
    await sqlite_world.remove(schema.period, schema.period.c.guild_id == GUILD)
    assert (await explained(sqlite_client, sqlite_world))["stretches"] == []


async def test_a_long_running_period_is_told_from_366_days_ago(sqlite_client, sqlite_world):
    period = schema.period
    await sqlite_world.change(period, period.c.guild_id == GUILD, started_at_ms=START_MS - 400 * DAY)
    assert (await explained(sqlite_client, sqlite_world))["from"] == at(START_MS - 366 * DAY)


@pytest.mark.slow
async def test_a_member_asks_for_their_own_and_others_only_with_manage_server(sqlite_client, sqlite_world):
    world, path = sqlite_world, f"{BASE}/stats/explain"
    for user, member, guild, expected in (
        (MEMBER, ME, GUILD, 200),
        (MEMBER, "9", GUILD, 403),
        (MEMBER, "\uff18", GUILD, 403),
        (MANAGER, ME, GUILD, 200),
        (MANAGER, ME, OTHER_GUILD, 403),
    ):
        answer = await sqlite_client.get(path, headers=world.auth(user, guild), params={"user_id": member})
        assert answer.status_code == expected, (user, member, answer.text)
    assert (await sqlite_client.get(path, params={"user_id": ME})).status_code == 401
    nobody = await explained(sqlite_client, world, member="999")
    assert (nobody["seconds"], nobody["stretches"], nobody["display_name"]) == (0, [], "999")


async def test_too_many_stretches_are_refused(sqlite_client, sqlite_world, monkeypatch):
    monkeypatch.setattr(explaining, "MAX_STRETCHES", 2)
    for hours in range(2):
        await sqlite_world.session(MEMBER, 1_000, ago_ms=hours * HOUR)
    assert len((await explained(sqlite_client, sqlite_world))["stretches"]) == 2
    await sqlite_world.session(MEMBER, 1_000, ago_ms=2 * HOUR)
    answer = await sqlite_client.get(f"{BASE}/stats/explain", headers=sqlite_world.auth(), params={"user_id": ME})
    assert (answer.status_code, set(answer.json()["details"])) == (422, {"from"})


async def test_the_stretches_are_a_table_too(sqlite_client, sqlite_world):
    await sqlite_world.session(MEMBER, 5_500, channel_id=51)
    params = {"user_id": ME, "format": "csv"}
    answer = await sqlite_client.get(f"{BASE}/stats/explain", headers=sqlite_world.auth(), params=params)
    head, line = csv.reader(io.StringIO(answer.text))
    assert dict(zip(head, line, strict=True)).items() >= {
        ("status", "counted"), ("seconds", "5"), ("channel_name", "'=Stage"), ("credited", "true"), ("rule", "")
    }  # fmt: skip
    assert answer.headers["x-total-count"] == "1"


# -- the preview ----------------------------------------------------------------------------------------------------------


async def preview(client, world: World, body: Any, *, user: int = MANAGER, **params):
    return await client.post(f"{BASE}/fairness/preview", headers=world.auth(user), json=body, params=params)


async def test_a_preview_says_who_wins_and_who_loses(client, world):
    muted = b'"type":"voice_state","user_id":"11","channel_id":"50","self_mute":true'
    await journalled(world, b"50 " + IN % 50, b"40 " + muted)
    await world.name(11, "Ada")
    answer = await preview(client, world, {"pause_on_mute": True, "min_session_seconds": 3000})
    body = answer.json()
    assert answer.status_code == 200
    assert [(it["user_id"], it["seconds_now"], it["seconds_then"], it["change"]) for it in body["items"]] == [
        ("11", 2400, 0, "disappears"),
        ("8", 3000, 3000, "same"),
    ]
    assert body["items"][0]["display_name"] == "Ada"
    assert (body["seconds_now"], body["seconds_then"], body["difference_seconds"]) == (5400, 3000, -2400)
    assert (body["members_now"], body["members_then"], body["appearing"], body["disappearing"]) == (2, 1, 0, 1)
    assert (body["from"], body["to"], body["total"]) == (at(START_MS - HOUR), at(START_MS), 2)
    assert body["not_covered"] == [{"from": at(START_MS - 7 * DAY), "to": at(START_MS - HOUR), "why": "not_recorded"}]
    assert (body["rules_now"]["pause_on_mute"], body["rules_then"]["pause_on_mute"]) == (False, True)
    second = (await preview(client, world, {"pause_on_mute": True}, limit=1, offset=1)).json()
    assert [it["user_id"] for it in second["items"]] == ["8"]
    table = await preview(client, world, {"pause_on_mute": True}, format="csv")
    assert list(csv.reader(io.StringIO(table.text)))[1][:4] == ["11", "Ada", "2400", "0"]
    nothing = (await preview(client, world, {"tracking_mode": "oFF"})).json()
    assert (nothing["seconds_then"], nothing["disappearing"]) == (0, 2)
    listed = {"tracking_mode": "Allowlist", "tracked_channels": ["51"]}
    assert (await preview(client, world, listed)).json()["members_then"] == 0


async def test_a_preview_without_changes_shows_none_and_without_a_journal_nothing(client, world):
    empty = (await preview(client, world, {})).json()
    assert (empty["items"], empty["seconds_now"], empty["from"]) == ([], 0, empty["to"])
    assert empty["not_covered"][0]["to"] == empty["to"]
    await journalled(world, b"50 " + IN % 50, b'30 "type":"rules","rules":{"mode":"off"}')
    body = (await preview(client, world, {})).json()
    assert [(it["seconds_now"], it["difference_seconds"], it["change"]) for it in body["items"]] == [(3000, 0, "same")]


BAD_RULES: list[tuple[Any, str]] = [
    ({"pause_on_mute": "yes"}, "pause_on_mute"),
    ({"min_session_seconds": -1}, "min_session_seconds"),
    ({"bridge_gap_seconds": 601}, "bridge_gap_seconds"),
    ({"tracking_mode": "some"}, "tracking_mode"),
    ({"tracked_channels": ["77"]}, "tracked_channels"),
    ({"tracked_channels": ["\uff15\uff10"]}, "tracked_channels[0]"),
    ({"pause_on_deaf": True}, "body"),
    ([], "body"),
]


async def test_bad_rules_are_422_and_name_what_is_wrong(sqlite_client, sqlite_world):
    for body, named in BAD_RULES:
        answer = await preview(sqlite_client, sqlite_world, body)
        assert answer.status_code == 422, answer.text
        assert set(answer.json()["details"]) == {named}


async def test_a_preview_needs_the_right_to_change_the_rules(sqlite_client, sqlite_world):
    assert (await preview(sqlite_client, sqlite_world, {}, user=MEMBER)).status_code == 403
    assert (await sqlite_client.post(f"{BASE}/fairness/preview", json={})).status_code == 401
