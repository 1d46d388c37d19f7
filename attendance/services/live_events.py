"""Live events of guilds: who is in voice, sessions that ended, periods that were reset.

One task a process looks at every guild that somebody listens to, one after the other, and everybody who listens to a guild is
given the same bytes. Without listeners nothing runs. What happened is found in the database by position, so it does not matter
which process recorded it, and a listener that comes back misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import structlog

from attendance.domain.ids import GuildId, UserId
from attendance.errors import UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.live import LiveSource, LiveView
from attendance.ports.reports import Period
from attendance.services.attendance_lists import NamedSession

LOOK_SECONDS = 0.4  # with the dashboard's rendering after it, viewers have what happened inside a second
# Of everybody who listens to this process; each costs a socket and a few kilobytes.
MAX_LISTENERS = 2_000
# What a slow listener may have waiting: looks, not bytes, for all listeners share them.
MAX_WAITING = 64
# What one look tells one by one, and who comes back; the next look goes on.
MAX_ENDS = 500
MAX_RESETS = 100
# Whoever is further behind than this is told how far, no more.
MAX_BEHIND = 10_000

_log = structlog.get_logger("live_events")


class Position(NamedTuple):
    """Up to where somebody knows a guild: sessions with a lower ordinal have been told, and periods with a lower index."""

    ordinal: int
    period_index: int


class Presence(NamedTuple):
    """A member with an open session. ``status`` is the accounting's."""

    user_id: UserId
    display_name: str
    channel_id: int
    channel_name: str
    joined_at_ms: int
    status: str


class OccupancySeen(NamedTuple):
    """Everybody who has an open session."""

    as_of_ms: int
    present: Sequence[Presence]


class OccupancyChanged(NamedTuple):
    """Who came, moved or changed status, who has gone, and how many there are now."""

    as_of_ms: int
    members: int
    present: Sequence[Presence]
    gone: Sequence[UserId]


class SessionEnded(NamedTuple):
    """A session that closed."""

    named: NamedSession


class PeriodReset(NamedTuple):
    """A period that is over."""

    period: Period


class Skipped(NamedTuple):
    """So many sessions ended that they are not told one by one: the lists have them."""

    sessions: int


LiveEvent: TypeAlias = OccupancySeen | OccupancyChanged | SessionEnded | PeriodReset | Skipped
Encode: TypeAlias = Callable[[LiveEvent, Position], bytes]


@dataclass(slots=True, eq=False)
class Listener:
    """One who listens. What comes next is read with `next`."""

    waiting: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(MAX_WAITING))
    ended: str | None = None

    async def next(self, seconds: float) -> bytes | None:
        """What happened next; None after ``seconds`` without anything, or if it ended: then ``ended`` says why."""
        if self.ended is not None and self.waiting.empty():
            return None
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await self.waiting.get()
        except TimeoutError:
            return None

    def put(self, events: bytes) -> None:
        """Give it something. Who does not read in time is let go: coming back, they are told what they missed."""
        if self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.end("slow")
        elif self.ended is None:
            self.waiting.put_nowait(events)

    def end(self, reason: str) -> None:
        """Nothing comes any more."""
        if self.ended is None:
            self.ended = reason
            if not self.waiting.full():
                self.waiting.put_nowait(None)


