"""The recorder where it is easiest to be wrong: long starts, long backlogs, outages, other people's commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from attendance.domain.ids import GuildId, ShardId, UserId, shard_of
from attendance.domain.observations import (
    ChannelFacts,
    ChannelKind,
    ChannelSeen,
    GuildChanged,
    GuildFacts,
    GuildSeen,
    Observation,
    ShardAlive,
    ShardReady,
    VoiceState,
    VoiceStateSeen,
)
from attendance.services.recording.recorder import LEASE_MS
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.leases import SqlLeaseStore
from attendance.store.recording import SqlJournalStore
from tests.books import books_balance, rows_of
from tests.observed import CHANNELS, GUILDS, SHARD, USERS, ScriptedDiscord
from tests.owner import START_MS, Owner, answer, ask, drained, live


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - of a database
            await asyncio.sleep(0)


async def journal(database: Database, guild_id: GuildId = GUILDS[0]) -> list[dict[str, Any]]:
    rows = await rows_of(database, schema.journal, schema.journal.c.guild_id, schema.journal.c.seq)
    return [json.loads(bytes(row["line"])) for row in rows if row["guild_id"] == guild_id]


async def test_a_channel_that_is_seen_again_at_one_instant_is_no_trouble(database: Database) -> None:
    owner = Owner(database)
    discord = ScriptedDiscord(1, START_MS)
    channel = ChannelFacts(CHANNELS[0], "talk", ChannelKind.VOICE, None, 0)
    async with owner.term() as recorder:
        recorder.inlet.put_all(discord.connect())
        for position in range(3):
            await drained(owner)
            seen = ChannelSeen(START_MS, SHARD, GUILDS[0], replace(channel, position=position))
            recorder.inlet.put(seen)
    stored = await rows_of(database, schema.channel)
    assert {row["position"] for row in stored if (row["guild_id"], row["channel_id"]) == (GUILDS[0], CHANNELS[0])} == {2}
    await books_balance(database)


async def test_channels_that_are_gone_are_marked_and_those_that_come_back_are_not(database: Database) -> None:
    owner = Owner(database)
    facts = GuildFacts(GUILDS[0], "guild", UserId(1), None)
    channels = [ChannelFacts(channel_id, "talk", ChannelKind.VOICE, None, 0) for channel_id in CHANNELS]

    async def gone(*present: ChannelFacts) -> set[int]:
        recorder.inlet.put(GuildSeen(START_MS, SHARD, facts, present, ()))
        await answer(database, recorder, await ask(database, GUILDS[0], "track", channel_id="51"))
        return {row["channel_id"] for row in await rows_of(database, schema.channel) if row["deleted"]}

    async with owner.term() as recorder:
        recorder.inlet.put(ShardReady(START_MS, SHARD, frozenset(GUILDS)))
        assert await gone(*channels) == set()
        assert await gone(*channels[2:]) == set(CHANNELS[:2])
        assert await gone(*channels[1:3]) == {CHANNELS[0], CHANNELS[3]}
        assert await gone() == set(CHANNELS)


@pytest.mark.parametrize("where", ["load", "commit"])
async def test_leases_are_renewed_during_a_long_start_and_a_long_end(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr("attendance.services.recording.recorder.RENEW_S", 0.01)
    gate = asyncio.Event()
    owner = Owner(sqlite_database, waits_for_start=where == "commit")
    if where == "load":
        owner.fault.gate["load"] = gate
    async with owner.term() as recorder:
        if where == "commit":
            owner.fault.gate["commit"] = gate
            recorder.inlet.put_all(ScriptedDiscord(1, START_MS).connect())
        recorder.stop()

        async def is_renewed() -> bool:
            (row,) = await rows_of(sqlite_database, schema.shard_lease)
            return row["expires_at_ms"] > owner.clock.now_ms()

        for _ in range(3):
            owner.clock.advance(LEASE_MS * 3)
            await until(is_renewed)
        gate.set()


@pytest.mark.slow
async def test_the_journal_goes_on_while_a_large_cut_is_being_stored(sqlite_database: Database) -> None:
    owner = Owner(sqlite_database)
    discord = ScriptedDiscord(1, START_MS)
    async with owner.term() as recorder:
        recorder.inlet.put_all(discord.connect())
        await drained(owner)
        gate = owner.fault.gate["store"] = asyncio.Event()
        for number in range(30):
            recorder.inlet.put(replace(discord.voice_state(), at_ms=START_MS + number))
            await drained(owner)
        gate.set()
    await books_balance(sqlite_database)


async def test_commands_of_guilds_that_we_do_not_own_keep_nobody_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attendance.services.recording.recorder._COMMANDS_IN_ONE", 2)
    owner = Owner(database)
    for number in range(5):
        await ask(database, GuildId((900 + number) << 22), "reset")
    async with owner.term() as recorder:
        recorder.inlet.put_all(ScriptedDiscord(1, START_MS).connect())
        await drained(owner)
        result = await answer(database, recorder, await ask(database, GUILDS[0], "reset"))
        assert result["period_index"] == 0


async def test_a_backlog_keeps_its_instants_whatever_is_decided_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision must not push what was seen before it, and only waits, to the present: that would invent time."""
    monkeypatch.setattr("attendance.services.recording.recorder.SLICE", 3)
    owner = Owner(database)
    async with owner.term() as recorder:
        recorder.inlet.put_all(ScriptedDiscord(1, START_MS).connect())
        await drained(owner)
        await answer(database, recorder, await ask(database, GUILDS[0], "schedule", interval="hourly"))
        gate = owner.fault.gate["commit"] = asyncio.Event()
        seen = []
        for number in range(20):
            state = VoiceState(USERS[1], CHANNELS[number % 2])
            seen.append(VoiceStateSeen(START_MS + 10 + number * 1_000, SHARD, GUILDS[0], state))
        recorder.inlet.put_all(seen[:1])
        await drained(owner)  # the first commit is waiting at the gate now
        recorder.inlet.put_all(seen[1:])
        owner.clock.advance(50_000)
        asked = [await ask(database, GUILDS[0], "settings", pause_on_mute=True), await ask(database, GUILDS[0], "reset")]
        recorder.commands.set()
        gate.set()
        for command_id in asked:
            await answer(database, recorder, command_id)
    lines = await journal(database)
    assert [line["at"] for line in lines if line["type"] == "voice_state"] == [one.at_ms for one in seen]
    await books_balance(database)


