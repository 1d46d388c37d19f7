"""A deploy: one process ends, the next resumes its session with Discord, and the time between is accounted for exactly."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from attendance.errors import UnavailableError
from attendance.store import schema
from attendance.store.database import Database, open_database
from simulator import DEMO_GUILD_ID, Settings, Simulator, running_simulator
from tests.books import books_balance, rows_of
from tests.end_to_end.processes import Discord, Running, rollcall, settings

pytestmark = pytest.mark.slow


async def stored(database: Database, table: Any, **wanted: Any) -> list[dict[str, Any]]:
    rows = await rows_of(database, table)
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


async def watches(database: Database, service: Running) -> None:
    """Wait until the demo guild is seen."""
    await service.says("recorder_started")
    async with asyncio.timeout(60):
        while True:
            try:
                guilds = await stored(database, schema.stream, guild_id=DEMO_GUILD_ID)
                if guilds and not await stored(database, schema.blind_interval, guild_id=DEMO_GUILD_ID, ended_at_ms=None):
                    return
            except UnavailableError:
                pass  # there is no schema yet
            await asyncio.sleep(0.02)


async def lives_on(sim: Simulator, database: Database) -> None:
    """Wait for a durable sign of life that is later than everyone's first instant: no session shall have no length."""
    sim.fault("request_heartbeat")
    async with asyncio.timeout(60):
        while True:
            (lease,) = await stored(database, schema.shard_lease)
            joined = [row["joined_at_ms"] for row in await stored(database, schema.open_session)]
            if joined and lease["alive_at_ms"] > max(joined):
                return
            await asyncio.sleep(0.02)


def rooms(sim: Simulator) -> dict[int, list[int]]:
    """Who is in which channel of the demo guild."""
    found: dict[int, list[int]] = {}
    for user_id, channel_id in sim.world.in_voice(DEMO_GUILD_ID).items():
        found.setdefault(channel_id, []).append(user_id)
    return found


async def restart(sim: Simulator, folder: Path, database: Database, number: signal.Signals, between: Any) -> None:
    serving = settings(Discord(sim.rest_url, sim.token), folder)
    async with rollcall("serve", **serving) as first:
        await watches(database, first)
        await lives_on(sim, database)
        code = await first.end(number)
        assert code == (0 if number is signal.SIGTERM else -number), first.said
    between()
    async with rollcall("serve", **serving) as second:
        await watches(database, second)
        assert await second.end(signal.SIGTERM) == 0, second.said


@pytest.fixture
async def database(tmp_path: Path):
    database = open_database(f"sqlite:///{tmp_path}/rollcall.db")
    yield database
    await database.close()


async def test_who_stays_is_counted_through_and_who_moves_in_the_gap_is_seen(tmp_path: Path, database: Database) -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        touched, untouched = sorted(rooms(sim).items(), key=lambda room: -len(room[1]))[:2]
        leaver, stayer = touched[1][:2]

        def between() -> None:
            sim.world.leave(DEMO_GUILD_ID, leaver)
            sim.world.join(DEMO_GUILD_ID, leaver, touched[0])

        await restart(sim, tmp_path, database, signal.SIGTERM, between)
        assert sim.gateway.resumes == 1
        assert len(sim.gateway.sessions) == 1, "the same one, and it was left to be resumed again"
    twin = await books_balance(database)
    (blind,) = [row for row in await stored(database, schema.blind_interval, guild_id=DEMO_GUILD_ID) if row["ended_at_ms"]]
    assert (blind["cause"], blind["ended_by"]) == ("restart", "resumed")
    gap = [blind["started_at_ms"], blind["ended_at_ms"]]
    (closed,) = await stored(database, schema.session)
    assert (closed["user_id"], closed["reason"], closed["left_at_ms"]) == (leaver, "gap", gap[0]), "although they are back"
    now = {row["user_id"]: row for row in await stored(database, schema.open_session, guild_id=DEMO_GUILD_ID)}
    assert now[leaver]["joined_at_ms"] == gap[1]
    assert json.loads(now[stayer]["timeline"])[-1] == [*gap, "bridged"], "their room was touched"
    for user_id in untouched[1]:
        assert now[user_id]["joined_at_ms"] < gap[0]
        assert json.loads(now[user_id]["timeline"]) == [], "nobody came or went: counted without a break"
    assert {session.user for session in twin.closed} == {leaver}
    kinds = [row["type"] for row in await stored(database, schema.journal, guild_id=DEMO_GUILD_ID)]
    assert kinds[-4:] == ["blind", "voice_state", "voice_state", "resumed"]


@pytest.mark.parametrize("why", ["refused", "killed"])
async def test_without_a_resumed_session_a_snapshot_says_who_is_there(tmp_path: Path, database: Database, why: str) -> None:
    """Discord refuses, or the process could not say up to where it had stored what it read."""
    async with running_simulator(Settings(speed=0)) as sim:
        leaver = next(iter(sim.world.in_voice(DEMO_GUILD_ID)))

        def between() -> None:
            sim.world.leave(DEMO_GUILD_ID, leaver)
            if why == "refused":
                sim.fault("refuse_resumes")

        await restart(sim, tmp_path, database, signal.SIGTERM if why == "refused" else signal.SIGKILL, between)
        assert sim.gateway.resumes == 0
    await books_balance(database)
    (blind,) = [row for row in await stored(database, schema.blind_interval, guild_id=DEMO_GUILD_ID) if row["ended_at_ms"]]
    assert (blind["cause"], blind["ended_by"]) == ("restart", "snapshot")
    (closed,) = await stored(database, schema.session)
    assert (closed["user_id"], closed["reason"], closed["left_at_ms"]) == (leaver, "gap", blind["started_at_ms"])
    assert len(await stored(database, schema.gateway_session)) == 1, "left by the second process"
