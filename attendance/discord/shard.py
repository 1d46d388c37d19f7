"""hikari's shard with a watch on it. Overrides three private methods of hikari 2.7, which is pinned exactly."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import hikari
import structlog
from hikari.impl.shard import GatewayShardImpl

from attendance.discord.failures import FATAL_CLOSE_CODES
from attendance.discord.watch import ConnectionOverError, ShardWatch
from attendance.domain.ids import ShardId
from attendance.domain.observations import BlindCause
from attendance.ports.gateway import GatewaySession

RESUME_ATTEMPTS = 3
"""Connections to a session's own address that may fail in a row before it is resumed at Discord's common one."""

_NOT_AS_DOCUMENTED = (LookupError, TypeError, ValueError, AttributeError, AssertionError, ArithmeticError, zlib.error)
"""What hikari lets out when a frame is not what it expects: without us the shard would be dead for good."""

_log = structlog.get_logger(__name__)

_SESSION_OVER = frozenset({hikari.ShardCloseCode.INVALID_SEQ, hikari.ShardCloseCode.SESSION_TIMEOUT})
_LEFT = 3000  # what hikari says itself when it means to resume; 1000 and 1001 would end the session


class _Left:
    """A connection whose session stays when it is closed, whatever hikari says at the end of a process."""

    def __init__(self, ws: Any) -> None:
        self._ws = ws

    async def send_close(self, *, code: int, message: bytes) -> None:  # noqa: ARG002 - hikari's 1001
        """Close it."""
        await self._ws.send_close(code=_LEFT, message=message)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ws, name)


def is_same_house(resume_url: str, gateway_url: str) -> bool:
    """Whether a stored address is one of those who serve the gateway: the bot's token is sent there.

    Whoever can write the database must not have it sent elsewhere.
    """
    resume, gateway = urlsplit(resume_url), urlsplit(gateway_url)
    if resume.scheme != gateway.scheme:
        return False
    if resume.netloc == gateway.netloc:
        return True
    labels = (gateway.hostname or "").split(".")
    house = ".".join(labels[-2:])
    is_name = len(labels) > 1 and not labels[-1].isdigit()
    return is_name and resume.netloc == resume.hostname and (resume.hostname or "").endswith(f".{house}")


class WatchedShard(GatewayShardImpl):
    """A shard that tells its watch of every frame and every end, and that no silence or garbage can stop.

    Args:
        watch: told of everything.
        handshake_seconds: how long HELLO and then READY or RESUMED may take; any frame in between starts it anew.
        session: one of an earlier process to resume. Discord may refuse it; a new one follows then.
        options: hikari's own.
    """

    def __init__(
        self, *, watch: ShardWatch, handshake_seconds: float, session: GatewaySession | None = None, **options: Any
    ) -> None:
        super().__init__(loads=watch.read, **options)
        if session is not None:
            self._session_id, self._seq = session.session_id, session.sequence
            self._resume_gateway_url = session.resume_url if is_same_house(session.resume_url, options["url"]) else None
        self._watch = watch
        self._handshake_seconds = handshake_seconds
        self._handshake: asyncio.Timeout | None = None
        self._frames_at_tick = 0
        self._reading: asyncio.Timeout | None = None
        self._lifetime: list[asyncio.Task[Any]] = []
        self._failures = 0
        self._is_left = False

    def tick(self) -> None:
        """Look at the clocks, about once a second; end a connection that has stalled."""
        if self._watch.tick() and self._reading is not None:
            # The flag in the watch keeps frames from being read until the timeout has fired.
            self._reading.reschedule(asyncio.get_running_loop().time())
        handshake = self._handshake
        if handshake is not None and not handshake.expired() and self._watch.counts.frames != self._frames_at_tick:
            handshake.reschedule(asyncio.get_running_loop().time() + self._handshake_seconds)
        self._frames_at_tick = self._watch.counts.frames

    def leave(self) -> GatewaySession | None:
        """See and put nothing more; the session, if another process may resume it. In the shard's event loop, before `close`.

        Nothing is awaited between a frame's reading and hikari's note of its sequence, so what is noted here was put.
        """
        self._is_left = True
        is_whole = self._watch.leave()
        ws, session_id, sequence, url = self._ws, self._session_id, self._seq, self._resume_gateway_url
        if not is_whole or ws is None or session_id is None or sequence is None:
            return None
        self._ws = _Left(ws)  # type: ignore[assignment]  # all that is asked of it from now on is to close
        return GatewaySession(ShardId(self.id), session_id, sequence, url or self._gateway_url, int(self.intents))

    async def _connect(self) -> tuple[asyncio.Task[None], ...]:
        if self._is_left:
            # hikari swallows a cancellation that comes while it ends a lost connection's tasks, and would connect for ever in a
            # thread that nobody can end.
            raise asyncio.CancelledError
        while (seconds := self._watch.seconds_until_connecting()) > 0:  # noqa: ASYNC110 - room is made in another thread
            await asyncio.sleep(seconds)
        if self._watch.must_identify:
            self._forget_session()
        if self._failures >= RESUME_ATTEMPTS:
            self._resume_gateway_url = None
        self._watch.must_identify = False
        self._watch.opened()
        self._lifetime = []
        self._failures += 1
        try:
            async with asyncio.timeout(self._handshake_seconds) as self._handshake:
                with self._translated_errors():
                    tasks = await super()._connect()
        except TimeoutError:
            self._forget_session()
            raise hikari.GatewayConnectionError("HELLO, READY or RESUMED did not come") from None
        except ConnectionOverError as error:
            raise hikari.GatewayConnectionError(str(error)) from None
        else:
            if self._handshake_event is not None and self._handshake_event.is_set():
                self._failures = 0
            self._lifetime = []  # hikari ends them from here on
            return tasks
        finally:
            self._handshake = None
            await self._end_lifetime()

    async def _end_lifetime(self) -> None:
        """End what a failed handshake leaves running: hikari forgets its tasks, and they would write to the next socket."""
        for task in self._lifetime:
            task.cancel()
        await asyncio.gather(*self._lifetime, return_exceptions=True)
        self._lifetime = []

    async def _heartbeat(self, heartbeat_interval: float) -> None:
        self._note_lifetime()
        try:
            await super()._heartbeat(heartbeat_interval)
        except (aiohttp.ClientError, OSError) as error:
            raise hikari.GatewayConnectionError(type(error).__name__) from error

    async def _poll_events(self) -> None:
        self._note_lifetime()
        try:
            with contextlib.suppress(ConnectionOverError, TimeoutError):
                async with asyncio.timeout(None) as self._reading:
                    with self._translated_errors():
                        await super()._poll_events()
        finally:
            # Whatever ended it, and before anything else is awaited: op 7, op 9, a lost socket, no answer to a heartbeat.
            self._reading = None
            self._watch.lost(BlindCause.DISCONNECTED)

    def _note_lifetime(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._lifetime.append(task)

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Let only those errors through that hikari reconnects after, and those that nothing can be done about."""
        try:
            yield
        except (ConnectionOverError, TimeoutError):
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise hikari.GatewayConnectionError(type(error).__name__) from error
        except (hikari.GatewayConnectionError, hikari.GatewayTransportError):
            raise
        except hikari.GatewayServerClosedConnectionError as error:
            if error.code in _SESSION_OVER:
                self._forget_session()  # hikari would ask for the same session again
            if error.can_reconnect or error.code in FATAL_CLOSE_CODES:
                raise
            _log.warning("gateway_closed", shard=self.id, code=error.code, reason=error.reason)
            self._forget_session()
            raise hikari.GatewayConnectionError(f"closed with {error.code}") from None
        except hikari.GatewayError as error:
            raise hikari.GatewayConnectionError(error.reason) from None
        except (*_NOT_AS_DOCUMENTED, RecursionError) as error:
            self._watch.unreadable_frame(type(error).__name__)
            raise ConnectionOverError("a frame is not as documented") from error

    def _forget_session(self) -> None:
        self._seq = None
        self._session_id = None
        self._resume_gateway_url = None
