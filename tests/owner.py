"""A recorder that tests own: its clock is moved by hand, its stores fail on demand, its observations come from a script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import insert

from attendance.clock import FixedClock
from attendance.domain.ids import GuildId, ShardId
from attendance.domain.observations import Observation
from attendance.errors import UnavailableError
from attendance.ids import SystemIds
from attendance.services.recording.inlet import Inlet
from attendance.services.recording.recorder import LEASE_MS, Recorder, RecorderStores
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.leases import SqlLeaseStore
from attendance.store.projection import SqlProjectionStore
from attendance.store.recording import SqlJournalStore
from attendance.store.streams import SqlStreamStore
from tests.books import rows_of
from tests.observed import ScriptedDiscord

START_MS = 1_800_000_000_000


@dataclass
class Fault:
    """Makes a store's transactions fail, before or after they were stored, as the dice say; or all of them: ``is_away``."""

    random: Random | None = None
    failures: int = 0
    is_away: bool = False
    gate: dict[str, asyncio.Event] = field(default_factory=dict)  # a transaction of this name waits until its event is set

    def wrap(self, name: str, transaction: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def attempt(*args: Any, **kwargs: Any) -> Any:
            if name in self.gate:
                await self.gate[name].wait()
            if self.is_away:
                self.failures += 1
                raise UnavailableError("away")
            dice = self.random.random() if self.random and name != "load" else 1.0
            if dice < 0.15:
                self.failures += 1
                raise UnavailableError("failed and not stored")
            result = await transaction(*args, **kwargs)
            if dice < 0.3:
                self.failures += 1
                raise UnavailableError("failed but stored")
            return result

        return attempt


class FaultyStore:
    """Any store, each of whose named transactions may fail both ways."""

    def __init__(self, store: Any, fault: Fault, names: tuple[str, ...]) -> None:
        self._store, self._fault, self._names = store, fault, names

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._store, name)
        return self._fault.wrap(name, member) if name in self._names else member


class TellingInlet(Inlet):
    """Says when everything was taken."""

    def __init__(self, capacity: int = 200_000) -> None:
        super().__init__(capacity)
        self.empty = asyncio.Event()

    def put(self, observation: Observation) -> bool:
        self.empty.clear()
        return super().put(observation)

    def take(self, limit: int) -> list[Observation]:
        taken = super().take(limit)
        if not len(self):
            self.empty.set()
        return taken


@dataclass
class Owner:
    """A recorder on a database, and the script that feeds it."""

    database: Database
    clock: FixedClock = field(default_factory=lambda: FixedClock(START_MS))
    fault: Fault = field(default_factory=Fault)
    holder: str = "one"
    capacity: int = 200_000
    waits_for_start: bool = True
    shard_count: int = 1
    inlet: TellingInlet = field(default_factory=TellingInlet)
    task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def term(self) -> Any:
        stores = RecorderStores(
            SqlLeaseStore(self.database),
            FaultyStore(SqlStreamStore(self.database), self.fault, ("load",)),
            FaultyStore(SqlJournalStore(self.database), self.fault, ("commit",)),
            FaultyStore(SqlProjectionStore(self.database), self.fault, ("store", "replace_open", "save_checkpoints")),
        )
        now_ms = self.clock.now_ms()
        shards = [ShardId(number) for number in range(self.shard_count)]
        leases = await stores.leases.acquire(self.shard_count, shards, self.holder, now_ms, now_ms + LEASE_MS)
        assert leases is not None
        self.inlet = TellingInlet(self.capacity)
        recorder = Recorder(
            stores, leases, self.inlet, self.clock, SystemIds(), asyncio.Event(), asyncio.Event(), lambda _guilds: None
        )
        self.task = asyncio.create_task(recorder.run())
        try:
            if self.waits_for_start:
                await self.unless_it_ends(recorder.started.wait())
            yield recorder
            recorder.stop()
            await self.task
        finally:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def unless_it_ends(self, awaited: Coroutine[Any, Any, Any]) -> None:
        """Wait for something, or for the recorder's own end, whose error is ours then."""
        assert self.task is not None
        waiting = asyncio.create_task(awaited)
        try:
            async with asyncio.timeout(90):
                await asyncio.wait([self.task, waiting], return_when=asyncio.FIRST_COMPLETED)
            if self.task.done():
                self.task.result()
        finally:
            waiting.cancel()


async def drained(owner: Owner) -> None:
    await owner.unless_it_ends(owner.inlet.empty.wait())


async def live(owner: Owner, recorder: Recorder, discord: ScriptedDiscord, steps: int) -> None:
    """A stretch of life: a new gateway session, then this many things, the clock moving along."""
    recorder.inlet.put_all(discord.connect())
    for _ in range(steps):
        recorder.inlet.put_all(discord.step())
        owner.clock.at_ms = max(owner.clock.at_ms, discord.at_ms)
        if discord.random.random() < 0.1:
            await drained(owner)


async def ask(database: Database, guild_id: GuildId, kind: str, **body: Any) -> int:
    values = {"guild_id": guild_id, "kind": kind, "body": json.dumps(body), "actor_id": 5, "created_at_ms": 0}
    async with database.transaction() as connection:
        result = await connection.execute(insert(schema.command).values(**values))
        return int(result.inserted_primary_key[0])


async def answer(database: Database, recorder: Recorder, command_id: int) -> dict[str, Any]:
    recorder.commands.set()
    async with asyncio.timeout(90):
        while True:
            rows = await rows_of(database, schema.command)
            for row in rows:
                if row["id"] == command_id and row["applied_at_ms"] is not None:
                    return json.loads(row["result"])
            await asyncio.sleep(0)
