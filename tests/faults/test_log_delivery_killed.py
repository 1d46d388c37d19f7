"""SIGKILL at any instant of delivering, with a second process at the same outbox, and a Discord that loses answers."""

from __future__ import annotations

import asyncio
import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from attendance.core import SigningKey, sign_checkpoint
from attendance.domain.announcements import LogType
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.log_folder import LogFolder
from simulator import DEMO_GUILD_ID, Settings, Simulator, running_simulator
from simulator.entities import ChannelType
from tests.log_world import destination, sessions, settle, waiting

ROOT = Path(__file__).parents[2]
ROUNDS, SESSIONS, CHANNELS = 2, 6, 4
POST = "POST /channels/{channel_id}/messages"


async def start(url: str, sim: Simulator, log_folder: Path = ROOT / "no log") -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "tests.faults.log_child", url, sim.token, sim.rest_url, str(log_folder))
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    assert await child.stdout.readline() == b"ready\n"
    return child


async def end(child: asyncio.subprocess.Process) -> None:
    child.kill()
    await child.communicate()


@pytest.mark.slow
async def test_deliverers_that_are_killed_tell_everything_once(database) -> None:
    chance = random.Random(3)
    url = database.url.render_as_string(hide_password=False)
    await settle(database, guild_id=DEMO_GUILD_ID)
    async with running_simulator(Settings(speed=0, enforce_rest_limits=False)) as sim:
        channels = [sim.world.create_channel(DEMO_GUILD_ID, f"log {number}", ChannelType.TEXT) for number in range(CHANNELS)]
        for channel in channels:
            await destination(database, channel_id=channel, guild_id=DEMO_GUILD_ID)
        children = [await start(url, sim), await start(url, sim)]
        told = []
        try:
            for number in range(ROUNDS):
                sim.fault("rest", route=POST, status=502, count=1, done=True)
                sim.fault("rest", route=POST, status=0, count=1, done=True)
                told += await sessions(
                    database, SESSIONS, guild_id=DEMO_GUILD_ID, at_ms=1_700_000_000_000 + number, first=10 * number
                )
                goal = chance.randrange(SESSIONS * CHANNELS)
                async with asyncio.timeout(60):
                    while (await waiting(database))[0] > goal:
                        pass  # the reads are what passes the time
                await end(children.pop(chance.randrange(2)))
                children.append(await start(url, sim))
            async with asyncio.timeout(60):
                while await waiting(database) != (0, 0):
                    pass
        finally:
            for child in children:
                await end(child)
        wanted = Counter(str(session_id) for session_id in told)
        for channel in channels:
            texts = [str(message["embeds"]) for message in sim.rest.messages.board.newest(channel, 1_000)]
            assert Counter(re.findall(r"`([0-9a-f-]{36})`", "".join(texts))) == wanted


@pytest.mark.slow
async def test_processes_that_are_killed_post_the_day_s_checkpoint_once_in_each_channel(database, tmp_path) -> None:
    chance, url = random.Random(7), database.url.render_as_string(hide_password=False)
    note = sign_checkpoint("example.org/log", 17, bytes(32), SigningKey.generate())
    LogFolder(tmp_path).publish(note, 17)
    await settle(database, guild_id=DEMO_GUILD_ID)
    async with running_simulator(Settings(speed=0, enforce_rest_limits=False)) as sim:
        channels = [sim.world.create_channel(DEMO_GUILD_ID, f"log {number}", ChannelType.TEXT) for number in range(12)]
        for channel in channels:
            await destination(database, channel_id=channel, guild_id=DEMO_GUILD_ID, types=[LogType.CHECKPOINT])
        sim.fault("rest", route=POST, status=502, count=2, done=True)
        sim.fault("rest", route=POST, status=0, count=2, done=True)
        children = [await start(url, sim, tmp_path), await start(url, sim, tmp_path)]
        table = schema.log_destination
        try:
            async with database.transaction() as connection:
                await connection.execute(update(table).values(checkpoint_due_at_ms=1))  # long ago: due now
            for goal in sorted(chance.sample(range(1, len(channels)), 3)):
                async with asyncio.timeout(60):
                    while sum(len(sim.rest.messages.board.newest(channel, 10)) for channel in channels) < goal:
                        await database_is_read(database)
                await end(children.pop(chance.randrange(2)))
                children.append(await start(url, sim, tmp_path))
            async with asyncio.timeout(60):
                while await waiting(database) != (0, 0) or await database_is_read(database):
                    pass
        finally:
            for child in children:
                await end(child)
        for channel in channels:
            assert [message["content"] for message in sim.rest.messages.board.newest(channel, 10)] == [
                f"```\n{note.decode()}```"
            ]


async def database_is_read(database: Database) -> int:
    """How many destinations are still due; the reading is what passes the time."""
    due = select(func.count()).select_from(schema.log_destination).where(schema.log_destination.c.checkpoint_due_at_ms == 1)
    async with database.snapshot() as connection:
        return await connection.scalar(due) or 0
