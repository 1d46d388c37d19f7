"""Live pages: for each guild one stream from the API, rendered once, shared by everybody who looks.

A feed holds its slots as they are now, each with the version at which it last changed. A viewer remembers one number, the
version they have; so somebody who reads slowly costs no memory, misses what was replaced meanwhile and is right again with the
next read.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from attendance.errors import UnavailableError
from dashboard.api_client import Asking
from dashboard.errors import ApiRefused

_log = structlog.get_logger("dashboard")

Slots = Mapping[str, str]
_HEARTBEAT = b":\n\n"
CROWD = 500  # viewers to whom one rendering goes in a tenth of a second of processor


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. The defaults are what is served; tests hurry."""

    rendering: float = 0.4  # at most one rendering of a guild in this time, for each `CROWD` of viewers
    figures: float = 5.0  # what costs the API more than who is in voice: at most so often while things happen,
    idle: float = 15.0  # and at least so often: that a key was locked is no event of the stream
    retry: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)
    heartbeat: float = 15.0
    judging: float = 30.0  # at the latest; half of it at the earliest, so that a crowd that came at once is not judged at once
    judging_again: float = 2.0  # while the API is away, and nothing is said


class Source(Protocol):
    """A guild, as the feed asks for it in somebody's name. Every call raises `ApiRefused` or `UnavailableError`."""

    def events(
        self, asking: Asking, guild_id: int, after: str | None
    ) -> AbstractAsyncContextManager[AsyncIterator[tuple[str, str]]]:
        """The API's events, as pairs of name and id (empty: none)."""
        ...

    async def occupancy(self, asking: Asking, guild_id: int) -> Slots:
        """The slots that change with everybody who comes and goes."""
        ...

    async def everything(self, asking: Asking, guild_id: int) -> Slots:
        """All slots."""
        ...

    def stale(self, guild_id: int) -> Slots:
        """What is shown while the API is away."""
        ...


@dataclass(slots=True, eq=False)
class Viewer:
    """Somebody who looks. ``suspect``: the API refused them, so they are judged at once."""

    asking: Asking
    suspect: bool = False


