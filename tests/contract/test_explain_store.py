"""The queries behind explanations, and milestones, on both databases."""

from __future__ import annotations

import pytest

from attendance.domain.ids import ChannelId, GuildId, ShardId, UserId
from attendance.domain.stream.milestones import MILESTONE_MS, milestone_number
from attendance.errors import OwnershipLostError
from attendance.ports.explaining import ReplayStart, RulesVersion
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.explain import SqlExplainSource
from attendance.store.leases import SqlLeaseStore
from attendance.store.projection import SqlProjectionStore
from tests.api_world import GUILD as WORLD_GUILD
from tests.api_world import HOUR, MEMBER, START_MS, World
from tests.books import rows_of

GUILD, USER = GuildId(WORLD_GUILD), UserId(MEMBER)


async def test_sessions_that_overlap_the_range_come_oldest_first_up_to_the_limit(world: World) -> None:
    ids = [await world.session(MEMBER, HOUR // 2, ago_ms=hours * HOUR, channel_id=50 + hours) for hours in range(5)]
    await world.session(MEMBER + 1, HOUR)
    source = SqlExplainSource(world.database)

    async def found(from_ago: float, to_ago: float, limit: int = 10) -> list[int]:
        from_ms, to_ms = (START_MS - round(ago * HOUR) for ago in (from_ago, to_ago))
        async with source.view() as view:
            sessions = await view.member_sessions(GUILD, USER, from_ms, to_ms, limit)
        assert [it.session_id for it in sessions] == [ids[it.channel_id - 50] for it in sessions]
        return [it.channel_id - 50 for it in sessions]

    assert await found(9, -1) == [4, 3, 2, 1, 0]
    assert await found(9, -1, limit=2) == [4, 3]
    assert await found(4, 3.5) == []  # ends and begins exactly there
    assert await found(4.001, 3.499) == [4, 3]  # the last one only reaches into it
    assert await found(2.2, 2.1) == [2]  # one that is longer than the range
    assert await found(2.5, 2.5) == []


async def test_blind_intervals_that_touch_the_range_are_found_from_either_side(world: World) -> None:
    for seq, (start, end) in enumerate(((0, 10), (10, 10), (20, 30), (40, None))):
        await world.put(
            schema.blind_interval, guild_id=GUILD, seq=seq, started_at_ms=start, ended_at_ms=end, cause="restart", ended_by=None
        )
    async with SqlExplainSource(world.database).view() as view:

        async def found(from_ms: int, to_ms: int) -> list[int]:
            return [line.started_at_ms for line in await view.blind_within(GUILD, from_ms, to_ms)]

        assert await found(0, 100) == [0, 10, 20, 40]
        assert await found(5, 20) == [0, 10]
        assert await found(10, 20) == [10]
        assert await found(11, 20) == []
        assert await found(25, 26) == [20]
        assert await found(70, 80) == [40]


async def test_the_rules_of_a_range_are_those_in_force_where_it_begins_and_the_ones_set_within_it(world: World) -> None:
    for version, (from_ms, actor) in enumerate(((10, None), (20, 5), (20, 6), (30, 7)), start=1):
        digest = b"%d" % version
        values = {"version": version, "from_ms": from_ms, "actor_id": actor, "rules_sha256": digest, "rules": b"{}"}
        await world.put(schema.rules_version, guild_id=GUILD, **values)
    async with SqlExplainSource(world.database).view() as view:
        assert await view.rules_within(GUILD, 25, 30) == [RulesVersion(3, 20, b"3", UserId(6))]
        assert [row.version for row in await view.rules_within(GUILD, 5, 100)] == [1, 2, 3, 4]
        assert [row.version for row in await view.rules_within(GUILD, 10, 21)] == [1, 2, 3]
        assert await view.rules_within(GUILD, 0, 10) == []
        assert await view.afk_channel(GUILD) is None
    await world.change(schema.guild, schema.guild.c.guild_id == GUILD, afk_channel_id=51)
    async with SqlExplainSource(world.database).view() as view:
        assert await view.afk_channel(GUILD) == ChannelId(51)


async def test_lines_about_a_member_leave_out_only_what_is_about_others(world: World) -> None:
    for seq, user in enumerate((None, MEMBER, 99, None, 99, MEMBER, None)):
        line = b"%d" % seq
        await world.put(schema.journal, guild_id=GUILD, seq=seq, at_ms=seq // 2, user_id=user, type="x", line=line)
    async with SqlExplainSource(world.database).view() as view:
        assert await view.lines_about(GUILD, USER, ReplayStart(0, 0, None), 9) == b"0\n1\n3\n5\n6"
        assert await view.lines_about(GUILD, USER, ReplayStart(1, 0, b""), 3) == b"1\n3\n5"
        assert await view.lines_about(GUILD, USER, ReplayStart(9, 3, b""), 9) == b""
        assert [lines async for lines in view.lines_from(GUILD, 1, 4)] == [b"1\n2\n3\n4", b"5\n6"]
        assert [lines async for lines in view.lines_from(GUILD, 3, 4)] == [b"3\n4\n5\n6"]
        assert [lines async for lines in view.lines_from(GUILD, 7, 4)] == []


async def test_the_first_milestone_of_each_quarter_of_a_day_is_kept_and_the_nearest_before_is_found(database: Database) -> None:
    leases = SqlLeaseStore(database)
    (lease,) = await leases.acquire(1, [ShardId(0)], "one", 0, 1_000) or []
    store, held = SqlProjectionStore(database), {ShardId(0): lease}
    async with database.transaction() as connection:
        await connection.execute(schema.stream.insert().values(guild_id=GUILD, shard_count=1, closed_count=0))
    states = [(GUILD, seq, at_ms, b"%d" % seq) for seq, at_ms in ((3, 5), (7, MILESTONE_MS), (9, MILESTONE_MS + 5))]
    for state in states:
        await store.keep_milestones([state], held)
    kept = await rows_of(database, schema.milestone, schema.milestone.c.number)
    assert [(row["number"], row["seq"]) for row in kept] == [(0, 3), (1, 7)]
    async with SqlExplainSource(database).view() as view:
        for at_ms, seq in ((0, 3), (5, 3), (MILESTONE_MS - 1, 3), (MILESTONE_MS, 7), (9 * MILESTONE_MS, 7)):
            start = await view.replay_start(GUILD, at_ms)
            assert start is not None
            assert (start.seq, start.state) == (seq, b"%d" % seq)
        assert await view.replay_start(GuildId(1), 0) is None
    assert await leases.acquire(1, [ShardId(0)], "two", 2_000, 3_000)
    with pytest.raises(OwnershipLostError):
        await store.keep_milestones([(GUILD, 99, 99 * MILESTONE_MS, b"")], held)
    assert milestone_number(-1) == -1