@dataclass(slots=True, eq=False)
class _Feed:
    """What listeners of a guild know: who is present, up to which position. ``lock`` is held while it is looked after."""

    guild_id: GuildId
    position: Position | None = None
    as_of_ms: int = 0
    present: dict[UserId, Presence] = field(default_factory=dict)
    whole: bytes | None = None  # the occupancy encoded, once somebody needed it
    listeners: set[Listener] = field(default_factory=set)
    guests: int = 0  # who listens or is about to
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class LiveEvents:
    """The feeds of a process. ``pause`` waits for so many seconds."""

    reports: LiveSource
    clock: Clock
    encode: Encode
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    _feeds: dict[GuildId, _Feed] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None
    _is_pausing: bool = False
    _is_stopped: bool = False

    @asynccontextmanager
    async def listen(self, guild_id: GuildId, after: Position | None) -> AsyncIterator[Listener]:
        """Listen to a guild: first what ended after ``after``, then everybody who is present, then what happens.

        Raises:
            UnavailableError: the database is away, the process stops, or too many listen.
        """
        if self._is_stopped:
            raise UnavailableError("the service is stopping")
        if sum(feed.guests for feed in self._feeds.values()) >= MAX_LISTENERS:
            raise UnavailableError("too many listen to live events")
        feed = self._feeds.setdefault(guild_id, _Feed(guild_id))
        listener = Listener()
        feed.guests += 1
        try:
            await self._greet(feed, listener, after)
            self._start()
            yield listener
        finally:
            feed.guests -= 1
            feed.listeners.discard(listener)
            if not feed.guests:
                self._feeds.pop(guild_id, None)

    def stop(self) -> None:
        """Let every listener go, and take no more."""
        self._is_stopped = True
        self._let_go("stopping")
        if self._task is not None and self._is_pausing:  # a look is short, and its query would be torn
            self._task.cancel()

    async def _greet(self, feed: _Feed, listener: Listener, after: Position | None) -> None:
        async with feed.lock:
            if feed.position is None:
                await self._look(feed)
            position = feed.position
            assert position is not None  # noqa: S101  # a look sets it
            missed = b"" if after is None else await self._missed(feed.guild_id, after, position)
            if feed.whole is None:
                feed.whole = self.encode(OccupancySeen(feed.as_of_ms, list(feed.present.values())), position)
            listener.put(missed + feed.whole)
            feed.listeners.add(listener)

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_around(), name="live events")
            self._task.add_done_callback(_tell_fault)

    async def _look_around(self) -> None:
        """Look at every guild in turn, at most half of the time, until nobody listens."""
        try:
            took = 0.0
            while self._feeds and not self._is_stopped:
                self._is_pausing = True
                await self.pause(max(LOOK_SECONDS - took, took))
                self._is_pausing = False
                began = self.clock.monotonic()
                for feed in list(self._feeds.values()):
                    try:
                        async with feed.lock:
                            await self._look(feed)
                    except UnavailableError as error:
                        _log.warning("cannot look for live events", guild_id=feed.guild_id, reason=error.message)
                took = self.clock.monotonic() - began
        finally:
            self._task = None
            self._let_go("failed")

    def _let_go(self, reason: str) -> None:
        for feed in self._feeds.values():
            for listener in feed.listeners:
                listener.end(reason)

    async def _look(self, feed: _Feed) -> None:
        """Find out what changed in a guild, and tell its listeners."""
        async with self.reports.view() as view:
            count = (await view.sums_version(feed.guild_id)).closed_count
            running = await view.running_period(feed.guild_id)
            now = Position(count, 0 if running is None else running.index)
            known, told = feed.position, []
            if known is not None:
                told = await self._ends(view, feed.guild_id, known, now, MAX_BEHIND)
                now = told[-1][1] if told else now
            before = feed.present
            await self._see_present(view, feed)
        # From here on nothing is awaited: whoever comes finds position, occupancy and listeners as they fit together.
        feed.position = now
        changed = [presence for user_id, presence in feed.present.items() if before.get(user_id) is not presence]
        gone = [user_id for user_id in before if user_id not in feed.present]
        if changed or gone or told:
            feed.whole = None
        events = [self.encode(*event) for event in told]
        if known is not None and (changed or gone):
            events.append(self.encode(OccupancyChanged(feed.as_of_ms, len(feed.present), changed, gone), now))
        if events:
            together = b"".join(events)
            for listener in feed.listeners:
                listener.put(together)

    async def _see_present(self, view: LiveView, feed: _Feed) -> None:
        """Read who is present; who is as they were before keeps the very same `Presence`."""
        guild_id, before = feed.guild_id, feed.present
        sessions = await view.open_sessions(guild_id)
        new = []
        for session in sessions:
            old = before.get(session.user_id)
            if old is None or (old.channel_id, old.joined_at_ms, old.status) != (
                session.channel_id,
                session.joined_at_ms,
                session.status,
            ):
                new.append(session)
        names = await view.member_names(guild_id, {session.user_id for session in new}) if new else {}
        channels = await view.channel_names(guild_id, {session.channel_id for session in new})
        fresh = {
            session.user_id: Presence(
                session.user_id,
                names[session.user_id],
                session.channel_id,
                channels[session.channel_id],
                session.joined_at_ms,
                session.status,
            )
            for session in new
        }
        feed.as_of_ms = (await view.watch(guild_id)).seen_until(self.clock.now_ms())
        feed.present = {session.user_id: fresh.get(session.user_id) or before[session.user_id] for session in sessions}

    async def _missed(self, guild_id: GuildId, after: Position, until: Position) -> bytes:
        """What ended between two positions. A position beyond the guild's own is none of ours: nothing was missed."""
        if after.ordinal > until.ordinal or after.period_index > until.period_index:
            return b""
        async with self.reports.view() as view:
            told = await self._ends(view, guild_id, after, until, MAX_ENDS)
        return b"".join(self.encode(*event) for event in told)

    async def _ends(
        self, view: LiveView, guild_id: GuildId, known: Position, now: Position, most: int
    ) -> list[tuple[LiveEvent, Position]]:
        """Resets and session ends between two positions, each with the position after it; of over ``most`` ends the number."""
        events: list[tuple[LiveEvent, Position]] = []
        position = known
        if now.period_index > known.period_index:
            for period in await view.ended_periods(guild_id, known.period_index, MAX_RESETS):
                if period.index < now.period_index:
                    position = Position(position.ordinal, period.index + 1)
                    events.append((PeriodReset(period), position))
        behind = now.ordinal - known.ordinal
        if behind <= 0:
            return events
        if behind > most:
            return [*events, (Skipped(behind), Position(now.ordinal, position.period_index))]
        ends = await view.session_ends(guild_id, known.ordinal, MAX_ENDS)
        names = await view.member_names(guild_id, {end.session.user_id for end in ends})
        channels = await view.channel_names(guild_id, {end.session.channel_id for end in ends})
        for ordinal, session in ends:
            if ordinal >= now.ordinal:
                break
            position = Position(ordinal + 1, position.period_index)
            named = NamedSession(session, names[session.user_id], channels[session.channel_id])
            events.append((SessionEnded(named), position))
        return events


def _tell_fault(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("live events failed", exc_info=error)