class Feed:
    """One guild's slots, and who looks at them."""

    def __init__(self, guild_id: int, source: Source, pace: Pace) -> None:
        self.guild_id, self.source, self.pace = guild_id, source, pace
        self.viewers: dict[Viewer, None] = {}
        self.epoch = secrets.token_hex(4)
        self.version = 0
        self.renderings = 0
        self._slots: dict[str, tuple[int, str, bytes]] = {}
        self._chunks: dict[int, bytes] = {}
        self.changed = asyncio.Event()
        self._happened = asyncio.Event()
        self._after: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._run(), name=f"live {self.guild_id}")

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Let every viewer look around: something changed, or the process stops."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def chunk(self, seen: int) -> bytes:
        """What changed since a version, as bytes of the stream. Made once for all who are as far."""
        found = self._chunks.get(seen)
        if found is None:
            event_id = b"id: %s-%d\n" % (self.epoch.encode(), self.version)
            found = b"".join(event_id + encoded for version, _, encoded in self._slots.values() if version > seen)
            self._chunks[seen] = found
        return found

    def publish(self, slots: Slots) -> None:
        """Take what is as it is now; who looks gets what differs."""
        changed = {name: html for name, html in slots.items() if name not in self._slots or self._slots[name][1] != html}
        if not changed:
            return
        self.version += 1
        for name, html in changed.items():
            self._slots[name] = (self.version, html, _encoded(name, html))
        self._chunks.clear()
        self.wake()

    async def _run(self) -> None:
        failures = 0
        while True:
            viewer = next(iter(self.viewers), None)
            if viewer is None:
                return
            try:
                await self._listen(viewer.asking)
                failures = 0
            except ApiRefused as refusal:
                if refusal.status in (401, 403, 404):
                    self._suspect(viewer)
                failures += 1
            except UnavailableError:
                self.publish(self.source.stale(self.guild_id))
                failures += 1
            except Exception as error:  # noqa: BLE001  # a feed that dies would leave its viewers with an old page
                _log.error("a live page could not be made", guild_id=self.guild_id, exc_info=error)
                self.publish(self.source.stale(self.guild_id))
                failures += 1
            wait = self.pace.retry[min(failures, len(self.pace.retry)) - 1] if failures else self.pace.retry[0] / 10
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311  # not all processes at once

    def _suspect(self, viewer: Viewer) -> None:
        """Ask in somebody else's name; this one is judged."""
        viewer.suspect = True
        if viewer in self.viewers:
            del self.viewers[viewer]
            self.viewers[viewer] = None  # now the last
        self.wake()

    async def _listen(self, asking: Asking) -> None:
        """Until the API ends the stream."""
        async with self.source.events(asking, self.guild_id, self._after) as events:
            rendering = asyncio.create_task(self._render(asking))
            reading = asyncio.create_task(self._read(events))
            try:
                await asyncio.wait({rendering, reading}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                rendering.cancel()
                reading.cancel()
                results = await asyncio.gather(rendering, reading, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception):
                    raise result

    async def _read(self, events: AsyncIterator[tuple[str, str]]) -> None:
        async for name, event_id in events:
            if name == "end":
                return
            self._after = event_id or self._after
            self._happened.set()

    async def _render(self, asking: Asking) -> None:
        loop = asyncio.get_running_loop()
        figures_at = figures_due = 0.0
        while True:
            self._happened.clear()
            began = loop.time()
            if began >= figures_due:
                slots = await self.source.everything(asking, self.guild_id)
                figures_at = began
            else:
                slots = await self.source.occupancy(asking, self.guild_id)
            self.renderings += 1
            self.publish(slots)
            busy = began != figures_at  # something happened after the figures were asked for
            pause = self.pace.rendering * max(len(self.viewers) / CROWD, 1)
            await asyncio.sleep(max(began + pause - loop.time(), 0))
            figures_due = figures_at + (self.pace.figures if busy else self.pace.idle)
            await _until(self._happened, figures_due - loop.time())
            if self._happened.is_set():
                figures_due = figures_at + self.pace.figures


@dataclass(slots=True)
class Live:
    """All feeds of this process."""

    source: Source
    pace: Pace = field(default_factory=Pace)
    _feeds: dict[int, Feed] = field(default_factory=dict)
    _stopping: bool = False

    @property
    def viewers(self) -> int:
        """How many look now."""
        return sum(len(feed.viewers) for feed in self._feeds.values())

    def feed(self, guild_id: int) -> Feed | None:
        """The feed of a guild that somebody looks at."""
        return self._feeds.get(guild_id)

    def stop(self) -> None:
        """End every stream: the process is about to end."""
        self._stopping = True
        for feed in self._feeds.values():
            feed.wake()

    async def close(self) -> None:
        """Stop, and listen to nothing more."""
        self.stop()
        feeds, self._feeds = list(self._feeds.values()), {}
        await asyncio.gather(*(feed.close() for feed in feeds))

    async def stream(
        self, asking: Asking, guild_id: int, last_event_id: str | None, judge: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """What one viewer is sent.

        Args:
            asking: in whose name the API may be asked.
            guild_id: the guild.
            last_event_id: what they had, of this process or of another.
            judge: whether they still may look; raises `UnavailableError` where nobody can say.
        """
        viewer, loop, pace = Viewer(asking), asyncio.get_running_loop(), self.pace
        feed = self._join(guild_id, viewer)
        seen, spoken, trusted = _seen(last_event_id, feed), loop.time(), True
        due = spoken + some_time_within(pace.judging)
        try:
            yield b"retry: 2000\n\n"
            while not self._stopping:
                if viewer.suspect or loop.time() >= due:
                    viewer.suspect = False
                    verdict = await _verdict(judge)
                    if verdict is False:
                        yield b"event: end\ndata: forbidden\n\n"
                        return
                    trusted = verdict is True  # while nobody can say, nothing is told
                    due = loop.time() + (some_time_within(pace.judging) if trusted else pace.judging_again)
                if trusted and seen < feed.version:
                    chunk, seen = feed.chunk(seen), feed.version
                elif loop.time() >= spoken + pace.heartbeat:
                    chunk = _HEARTBEAT
                else:
                    changed = feed.changed if trusted else asyncio.Event()
                    await _until(changed, min(due, spoken + pace.heartbeat) - loop.time())
                    continue
                spoken = loop.time()
                yield chunk
            yield b"event: end\ndata: stopping\n\n"
        finally:
            await self._leave(feed, viewer)

    def _join(self, guild_id: int, viewer: Viewer) -> Feed:
        feed = self._feeds.get(guild_id)
        if feed is None:
            feed = self._feeds[guild_id] = Feed(guild_id, self.source, self.pace)
            feed.viewers[viewer] = None
            feed.start()
        else:
            feed.viewers[viewer] = None
        return feed

    async def _leave(self, feed: Feed, viewer: Viewer) -> None:
        feed.viewers.pop(viewer, None)
        if not feed.viewers and self._feeds.get(feed.guild_id) is feed:
            del self._feeds[feed.guild_id]
            await feed.close()


async def _verdict(judge: Callable[[], Awaitable[bool]]) -> bool | None:
    """None: nobody can say now."""
    try:
        return await judge()
    except UnavailableError:
        return None


def some_time_within(seconds: float) -> float:
    """Any time of its second half."""
    return seconds * random.uniform(0.5, 1)  # noqa: S311  # no secret


async def _until(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, 0)):
            await event.wait()


def _seen(last_event_id: str | None, feed: Feed) -> int:
    epoch, _, version = (last_event_id or "").partition("-")
    known = epoch == feed.epoch and version.isascii() and version.isdigit() and len(version) <= 18  # noqa: PLR2004
    return min(int(version), feed.version) if known else 0


def _encoded(name: str, html: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in html.splitlines() or [""])
    return f"event: {name}\n{lines}\n".encode()
