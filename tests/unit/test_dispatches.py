"""Dispatches that the recorder does not read: from the shard's watch through a queue into the main loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from typing import Any

import pytest

from attendance import metrics
from attendance.clock import FixedClock
from attendance.discord.dispatches import DispatchQueue, DispatchSwitch
from attendance.discord.watch import ShardWatch
from attendance.domain.ids import ShardId
from attendance.domain.observations import Observation
from attendance.ports.dispatches import ENTITLEMENT_NAMES, INTERACTION_CREATE


class Taken:
    """A handler that keeps what it is given and can be waited for."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.changed = asyncio.Event()

    async def handle(self, name: str, payload: Any) -> None:
        if payload == "bad":
            raise ValueError("no good")
        self.seen.append((name, payload))
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.seen) < count:
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def running(queue: DispatchQueue) -> Any:
    task = asyncio.create_task(queue.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class NoSink:
    def put(self, _observation: Observation) -> bool:
        return True

    def has_room(self, _shard_id: ShardId) -> bool:
        return True


def dispatch(name: str, data: Any, sequence: int = 2) -> bytes:
    return json.dumps({"op": 0, "d": data, "t": name, "s": sequence}).encode()


async def test_dispatches_of_another_thread_are_handled_in_order_in_the_loop_of_the_queue() -> None:
    taken = Taken()
    queue = DispatchQueue({INTERACTION_CREATE}, taken.handle)
    queue.dispatched(INTERACTION_CREATE, 0)  # before anybody consumes
    async with running(queue):

        def put_all() -> None:
            for number in range(1, 500):
                queue.dispatched(INTERACTION_CREATE, number)

        thread = threading.Thread(target=put_all)
        thread.start()
        await taken.until(500)
        await asyncio.to_thread(thread.join)
    assert [payload for _, payload in taken.seen] == list(range(500))


async def test_what_a_handler_raises_is_counted_and_the_next_one_is_handled() -> None:
    taken = Taken()
    queue = DispatchQueue({INTERACTION_CREATE}, taken.handle)
    failures = metrics.DISPATCH_FAILURES.labels(INTERACTION_CREATE)
    before = failures._value.get()
    async with running(queue):
        queue.dispatched(INTERACTION_CREATE, "bad")
        queue.dispatched(INTERACTION_CREATE, "good")
        await taken.until(1)
    assert taken.seen == [(INTERACTION_CREATE, "good")]
    assert failures._value.get() == before + 1


async def test_a_full_queue_drops_counts_and_takes_again_when_there_is_room() -> None:
    taken = Taken()
    queue = DispatchQueue({INTERACTION_CREATE}, taken.handle, capacity=2)
    dropped = metrics.DISPATCHES_DROPPED.labels(INTERACTION_CREATE)
    before = dropped._value.get()
    for number in range(5):
        queue.dispatched(INTERACTION_CREATE, number)
    assert (len(queue), dropped._value.get()) == (2, before + 3)
    async with running(queue):
        await taken.until(2)
        queue.dispatched(INTERACTION_CREATE, 9)
        await taken.until(3)
    assert [payload for _, payload in taken.seen] == [0, 1, 9]


async def test_a_watch_passes_on_what_is_wanted_and_nothing_else() -> None:
    taken = Taken()
    interactions = DispatchQueue({INTERACTION_CREATE}, taken.handle)
    entitlements = DispatchQueue(ENTITLEMENT_NAMES, taken.handle)
    watch = ShardWatch(ShardId(0), NoSink(), FixedClock(0), listener=DispatchSwitch([interactions, entitlements]))
    watch.opened()
    watch.read(b'{"op":10,"d":{"heartbeat_interval":40000},"t":null,"s":null}')
    watch.read(dispatch("VOICE_STATE_UPDATE", {"guild_id": "5", "user_id": "7", "channel_id": None}))
    watch.read(dispatch("TYPING_START", {}))
    watch.read(dispatch(INTERACTION_CREATE, {"id": "1"}))
    watch.read(dispatch("ENTITLEMENT_DELETE", ["not", "an", "object"]))
    assert (len(interactions), len(entitlements)) == (1, 1)
    watch.stop()
    watch.read(dispatch(INTERACTION_CREATE, {"id": "2"}))
    assert len(interactions) == 1, "nothing is passed on once the process ends"


def test_one_name_has_one_listener() -> None:
    async def handle(_name: str, _payload: Any) -> None: ...

    with pytest.raises(ValueError, match="one listener"):
        DispatchSwitch([DispatchQueue({"A"}, handle), DispatchQueue({"A", "B"}, handle)])
