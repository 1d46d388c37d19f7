"""APScheduler as the timer, and the dispatch point of jobs.

A timer only kicks a job; the job runs as a task of its own, never twice at once in a process. A kick that comes while it
runs makes it look once more afterwards, so no kick is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from attendance.errors import UnavailableError
from attendance.metrics import JOB_FAILURES
from attendance.ports.clock import Clock
from attendance.services.archive import Archiver
from attendance.services.upkeep import Upkeep
from attendance.store.database import Database
from attendance.store.upkeep import SqlUpkeepStore
from scheduler.jobs import ARCHIVE, Job, jobs_of

# Whatever a job does is safe to cut short; this is for the usual case, where a second saves doing it again.
STOP_SECONDS = 5.0

_log = structlog.get_logger(__name__)


def create_scheduler(archiver: Archiver, database: Database, clock: Clock, further: Sequence[Job] = ()) -> Scheduler:
    """The scheduler with its jobs and ``further`` ones. Nothing runs before `Scheduler.start` or `Scheduler.run`."""
    return Scheduler((*jobs_of(archiver, Upkeep(SqlUpkeepStore(database), clock)), *further), clock)


class Scheduler:
    """Looks at every job at once when it starts, and then as often as the job says."""

    def __init__(self, jobs: Sequence[Job], clock: Clock) -> None:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every run at the level of info
        self._jobs = {job.name: job for job in jobs}
        self._clock = clock
        self._timer = AsyncIOScheduler(timezone=UTC)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._open = False

    async def start(self) -> None:
        """Start the timers in the running event loop."""
        self._open = True
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        for job in self._jobs.values():
            self._timer.add_job(
                self._kick,
                "interval",
                seconds=job.every_seconds,
                args=(job.name,),
                id=job.name,
                next_run_time=now,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._timer.start()

    async def stop(self) -> None:
        """Stop the timers, and wait a little for running jobs before they are cancelled."""
        self._open = False
        if self._timer.running:
            self._timer.shutdown(wait=False)
            await asyncio.sleep(0)  # it shuts down in a callback
        running = list(self._running.values())
        if running:
            try:
                await asyncio.wait(running, timeout=STOP_SECONDS)
            finally:
                for task in running:
                    task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def run(self) -> None:
        """Work until cancelled, then stop."""
        await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    def wake(self, name: str = ARCHIVE) -> None:
        """Look at a job now, without waiting for its timer. From within the event loop; nothing happens once stopped."""
        if not self._open:
            return
        if name in self._running:
            self._again.add(name)
            return
        task = asyncio.create_task(self._look(self._jobs[name]), name=f"job {name}")
        self._running[name] = task
        task.add_done_callback(lambda _: self._ended(name))

    async def _kick(self, name: str) -> None:
        # A coroutine function, because APScheduler runs plain ones in a thread.
        self.wake(name)

    def _ended(self, name: str) -> None:
        del self._running[name]
        if name in self._again:
            self._again.discard(name)
            self.wake(name)

    async def _look(self, job: Job) -> None:
        """The dispatch point: whatever fails in a job ends here, with its context and a metric; the timer looks again."""
        try:
            await job.look()
        except UnavailableError as error:
            JOB_FAILURES.labels(job=job.name).inc()
            _log.warning("a job could not be done now", job=job.name, reason=error.message)
        except Exception:  # noqa: BLE001  # the one place for jobs
            JOB_FAILURES.labels(job=job.name).inc()
            _log.exception("a job failed", job=job.name)
