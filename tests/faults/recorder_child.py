"""Recorders in processes of their own, for tests that stop and kill them.

One process imports everything once and forks a recorder for each request: a kill costs milliseconds, not a start of Python.
Requests, one JSON object a line on standard input, each answered by one line:

* ``{"url", "seed", "holder", "offset_ms", "report"}``: run a recorder on that database, its clock ahead by ``offset_ms``;
  the answer is its process id. It lives from invented observations until SIGTERM. Into the file ``report`` it writes a line for
  each term (``own``) and for each line of the journal that a commit has made durable (``guild position checksum``).
* ``{"wait"}``: the exit status of that process, negative for a signal, once it has ended. 3 is lost ownership, 4 a start
  without a database.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
import zlib
from random import Random
from typing import Any

import structlog

import attendance.domain.stream.projection
import attendance.services.recording.recorder as recording
import attendance.services.recording.starting
import attendance.store.database
import attendance.store.leases
from attendance.clock import SystemClock
from attendance.domain.stream.batch import JournalBatch
from attendance.errors import OwnershipLostError, UnavailableError
from attendance.ids import SystemIds
from attendance.services.recording.inlet import Inlet
from attendance.store.database import open_database
from attendance.store.leases import SqlLeaseStore
from attendance.store.projection import SqlProjectionStore
from attendance.store.recording import SqlJournalStore
from attendance.store.streams import SqlStreamStore
from tests.observed import SHARD, ScriptedDiscord

LOST, AWAY = 3, 4
_BACKLOG = 400  # observations that may wait: a life of bursts, but not an ever longer queue


def hurry() -> None:
    """Everything happens often: many small transactions, so that a kill finds each kind of them under way."""
    attendance.domain.stream.projection.CHUNK = 7
    attendance.services.recording.starting._CHUNK = 60
    attendance.store.database._IDLE_IN_TRANSACTION_MS = 300
    attendance.store.leases._STUCK_MS = 300
    attendance.store.leases._LOCK_MS = 300
    recording.RENEW_S = 0.03
    recording._CHECKPOINT_S = 0.06


class OffsetClock(SystemClock):
    """The machine's clock, moved ahead: hours pass between two kills."""

    def __init__(self, offset_ms: int) -> None:
        self._offset_ms = offset_ms

    def now_ms(self) -> int:
        return super().now_ms() + self._offset_ms


class LiveDiscord(ScriptedDiscord):
    """The script, played now: every observation is stamped when it is made."""

    def __init__(self, seed: int, clock: OffsetClock) -> None:
        self._clock = clock
        super().__init__(seed, 0)

    @property
    def at_ms(self) -> int:
        return self._clock.now_ms()

    @at_ms.setter
    def at_ms(self, _at_ms: int) -> None:
        """The script would move time along; here it passes by itself."""


class ReportingJournal(SqlJournalStore):
    """Tells a file of each durable commit, unbuffered: what is written there must be in the journal whatever happens next."""

    def __init__(self, database: Any, report: int) -> None:
        super().__init__(database)
        object.__setattr__(self, "report", report)

    async def commit(self, batch: JournalBatch, *args: Any) -> None:
        await super().commit(batch, *args)
        told = "".join(f"{line.guild_id} {line.seq} {zlib.crc32(line.line)}\n" for line in batch.lines)
        os.write(self.report, told.encode())


async def record(job: dict[str, Any]) -> int:
    """Be the owner, or wait in line for it, until SIGTERM; returns the exit status."""
    clock = OffsetClock(job["offset_ms"])
    database = open_database(job["url"])
    report = os.open(job["report"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    leases, journal = SqlLeaseStore(database), ReportingJournal(database, report)
    stores = recording.RecorderStores(leases, SqlStreamStore(database), journal, SqlProjectionStore(database))
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    held = None
    while held is None:
        try:
            now_ms = clock.now_ms()
            held = await leases.acquire(1, [SHARD], job["holder"], now_ms, now_ms + recording.LEASE_MS)
        except UnavailableError as error:
            structlog.get_logger().warning("waiting", error=error.message)
        await asyncio.sleep(0.01)
    os.write(report, b"own\n")
    recorder = recording.Recorder(
        stores, held, Inlet(), clock, SystemIds(), asyncio.Event(), asyncio.Event(), lambda _guilds: None
    )
    working = asyncio.create_task(recorder.run())
    try:
        await _live(recorder, LiveDiscord(job["seed"], clock), working, stopping)
        recorder.stop()
        await working
    except OwnershipLostError:
        return LOST
    except UnavailableError:
        return AWAY  # a start that found no database: `Ownership` begins anew
    await database.close()
    return 0


async def _live(
    recorder: recording.Recorder, discord: LiveDiscord, working: asyncio.Task[None], stopping: asyncio.Event
) -> None:
    dice = Random(discord.random.random())
    started = asyncio.create_task(recorder.started.wait())
    await asyncio.wait([working, started], return_when=asyncio.FIRST_COMPLETED)
    recorder.inlet.put_all(discord.connect())
    while not (stopping.is_set() or working.done()):
        if len(recorder.inlet) < _BACKLOG:
            for _ in range(dice.choice([1, 3, 30])):
                recorder.inlet.put_all(discord.step())
        await asyncio.sleep(dice.choice([0, 0.002, 0.01]))
    started.cancel()


def main() -> None:
    """Fork a recorder for each request, and say how each ended."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # standard output is for the test
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                os._exit(_run(request))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _run(job: dict[str, Any]) -> int:
    try:
        return asyncio.run(record(job))
    except BaseException:  # noqa: BLE001 - nobody is above this in the process; the test shows its standard error
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    hurry()  # not at import: a test process that imports from here must not hurry
    main()
