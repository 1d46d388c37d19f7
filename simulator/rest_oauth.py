"""REST routes of OAuth2: tokens for codes, and what a bearer token shows of its owner."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

from aiohttp import web

from simulator import rest_errors
from simulator.guild import Guild
from simulator.oauth import Grant, OAuthDesk, OAuthError
from simulator.rest_errors import json_response
from simulator.world import World

PUBLIC_ROUTES = frozenset({"POST /oauth2/token", "POST /oauth2/token/revoke"})
# With `Authorization: Bearer` these are a person's, with `Bot` the bot's.
BEARER_ROUTES = frozenset({"GET /users/@me", "GET /users/@me/guilds"})
_FORM = "application/x-www-form-urlencoded"


class OAuthRoutes:
    """What an application asks with its secret, and with what people gave it."""

    def __init__(self, world: World, desk: OAuthDesk) -> None:
        self._world = world
        self._desk = desk

    def routes(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """Return the handlers by `METHOD /template`."""
        return {"POST /oauth2/token": self.token, "POST /oauth2/token/revoke": self.revoke}

    async def token(self, request: web.Request) -> web.Response:
        """Tokens for a code or a refresh token."""
        try:
            form = await self._form(request)
            return json_response(self._granted(form))
        except OAuthError as error:
            return _refused(error)

    def _granted(self, form: dict[str, str]) -> dict[str, object]:
        if form.get("grant_type") == "authorization_code":
            return self._desk.exchange(form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier"))
        if form.get("grant_type") == "refresh_token":
            return self._desk.refresh(form.get("refresh_token", ""))
        raise OAuthError("unsupported_grant_type")

    async def revoke(self, request: web.Request) -> web.Response:
        """End an authorization."""
        try:
            form = await self._form(request)
        except OAuthError as error:
            return _refused(error)
        self._desk.revoke(form.get("token", ""))
        return json_response({})

    def answers_bearer(self, request: web.Request, route: str) -> web.Response:
        """The owner of a bearer token, or the guilds they are in.

        Raises:
            RestError: 401 for a token that is good for nothing, or not for this.
        """
        grant = self._desk.grant_of(request.headers["Authorization"].removeprefix("Bearer "))
        needed = "identify" if route == "GET /users/@me" else "guilds"
        if grant is None or needed not in grant.scopes or grant.user_id not in self._world.users:
            raise rest_errors.unauthorized()
        return json_response(self._person(grant) if needed == "identify" else self._guilds(grant))

    def _person(self, grant: Grant) -> dict[str, object]:
        payload = self._world.users[grant.user_id].payload()
        del payload["bot"]
        return payload | {"mfa_enabled": True, "locale": "en-US", "premium_type": 0, "flags": 0}

    def _guilds(self, grant: Grant) -> list[dict[str, object]]:
        theirs = (guild for guild in self._world.guilds.values() if grant.user_id in guild.members)
        return [_partial(guild, grant.user_id) for guild in theirs]

    async def _form(self, request: web.Request) -> dict[str, str]:
        if request.content_type != _FORM:
            raise OAuthError("invalid_request", "Use application/x-www-form-urlencoded.")
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        client_id, client_secret = _basic(request.headers.get("Authorization", ""))
        self._desk.expect_client(client_id or form.get("client_id", ""), client_secret or form.get("client_secret", ""))
        return form


def _basic(header: str) -> tuple[str, str]:
    if not header.startswith("Basic "):
        return "", ""
    try:
        name, _, password = base64.b64decode(header.removeprefix("Basic "), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def _partial(guild: Guild, user_id: int) -> dict[str, object]:
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "banner": None,
        "owner": guild.owner_id == user_id,
        "permissions": str(int(guild.permissions_of(user_id))),
        "features": [],
    }


def _refused(error: OAuthError) -> web.Response:
    body = {"error": error.error} | ({"error_description": error.description} if error.description else {})
    return json_response(body, error.status)
