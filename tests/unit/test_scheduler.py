from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from attendance.clock import SystemClock
from attendance.errors import UnavailableError
from attendance.metrics import JOB_FAILURES
from scheduler.app import Scheduler
from scheduler.jobs import Job

HOUR = 3_600.0


@dataclass
class Looks:
    """A job that counts, waits and fails as told."""

    error: BaseException | None = None
    hold: asyncio.Event | None = None
    count: int = 0
    at_once: int = 0
    most_at_once: int = 0
    cancelled: bool = False
    looked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def look(self) -> int:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.count += 1
        async with self.looked:
            self.looked.notify_all()
        try:
            if self.hold is not None:
                await self.hold.wait()
            if self.error is not None:
                raise self.error
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        finally:
            self.at_once -= 1
        return 0

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60), self.looked:
            await self.looked.wait_for(lambda: self.count >= count)


def scheduler_of(looks: Looks, every_seconds: float = HOUR) -> Scheduler:
    return Scheduler([Job("archive", every_seconds, looks.look)], SystemClock())


def failures() -> float:
    return JOB_FAILURES.labels(job="archive")._value.get()


async def test_every_job_is_looked_at_when_the_scheduler_starts() -> None:
    one, two = Looks(), Looks()
    scheduler = Scheduler([Job("one", HOUR, one.look), Job("two", HOUR, two.look)], SystemClock())
    await scheduler.start()
    await asyncio.gather(one.until(1), two.until(1))
    await scheduler.stop()


async def test_the_timer_looks_again_and_again() -> None:
    looks = Looks()
    scheduler = scheduler_of(looks, every_seconds=0.01)
    await scheduler.start()
    await looks.until(4)
    await scheduler.stop()


async def test_waking_looks_at_once() -> None:
    looks = Looks()
    scheduler = scheduler_of(looks)
    await scheduler.start()
    await looks.until(1)
    scheduler.wake()
    await looks.until(2)
    await scheduler.stop()


async def test_a_job_never_runs_twice_at_once_and_no_wake_is_lost() -> None:
    looks = Looks(hold=asyncio.Event())
    scheduler = scheduler_of(looks)
    await scheduler.start()
    await looks.until(1)
    for _ in range(5):
        scheduler.wake()
    assert looks.count == 1
    looks.hold.set()
    await looks.until(2)
    await scheduler.stop()
    assert looks.count == 2, "five wakes while it ran are one more look"
    assert looks.most_at_once == 1


@pytest.mark.parametrize("error", [UnavailableError("the database is away"), ValueError("a bug")])
async def test_a_job_that_fails_is_counted_and_looked_at_again(error: Exception) -> None:
    looks = Looks(error=error)
    before = failures()
    scheduler = scheduler_of(looks)
    await scheduler.start()
    await looks.until(1)
    scheduler.wake()
    await looks.until(2)
    await scheduler.stop()
    assert failures() == before + 2


async def test_stopping_waits_for_a_running_job() -> None:
    looks = Looks(hold=asyncio.Event())
    scheduler = scheduler_of(looks)
    await scheduler.start()
    await looks.until(1)
    stopping = asyncio.create_task(scheduler.stop())
    await asyncio.sleep(0)
    looks.hold.set()
    await stopping
    assert not looks.cancelled
    assert looks.at_once == 0


async def test_stopping_cancels_a_job_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.app.STOP_SECONDS", 0.01)
    looks = Looks(hold=asyncio.Event())
    scheduler = scheduler_of(looks)
    await scheduler.start()
    await looks.until(1)
    scheduler.wake()
    await scheduler.stop()
    assert looks.cancelled
    assert looks.count == 1, "a wake that came before the end is forgotten"


async def test_nothing_is_looked_at_after_the_end() -> None:
    looks = Looks()
    scheduler = scheduler_of(looks, every_seconds=0.01)
    await scheduler.start()
    await looks.until(1)
    await scheduler.stop()
    count = looks.count
    scheduler.wake()
    await asyncio.sleep(0)
    assert looks.count == count
    await scheduler.stop()


async def test_running_ends_cleanly_when_it_is_cancelled() -> None:
    looks = Looks()
    scheduler = scheduler_of(looks)
    task = asyncio.create_task(scheduler.run())
    await looks.until(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert looks.at_once == 0
