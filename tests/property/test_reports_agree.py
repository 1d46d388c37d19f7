"""Any trace, any time zone, the clocks changing meanwhile: every report adds up to the same time, to the millisecond."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from attendance.clock import FixedClock
from attendance.core import Engine
from attendance.domain.ids import GuildId, ShardId
from attendance.domain.settings import GuildSettings
from attendance.domain.stream.projection import project
from attendance.ids import SystemIds, uuid7
from attendance.ports.recording import Lease
from attendance.store import schema
from attendance.store.database import Database, open_database
from attendance.store.projection import SqlProjectionStore
from attendance.store.reports import SqlReportSource
from attendance.store.settings import store_settings
from tests.report_agreement import Reports, breakdowns_agree, channels_agree, members_agree, quarters_said, ranges_agree
from tests.strategies.traces import Line, traces

# Clocks that change by an hour, by half of one, at midnight, in the other half of the year, during Ramadan, by two hours; none.
ZONES = (
    "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Pacific/Chatham", "Africa/Casablanca", "Antarctica/Troll",
    "Asia/Kathmandu", "UTC",
)  # fmt: skip
# A little before clocks change: Berlin in March and October, Havana in November, Lord Howe and Chatham in April, Casablanca.
STARTS = tuple(
    round(datetime(*when, tzinfo=UTC).timestamp() * 1000)
    for when in ((2026, 3, 28, 20), (2026, 10, 24, 21), (2026, 11, 1, 1), (2026, 4, 4, 9), (2026, 2, 14, 23), (2026, 7, 6))
)
# Steps of a trace last up to two minutes: stretched, up to a day and more.
STRETCHES = (1, 60, 997)
_guilds = count(1)


@dataclass
class Books:
    """A database for all examples: each is a guild of its own."""

    database: Database
    run: asyncio.Runner
    lease: Lease


@pytest.fixture(scope="module")
def books(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    path = tmp_path_factory.mktemp("agree") / "rollcall.sqlite3"
    shutil.copyfile(sqlite_template, path)
    with asyncio.Runner() as runner:
        database = open_database(f"sqlite:///{path}")
        lease = Lease(shard_count=1, shard_id=ShardId(0), epoch=1)
        values = {"holder": "test", "epoch": 1, "expires_at_ms": 2**62, "alive_at_ms": 0, "connected": True}

        async def hold() -> None:
            async with database.transaction() as connection:
                await connection.execute(insert(schema.shard_lease).values(shard_count=1, shard_id=0, **values))

        runner.run(hold())
        yield Books(database, runner, lease)
        runner.run(database.close())


def in_our_time(trace: list[Line], guild_id: int, start_ms: int, stretch: int) -> list[Line]:
    """The first guild's lines of a trace, as if they had happened from ``start_ms`` on and more slowly."""
    first = trace[0]
    lines = [line for line in trace if line["guild_id"] == first["guild_id"]]
    return [{**line, "guild_id": str(guild_id), "at": start_ms + (line["at"] - first["at"]) * stretch} for line in lines]


async def record(books: Books, lines: list[Line], guild_id: GuildId, timezone: str) -> int:
    """Store what the engine says of a trace as the recorder does; returns the last instant."""
    engine, ids = Engine(), SystemIds()
    outcome = engine.apply([json.dumps(line).encode() for line in lines])
    summary = engine.summary(guild_id)
    default = GuildSettings()
    async with books.database.transaction() as connection:
        await connection.execute(insert(schema.stream).values(guild_id=guild_id, shard_count=1, closed_count=0))
        settings = replace(default, schedule=replace(default.schedule, timezone=timezone))
        await store_settings(connection, guild_id, settings)
        if summary.blind_since_ms is not None:
            blind = {"seq": 0, "started_at_ms": summary.blind_since_ms, "cause": "disconnected"}
            await connection.execute(insert(schema.blind_interval).values(guild_id=guild_id, **blind))
        cuts = [lines[0]["at"], *(line["at"] for line in lines if line["type"] == "period_end"), None]
        for index, (started, ended) in enumerate(pairwise(cuts)):
            state = "running" if ended is None else "closed"
            values = {"started_at_ms": started, "ended_at_ms": ended, "state": state}
            await connection.execute(insert(schema.period).values(guild_id=guild_id, period_index=index, **values))
    store = SqlProjectionStore(books.database)
    for projection in project(
        outcome.closed,
        engine.open_sessions(guild_id),
        [],
        [],
        stored={guild_id: 0},
        new_session_id=lambda at_ms: uuid7(at_ms, ids.salt()[:10]),
    ):
        await store.store(projection, {ShardId(0): books.lease}, 0)
    return summary.last_at_ms


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[*HealthCheck])
@given(
    trace=traces(max_steps=25).filter(bool),
    home=st.sampled_from(ZONES),
    asked=st.sampled_from(ZONES),
    start_ms=st.sampled_from(STARTS),
    stretch=st.sampled_from(STRETCHES),
    later_ms=st.sampled_from((0, 1, 3_600_000)),
)
def test_every_report_adds_up_to_the_same_time(books: Books, *, trace, home, asked, start_ms, stretch, later_ms) -> None:
    guild_id = GuildId(next(_guilds) << 22)
    lines = in_our_time(trace, guild_id, start_ms, stretch)

    async def check() -> None:
        last_ms = await record(books, lines, guild_id, home)
        reports = Reports(SqlReportSource(books.database), FixedClock(last_ms + later_ms), guild_id)
        await reports.read()
        await members_agree(reports)
        await channels_agree(reports)
        await breakdowns_agree(reports, asked)
        await ranges_agree(reports, await quarters_said(reports, books.database), asked)

    books.run.run(check())
