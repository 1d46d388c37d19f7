"""The recorder against the twin, through restarts, lost commits and changes of owner."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from attendance.errors import OwnershipLostError
from attendance.services.recording.recorder import LEASE_MS
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.leases import SqlLeaseStore
from tests.books import books_balance, rows_of
from tests.observed import GUILDS, SHARD, ScriptedDiscord
from tests.owner import START_MS, Fault, Owner, answer, ask, drained, live


def seeds(count: int) -> list[Any]:
    """Two are quick enough for every run."""
    return [seed if seed < 2 else pytest.param(seed, marks=pytest.mark.slow) for seed in range(count)]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that failed is asked again at once."""
    monkeypatch.setattr("attendance.services.recording.retrying._FIRST_PAUSE_S", 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(6))
async def test_what_is_stored_is_what_the_journal_adds_up_to(database: Database, seed: int) -> None:
    owner = Owner(database)
    async with owner.term() as recorder:
        await live(owner, recorder, ScriptedDiscord(seed, START_MS), 300)
    twin = await books_balance(database)
    assert twin.closed


class CrashError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(6))
async def test_a_crash_is_a_blind_interval_and_nothing_else(database: Database, seed: int) -> None:
    owner = Owner(database)
    discord = ScriptedDiscord(seed, START_MS)
    for _ in range(4):
        with pytest.raises(CrashError):  # noqa: PT012
            async with owner.term() as recorder:
                await live(owner, recorder, discord, discord.random.randrange(120))
                raise CrashError
        owner.clock.advance(LEASE_MS)
        discord.at_ms = owner.clock.now_ms()
    async with owner.term() as recorder:
        await live(owner, recorder, discord, 50)
    await books_balance(database)
    blind = await rows_of(database, schema.blind_interval)
    assert {row["cause"] for row in blind} >= {"restart"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(4))
async def test_commits_that_fail_are_stored_once_whether_they_were_stored_or_not(database: Database, seed: int) -> None:
    owner = Owner(database, fault=Fault(Random(seed)))
    async with owner.term() as recorder:
        await live(owner, recorder, ScriptedDiscord(seed, START_MS), 150)
    assert owner.fault.failures > 0
    await books_balance(database)


async def test_who_lost_the_lease_writes_nothing_more(database: Database) -> None:
    first, second = Owner(database), Owner(database, holder="two")
    discord = ScriptedDiscord(1, START_MS)
    with pytest.raises(OwnershipLostError):  # noqa: PT012
        async with first.term() as old:
            await live(first, old, discord, 50)
            await drained(first)
            second.clock.at_ms = first.clock.now_ms() + LEASE_MS + 1
            async with second.term():
                pass
            lines = len(await rows_of(database, schema.journal))
            old.inlet.put_all(discord.connect())
            await drained(first)
    assert len(await rows_of(database, schema.journal)) == lines
    await books_balance(database)


async def test_a_lease_that_is_held_is_not_given_away(database: Database) -> None:
    owner = Owner(database)
    async with owner.term():
        store, now_ms = SqlLeaseStore(database), owner.clock.now_ms()
        assert await store.acquire(1, [SHARD], "two", now_ms, now_ms + 1) is None
        assert await store.acquire(2, [SHARD], "two", now_ms, now_ms + 1) is None
    assert await SqlLeaseStore(database).acquire(2, [SHARD], "two", owner.clock.now_ms(), 0) is not None


@pytest.mark.slow
async def test_commands_apply_once_and_in_stream_order(database: Database) -> None:
    owner = Owner(database)
    discord = ScriptedDiscord(3, START_MS)
    guild_id = GUILDS[0]
    async with owner.term() as recorder:
        recorder.inlet.put_all(discord.connect())
        await drained(owner)
        owner.clock.advance(10_000)
        result = await answer(database, recorder, await ask(database, guild_id, "settings", tracking_mode="allowlist"))
        assert result["tracking_mode"] == "allowlist"
        track = [await answer(database, recorder, await ask(database, guild_id, "track", channel_id="51")) for _ in range(2)]
        assert track == [{"created": True}, {"created": False}]
        assert await answer(database, recorder, await ask(database, guild_id, "opt_out", user_id="701", out=True)) == {
            "changed": True
        }
        owner.clock.advance(5_000)
        reset = await answer(database, recorder, await ask(database, guild_id, "reset"))
        assert reset == {"period_index": 0, "ended_at_ms": owner.clock.now_ms()}
        assert "error" in await answer(database, recorder, await ask(database, guild_id, "paint"))
    await books_balance(database)
    periods = await rows_of(database, schema.period, schema.period.c.guild_id, schema.period.c.period_index)
    mine = [(row["period_index"], row["state"]) for row in periods if row["guild_id"] == guild_id]
    assert mine == [(0, "closed"), (1, "running")]
    rules = [row for row in await rows_of(database, schema.rules_version) if row["guild_id"] == guild_id]
    assert rules[0]["actor_id"] is None
    assert {row["actor_id"] for row in rules[1:]} == {5}


async def test_a_period_ends_where_it_was_due_however_late_anyone_looks(database: Database) -> None:
    owner = Owner(database)
    discord = ScriptedDiscord(4, START_MS)
    guild_id = GUILDS[0]
    async with owner.term() as recorder:
        recorder.inlet.put_all(discord.connect())
        await drained(owner)
        answered = await answer(database, recorder, await ask(database, guild_id, "schedule", interval="hourly"))
        due = answered["next_reset_at_ms"]
        owner.clock.at_ms = discord.at_ms = due + 5 * 3_600_000 + 17
        recorder.inlet.put(discord.voice_state())
        recorder.inlet.put_all(discord.connect())
        await drained(owner)
    rows = await rows_of(database, schema.period, schema.period.c.period_index)
    cuts = [row["ended_at_ms"] for row in rows if row["guild_id"] == guild_id and row["ended_at_ms"] is not None]
    assert cuts == [due], "several missed boundaries make one cut, at the first"
    await books_balance(database)