async def test_an_outage_of_the_database_loses_and_doubles_nothing(database: Database) -> None:
    owner = Owner(database)
    discord = ScriptedDiscord(5, START_MS)

    async def has_failed_twice() -> bool:
        return owner.fault.failures > 1

    async with owner.term() as recorder:
        await live(owner, recorder, discord, 20)
        await drained(owner)
        owner.fault.is_away = True
        for _ in range(60):
            recorder.inlet.put_all(discord.step())
        owner.clock.at_ms = max(owner.clock.at_ms, discord.at_ms)
        await until(has_failed_twice)
        owner.fault.is_away = False
        await live(owner, recorder, discord, 20)
    await books_balance(database)
    assert "overflow" not in {row["cause"] for row in await rows_of(database, schema.blind_interval)}


async def test_what_does_not_fit_into_memory_makes_blind_until_the_guilds_are_seen_anew(database: Database) -> None:
    owner = Owner(database, capacity=40)
    discord = ScriptedDiscord(6, START_MS)
    discord.lost = False
    async with owner.term() as recorder:
        recorder.inlet.put_all(discord.connect())
        await drained(owner)
        owner.fault.is_away = True
        taken = []
        for number in range(200):
            discord.at_ms = START_MS + number * 10
            taken.append(recorder.inlet.put(discord.voice_state()))
        assert False in taken
        assert True not in taken[taken.index(False) :], "whoever was refused once is refused until it identifies"
        assert not recorder.inlet.put(ShardReady(discord.at_ms, SHARD, frozenset(GUILDS))), "not before there is room"
        owner.fault.is_away = False
        await until(_async(lambda: recorder.inlet.has_room(SHARD)))
        owner.clock.at_ms = discord.at_ms = START_MS + 60_000
        assert all(recorder.inlet.put(seen) for seen in discord.connect())
    await books_balance(database)
    blind = [row for row in await rows_of(database, schema.blind_interval) if row["cause"] == "overflow"]
    assert {row["guild_id"] for row in blind} == set(GUILDS)
    assert {row["ended_by"] for row in blind} == {"snapshot"}
    last_taken_ms = START_MS + (taken.index(False) - 1) * 10
    assert {row["started_at_ms"] for row in blind} == {last_taken_ms}


def _async(condition: Any) -> Any:
    async def ask_again() -> bool:
        return bool(condition())

    return ask_again


async def test_a_restart_writes_one_blind_line_and_nothing_else(database: Database) -> None:
    owner = Owner(database)
    async with owner.term() as recorder:
        recorder.inlet.put_all(ScriptedDiscord(2, START_MS).connect())
        await drained(owner)
        await answer(database, recorder, await ask(database, GUILDS[0], "settings", pause_on_mute=True))
        await answer(database, recorder, await ask(database, GUILDS[0], "track", channel_id="51"))
    before = await journal(database)
    owner.clock.advance(20_000)
    async with owner.term():
        pass
    after = await journal(database)
    assert after[: len(before)] == before
    assert [line["type"] for line in after[len(before) :]] == ["blind"]


