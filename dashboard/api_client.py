"""The API over HTTP, asked for one user in one guild with a token that lives a minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload
from urllib.parse import quote

import aiohttp
import jwt
import msgspec
import structlog

from attendance.clock import Clock
from dashboard.errors import ApiAwayError, ApiRefused, ApiSilentError

TOKEN_SECONDS = 60
# The API answers in milliseconds; what takes longer than this waits for something that is away. A passphrase takes seconds.
ANSWER_SECONDS = 20.0
CONNECT_SECONDS = 2.0
# A stream has a heartbeat every 15 s.
SILENCE_SECONDS = 45.0
MOST_CONNECTIONS = 2_000  # every live viewer holds one
CHUNK_BYTES = 64 * 1024

T = TypeVar("T")
Params = Mapping[str, str | int | None]

_log = structlog.get_logger("dashboard")


@dataclass(frozen=True, slots=True)
class Asking:
    """For whom the API is asked: a user, from which address, within which request of theirs."""

    user_id: int
    address: str | None
    request_id: str


@dataclass(frozen=True, slots=True)
class Streamed:
    """A body that is passed on as it comes."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class ApiClient:
    """One HTTP session for the whole process."""

    http: aiohttp.ClientSession
    url: str
    secret: str = field(repr=False)
    clock: Clock

    def guild(self, asking: Asking, guild_id: int) -> GuildApi:
        """The API of one guild, as one user may use it."""
        return GuildApi(self, asking, guild_id)

    def token(self, asking: Asking, guild_id: int) -> str:
        """A token for one user and one guild. Its claim ``dashboard`` is told in docs/access.md."""
        claims = {
            "user_id": str(asking.user_id),
            "guild_id": str(guild_id),
            "exp": self.clock.now_ms() // 1000 + TOKEN_SECONDS,
            "dashboard": {"address": asking.address},
        }
        return jwt.encode(claims, self.secret, algorithm="HS256")

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        params: Params | None = None,
        body: object = None,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # aiohttp's own
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask, and hold the answer open.

        Raises:
            ApiAwayError: no answer, or one that ends too early or comes too late.
            ApiSilentError: connected, asked, and nothing came for as long as ``timeout`` has patience.
            ApiRefused: an answer that is no success.
        """
        given = {name: str(value) for name, value in (params or {}).items() if value is not None}
        content = None if body is None else msgspec.json.encode(body)
        sent = dict(headers) if content is None else {**headers, "Content-Type": "application/json"}
        try:
            async with self.http.request(
                method, self.url + path, params=given, data=content, headers=sent, timeout=timeout, allow_redirects=False
            ) as response:
                if response.status not in (200, 201, 202, 204, 206, 304):
                    raise await _refusal(response)
                yield response
        except aiohttp.SocketTimeoutError as error:
            raise ApiSilentError("the API has not answered yet") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.warning("the API is away", path=path, reason=type(error).__name__)
            raise ApiAwayError("the API does not answer") from error


@dataclass(frozen=True, slots=True)
class GuildApi:
    """The routes under ``/api/v1/guilds/{guild_id}``. Paths begin with a slash and are relative to that.

    Every call raises `ApiAwayError` or `ApiRefused`. With a type the body is read into it (msgspec; members that it does not
    name are left out), without one it is plain JSON. Put ids into paths by `segment`, other values into ``params``.
    """

    client: ApiClient
    asking: Asking
    guild_id: int

    @overload
    async def get(self, path: str, kind: type[T], params: Params | None = None) -> T: ...
    @overload
    async def get(self, path: str, kind: None = None, params: Params | None = None) -> Any: ...
    async def get(self, path: str, kind: type[T] | None = None, params: Params | None = None) -> Any:
        """GET."""
        return await self._call("GET", path, kind, params=params)

    async def post(self, path: str, body: object = None, kind: type[T] | None = None, *, key: str | None = None) -> Any:
        """POST; ``key`` goes along as ``Idempotency-Key``, so that the same form sent twice happens once."""
        return await self._call("POST", path, kind, body=body, headers={} if key is None else {"Idempotency-Key": key})

    async def patch(self, path: str, body: object, kind: type[T] | None = None) -> Any:
        """PATCH."""
        return await self._call("PATCH", path, kind, body=body)

    async def put(self, path: str, body: object, kind: type[T] | None = None) -> Any:
        """PUT."""
        return await self._call("PUT", path, kind, body=body)

    async def delete(self, path: str, params: Params | None = None) -> None:
        """DELETE."""
        await self._call("DELETE", path, None, params=params)

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        silence_s: float = SILENCE_SECONDS,
    ) -> AsyncIterator[Streamed]:
        """A body as it comes: a download, or ``/events`` (``Last-Event-ID`` among ``headers``). Leave it, and it is cut.

        Raises:
            ApiSilentError: no byte for ``silence_s``.
        """
        patient = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=silence_s)
        async with self.client.open(
            "GET", self._path(path), {**self._headers(), **(headers or {})}, params=params, timeout=patient
        ) as response:
            yield Streamed(response.status, response.headers, response.content.iter_chunked(CHUNK_BYTES))

    async def _call(
        self,
        method: str,
        path: str,
        kind: Any,
        *,
        params: Params | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        prompt = aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=CONNECT_SECONDS)
        sent = {**self._headers(), **(headers or {})}
        async with self.client.open(method, self._path(path), sent, params=params, body=body, timeout=prompt) as response:
            content = await response.read()
        if not content:
            return None
        try:
            return msgspec.json.decode(content, type=Any if kind is None else kind)
        except msgspec.DecodeError as error:
            _log.error("the API's answer is not what it should be", path=path, reason=str(error))
            raise ApiAwayError("the API's answer cannot be read") from error

    def _path(self, path: str) -> str:
        return f"/api/v1/guilds/{self.guild_id}{path}"

    def _headers(self) -> dict[str, str]:
        token = self.client.token(self.asking, self.guild_id)
        return {"Authorization": f"Bearer {token}", "X-Request-Id": self.asking.request_id}


def segment(value: object) -> str:
    """A value as one part of a path, whatever is in it."""
    return quote(str(value), safe="")


@asynccontextmanager
async def open_api_client(url: str, secret: str, clock: Clock) -> AsyncIterator[ApiClient]:
    """A client for as long as the block lasts."""
    connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as http:
        yield ApiClient(http, url, secret, clock)


async def _refusal(response: aiohttp.ClientResponse) -> ApiRefused:
    """The API's error body: ``{"error": …, "details": {…}}``."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            body = msgspec.json.decode(await response.read(), type=dict[str, Any])
    except msgspec.DecodeError:
        body = {}
    details = body.get("details")
    named = {str(name): str(words) for name, words in details.items()} if isinstance(details, dict) else {}
    retry_after = response.headers.get("Retry-After", "")
    return ApiRefused(
        response.status,
        str(body.get("error") or response.reason or "refused"),
        named,
        retry_after=int(retry_after) if retry_after.isascii() and retry_after.isdigit() else None,
    )
