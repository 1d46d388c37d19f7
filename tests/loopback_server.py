"""A server that speaks bytes, for what no well-behaved server does. Nothing of it outlives the block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def speaking(raw: Raw) -> AsyncIterator[int]:
    """The port of a server whose every connection is ``raw``'s.

    The connections are ended too: a loop that closes before their transports do leaves sockets to the garbage collector, whose
    warning then fails whatever test happens to run.
    """
    conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations[task] = writer
        await raw(reader, writer)

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        async with server:
            yield server.sockets[0].getsockname()[1]
    finally:
        while conversations:  # one that was just being accepted still comes in here
            task, writer = conversations.popitem()
            task.cancel()
            writer.transport.abort()
            await asyncio.gather(task, return_exceptions=True)
            with suppress(OSError):
                await writer.wait_closed()
