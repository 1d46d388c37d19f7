"""Leaderboards, statistics and overviews over HTTP, on both databases."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from random import Random

import pytest

from attendance.services.leaderboards import LeaderboardQuery
from attendance.store import schema
from tests.api_world import BASE, GUILD, HOUR, MANAGER, MEMBER, START_MS, World


async def lines(client, world: World, **params):
    answer = await client.get(f"{BASE}/leaderboard", headers=world.auth(), params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [(item["rank"], item["user_id"], item["seconds"], item["sessions"], item["live"]) for item in body["items"]], body[
        "total"
    ]


async def test_a_leaderboard_ranks_by_time_and_shares_ranks(client, world):
    for user, milliseconds in ((11, 5000), (12, 9999), (13, 5000), (14, 4999), (15, 0)):
        await world.session(user, milliseconds)
    await world.name(12, "Ada")
    assert await lines(client, world) == (
        [
            (1, "12", 9, 1, False),
            (2, "11", 5, 1, False),
            (2, "13", 5, 1, False),
            (4, "14", 4, 1, False),
            (5, "15", 0, 1, False),
        ],
        5,
    )
    answer = await client.get(f"{BASE}/leaderboard", headers=world.auth(), params={"limit": 2})
    assert [item["display_name"] for item in answer.json()["items"]] == ["Ada", "11"]


async def test_ranks_hold_across_pages_that_begin_within_a_tie(client, world):
    for user in range(20, 30):
        await world.session(user, 5000)
    await world.session(19, 6000)
    await world.opened(31, ago_ms=5000)
    whole, total = await lines(client, world, limit=200)
    assert (total, [rank for rank, *_ in whole]) == (12, [1] + [2] * 11)
    for offset in range(14):
        assert await lines(client, world, limit=3, offset=offset) == (whole[offset : offset + 3], 12)


async def test_open_sessions_count_up_to_now_and_take_their_place(client, world):
    await world.session(11, 2 * HOUR)
    await world.session(12, HOUR)
    await world.opened(12, ago_ms=2 * HOUR)
    await world.opened(13, ago_ms=HOUR)
    assert await lines(client, world) == (
        [(1, "12", 10800, 2, True), (2, "11", 7200, 1, False), (3, "13", 3600, 1, True)],
        3,
    )
    world.clock.advance(2 * HOUR)
    assert [user for _, user, *_ in (await lines(client, world))[0]] == ["12", "13", "11"]


async def test_an_open_session_below_the_minimum_is_credited_nothing(client, world):
    await world.opened(13, ago_ms=HOUR, min_session_ms=HOUR + 1)
    await world.opened(14, ago_ms=HOUR, min_session_ms=HOUR + 1, stay_counted_ms=1)
    assert await lines(client, world) == ([(1, "14", 3600, 1, True), (2, "13", 0, 1, True)], 2)


async def test_while_blind_open_sessions_are_reckoned_to_its_beginning(client, world):
    await world.opened(13, ago_ms=HOUR)
    await world.put(schema.blind_interval, guild_id=GUILD, seq=1, started_at_ms=START_MS - HOUR // 2, cause="disconnected")
    assert (await lines(client, world))[0] == [(1, "13", 1800, 1, True)]


async def test_after_the_owner_died_open_sessions_are_reckoned_to_its_last_sign_of_life(client, world):
    await world.opened(13, ago_ms=HOUR)
    lease = schema.shard_lease
    await world.change(lease, lease.c.shard_id == 0, expires_at_ms=START_MS, alive_at_ms=START_MS - HOUR // 4)
    assert (await lines(client, world))[0] == [(1, "13", 2700, 1, True)]


async def test_a_session_that_closes_shows_at_once_in_a_leaderboard_that_was_read_before(client, world):
    for user in range(20, 26):
        await world.session(user, user * 1000)
    assert (await lines(client, world, limit=1))[0] == [(1, "25", 25, 1, False)]
    await world.session(20, 10_000)
    await world.session(30, 22_500)
    assert [(user, seconds, sessions) for _, user, seconds, sessions, _ in (await lines(client, world))[0]] == [
        ("20", 30, 2),
        ("25", 25, 1),
        ("24", 24, 1),
        ("23", 23, 1),
        ("30", 22, 1),
        ("22", 22, 1),
        ("21", 21, 1),
    ]


async def test_one_channel_has_its_own_leaderboard(client, world):
    await world.session(11, 5000, channel_id=50)
    await world.session(11, 9000, channel_id=51)
    await world.session(12, 6000, channel_id=50)
    await world.opened(13, ago_ms=5500, channel_id=50)
    await world.opened(14, ago_ms=9000, channel_id=51)
    assert await lines(client, world, channel_id="50") == (
        [(1, "12", 6, 1, False), (2, "13", 5, 1, True), (3, "11", 5, 1, False)],
        3,
    )


async def test_members_found_by_name_keep_the_rank_they_have_among_all(client, world):
    for user, name in ((11, "Ada 100%"), (12, "Bob"), (13, "ADAm"), (14, "Eve_")):
        await world.name(user, name)
        await world.session(user, user * 1000)
    await world.opened(15, ago_ms=HOUR)
    await world.name(15, "Adalbert")
    found, total = await lines(client, world, search="ada")
    assert ([(rank, user) for rank, user, *_ in found], total) == ([(1, "15"), (3, "13"), (5, "11")], 3)
    assert [user for _, user, *_ in (await lines(client, world, search="%"))[0]] == ["11"]
    assert [user for _, user, *_ in (await lines(client, world, search="_"))[0]] == ["14"]
    assert [user for _, user, *_ in (await lines(client, world, search="12"))[0]] == ["12"]
    assert await lines(client, world, search="nobody") == ([], 0)
    for bad in ("", "a\0b", "x" * 101):
        answer = await client.get(f"{BASE}/leaderboard", headers=world.auth(), params={"search": bad})
        assert answer.status_code == 422


async def test_an_archived_period_shows_its_entries(client, world):
    await world.put(
        schema.period,
        guild_id=GUILD,
        period_index=2,
        started_at_ms=0,
        ended_at_ms=9,
        state="archived",
        entry_count=3,
    )
    for position, user in enumerate((12, 11, None)):
        await world.put(
            schema.period_entry,
            guild_id=GUILD,
            period_index=2,
            position=position,
            user_id=user,
            rank=min(position + 1, 2),
            credited_ms=5000 if position else 7000,
            session_count=4,
            leaf_sha256=b"l" * 32,
        )
    assert await lines(client, world, period_index=2) == (
        [(1, "12", 7, 4, False), (2, "11", 5, 4, False), (2, None, 5, 4, False)],
        3,
    )
    assert (await lines(client, world, period_index=2, offset=1, limit=1))[0] == [(2, "11", 5, 4, False)]
    gone = await client.get(f"{BASE}/leaderboard", headers=world.auth(), params={"period_index": 77})
    assert gone.status_code == 404


async def test_a_period_that_was_cut_is_shown_up_to_its_end(client, world):
    await world.opened(13, ago_ms=HOUR)
    period = schema.period
    await world.change(period, period.c.period_index == 3, state="cut", ended_at_ms=START_MS - HOUR // 2)
    await world.put(period, guild_id=GUILD, period_index=4, started_at_ms=START_MS - HOUR // 2, state="running")
    assert (await lines(client, world, period_index=3))[0] == [(1, "13", 1800, 1, True)]
    assert await lines(client, world) == ([], 0)


async def test_a_guild_without_any_period_has_an_empty_leaderboard(client, world):
    await world.remove(schema.period, schema.period.c.guild_id == GUILD)
    assert await lines(client, world) == ([], 0)


async def test_tables_do_not_run_formulas(client, world):
    await world.name(11, '=HYPERLINK("x")')
    await world.name(12, 'quoted "name", with comma')
    await world.session(11, 5000)
    await world.session(12, 4000)
    answer = await client.get(f"{BASE}/leaderboard", headers=world.auth(), params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["x-total-count"] == "2"
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["rank", "user_id", "display_name", "seconds", "sessions", "live", "corrected_seconds"],
        ["1", "11", '\'=HYPERLINK("x")', "5", "1", "false", "0"],
        ["2", "12", 'quoted "name", with comma', "4", "1", "false", "0"],
    ]


async def test_a_member_never_seen_has_zeros(client, world):
    answer = await client.get(f"{BASE}/stats", headers=world.auth(), params={"user_id": "4711"})
    assert answer.status_code == 200
    assert answer.json() == {
        "user_id": "4711",
        "display_name": "4711",
        "period_index": 3,
        "seconds": 0,
        "sessions": 0,
        "rank": None,
        "live": False,
        "paused_seconds": {"deafened": 0, "muted": 0, "solo": 0},
        "unwitnessed_seconds": 0,
        "external_seconds": 0,
        "first_seen": None,
        "last_seen": None,
        "by_channel": [],
        "by_day": [],
        "recent": [],
    }


async def test_a_member_s_parts_add_up_and_include_the_open_session(client, world):
    await world.name(MEMBER, "Me")
    await world.session(MEMBER, 1500, channel_id=50, ago_ms=30 * HOUR, signed=True)
    await world.session(MEMBER, 1500, channel_id=51, ago_ms=3 * HOUR, pauses=(1000, 2000, 3000, 4000))
    await world.session(12, 10_000)
    await world.opened(
        MEMBER,
        ago_ms=2500,
        channel_id=51,
        status="muted",
        since_ms=START_MS - 1000,
        timeline=b'[[%d,%d,"counted"]]' % (START_MS - 2500, START_MS - 1000),
        counted_ms=1500,
    )
    body = (await client.get(f"{BASE}/stats", headers=world.auth(), params={"user_id": MEMBER})).json()
    assert {name: body[name] for name in ("seconds", "sessions", "rank", "live", "unwitnessed_seconds")} == {
        "seconds": 4,
        "sessions": 3,
        "rank": 2,
        "live": True,
        "unwitnessed_seconds": 1,
    }
    assert body["paused_seconds"] == {"deafened": 2, "muted": 4, "solo": 4}
    assert [(part["channel_id"], part["name"], part["seconds"], part["sessions"]) for part in body["by_channel"]] == [
        ("51", "=Stage", 3, 2),
        ("50", "Lobby", 1, 1),
    ]
    assert body["by_day"] == [{"date": "2027-01-14", "seconds": 1}, {"date": "2027-01-15", "seconds": 3}]
    assert (body["first_seen"], body["last_seen"]) == ("2027-01-14T01:59:58.500Z", "2027-01-15T08:00:00.000Z")
    assert [(line["channel_id"], line["seconds"], line["state"]) for line in body["recent"]] == [
        ("51", 1, "pending"),
        ("50", 1, "signed"),
    ]


async def test_days_are_those_of_the_guild_s_time_zone(client, world):
    await client.patch(f"{BASE}/reset-interval", headers=world.auth(), json={"timezone": "Pacific/Auckland"})
    ago = world.clock.now_ms() - START_MS + 22 * HOUR  # 10:00 UTC the day before is 23:00 in Auckland
    await world.session(11, 2 * HOUR, ago_ms=ago - 2 * HOUR)
    body = (await client.get(f"{BASE}/stats", headers=world.auth(), params={"user_id": 11})).json()
    assert body["by_day"] == [{"date": "2027-01-14", "seconds": 3600}, {"date": "2027-01-15", "seconds": 3600}]


async def test_members_see_their_own_numbers_and_nobody_else_s(client, world):
    own = await client.get(f"{BASE}/stats", headers=world.auth(MEMBER), params={"user_id": str(MEMBER)})
    assert own.status_code == 200
    for params in ({"user_id": "11"}, {}, {"user_id": "abc"}):
        other = await client.get(f"{BASE}/stats", headers=world.auth(MEMBER), params=params)
        assert other.status_code == 403


async def test_the_overview_shows_the_running_period_with_open_sessions(client, world):
    await world.session(11, 5500)
    await world.session(12, 700)
    await world.opened(12, ago_ms=800)
    await world.opened(13, ago_ms=0, channel_id=51)
    blind = schema.blind_interval
    await world.put(blind, guild_id=GUILD, seq=1, started_at_ms=0, ended_at_ms=START_MS - 99 * HOUR, cause="restart")
    await world.put(schema.record_queue, guild_id=GUILD, type="voice.session", created_at_ms=START_MS)
    body = (await client.get(f"{BASE}/overview", headers=world.auth())).json()
    assert body == {
        "guild_id": str(GUILD),
        "name": "Guild",
        "tracking_mode": "All",
        "period": {"index": 3, "started_at": "2027-01-11T04:00:00.000Z", "ends_at": None},
        "occupancy": {"members": 2, "channels": 2},
        "signing": {"configured": False, "unlocked": False, "pending": 1},
        "totals": {"seconds": 7, "sessions": 3, "members": 3},
        "blind_seconds": 3600,
        "tier": "pro",
    }
    assert MANAGER != MEMBER


class NeverKept:
    """A cache that was always overtaken by a newer snapshot."""

    async def standings(self, _view, _board):
        return None


@pytest.mark.slow
async def test_the_database_alone_gives_the_same_pages_as_the_copy_in_memory(world):
    random = Random(5)
    for user in range(100, 130):
        await world.session(user, random.choice([0, 1000, 2000, random.randrange(5000)]))
    for user in (*range(100, 140, 4), 90):
        await world.opened(user, ago_ms=random.choice([0, 1000, 2000]))
    kept = world.services().leaderboards
    read = replace(kept, cache=NeverKept())
    query = LeaderboardQuery(guild_id=GUILD, limit=200, offset=0)
    whole = await kept.page(query)
    assert (whole.total, len(whole.lines)) == (33, 33)
    for offset in range(36):
        part = replace(query, limit=5, offset=offset)
        expected = whole.lines[offset : offset + 5]
        for leaderboards, changes in ((kept, {}), (read, {}), (kept, {"channel_id": 50})):
            page = await leaderboards.page(replace(part, **changes))
            assert (list(page.lines), page.total) == (expected, 33)
    found = await kept.page(replace(query, search="1"))
    assert list(found.lines) == []
    for line in whole.lines:
        stats = await world.services().statistics.member(GUILD, line.user_id)
        assert (stats.rank, stats.sums.credited_ms, stats.sums.session_count) == (
            line.rank,
            line.credited_ms,
            line.session_count,
        )
