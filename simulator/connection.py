"""One gateway socket: an ordered queue of payloads, compression, and many frames in one write."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import zlib
from collections import deque

from aiohttp import WSMsgType, web

_FRAMES_A_WRITE = 256
_BINARY = 0x82
_TEXT = 0x81
_SHORT_FRAME = 126
_MEDIUM_FRAME = 1 << 16
_COMPRESS_PAYLOADS_FROM = 1024


def _frame_header(first_byte: int, length: int) -> bytes:
    if length < _SHORT_FRAME:
        return struct.pack("!BB", first_byte, length)
    if length < _MEDIUM_FRAME:
        return struct.pack("!BBH", first_byte, _SHORT_FRAME, length)
    return struct.pack("!BBQ", first_byte, 127, length)


class Connection:
    """Sends payloads in the order of `send`. The socket must not use permessage-deflate: frames are written whole.

    ``zlib_level`` None means no transport compression. ``payload_compression`` is the older kind, asked for in IDENTIFY.
    """

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport, *, zlib_level: int | None = None) -> None:
        self._socket = socket
        self._transport = transport
        self._deflate = None if zlib_level is None else zlib.compressobj(zlib_level)
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._closing: tuple[int, str] | None = None
        self.payload_compression = False
        self.written = 0

    def send(self, payload: bytes) -> None:
        """Queue one JSON payload."""
        self._queue.append(payload)
        self._idle.clear()
        self._wake.set()

    def close(self, code: int, reason: str = "") -> None:
        """Close with a code after everything that is queued was written."""
        self._closing = (code, reason)
        self._wake.set()

    @property
    def own_close_code(self) -> int | None:
        """The code with which this side closes, if it does; aiohttp forgets it and says 1000 of every such close."""
        return None if self._closing is None else self._closing[0]

    def abort(self) -> None:
        """Cut the connection without a close frame, as a lost network does."""
        self._transport.abort()

    def stall(self, *, stalled: bool) -> None:
        """Keep what is queued, as a network does that has stopped carrying packets; or let it flow again."""
        if stalled:
            self._flowing.clear()
        else:
            self._flowing.set()

    async def drained(self) -> None:
        """Wait until everything that was queued has been taken by the socket, or the connection has ended."""
        await self._idle.wait()

    async def write_queued(self) -> None:
        """Write until the connection ends; run it as the connection's one writer task."""
        try:
            with contextlib.suppress(ConnectionError):
                await self._write_until_closed()
        finally:
            self._idle.set()

    async def _write_until_closed(self) -> None:
        while True:
            await self._wake.wait()
            await self._flowing.wait()
            while self._queue:
                await self._write_batch()
                await self._flowing.wait()
            self._wake.clear()
            self._idle.set()
            if self._closing is not None:
                code, reason = self._closing
                await self._socket.close(code=code, message=reason.encode())
                return

    async def _write_batch(self) -> None:
        """Write up to 256 frames: all but the last straight to the transport in one call, then wait for room.

        The last goes through aiohttp, whose `send_frame` is the public way to wait while the transport is full.
        """
        count = min(len(self._queue), _FRAMES_A_WRITE)
        frames = [self._encode(self._queue.popleft()) for _ in range(count)]
        parts: list[bytes] = []
        for first_byte, body in frames[:-1]:
            parts += (_frame_header(first_byte, len(body)), body)
        if parts:
            if self._transport.is_closing():
                raise ConnectionResetError("the socket is gone")
            self._transport.write(b"".join(parts))
        first_byte, body = frames[-1]
        await self._socket.send_frame(body, WSMsgType.BINARY if first_byte == _BINARY else WSMsgType.TEXT)
        self.written += count
        # A full batch may be followed by many more: let the loop read heartbeats and answer REST in between.
        await asyncio.sleep(0)

    def _encode(self, payload: bytes) -> tuple[int, bytes]:
        if self._deflate is not None:
            return _BINARY, self._deflate.compress(payload) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if self.payload_compression and len(payload) >= _COMPRESS_PAYLOADS_FROM:
            return _BINARY, zlib.compress(payload)
        return _TEXT, payload