async def test_a_sign_of_life_is_not_durable_before_what_was_seen_before_it(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attendance.services.recording.recorder.RENEW_S", 0.01)
    owner = Owner(sqlite_database)

    async def alive_ms() -> int:
        return (await rows_of(sqlite_database, schema.shard_lease))[0]["alive_at_ms"]

    async def is_alive_at(at_ms: int) -> bool:
        return await alive_ms() == at_ms

    async with owner.term() as recorder:
        recorder.inlet.put_all(ScriptedDiscord(1, START_MS).connect())
        await drained(owner)
        recorder.inlet.put(ShardAlive(START_MS + 5, SHARD))
        await until(lambda: is_alive_at(START_MS + 5))
        gate = owner.fault.gate["commit"] = asyncio.Event()
        recorder.inlet.put(VoiceStateSeen(START_MS + 10, SHARD, GUILDS[0], VoiceState(UserId(1), None)))
        recorder.inlet.put(ShardAlive(START_MS + 20, SHARD))
        await asyncio.sleep(0.1)  # ten renewals
        assert await alive_ms() == START_MS + 5
        gate.set()
        await until(lambda: is_alive_at(START_MS + 20))


async def test_old_lines_behind_the_checkpoint_are_trimmed_and_a_restart_needs_none_of_them(database: Database) -> None:
    owner = Owner(database)
    discord = ScriptedDiscord(3, START_MS)
    async with owner.term() as recorder:
        await live(owner, recorder, discord, 80)
    before = await rows_of(database, schema.journal)
    store = SqlJournalStore(database)
    now_ms = owner.clock.now_ms()
    (lease,) = await SqlLeaseStore(database).acquire(1, [SHARD], "one", now_ms, now_ms + LEASE_MS) or []
    middle_ms = sorted(row["at_ms"] for row in before)[len(before) // 2]
    assert await store.trim(lease, 0, 10) == 0
    assert await store.trim(lease, middle_ms, 7) == 7
    await store.trim(lease, middle_ms, 10_000)
    assert await store.trim(lease, middle_ms, 10_000) == 0
    kept = await rows_of(database, schema.journal)
    assert [row for row in before if row["at_ms"] >= middle_ms] == kept
    sessions = await rows_of(database, schema.session, schema.session.c.guild_id, schema.session.c.ordinal)
    async with owner.term() as recorder:
        await live(owner, recorder, discord, 30)
    after = await rows_of(database, schema.session, schema.session.c.guild_id, schema.session.c.ordinal)
    assert [row for row in after if row in sessions] == sessions
    for guild_id in GUILDS:
        ordinals = [row["ordinal"] for row in after if row["guild_id"] == guild_id]
        assert ordinals == list(range(len(ordinals)))


def on_shards(seen: Observation, count: int) -> Iterator[Observation]:
    """The same with that many shards: what is of a guild on its own, what is of the connection on each."""
    guild_id = seen.guild.guild_id if isinstance(seen, GuildSeen | GuildChanged) else getattr(seen, "guild_id", None)
    if guild_id is not None:
        yield replace(seen, shard_id=shard_of(guild_id, count))
        return
    for number in range(count):
        shard_id = ShardId(number)
        if isinstance(seen, ShardReady):
            listed = frozenset(guild_id for guild_id in seen.guild_ids if shard_of(guild_id, count) == shard_id)
            yield replace(seen, shard_id=shard_id, guild_ids=listed)
        else:
            yield replace(seen, shard_id=shard_id)


@pytest.mark.slow
async def test_the_count_of_shards_may_change_from_term_to_term(database: Database) -> None:
    owner = Owner(database)
    discord = ScriptedDiscord(9, START_MS)
    present: list[int] = []
    last_ms = START_MS
    for count in (1, 2, 3, 1, 4):
        owner.shard_count = count
        async with owner.term() as recorder:
            blind = await rows_of(database, schema.blind_interval)
            assert {row["guild_id"] for row in blind if row["ended_at_ms"] is None} >= set(present)
            for seen in discord.connect():
                recorder.inlet.put_all(on_shards(seen, count))
            for _ in range(60):
                for seen in discord.step():
                    recorder.inlet.put_all(on_shards(seen, count))
                owner.clock.at_ms = max(owner.clock.at_ms, discord.at_ms)
        last_ms = owner.clock.now_ms()
        owner.clock.advance(30_000)
        discord.at_ms = owner.clock.now_ms()
        present = [row["guild_id"] for row in await rows_of(database, schema.guild) if row["left_at_ms"] is None]
    await books_balance(database)
    restarts = [row for row in await rows_of(database, schema.blind_interval) if row["cause"] == "restart"]
    assert restarts
    assert all(row["started_at_ms"] <= last_ms for row in restarts)


@pytest.mark.slow
async def test_a_disk_that_is_full_for_a_while_loses_nothing(sqlite_database: Database) -> None:
    pages = {"max": 2**30}

    @event.listens_for(sqlite_database.writer.sync_engine, "begin")
    def limited(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages['max']}")

    owner = Owner(sqlite_database)
    discord = ScriptedDiscord(10, START_MS)
    async with owner.term() as recorder:
        await live(owner, recorder, discord, 30)
        await drained(owner)
        async with sqlite_database.snapshot() as connection:
            pages["max"] = await connection.scalar(text("PRAGMA page_count"))
        for _ in range(400):
            recorder.inlet.put_all(discord.step())
        await asyncio.sleep(0.3)
        lines = len(await rows_of(sqlite_database, schema.journal))
        pages["max"] = 2**30
        owner.clock.at_ms = max(owner.clock.at_ms, discord.at_ms)
    await books_balance(sqlite_database)
    assert len(await rows_of(sqlite_database, schema.journal)) > lines + 400, "they waited"
