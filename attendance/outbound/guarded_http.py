"""One POST to a URL that a guild's admin has chosen, to nowhere but where such a request may go.

The address is judged where the socket is made: after every resolution and for literal addresses alike, so that neither a name
that resolves differently the second time nor another spelling of an address passes. Nothing of the answer but its status is
kept: what stands inside a network cannot be read through us.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from attendance.domain.addresses import Network, may_reach, target_of
from attendance.domain.webhooks import Reply
from attendance.errors import InvalidInputError
from attendance.outbound.resolver import ThreadsOfItsOwn

TOTAL_SECONDS = 15.0
_READ_BYTES = 16 * 1024  # so that a receiver's answer is taken off its hands; it is thrown away
_MOST_DIGITS = 6
_FORBIDDEN = "the name leads to an address that is not on the internet, and its network is not in ROLLCALL_WEBHOOK_ALLOW"


class AddressRefusedError(OSError):
    """A connection that may not be made. An OSError, so that the next address of a name is tried."""


class GuardedSender:
    """`attendance.ports.webhooks.WebhookSender`. Build with `open_sender`.

    Args:
        encrypted: for https, to public addresses and the operator's networks.
        plain: for http, to the operator's networks only.
        allowed: those networks.
        user_agent: how we call ourselves.
        total_seconds: the longest that one request may take, all of it.
    """

    def __init__(
        self,
        encrypted: aiohttp.ClientSession,
        plain: aiohttp.ClientSession,
        allowed: Sequence[Network],
        user_agent: str,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._sessions = {"https": encrypted, "http": plain}
        self._allowed = allowed
        self._user_agent = user_agent
        self._total_seconds = total_seconds

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """See the port."""
        try:
            session = self._sessions[target_of(url, self._allowed).scheme]
        except InvalidInputError as error:
            return Reply(None, error.details.get("url", error.message))
        sent = {**headers, "Content-Type": "application/json", "User-Agent": self._user_agent}
        timeout = aiohttp.ClientTimeout(total=self._total_seconds)
        try:
            # `encoded`: the URL was read strictly, and goes out as it was read.
            async with session.post(
                URL(url, encoded=True), data=body, headers=sent, timeout=timeout, allow_redirects=False
            ) as response:
                await _discard(response)
                return Reply(response.status, retry_after_ms=_retry_after_ms(response.headers.get("Retry-After", "")))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Reply(None, _in_words(error, self._total_seconds))


@asynccontextmanager
async def open_sender(
    allowed: Sequence[Network],
    user_agent: str,
    *,
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
    total_seconds: float = TOTAL_SECONDS,
) -> AsyncIterator[GuardedSender]:
    """A sender for as long as the context lasts.

    Args:
        allowed: the operator's own networks.
        user_agent: how we call ourselves.
        resolver: of names; the system's by default. Closed at the end.
        tls: what certificates are checked against; the system's by default. Checking cannot be switched off.
        total_seconds: the longest that one request may take.
    """
    tls = tls or ssl.create_default_context()
    if tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname:
        raise ValueError("certificates must be checked")
    names = resolver or ThreadsOfItsOwn()
    try:
        async with (
            _session(partial(_socket_for, allowed, encrypted=True), names, tls) as encrypted,
            _session(partial(_socket_for, allowed, encrypted=False), names, tls) as plain,
        ):
            yield GuardedSender(encrypted, plain, allowed, user_agent, total_seconds)
    finally:
        await names.close()


def _session(
    socket_factory: Callable[[Any], socket.socket], resolver: AbstractResolver, tls: ssl.SSLContext
) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        ssl=tls,
        socket_factory=socket_factory,
        resolver=resolver,
        use_dns_cache=False,
        force_close=True,  # a connection that is kept would be used again after the operator's networks were changed
        limit=0,  # the caller bounds what runs at once
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        read_bufsize=_READ_BYTES,
    )


def _socket_for(allowed: Sequence[Network], info: tuple[Any, ...], *, encrypted: bool) -> socket.socket:
    """A socket for one resolved address, if it may be connected to."""
    family, kind, protocol, _, address = info
    if not may_reach(ip_address(str(address[0])), int(address[1]), allowed, encrypted=encrypted):
        raise AddressRefusedError(_FORBIDDEN)
    return socket.socket(family, kind, protocol)


async def _discard(response: aiohttp.ClientResponse) -> None:
    """Take a little of the body; the status stands, whatever the rest is."""
    try:
        await response.content.read(_READ_BYTES)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        response.close()


def _retry_after_ms(header: str) -> int:
    """Seconds are enough: a date is rarely sent, and means the clock of somebody else."""
    return int(header) * 1000 if header.isascii() and header.isdigit() and len(header) <= _MOST_DIGITS else 0


def _in_words(error: BaseException, total_seconds: float) -> str:
    """One line for the delivery log; never what a receiver said, and no address that a name was resolved to."""
    if isinstance(error, TimeoutError):
        return f"no answer within {total_seconds:g} s"
    if _is_refusal(error):
        return _FORBIDDEN
    return next((words for kinds, words in _WORDS if isinstance(error, kinds)), "the answer is not HTTP")


# The first that fits: aiohttp's classes inherit from one another.
_WORDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((aiohttp.ClientConnectorCertificateError,), "the certificate is not valid for this host"),
    ((aiohttp.ClientConnectorDNSError,), "the name cannot be resolved"),
    ((aiohttp.ClientSSLError, ssl.SSLError), "no TLS connection could be made"),
    ((aiohttp.ClientConnectorError, ConnectionRefusedError), "no connection could be made"),
    ((aiohttp.ServerDisconnectedError, OSError), "the connection was closed before an answer"),
)


def _is_refusal(error: BaseException) -> bool:
    """Whether an address was refused: aiohttp wraps what the socket factory raised, alone or with other addresses' errors."""
    seen: list[BaseException | None] = [error]
    while seen:
        one = seen.pop()
        if isinstance(one, AddressRefusedError):
            return True
        if one is not None:
            seen += [one.__cause__, getattr(one, "os_error", None), *getattr(one, "exceptions", ())]
    return False
