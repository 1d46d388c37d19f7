"""The whole service, killed and stopped: simulator, real hikari, real processes, and the twin's accounting at the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select, update

from attendance.clock import SystemClock
from attendance.errors import UnavailableError
from attendance.store import schema
from attendance.store.database import Database, open_database
from simulator import Settings, running_simulator
from tests.books import books_balance, rows_of
from tests.end_to_end.processes import Discord, rollcall, settings, simulated_discord

pytestmark = pytest.mark.slow

KILLS = 6  # on each database; each costs the start of a service. The many are in tests/faults
PATIENCE_S = 60.0


async def until(database: Database, condition: Callable[[Database], Awaitable[bool]]) -> None:
    """Ask the database until it is so; one that is not there yet is asked again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if await condition(database):
                    return
            except UnavailableError:
                pass
            await asyncio.sleep(0.02)


async def lines(database: Database) -> int:
    async with database.snapshot() as connection:
        return await connection.scalar(select(func.count()).select_from(schema.journal)) or 0


async def watches(database: Database) -> bool:
    """Whether guilds are seen, and none is blind."""
    async with database.snapshot() as connection:
        blind = select(func.count()).select_from(schema.blind_interval).where(schema.blind_interval.c.ended_at_ms.is_(None))
        guilds = select(func.count()).select_from(schema.stream)
        return not await connection.scalar(blind) and bool(await connection.scalar(guilds))


async def goes_on(database: Database) -> None:
    """Wait for some more of the journal."""
    before = await lines(database)

    async def has_more(database: Database) -> bool:
        return await lines(database) > before + 20 and await watches(database)

    await until(database, has_more)


async def let_leases_run_out(database: Database) -> None:
    """Spare the test a quarter of a minute. (A stopped owner may hold the rows: its end is awaited as any standby would.)"""

    async def run_out(database: Database) -> bool:
        async with database.transaction() as connection:
            await connection.execute(update(schema.shard_lease).values(expires_at_ms=0))
        return True

    await until(database, run_out)


async def nothing_was_seen_by_the_dead(database: Database, dead: list[tuple[int, int]]) -> None:
    for row in await rows_of(database, schema.session):
        for start, end, status in json.loads(row["timeline"]):
            if status not in ("bridged", "unwitnessed"):
                assert [gap for gap in dead if start < gap[1] and gap[0] < end] == [], (row, start, end, status)


async def journal(database: Database) -> dict[tuple[int, int], bytes]:
    return {(row["guild_id"], row["seq"]): bytes(row["line"]) for row in await rows_of(database, schema.journal)}


async def prepared(discord: Discord, folder: Any, url: str) -> dict[str, str]:
    """The environment of a service on that database, which has its schema and its master key."""
    key = str(folder / "test.key")
    environment = settings(discord, folder, DATABASE_URL=url, ROLLCALL_MASTER_KEY_FILE=key)
    for command in (("master-key", key), ("migrate",)):
        async with rollcall(*command, **environment) as running:
            assert await running.process.wait() == 0, running.said
    return environment


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def test_kills_of_the_service_lose_and_double_nothing(new_database_url, tmp_path, dialect: str) -> None:
    url = f"sqlite:///{tmp_path}/rollcall.db" if dialect == "sqlite" else await new_database_url(dialect)
    dice, clock = Random(3), SystemClock()
    died_ms, dead = 0, []
    seen: dict[tuple[int, int], bytes] = {}
    database = open_database(url)
    async with simulated_discord("--speed", "600") as discord:
        serving = await prepared(discord, tmp_path, url)
        for number in range(KILLS + 1):
            async with rollcall("serve", **serving) as service:
                await service.says("listens on")
                if number == KILLS or dice.random() < 0.7:  # otherwise it dies while it starts
                    await service.says("recorder_started")
                    if dialect == "sqlite":  # the folder's lock says that the owner before is gone
                        assert "waiting_for_shards" not in service.said
                    if died_ms:
                        dead.append((died_ms, clock.now_ms() - 1_000))
                    await goes_on(database)
                if number == KILLS:
                    assert await service.end(signal.SIGTERM) == 0, service.said
                    break
                await asyncio.sleep(dice.random())
                seen |= await journal(database)
                await service.end(signal.SIGKILL)
                died_ms = clock.now_ms()
                if dialect == "postgresql":
                    await let_leases_run_out(database)
    await books_balance(database)
    stands = await journal(database)
    assert seen.items() <= stands.items(), "a line that was committed before a kill is gone or another"
    await nothing_was_seen_by_the_dead(database, dead)
    await database.close()


async def test_a_service_that_is_stopped_for_a_while_is_blind_for_that_while(tmp_path) -> None:
    url, clock = f"sqlite:///{tmp_path}/rollcall.db", SystemClock()
    database = open_database(url)
    async with running_simulator(Settings(speed=600, heartbeat_interval_ms=1_000)) as sim:
        serving = await prepared(Discord(sim.rest_url, sim.token), tmp_path, url)
        async with rollcall("serve", **serving) as service:
            await service.says("recorder_started")
            await until(database, watches)
            await goes_on(database)
            os.kill(service.process.pid, signal.SIGSTOP)
            stopped_ms = clock.now_ms() + 50
            await asyncio.sleep(3)  # twice as long as makes a stall
            going_ms = clock.now_ms()
            os.kill(service.process.pid, signal.SIGCONT)
            await goes_on(database)
            assert await service.end(signal.SIGTERM) == 0, service.said
    await books_balance(database)
    blind = [row for row in await rows_of(database, schema.blind_interval) if row["cause"] == "stalled"]
    assert [row for row in blind if row["started_at_ms"] <= stopped_ms and row["ended_at_ms"] >= going_ms]
    await nothing_was_seen_by_the_dead(database, [(stopped_ms, going_ms)])
    await database.close()


@pytest.mark.postgresql
async def test_a_standby_takes_the_guilds_of_an_owner_that_is_killed_or_stopped(new_database_url, tmp_path) -> None:
    url = await new_database_url("postgresql")
    database = open_database(url)
    async with simulated_discord("--speed", "600") as discord:
        serving = await prepared(discord, tmp_path, url)
        async with rollcall("serve", "--role", "gateway", **serving) as first:
            await first.says("recorder_started")
            await goes_on(database)
            async with rollcall("serve", "--role", "gateway", **serving) as second:
                await second.says("waiting_for_shards")
                os.kill(first.process.pid, signal.SIGSTOP)
                await let_leases_run_out(database)
                await second.says("recorder_started")
                taken = await journal(database)
                os.kill(first.process.pid, signal.SIGCONT)
                await first.says("ownership_lost|gateway_unavailable")
                await goes_on(database)
                assert taken.items() <= (await journal(database)).items()
                await second.end(signal.SIGKILL)
                await let_leases_run_out(database)
                await first.says(r"(?s)recorder_started.*recorder_started")
                await goes_on(database)
                assert await first.end(signal.SIGTERM) == 0, first.said
    await books_balance(database)
    await database.close()
