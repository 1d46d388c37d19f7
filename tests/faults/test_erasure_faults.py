"""An erasure whose every step fails, both ways, or whose process is killed: nothing is left and everything verifies."""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from attendance.core import Engine
from attendance.errors import UnavailableError
from attendance.services.erasure import CLAIM_MS
from attendance.store import schema
from attendance.store.database import Database, open_database
from tests.books import rows_of
from tests.fixtures_database import MakeUrl
from tests.owner import Fault, FaultyStore
from tests.privacy_world import (
    DAY,
    GUILD,
    HOUR,
    MEMBERS,
    PrivacyWorld,
    archived_periods,
    of_others,
    salts_of,
    sums_are_those_of_the_sessions,
    traces,
)
from tests.signing_world import chain_of

ROOT = Path(__file__).parents[2]
STEPS = (
    "erase_sessions",
    "erase_external",
    "anonymise_entries",
    "erase_journal",
    "erase_traces",
    "finish",
)
REQUESTS = ("to_tell", "claim_to_tell", "note_told", "due", "claim", "hold", "forget_subjects")


async def all_is_well(world: PrivacyWorld, member: int, salts: list[bytes], others: object) -> None:
    world.clock.advance(DAY + 1)
    await world.eraser().look()
    assert await traces(world.database, member, salts) == []
    assert await of_others(world.database, member) == others
    await sums_are_those_of_the_sessions(world.database)
    await world.sign_and_archive()
    world.clock.advance(HOUR)
    await chain_of(world.database, GUILD)
    for index in await archived_periods(world.database):
        assert (await world.signing.verification.period(GUILD, index)).valid


async def ends_blind(database: Database) -> bool:
    """Whether the last state of the guild is of a blind interval, in which nobody is known to have left."""
    [row] = [row for row in await rows_of(database, schema.checkpoint) if row["guild_id"] == GUILD]
    engine = Engine()
    engine.restore(GUILD, row["state"])
    return engine.summary(GUILD).blind_since_ms is not None


async def erase_with_failures(database: Database, seed: int, member: int, periods: int) -> bool:
    """Erase under failing writes.

    Returns:
        Whether it could be tried: where the recorder stopped while blind, an erasure rightly waits until one sees the
        guild again, and none does here.
    """
    world = PrivacyWorld(database, seed)
    await world.live(periods=periods, steps=160)
    if await ends_blind(database):
        return False
    salts, others = await salts_of(database, member), await of_others(database, member)
    await world.ask_to_erase(member)
    fault = Fault(random.Random(seed))
    erasers = [
        world.eraser(steps=FaultyStore(world.steps, fault, STEPS), requests=FaultyStore(world.requests, fault, REQUESTS))
        for _ in range(2)
    ]

    async def look(eraser) -> None:
        with suppress(UnavailableError):
            await eraser.look()

    for _ in range(500):
        await asyncio.gather(*(look(eraser) for eraser in erasers))
        if {row["state"] for row in await rows_of(database, schema.erasure)} == {"done"}:
            break
        world.clock.advance(CLAIM_MS // 2)
    else:
        pytest.fail("it never ended")
    assert fault.failures
    await all_is_well(world, member, salts, others)
    return True


@pytest.mark.slow
@given(st.integers(0, 10_000), st.sampled_from(MEMBERS[1:]), st.integers(1, 3))
@settings(max_examples=5, deadline=None, suppress_health_check=[*HealthCheck])
def test_whoever_is_erased_whenever_and_whatever_fails(sqlite_template, tmp_path_factory, seed, member, periods):
    path = tmp_path_factory.mktemp("erasure") / "rollcall.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())

    async def run() -> bool:
        database = open_database(f"sqlite:///{path}")
        try:
            return await erase_with_failures(database, seed, member, periods)
        finally:
            await database.close()

    assume(asyncio.run(run()))


@pytest.mark.postgresql
@pytest.mark.slow
async def test_two_erasers_whose_writes_fail_share_an_erasure(migrated_database_url: MakeUrl):
    database = open_database(await migrated_database_url("postgresql"))
    assert await erase_with_failures(database, 5, MEMBERS[2], 2)
    await database.close()


async def start(url: str, at_ms: int) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "tests.faults.erasure_child", url, str(at_ms))
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    assert await child.stdout.readline() == b"ready\n"
    return child


async def remaining(world: PrivacyWorld, member: int) -> int:
    return len(set(await traces(world.database, member)) - {"erasure.user_id", "erasure.requested_by"})


@pytest.mark.slow
async def test_erasers_that_are_killed_leave_nothing_and_break_nothing(database):
    world, chance = PrivacyWorld(database), random.Random(3)
    await world.live()
    member = MEMBERS[3]
    salts, others = await salts_of(database, member), await of_others(database, member)
    await world.ask_to_erase(member)
    url = database.url.render_as_string(hide_password=False)
    left = await remaining(world, member)
    for _ in range(4):
        child = await start(url, world.clock.now_ms())
        try:
            goal = chance.randrange(left + 1)
            async with asyncio.timeout(60):
                while await remaining(world, member) > goal:
                    pass  # the reads are what passes the time
        finally:
            child.kill()
            await child.communicate()
        world.clock.advance(CLAIM_MS + 1)
        left = await remaining(world, member)
    await world.eraser().look()
    await all_is_well(world, member, salts, others)
