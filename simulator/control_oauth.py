"""The control API of OAuth2: what the developer portal would be for. ``POST /redirect-uris`` {"uri": …} lists one more."""

from __future__ import annotations

import msgspec
from aiohttp import web

from simulator.oauth import OAuthDesk
from simulator.rest_errors import json_response


class _Listed(msgspec.Struct):
    uri: str


class OAuthControl:
    """Lets the demo and tests list redirect addresses, once their ports are known."""

    def __init__(self, desk: OAuthDesk) -> None:
        self._desk = desk

    def add_to(self, app: web.Application, prefix: str) -> None:
        """Add the route to an application."""
        app.router.add_route("POST", prefix + "/redirect-uris", self.add_redirect)

    async def add_redirect(self, request: web.Request) -> web.Response:
        """List one."""
        try:
            self._desk.redirect_uris.add(msgspec.json.decode(await request.read(), type=_Listed).uri)
        except msgspec.DecodeError as error:
            return json_response({"error": str(error)}, 422)
        return json_response({"redirect_uris": sorted(self._desk.redirect_uris)})
