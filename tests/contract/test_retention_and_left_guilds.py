"""What is too old goes by itself, and so do guilds that the bot has left for good."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from attendance.domain.observations import GuildLeft
from attendance.services.left_guilds import KEPT_MS, LeftGuildDeletion
from attendance.services.retention import Retention
from attendance.store import schema
from attendance.store.left_guilds import OF_THE_STREAM, SqlLeftGuilds, tables_of_guilds
from attendance.store.member_data import OF_TABLES, TOLD_OTHERWISE
from tests.books import books_balance, rows_of
from tests.observed import GUILDS, SHARD
from tests.owner import drained
from tests.privacy_world import DAY, GUILD, PrivacyWorld, archived_periods, sums_are_those_of_the_sessions
from tests.signing_world import chain_of


async def keep_for(world: PrivacyWorld, days: int) -> None:
    values = {"names_shown": True, "retention_days": days, "read_roles": "[]", "write_roles": "[]", "updated_at_ms": 0}
    async with world.database.transaction() as connection:
        await connection.execute(insert(schema.guild_preferences).values(guild_id=GUILD, **values))


def retention(world: PrivacyWorld) -> Retention:
    return Retention(world.steps, world.clock, sessions_a_step=7)


async def of_guild(world: PrivacyWorld, table) -> list[dict]:
    return [row for row in await rows_of(world.database, table) if row["guild_id"] == GUILD]


@pytest.mark.slow
async def test_sessions_older_than_the_days_go_from_everything_but_the_archives_numbers(database):
    world = PrivacyWorld(database)
    await world.live()
    await keep_for(world, 30)
    assert await retention(world).look() == 0
    others = [row for row in await rows_of(database, schema.session) if row["guild_id"] != GUILD]
    ends = sorted(row["left_at_ms"] for row in await of_guild(world, schema.session))
    half = ends[len(ends) // 2]
    world.clock.at_ms = half + 30 * DAY
    erased = await retention(world).look()
    assert 0 < erased == sum(end < half for end in ends)
    assert min(row["left_at_ms"] for row in await of_guild(world, schema.session)) >= half
    await sums_are_those_of_the_sessions(database)

    world.clock.at_ms += 30 * DAY
    await retention(world).look()
    for table in (schema.session, schema.period_member, schema.member_quarter, schema.external_attendance, schema.correction):
        assert await of_guild(world, table) == [], table.name
    entries = await of_guild(world, schema.period_entry)
    assert entries
    assert {(row["user_id"], row["salt"]) for row in entries} == {(None, None)}
    assert not [row for row in await of_guild(world, schema.member) if not row["bot"]]
    assert await of_guild(world, schema.rules_version)
    assert [row for row in await rows_of(database, schema.session) if row["guild_id"] != GUILD] == others
    assert await retention(world).look() == 0

    await world.signing.sign_all()
    whys = {record["why"] for record in await chain_of(database, GUILD) if record["type"] == "record.redacted"}
    assert whys == {"retention"}
    for index in await archived_periods(database):
        assert (await world.signing.verification.period(GUILD, index)).valid


def deletion(world: PrivacyWorld) -> LeftGuildDeletion:
    return LeftGuildDeletion(SqlLeftGuilds(world.database), world.clock, rows_a_step=13)


async def leave(world: PrivacyWorld) -> None:
    async with world.owner.term() as recorder:
        recorder.inlet.put_all(world.discord.connect())
        recorder.inlet.put(GuildLeft(world.discord.at_ms + 1, SHARD, GUILD))
        await drained(world.owner)
    world.discord.at_ms += 1


@pytest.mark.slow
async def test_a_guild_that_was_left_is_deleted_after_ninety_days_and_nothing_else_is(database):
    world = PrivacyWorld(database)
    await world.live()
    await keep_for(world, 400)
    world.discord.at_ms = world.clock.now_ms()
    await leave(world)
    left = {row["guild_id"]: row["left_at_ms"] for row in await rows_of(database, schema.guild)}
    world.clock.at_ms = left[GUILD] + KEPT_MS
    assert await deletion(world).look() == 0
    world.clock.advance(1)
    assert await deletion(world).look() == 1
    assert await deletion(world).look() == 0  # asked once
    assert {table.name for table in tables_of_guilds() if await of_guild(world, table)} <= {one.name for one in OF_THE_STREAM}
    async with world.owner.term() as recorder:
        recorder.commands.set()
        while await of_guild(world, schema.guild):
            recorder.commands.set()
            await world.owner.unless_it_ends(rows_of(database, schema.deployment))
    for table in tables_of_guilds():
        rows = await rows_of(database, table)
        assert not [row for row in rows if row["guild_id"] == GUILD], table.name
    for guild_id in GUILDS[1:]:
        assert [row for row in await rows_of(database, schema.session) if row["guild_id"] == guild_id]


@pytest.mark.slow
@pytest.mark.parametrize("in_one_term", [True, False])
async def test_a_bot_that_comes_back_to_a_deleted_guild_begins_anew(database, in_one_term):
    world = PrivacyWorld(database)
    await world.live(signed=False, periods=1, steps=80)
    world.discord.at_ms = world.clock.now_ms()
    await leave(world)
    world.clock.at_ms += KEPT_MS + 2
    assert await deletion(world).look() == 1
    world.discord.at_ms = world.clock.now_ms()

    async def forgotten(recorder) -> None:
        while await of_guild(world, schema.guild):
            recorder.commands.set()
            await world.owner.unless_it_ends(rows_of(database, schema.deployment))

    async def back(recorder) -> None:
        recorder.inlet.put_all(world.discord.connect())
        for _ in range(60):
            recorder.inlet.put_all(world.discord.step())
        recorder.inlet.put_all(world.discord.everyone_leaves())
        await drained(world.owner)

    async with world.owner.term() as recorder:
        await forgotten(recorder)
        if in_one_term:
            await back(recorder)
    if not in_one_term:
        async with world.owner.term() as recorder:
            await back(recorder)
    (guild,) = await of_guild(world, schema.guild)
    assert guild["left_at_ms"] is None
    (period,) = await of_guild(world, schema.period)
    assert period["period_index"] == 0
    await books_balance(database)


async def test_a_bot_that_is_back_in_time_stops_the_deletion(database):
    world = PrivacyWorld(database)
    await world.live(signed=False, periods=1, steps=60)
    world.discord.at_ms = world.clock.now_ms()
    await leave(world)
    world.clock.at_ms += KEPT_MS + 2
    store, before_ms = SqlLeftGuilds(database), world.clock.now_ms() - KEPT_MS
    assert await store.left_before(before_ms, 9) == [GUILD]
    sessions = await of_guild(world, schema.session)
    async with database.transaction() as connection:
        await connection.execute(update(schema.guild).values(left_at_ms=None))
    assert await store.delete_some(GUILD, before_ms, 9) == 0
    assert await store.ask_owner(GUILD, before_ms, world.clock.now_ms()) is False
    assert await of_guild(world, schema.session) == sessions


def test_every_table_of_guilds_is_deleted_and_every_table_of_members_is_told():
    with_guilds = {table for table in schema.metadata.sorted_tables if "guild_id" in table.c}
    assert with_guilds - set(tables_of_guilds()) == {schema.log_entry}
    with_members = {table for table in schema.metadata.sorted_tables if "user_id" in table.c}
    assert with_members == {table for table, _ in OF_TABLES.values()} | TOLD_OTHERWISE
