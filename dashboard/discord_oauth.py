"""Discord's OAuth2 by Authlib: the page of consent, tokens, and what they show of a person.

https://discord.com/developers/docs/topics/oauth2
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2
import msgspec
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from attendance.clock import Clock
from dashboard.errors import DiscordAwayError, SignInRefusedError

SCOPES = "identify guilds"
PATIENCE_SECONDS = 8.0
_ERRORS_OF_OTHERS = 400

T = TypeVar("T")
_log = structlog.get_logger("dashboard")


class DiscordTokens(msgspec.Struct, frozen=True):
    """What Discord gave for one sign-in. ``expires_at_ms``: Unix milliseconds."""

    access_token: str
    refresh_token: str
    expires_at_ms: int

    def __repr__(self) -> str:
        """Nothing that would be a secret in a log."""
        return f"DiscordTokens(expires_at_ms={self.expires_at_ms})"


class DiscordUser(msgspec.Struct, frozen=True):
    """``GET /users/@me``."""

    id: str
    username: str
    global_name: str | None = None
    avatar: str | None = None


class DiscordGuild(msgspec.Struct, frozen=True):
    """One of ``GET /users/@me/guilds``. ``permissions`` is a decimal number of bits: the person's, in the whole guild."""

    id: str
    name: str
    icon: str | None = None
    owner: bool = False
    permissions: str = "0"


class _TokenAnswer(msgspec.Struct):
    access_token: str
    refresh_token: str
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True)
class DiscordOAuth:
    """One application, as Discord knows it."""

    api_url: str
    authorize_url: str
    redirect_uri: str
    client_id: str
    client_secret: str = field(repr=False)
    clock: Clock
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def consent_url(self, state: str, code_verifier: str, *, asks_again: bool) -> str:
        """Where the browser goes. ``asks_again``: the page is shown even to who has consented before."""
        url, _state = self._client().create_authorization_url(
            self.authorize_url, state=state, code_verifier=code_verifier, prompt="consent" if asks_again else "none"
        )
        return str(url)

    async def exchange(self, code: str, code_verifier: str) -> DiscordTokens:
        """Tokens for the code that came back.

        Raises:
            SignInRefusedError: Discord does not take the code: used, too old, or another browser's.
            DiscordAwayError: no answer.
        """
        async with self._open() as client:
            answer = await client.fetch_token(f"{self.api_url}/oauth2/token", code=code, code_verifier=code_verifier)
        return self._tokens(answer)

    async def refresh(self, tokens: DiscordTokens) -> DiscordTokens:
        """New tokens for old ones; the old refresh token is used up.

        Raises:
            SignInRefusedError: the person has taken the application's access back.
            DiscordAwayError: no answer.
        """
        async with self._open() as client:
            answer = await client.refresh_token(f"{self.api_url}/oauth2/token", refresh_token=tokens.refresh_token)
        return self._tokens(answer)

    async def revoke(self, tokens: DiscordTokens) -> None:
        """Give the tokens back.

        Raises:
            DiscordAwayError: no answer.
        """
        async with self._open() as client:
            answer = await client.revoke_token(f"{self.api_url}/oauth2/token/revoke", tokens.refresh_token, "refresh_token")
        if answer.status_code >= _ERRORS_OF_OTHERS:
            raise DiscordAwayError("Discord does not take the tokens back")

    async def user(self, tokens: DiscordTokens) -> DiscordUser:
        """Whose tokens they are.

        Raises:
            SignInRefusedError: the tokens hold no more.
            DiscordAwayError: no answer.
        """
        return await self._get("/users/@me", tokens, DiscordUser)

    async def guilds(self, tokens: DiscordTokens) -> list[DiscordGuild]:
        """Every guild they are in (Discord lets nobody be in more than the 200 of one answer).

        Raises:
            SignInRefusedError: the tokens hold no more.
            DiscordAwayError: no answer.
        """
        return await self._get("/users/@me/guilds", tokens, list[DiscordGuild])

    async def _get(self, path: str, tokens: DiscordTokens, kind: type[T]) -> T:
        async with self._open() as client:
            headers = {"Authorization": f"Bearer {tokens.access_token}"}
            answer = await client.request("GET", self.api_url + path, headers=headers, withhold_token=True)
            if answer.status_code in (401, 403):
                raise SignInRefusedError("stale")
            if answer.status_code >= _ERRORS_OF_OTHERS:
                raise DiscordAwayError(f"Discord answers {answer.status_code}")
            return msgspec.json.decode(answer.content, type=kind)

    def _tokens(self, answer: dict[str, Any]) -> DiscordTokens:
        try:
            read = msgspec.convert(answer, _TokenAnswer, strict=False)
        except msgspec.ValidationError as error:
            raise DiscordAwayError("Discord's answer has no tokens") from error
        if not set(SCOPES.split()) <= set(read.scope.split()):
            raise SignInRefusedError("declined")
        return DiscordTokens(read.access_token, read.refresh_token, self.clock.now_ms() + read.expires_in * 1000)

    def _client(self) -> Any:
        return AsyncOAuth2Client(
            self.client_id,
            self.client_secret,
            scope=SCOPES,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106  # the method's name
            timeout=PATIENCE_SECONDS,
            trust_env=False,
            verify=self.tls,
        )

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Any]:
        """A client, and the one table from what Authlib and its HTTP raise to our errors."""
        try:
            async with self._client() as client:
                yield client
        except AuthlibBaseError as error:
            _log.warning("Discord refuses", reason=error.error)
            if error.error in ("invalid_client", "unauthorized_client", "invalid_scope"):
                raise DiscordAwayError("Discord does not take this application's id and secret") from error
            raise SignInRefusedError("stale") from error
        except (httpx2.HTTPError, msgspec.DecodeError, ValueError) as error:
            _log.warning("Discord is away", reason=type(error).__name__)
            raise DiscordAwayError("Discord does not answer") from error
