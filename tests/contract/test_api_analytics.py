"""Heatmap, trend and channel statistics over HTTP, on both databases; lists as tables; HEAD."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from attendance.store import schema
from tests.api_world import BASE, GUILD, HOUR, MEMBER, OTHER_GUILD, World

QUARTER = 900_000


async def ask(client, world: World, path: str, **params):
    answer = await client.get(f"{BASE}/{path}", headers=world.auth(), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(client, world: World, path: str, **params) -> tuple[int, dict]:
    answer = await client.get(f"{BASE}/{path}", headers=world.auth(), params=params)
    return answer.status_code, answer.json().get("details", {})


def at(*when: int) -> int:
    return round(datetime(*when, tzinfo=UTC).timestamp() * 1000)


async def cell(world: World, at_ms: int, credited_ms: int, channel_id: int = 50) -> None:
    await world.put(
        schema.channel_quarter, guild_id=GUILD, quarter=at_ms // QUARTER, channel_id=channel_id, credited_ms=credited_ms
    )


def filled(cells: list[list[int]]) -> dict[tuple[int, int], int]:
    return {(day, hour): seconds for day, row in enumerate(cells) for hour, seconds in enumerate(row) if seconds}


async def test_a_heatmap_has_each_hour_of_the_week_in_the_time_zone_asked_for(client, world):
    world.clock.at_ms = at(2027, 1, 15, 8)  # a Friday
    await cell(world, at(2027, 1, 11, 0), 60_000)  # Monday's first hour in UTC, Sunday's 19th in New York
    await cell(world, at(2027, 1, 11, 0, 45), 30_999, channel_id=51)
    await cell(world, at(2027, 1, 4, 0), 1_001)
    await world.opened(11, ago_ms=1_000)
    heatmap = await ask(client, world, "analytics/heatmap")
    assert [len(row) for row in heatmap["cells"]] == [24] * 7
    assert filled(heatmap["cells"]) == {(0, 0): 92, (4, 7): 1}
    assert (heatmap["timezone"], heatmap["from"], heatmap["to"]) == (
        "UTC",
        "2026-12-19T00:00:00.000Z",
        "2027-01-15T08:00:00.000Z",
    )
    assert filled((await ask(client, world, "analytics/heatmap", tz="America/New_York"))["cells"]) == {(6, 19): 92, (4, 2): 1}
    short = await ask(client, world, "analytics/heatmap", days=5, tz="Europe/Berlin")
    assert (short["from"], filled(short["cells"])) == ("2027-01-10T23:00:00.000Z", {(0, 1): 90, (4, 8): 1})


async def test_days_of_23_and_25_hours_keep_all_their_time(client, world):
    for start, hours in ((at(2026, 3, 28, 23), 23), (at(2026, 10, 24, 22), 25)):
        world.clock.at_ms = start + hours * HOUR - 1
        for quarter in range(hours * 4):
            await cell(world, start + quarter * QUARTER, 900_000)
        heatmap = await ask(client, world, "analytics/heatmap", days=1, tz="Europe/Berlin")
        cells = filled(heatmap["cells"])
        assert sum(cells.values()) == hours * 3600
        assert {day for day, _ in cells} == {6}
        # The night's third hour is left out in March, and shown twice in October.
        assert cells.get((6, 2), 0) == (0 if hours == 23 else 7200)
        trend = await ask(client, world, "analytics/trend", days=1, tz="Europe/Berlin")
        assert [part["seconds"] for part in trend["items"]] == [hours * 3600]


async def test_a_trend_counts_sessions_where_they_ended_and_members_wherever_they_were(client, world):
    world.clock.at_ms = at(2027, 1, 13, 12)
    await world.session(11, 2 * HOUR, ago_ms=35 * HOUR)  # 11 January 23:00 to 12 January 01:00
    await world.session(11, HOUR, ago_ms=20 * HOUR)
    await world.session(12, 1_500, ago_ms=HOUR)
    await world.opened(13, ago_ms=14 * HOUR)  # since 12 January 22:00
    trend = await ask(client, world, "analytics/trend", days=3)
    assert [tuple(part.values()) for part in trend["items"]] == [
        ("2027-01-11", 3600, 0, 1),
        ("2027-01-12", 3600 + 3600 + 7200, 2, 2),
        ("2027-01-13", 12 * 3600 + 1, 2, 2),
    ]
    assert (trend["seconds"], trend["sessions"], trend["total"]) == (17 * 3600 + 1, 4, 3)
    weeks = await ask(client, world, "analytics/trend", days=4, unit="week")
    assert [tuple(part.values()) for part in weeks["items"]] == [
        ("2027-01-04", 0, 0, 0),
        ("2027-01-11", 17 * 3600 + 1, 4, 3),
    ]
    months = await ask(client, world, "analytics/trend", days=14, unit="month")
    assert [part["date"] for part in months["items"]] == ["2026-12-01", "2027-01-01"]


async def test_a_members_days_are_of_all_periods_in_the_time_zone_asked_for_and_without_gaps(client, world):
    world.clock.at_ms = at(2027, 1, 13, 12)
    await world.session(11, 2 * HOUR, ago_ms=35 * HOUR)  # 11 January 23:00 to 12 January 01:00
    await world.session(11, 90_999, period_index=2, ago_ms=59 * HOUR)
    await world.session(12, HOUR, ago_ms=20 * HOUR)
    await world.opened(11, ago_ms=1_500)
    told = await ask(client, world, "stats/days", user_id="11", days=4)
    assert [tuple(part.values()) for part in told["items"]] == [
        ("2027-01-10", 0),
        ("2027-01-11", 3_690),
        ("2027-01-12", 3_600),
        ("2027-01-13", 2),
    ]
    assert (told["seconds"], told["total"], told["timezone"]) == (7_292, 4, "UTC")
    tokyo = await ask(client, world, "stats/days", user_id="11", days=2, tz="Asia/Tokyo")
    assert [tuple(part.values()) for part in tokyo["items"]] == [("2027-01-12", 7_200), ("2027-01-13", 1)]
    assert (await ask(client, world, "stats/days", user_id="99", days=366))["seconds"] == 0
    assert await refused(client, world, "stats/days", user_id="11", tz="Mars") == (
        422,
        {"tz": "a time zone of the IANA database, such as Europe/Berlin"},
    )
    assert (await client.get(f"{BASE}/stats/days?user_id=11", headers=world.auth(11))).status_code == 200
    assert (await client.get(f"{BASE}/stats/days?user_id=11", headers=world.auth(12))).status_code == 403
    lines = (await client.get(f"{BASE}/stats/days?user_id=11&days=1&format=csv", headers=world.auth())).text
    assert lines == "date,seconds\r\n2027-01-13,1\r\n"


async def test_a_distribution_has_classes_quartiles_and_what_the_tenth_with_the_most_has(client, world):
    world.clock.at_ms = at(2027, 1, 13, 12)
    for user, credited_ms in ((11, 999), (12, 1_000), (13, 900_000), (14, 2 * HOUR)):
        await world.session(user, credited_ms, ago_ms=HOUR)
    await world.session(14, HOUR, period_index=2, ago_ms=30 * HOUR)
    await world.session(15, 5_000, below_minimum=True, ago_ms=30 * HOUR)  # was there, and was credited nothing
    await world.session(16, 2 * HOUR, ago_ms=11 * HOUR)  # since before midnight: half of it is today's
    await world.opened(13, ago_ms=500)
    await world.opened(17, ago_ms=1_500)
    told = await ask(client, world, "analytics/distribution", days=2)
    assert [tuple(one.values()) for one in told["items"]] == [
        (0, 1, 2, 0),
        (1, 900, 2, 3),  # 0.999 + 2.5 s, rounded cumulatively
        (900, 1800, 1, 900),
        (1800, 3600, 0, 0),
        (3600, 7200, 0, 0),
        (7200, 14400, 2, 5 * 3600),
    ]
    total = 5 * 3600 + 900 + 3
    assert (told["members"], told["members_with_time"], told["seconds"], told["total"]) == (7, 5, total, 6)
    assert told["quartiles"] == {"lower_seconds": 1, "median_seconds": 900, "upper_seconds": 7200}
    assert told["top_tenth"] == {"members": 1, "seconds": 3 * 3600, "share": round(10_800_000 / (total * 1000 + 999), 4)}
    assert told["erased_seconds"] == 0
    today = await ask(client, world, "analytics/distribution", days=1)
    assert (today["members"], today["seconds"]) == (6, 3 * 3600 + 900 + 3)
    lines = (await client.get(f"{BASE}/analytics/distribution?days=1&format=csv", headers=world.auth())).text.splitlines()
    assert lines[:2] == ["from_seconds,to_seconds,members,seconds", "0,1,1,0"]


async def test_a_distribution_of_nobody_has_neither_classes_nor_quartiles(client, world):
    told = await ask(client, world, "analytics/distribution")
    assert (told["members"], told["seconds"], told["items"], told["quartiles"]) == (0, 0, [], None)
    assert told["top_tenth"] == {"members": 0, "seconds": 0, "share": None}
    channels = await ask(client, world, "analytics/channels")
    assert (channels["seconds"], channels["sessions"], channels["items"], channels["total"]) == (0, 0, [], 0)


async def test_a_range_by_channel_is_sorted_and_adds_up_to_the_trend(client, world):
    world.clock.at_ms = at(2027, 1, 13, 12)
    await world.channel(53, "=Stage")
    await world.session(11, 2 * HOUR, ago_ms=35 * HOUR)  # 11 January 23:00 to 12 January 01:00
    await world.session(11, 1_600, channel_id=53, ago_ms=HOUR)
    await world.session(12, 1_600, channel_id=54, ago_ms=2 * HOUR)
    await world.session(12, 1_600, channel_id=54, ago_ms=50 * HOUR)  # 11 January
    await world.opened(13, ago_ms=14 * HOUR)  # since 12 January 22:00
    told = await ask(client, world, "analytics/channels", days=2)
    assert [tuple(one.values()) for one in told["items"]] == [
        ("50", "Lobby", 15 * 3600, 2, 2),
        ("53", "=Stage", 1, 1, 1),
        ("54", "54", 2, 1, 1),
    ]
    trend = await ask(client, world, "analytics/trend", days=2)
    assert (told["seconds"], told["sessions"], told["total"]) == (trend["seconds"], trend["sessions"], 3)
    assert (told["from"], told["to"], told["timezone"]) == (trend["from"], trend["to"], "UTC")
    tokyo = await ask(client, world, "analytics/channels", days=1, tz="Asia/Tokyo")  # since 12 January 15:00 UTC
    assert [one["seconds"] for one in tokyo["items"]] == [14 * 3600, 1, 2]
    table = (await client.get(f"{BASE}/analytics/channels?days=2&format=csv", headers=world.auth())).text.splitlines()
    assert table[2] == "53,'=Stage,1,1,1"


async def test_a_channel_shows_its_members_its_days_and_how_many_were_there_at_once(client, world):
    await world.name(11, "Ada")
    await world.session(11, 2 * HOUR, ago_ms=HOUR)
    await world.session(12, HOUR, ago_ms=2 * HOUR)  # leaves while 11 is there
    await world.session(13, HOUR, ago_ms=HOUR)  # comes as 12 leaves
    await world.session(14, 30 * 60_000, channel_id=51, ago_ms=HOUR)
    await world.session(15, HOUR, period_index=2, ago_ms=101 * HOUR)
    await world.opened(11, ago_ms=1_999)
    stats = await ask(client, world, "channel-stats", channel_id="50")
    assert (stats["name"], stats["seconds"], stats["sessions"], stats["members"]) == ("Lobby", 4 * 3600 + 1, 4, 3)
    assert stats["peak"] == 2
    assert [tuple(part.values()) for part in stats["by_member"]] == [
        ("11", "Ada", 7201, 2, True),
        ("12", "12", 3600, 1, False),
        ("13", "13", 3600, 1, False),
    ]
    assert stats["by_day"] == [{"date": "2027-01-15", "seconds": 4 * 3600 + 1}]
    first = await ask(client, world, "channel-stats", channel_id="50", limit="1")
    assert first == {**stats, "by_member": stats["by_member"][:1]}


async def test_the_quarter_in_which_a_period_begins_is_shared_with_the_one_before(client, world):
    await world.change(schema.period, schema.period.c.period_index == 3, started_at_ms=at(2027, 1, 15, 6, 50))
    await world.session(11, 300_000, period_index=2, ago_ms=70 * 60_000)
    await world.session(11, 600_000, ago_ms=60 * 60_000)
    stats = await ask(client, world, "channel-stats", channel_id="50")
    assert (stats["seconds"], stats["by_day"]) == (600, [{"date": "2027-01-15", "seconds": 600}])


async def test_a_channel_without_anybody_has_zeros_and_a_foreign_one_is_no_more_than_unknown(client, world):
    empty = await ask(client, world, "channel-stats", channel_id="51")
    assert (empty["seconds"], empty["members"], empty["peak"], empty["by_member"], empty["by_day"]) == (0, 0, 0, [], [])
    await world.channel(60, "theirs", guild_id=OTHER_GUILD)
    answers = [
        (await client.get(f"{BASE}/channel-stats", headers=world.auth(), params={"channel_id": channel})).text
        for channel in ("60", "61")
    ]
    assert answers == ['{"error":"there is no such channel"}'] * 2
    for path in ("sessions", "leaderboard"):
        assert await ask(client, world, path, channel_id="60") == await ask(client, world, path, channel_id="61")


async def test_what_is_no_day_unit_zone_or_channel_is_refused_by_name(client, world):
    for path in ("analytics/heatmap", "analytics/trend", "analytics/distribution", "analytics/channels"):
        for name, values in {
            "days": ("0", "367", "x", "1.5", "\uff11"),
            "tz": ("Mars/Base", "", "../etc", "localtime", "a" * 65),
        }.items():
            for value in values:
                assert (await refused(client, world, path, **{name: value}))[1].keys() == {name}, value
    assert await refused(client, world, "analytics/trend", unit="year") == (422, {"unit": "Invalid enum value 'year'"})
    for value in ("", "x", "-1", "\uff15\uff10", str(2**63)):
        assert (await refused(client, world, "channel-stats", channel_id=value))[1].keys() == {"channel_id"}
    assert await refused(client, world, "channel-stats") == (422, {"channel_id": "required"})


@pytest.mark.parametrize(
    "path",
    ["analytics/heatmap", "analytics/trend", "analytics/distribution", "analytics/channels", "channel-stats?channel_id=50"],
)
async def test_only_who_may_read_the_guild_sees_its_reports(sqlite_client, sqlite_world, path):
    assert (await sqlite_client.get(f"{BASE}/{path}")).status_code == 401
    assert (await sqlite_client.get(f"{BASE}/{path}", headers=sqlite_world.auth(MEMBER))).status_code == 403
    assert (await sqlite_client.get(f"{BASE}/{path}", headers=sqlite_world.auth(guild=OTHER_GUILD))).status_code == 403


LISTS = (
    "leaderboard",
    "sessions",
    "blind",
    "tracked-channels",
    "channels",
    "signing/history",
    "signing/keys",
    "opt-outs",
    "erasures",
    "analytics/trend",
    "analytics/heatmap",
    "analytics/distribution",
    "analytics/channels",
)


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_is_a_table_too(sqlite_client, sqlite_world, path):
    world = sqlite_world
    await world.session(11, 5000)
    params = {"format": "csv"}
    if not path.startswith("analytics"):
        params["limit"] = "10000"
        assert await refused(sqlite_client, world, path, limit="201") == (422, {"limit": "at most 200, but for format=csv"})
        assert (await refused(sqlite_client, world, path, format="csv", limit="10001"))[0] == 422
    answer = await sqlite_client.get(f"{BASE}/{path}", headers=world.auth(), params=params)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/csv")
    header, *lines = list(csv.reader(io.StringIO(answer.text)))
    assert all(len(line) == len(header) for line in lines)
    assert len(lines) == int(answer.headers["x-total-count"])


async def test_head_is_get_without_a_body_and_nothing_else(sqlite_client, sqlite_world):
    headers = sqlite_world.auth()
    for path in ("/health", f"{BASE}/overview", "/nowhere", f"{BASE}/analytics/heatmap?days=0"):
        got, head = await sqlite_client.get(path, headers=headers), await sqlite_client.head(path, headers=headers)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["content-length"] == got.headers["content-length"]
    refusal = await sqlite_client.head(f"{BASE}/reset-now", headers=headers)
    assert (refusal.status_code, refusal.headers["allow"]) == (405, "OPTIONS, POST")
    assert (await sqlite_client.post("/health")).headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_search_and_an_overview_say_the_same_from_the_copy_in_memory_and_from_the_database(client, world):
    for user, name in ((11, "Ada"), (12, "Bob"), (13, "Adam")):
        await world.name(user, name)
        await world.session(user, user * 1000)
    await world.opened(13, ago_ms=HOUR)
    await world.opened(14, ago_ms=1_000)
    before = await ask(client, world, "overview")
    found = await ask(client, world, "leaderboard", search="ada")
    assert [(item["rank"], item["user_id"], item["live"]) for item in found["items"]] == [(1, "13", True), (3, "11", False)]
    assert (await ask(client, world, "leaderboard", search="ada", limit=1, offset=1))["items"] == found["items"][1:]
    assert await ask(client, world, "overview") == before
    assert before["totals"] == {"seconds": 11 + 12 + 13 + 3600 + 1, "sessions": 5, "members": 4}


async def test_a_correction_shows_at_once_though_no_session_closed(client, world):
    await world.session(11, 5000)
    assert (await ask(client, world, "leaderboard"))["items"][0]["seconds"] == 5
    await world.change(schema.period_member, schema.period_member.c.user_id == 11, credited_ms=9000, rank_key=-9000)
    await world.change(schema.stream, schema.stream.c.guild_id == GUILD, sums_revision=1)
    assert (await ask(client, world, "leaderboard"))["items"][0]["seconds"] == 9
