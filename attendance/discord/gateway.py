"""Discord's gateway in a thread and an event loop of its own: a burst there does not stall HTTP here."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import hikari
import structlog

from attendance.discord.bot import WatchedBot
from attendance.discord.failures import as_rollcall_error, bot_id_of
from attendance.discord.rest_client import open_rest
from attendance.discord.watch import STALL_HEARTBEATS, ShardCounts, ShardWatch
from attendance.domain.ids import ShardId
from attendance.errors import ConfigError, RollcallError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.dispatches import DispatchListener
from attendance.ports.gateway import GatewaySession
from attendance.ports.observing import ObservationSink

STOP_SECONDS = 4.0
_CANCEL_AGAIN_SECONDS = 0.2

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What the gateway needs to know.

    Attributes:
        token: the bot's token.
        rest_url: Discord's REST address with `/api/v10`; None is Discord's own.
        shard_ids: the shards to run here; None is all of them.
        shard_count: how many shards there are in all; None asks Discord.
        stall_heartbeats: signs of life further apart than this many heartbeat intervals are a stall.
        handshake_seconds: how long HELLO, READY or RESUMED may take before the shard tries again.
        tick_seconds: how often the clocks are looked at and a quiet shard says that it is alive.
    """

    token: str = field(repr=False)
    rest_url: str | None = None
    shard_ids: tuple[ShardId, ...] | None = None
    shard_count: int | None = None
    stall_heartbeats: float = STALL_HEARTBEATS
    handshake_seconds: float = 30.0
    tick_seconds: float = 1.0


