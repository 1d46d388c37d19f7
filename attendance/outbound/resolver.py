"""Names resolved by the system, in threads of their own.

The loop's default threads do the service's own work (signing, ranking): names whose servers never answer, which anybody may
enter as a URL, must not take them.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

# As many as there are requests at once; a thread is made when it is needed.
_THREADS = 64
_SCOPE = 3  # of an IPv6 address's tuple


class ThreadsOfItsOwn(AbstractResolver):
    """`socket.getaddrinfo` for aiohttp. `close` waits for nothing: a lookup that hangs ends by itself."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="webhook-names")

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """The addresses of a name. Those of one link only are left out: nobody outside of it can mean them."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
            if kind == socket.AF_INET or not address[_SCOPE:] or not address[_SCOPE]
        ]

    async def close(self) -> None:
        """Take no more names."""
        self._threads.shutdown(wait=False, cancel_futures=True)
