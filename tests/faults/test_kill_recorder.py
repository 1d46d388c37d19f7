"""A recorder that is killed or stopped at any instant: no committed line is lost or doubled, nothing counts that nobody saw."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert

from attendance.clock import SystemClock
from attendance.services.recording.recorder import LEASE_MS
from attendance.store import schema
from attendance.store.database import Database, open_database
from tests.books import books_balance, rows_of
from tests.faults.recorder_child import AWAY, LOST
from tests.fixtures_database import MakeUrl
from tests.observed import GUILDS, USERS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KILLS = 30  # on each database
HOUR_MS = 3_600_000


@dataclass
class Nursery:
    """Starts recorders on one database, and knows when each was dead."""

    process: subprocess.Popen[str]
    url: str
    folder: Path
    dice: Random
    offset_ms: int = 0
    alive: set[int] = field(default_factory=set)
    dead: list[tuple[int, int]] = field(default_factory=list)  # nobody recorded between these instants

    @property
    def now_ms(self) -> int:
        return SystemClock().now_ms() + self.offset_ms

    @property
    def report(self) -> Path:
        return self.folder / "report"

    def ask(self, **request: Any) -> int:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, holder: str = "one") -> int:
        seed, report = self.dice.randrange(2**32), str(self.report)
        child = self.ask(url=self.url, seed=seed, holder=holder, offset_ms=self.offset_ms, report=report)
        self.alive.add(child)
        return child

    def end(self, child: int, number: signal.Signals) -> int:
        os.kill(child, number)
        status = self.ask(wait=child)
        self.alive.discard(child)
        return status

    def dead_time(self, died_ms: int) -> None:
        """Let time pass without anyone recording: none, or up to hours."""
        self.offset_ms += self.dice.choice([0, 0, 40, 3_000, 90_000, HOUR_MS // 2, 3 * HOUR_MS])
        self.dead.append((died_ms, self.now_ms))

    async def owned(self, times: int) -> None:
        """Wait until that many terms have begun."""
        async with asyncio.timeout(30):
            while not self.report.exists() or self.report.read_text().count("own") < times:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@contextmanager
def nursery(url: str, folder: Path, seed: int) -> Iterator[Nursery]:
    command = [sys.executable, "-W", "error", "-m", "tests.faults.recorder_child"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        nurse = Nursery(process, url, folder, Random(seed))
        try:
            yield nurse
        finally:
            for child in nurse.alive:
                os.kill(child, signal.SIGKILL)
            assert process.stdin
            process.stdin.close()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = open_database(url)
    yield database
    await database.close()


async def ask_owner(url: str, rows: list[dict[str, Any]]) -> None:
    async with opened(url) as database, database.transaction() as connection:
        await connection.execute(insert(schema.command).values([{"actor_id": 5, "created_at_ms": 0, **row} for row in rows]))


def wish(dice: Random) -> dict[str, Any]:
    """Something that an admin or a member may ask of the owner at any time."""
    kind, body = dice.choice(
        [
            ("reset", {}),
            ("opt_out", {"user_id": str(dice.choice(USERS)), "out": dice.random() < 0.5}),
            ("settings", {"pause_on_mute": dice.random() < 0.5, "pause_when_solo": dice.random() < 0.5}),
            ("track", {"channel_id": "51"}),
            ("settings", {"tracking_mode": dice.choice(["all", "denylist"])}),
        ]
    )
    return {"guild_id": dice.choice(GUILDS), "kind": kind, "body": json.dumps(body)}


async def check(nursery: Nursery) -> None:
    """The books balance, what was reported durable is there, every wish was granted once, the dead saw nothing."""
    async with opened(nursery.url) as database:
        await books_balance(database)
        journal = await rows_of(database, schema.journal)
        stands = {(row["guild_id"], row["seq"]): zlib.crc32(bytes(row["line"])) for row in journal}
        reported = [tuple(map(int, line.split())) for line in nursery.report.read_text().splitlines() if line != "own"]
        assert reported
        assert [line for line in reported if stands.get(line[:2]) != line[2]] == []
        assert len(set(reported)) == len(reported), "one line was committed twice"
        commands = await rows_of(database, schema.command)
        assert [row for row in commands if row["applied_at_ms"] is None or "error" in row["result"]] == []
        resets = sum(row["kind"] == "reset" for row in commands)
        periods = await rows_of(database, schema.period)
        assert sum(row["reason"] == "manual" for row in periods) == resets
        assert {row["state"] for row in periods} <= {"running", "closed"}
        await nothing_was_seen_by_the_dead(database, nursery.dead)


async def nothing_was_seen_by_the_dead(database: Database, dead: list[tuple[int, int]]) -> None:
    for row in await rows_of(database, schema.session):
        for start, end, status in json.loads(row["timeline"]):
            if status not in ("bridged", "unwitnessed"):
                assert [gap for gap in dead if start < gap[1] and gap[0] < end] == [], (row, start, end, status)


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def test_kills_at_any_instant_lose_and_double_nothing(
    migrated_database_url: MakeUrl, tmp_path: Path, dialect: str
) -> None:
    url = await migrated_database_url(dialect)
    schedules = [{"guild_id": guild_id, "kind": "schedule", "body": '{"interval": "hourly"}'} for guild_id in GUILDS]
    with nursery(url, tmp_path, seed=7) as nurse:
        for number in range(KILLS):
            child = nurse.start()
            # Sometimes while it starts, mostly at work; a real pause, because a real process is at work meanwhile.
            await asyncio.sleep(nurse.dice.choice([0.02, 0.1, 0.3, 0.3, 0.5]) * nurse.dice.random())
            if number == 1:
                await ask_owner(url, schedules)
            elif nurse.dice.random() < 0.5:
                await ask_owner(url, [wish(nurse.dice) for _ in range(3)])
            assert nurse.end(child, signal.SIGKILL) == -signal.SIGKILL
            nurse.dead_time(nurse.now_ms)
        await nurse.owned(1)
        child = nurse.start()
        await nurse.owned(nurse.report.read_text().count("own") + 1)
        await asyncio.sleep(0.5)
        assert nurse.end(child, signal.SIGTERM) == 0
        await check(nurse)


@pytest.mark.postgresql
async def test_who_was_stopped_while_another_took_over_writes_nothing_more(
    migrated_database_url: MakeUrl, tmp_path: Path
) -> None:
    url = await migrated_database_url("postgresql")
    with nursery(url, tmp_path, seed=8) as nurse:
        current = nurse.start("0")
        await nurse.owned(1)
        for number in range(1, 9):
            await asyncio.sleep(0.4 * nurse.dice.random())
            os.kill(current, signal.SIGSTOP)
            stopped_ms = nurse.now_ms
            nurse.offset_ms += LEASE_MS + 1_000  # the lease runs out
            successor = nurse.start(str(number))
            await nurse.owned(number + 1)
            nurse.dead.append((stopped_ms, nurse.now_ms - 500))
            await asyncio.sleep(0.1 * nurse.dice.random())
            assert nurse.end(current, signal.SIGCONT) in (LOST, AWAY)
            current = successor
        await asyncio.sleep(0.3)
        assert nurse.end(current, signal.SIGTERM) == 0
        await check(nurse)


async def test_a_stopped_process_that_nobody_replaced_goes_on(migrated_database_url: MakeUrl, tmp_path: Path) -> None:
    url = await migrated_database_url("sqlite")
    with nursery(url, tmp_path, seed=9) as nurse:
        child = nurse.start()
        await nurse.owned(1)
        for _ in range(6):
            await asyncio.sleep(0.2 * nurse.dice.random())
            os.kill(child, signal.SIGSTOP)
            await asyncio.sleep(0.05)
            os.kill(child, signal.SIGCONT)
        await asyncio.sleep(0.3)
        assert nurse.end(child, signal.SIGTERM) == 0
        await check(nurse)