class Gateway:
    """All shards of this process. Built and used in the main event loop; what it sees goes to the sink, in socket order.

    Observations are put from the gateway's thread. Those of one shard are in the order in which its socket was read; between
    shards no order is promised. Nothing is put after `stop` has returned.

    Args:
        settings: see `GatewaySettings`; ``shard_count`` must be known (`recommended_shards`).
        sink: where observations go; thread-safe.
        clock: wall and monotonic time; read in the gateway's thread.
        listener: told of the other dispatches that it wants, in the gateway's thread.
        sessions: left by an earlier process, to be resumed.

    Raises:
        ConfigError: the token has not the form of one, or the shard numbers make no sense.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        sink: ObservationSink,
        clock: Clock,
        listener: DispatchListener | None = None,
        sessions: Sequence[GatewaySession] = (),
    ) -> None:
        bot_id_of(settings.token)
        if settings.shard_count is None:
            raise ConfigError("the shard count must be known before the gateway is built")
        self.shard_count = settings.shard_count
        everything = tuple(ShardId(number) for number in range(settings.shard_count))
        self.shard_ids = everything if settings.shard_ids is None else settings.shard_ids
        if not self.shard_ids or not set(self.shard_ids) <= set(everything):
            raise ConfigError(f"shard ids must be some of 0 to {settings.shard_count - 1}")
        self._settings = settings
        self._watches = {
            shard_id: ShardWatch(shard_id, sink, clock, stall_heartbeats=settings.stall_heartbeats, listener=listener)
            for shard_id in self.shard_ids
        }
        self._begun: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._stop_requested = False
        self._sessions = sessions
        self._left_sessions: list[GatewaySession] = []

    def connected(self, shard_id: ShardId) -> bool:
        """Whether a shard sees everything at present."""
        watch = self._watches.get(shard_id)
        return watch is not None and watch.connected

    def counts(self) -> Mapping[ShardId, ShardCounts]:
        """What each shard has counted since the start, for the metrics; live objects that only grow."""
        return {shard_id: watch.counts for shard_id, watch in self._watches.items()}

    @property
    def failure(self) -> RollcallError | None:
        """Why the gateway has ended by itself, if it has."""
        if not self._ended.done():
            return None
        error = self._ended.exception()
        return error if isinstance(error, RollcallError) else None

    async def start(self) -> None:
        """Start the thread and return once Discord has accepted the token and the first shard is connecting.

        Raises:
            ConfigError: the token or the shard numbers are refused.
            UnavailableError: Discord does not answer within the bound, or allows no more sessions today.
        """
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(self._settings.handshake_seconds):
                await _in_this_loop(self._begun)
        except TimeoutError:
            await self.stop()
            raise UnavailableError("Discord does not tell its gateway's address") from None

    async def join(self) -> None:
        """Wait until the gateway has ended.

        Raises:
            ConfigError, UnavailableError: it ended by itself, and why.
        """
        await _in_this_loop(self._ended)

    async def stop(self) -> list[GatewaySession]:
        """Close every connection and end the thread, within a few seconds. Puts nothing more; may be called twice.

        Returns:
            The sessions that another process may resume, of shards that saw everything to the end.
        """
        self._stop_requested = True
        if self._thread is not None:
            await self._end_thread()
        for watch in self._watches.values():
            watch.stop()  # a thread that does not end puts nothing more all the same
        return self._left_sessions

    async def _end_thread(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself meanwhile
                self._loop.call_soon_threadsafe(self._stopping.set)
        try:
            async with asyncio.timeout(2 * STOP_SECONDS):
                await _in_this_loop(self._ended)
        except TimeoutError:
            _log.error("gateway_thread_does_not_end")
        except RollcallError:
            _log.info("gateway_had_ended_by_itself")  # `failure` and `join` tell why

    def _run(self) -> None:
        """Be the thread. The gateway's dispatch point: whatever goes wrong in here ends as one of our errors."""
        failure: RollcallError | None = None
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - nobody is above this in the thread
            failure = as_rollcall_error(error)
            _log.error("gateway_ended", code=failure.code, reason=failure.message, exc_info=error)
        for watch in self._watches.values():
            watch.stop()
        for future in (self._begun, self._ended):
            if future.done():
                continue
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._stop_requested:
            return
        settings = self._settings
        bot = WatchedBot(
            settings.token,
            settings.rest_url,
            self._watches,
            handshake_seconds=settings.handshake_seconds,
            sessions=self._sessions,
        )
        running = asyncio.create_task(self._run_bot(bot))
        stopping = asyncio.create_task(self._stopping.wait())
        others = [asyncio.create_task(self._tick(bot)), asyncio.create_task(self._tell_begun(bot))]
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            # At one instant, in the thread that reads the sockets: what was read before it was put, and nothing after it.
            self._left_sessions = bot.leave()
            await _cancelled(running, stopping, *others)
            # Shards that are still starting are tasks of hikari that it forgets; `asyncio.run` cancels and so closes them.
            if bot.is_alive:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(bot.close(), STOP_SECONDS)

    async def _run_bot(self, bot: WatchedBot) -> None:
        shard_ids: Sequence[int] = self.shard_ids
        await bot.start(check_for_updates=False, shard_ids=shard_ids, shard_count=self.shard_count)
        await bot.join()

    async def _tell_begun(self, bot: WatchedBot) -> None:
        await bot.begun.wait()
        self._begun.set_result(None)

    async def _tick(self, bot: WatchedBot) -> None:
        while True:
            await asyncio.sleep(self._settings.tick_seconds)
            bot.tick()


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel until all have ended, for `STOP_SECONDS` at most.

    Once may not be enough: hikari takes a cancellation that comes while it waits for a task that it has itself cancelled, as in
    the middle of `start`, for that task's, and goes on.
    """
    pending = set(tasks)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            while pending:
                for task in pending:
                    task.cancel()
                _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*(task for task in tasks if task.done()), return_exceptions=True)


def _in_this_loop(future: concurrent.futures.Future[None]) -> asyncio.Future[None]:
    """Wait for a thread's future without ever cancelling it."""
    return asyncio.shield(asyncio.wrap_future(future))


async def recommended_shards(settings: GatewaySettings) -> int:
    """Ask Discord how many shards it wants this bot to use.

    Raises:
        ConfigError: the token is refused.
        UnavailableError: Discord does not answer.
    """
    bot_id_of(settings.token)
    try:
        async with (
            asyncio.timeout(settings.handshake_seconds),
            open_rest(settings.token, settings.rest_url, patience_seconds=settings.handshake_seconds) as rest,
        ):
            return (await rest.fetch_gateway_bot_info()).shard_count
    except (TimeoutError, LookupError, TypeError, ValueError, hikari.HikariError) as error:
        raise as_rollcall_error(error) from error
