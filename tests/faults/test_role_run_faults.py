"""A worker on verified roles dies or fails at any of its writes and questions to Discord; then another goes on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from attendance.errors import UnavailableError
from attendance.services import role_runs
from attendance.services.role_runs import CLAIM_MS, MEMBERS_A_STEP
from attendance.store import schema
from attendance.store.database import open_database
from attendance.store.role_runs import SqlRoleRunStore
from tests.api_world import GUILD, FakeRoles, World
from tests.books import rows_of
from tests.role_world import ROLE, end_period, granted, make_rule, runs, worker

WRITES = ("claim", "list_changes", "waiting", "intend", "settle", "end", "release")
# Who is judged: 2 lose it, 12 get it (one has it from elsewhere), 1 keeps it, and has lost it meanwhile.
BELOW, KEEPER, ELSEWHERE = (11, 12), 13, 20
REACHED = dict.fromkeys((KEEPER, *range(ELSEWHERE, ELSEWHERE + 12)), 200)
HOLDERS = set(REACHED)
GRANTED = HOLDERS - {ELSEWHERE}
# Two steps of ten members: claim, list_changes, waiting, intend, settle; claim, waiting, intend, settle.
WRITES_OF_A_RUN = 9


class Killed(BaseException):
    """SIGKILL, as far as the code can tell: nothing of this process runs any more."""


@dataclass
class Breaking:
    """Calls everything of an object, and breaks at one call: ``before`` it (not done) or ``after`` it (done, and not told)."""

    inner: Any
    names: tuple[str, ...]
    at: int
    when: str
    error: type[BaseException]
    calls: int = 0
    dead: bool = False
    log: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.inner, name)
        if name not in self.names:
            return call

        async def attempt(*args: Any) -> Any:
            if self.dead:
                raise Killed
            self.calls += 1
            self.log.append(name)
            if self.calls == self.at and self.when == "before":
                self._break()
            result = await call(*args)
            if self.calls == self.at and self.when == "after":
                self._break()
            return result

        return attempt

    def _break(self) -> None:
        self.dead = self.error is Killed
        raise self.error("broken here")


async def prepared(database: Any) -> World:
    """A first run is done; a second is due that gives, takes, keeps and passes over."""
    world = World(database)
    await world.settle()
    await make_rule(world, 100, remove_below=True)
    await end_period(world, 3, dict.fromkeys((*BELOW, KEEPER), 200))
    await worker(world).work()
    assert await granted(world) == {*BELOW, KEEPER}
    world.clock.advance(1_000)
    await end_period(world, 4, REACHED)
    world.roles.held[ROLE] = {*BELOW, ELSEWHERE}
    world.roles.calls.clear()
    return world


async def finish(world: World) -> None:
    """Another worker, once the dead one's claim has run out."""
    world.clock.advance(CLAIM_MS)
    await worker(world, holder="two").work()
    assert world.roles.held[ROLE] == HOLDERS
    assert await granted(world) == GRANTED
    assert [row["state"] for row in await runs(world)] == ["done", "done"]
    rows = await rows_of(world.database, schema.role_change)
    assert {row["state"] for row in rows} == {"done"}
    assert not [call for call in world.roles.calls if call == ("take", ELSEWHERE)]


@pytest.mark.parametrize("error", [UnavailableError, Killed])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, WRITES_OF_A_RUN + 1))
async def test_a_write_that_fails_or_kills_leaves_a_run_that_another_finishes(sqlite_database, at, when, error) -> None:
    world = await prepared(sqlite_database)
    store = Breaking(SqlRoleRunStore(sqlite_database), WRITES, at, when, error)
    with suppress(UnavailableError, Killed, BaseExceptionGroup):
        await worker(world, store).work()
    assert store.calls >= at, store.log
    await finish(world)


async def again(world: World) -> None:
    """The second run is due once more, with everything as it was before it."""
    [rule] = await rows_of(world.database, schema.role_rule)
    await world.remove(schema.role_change, schema.role_change.c.guild_id == GUILD)
    await world.remove(schema.role_grant, schema.role_grant.c.guild_id == GUILD)
    for user_id in (*BELOW, KEEPER):
        await world.put(schema.role_grant, guild_id=GUILD, rule_id=rule["rule_id"], user_id=user_id, granted_at_ms=0)
    world.roles.held[ROLE] = {*BELOW, ELSEWHERE}
    last = schema.role_run.c.period_index == 4
    await world.change(schema.role_run, last, state="due", claimed_by=None, claimed_until_ms=None, done_at_ms=None)


@pytest.mark.parametrize("error", [UnavailableError, Killed])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["has", "give", "take", "problem"])
async def test_a_question_to_discord_that_fails_or_kills_may_be_asked_again(sqlite_database, name, when, error) -> None:
    world = await prepared(sqlite_database)
    for at in (1, 2, 9):
        if at > 1:
            await again(world)
        broken = Breaking(world.roles, (name,), at, when, error)
        with suppress(Killed, UnavailableError):
            await worker(world, discord=broken).work()
        await finish(world)


async def test_a_worker_that_was_only_slow_loses_its_claim_and_settles_nothing(database) -> None:
    world = await prepared(database)

    class Slow(FakeRoles):
        async def give(self, guild_id: int, user_id: int, role_id: int, reason: str) -> bool:
            if not self.calls:
                self.calls.append(("sleep", 0))
                world.clock.advance(CLAIM_MS)
                await worker(world, holder="two").work()
            return await world.roles.give(guild_id, user_id, role_id, reason)

    slow = Slow(held=world.roles.held)
    await worker(world, discord=slow).work()
    await finish(world)


@pytest.mark.postgresql
async def test_two_processes_share_the_runs_and_do_nothing_twice(migrated_database_url, monkeypatch) -> None:
    monkeypatch.setattr(role_runs, "RUNS_AT_ONCE", 4)
    url = await migrated_database_url("postgresql")
    first, second = open_database(url), open_database(url)
    world = World(first)
    await world.settle()
    roles = [7_000 + number for number in range(20)]
    for role_id in roles:
        await make_rule(world, 100 + role_id, role_id=role_id)
    reached = dict.fromkeys(range(100, 100 + MEMBERS_A_STEP + 3), 10_000)
    await end_period(world, 3, reached)
    given: list[tuple[str, int, int]] = []
    both = asyncio.Event()

    class Counting(FakeRoles):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        async def give(self, guild_id: int, user_id: int, role_id: int, reason: str) -> bool:
            given.append((self.name, user_id, role_id))
            if {name for name, *_ in given} == {"one", "two"}:
                both.set()
            await both.wait()  # neither does everything before the other has a connection
            return await world.roles.give(guild_id, user_id, role_id, reason)

    other = World(second, clock=world.clock)
    workers = [worker(world, discord=Counting("one")), worker(other, discord=Counting("two"), holder="two")]
    await asyncio.gather(*(one.work() for one in workers))
    assert sorted(call[1:] for call in given) == sorted((user, role) for user in reached for role in roles)
    assert {name for name, *_ in given} == {"one", "two"}
    assert {row["state"] for row in await runs(world)} == {"done"}
    await first.close()
    await second.close()
