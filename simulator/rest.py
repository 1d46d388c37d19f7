"""REST v10: the routes, and what stands before each of them (token, rate limits, faults)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from simulator import rest_errors
from simulator.application_commands import CommandBook
from simulator.entitlements import EntitlementDesk
from simulator.faults import Faults, RestFault
from simulator.gateway import Gateway
from simulator.interactions import InteractionDesk
from simulator.oauth import Application, OAuthDesk
from simulator.rest_errors import RestError
from simulator.rest_guilds import GuildRoutes
from simulator.rest_interactions import PUBLIC_ROUTES, InteractionRoutes
from simulator.rest_limits import RestLimits
from simulator.rest_me import MeRoutes
from simulator.rest_messages import MessageRoutes
from simulator.rest_oauth import BEARER_ROUTES, OAuthRoutes
from simulator.rest_oauth import PUBLIC_ROUTES as OAUTH_ROUTES
from simulator.settings import Settings
from simulator.truth import wall_clock_ms
from simulator.world import World

API_PREFIX = "/api/v10"
_PUBLIC_ROUTES = PUBLIC_ROUTES | OAUTH_ROUTES | {"GET /gateway"}
Handler = Callable[[web.Request], Awaitable[web.Response]]


class RestApi:
    """Every REST route under ``/api/v10``. `requests` counts what was answered, by route template."""

    def __init__(self, settings: Settings, world: World, gateway: Gateway, faults: Faults) -> None:
        self._settings = settings
        self._faults = faults
        self._limits = RestLimits(settings.global_requests_per_s, enforced=settings.enforce_rest_limits)
        self.requests: dict[str, int] = {}
        me, self.guilds = MeRoutes(settings, world, gateway), GuildRoutes(settings, world)
        self.entitlements = EntitlementDesk(world)
        self.messages = MessageRoutes(world)
        self.commands = CommandBook(settings.bot_id)
        self.interactions = InteractionDesk(world, self.commands, time.monotonic, wall_clock_ms)
        answers = InteractionRoutes(world, self.commands, self.interactions)
        self._routes: dict[str, Handler] = me.routes() | self.guilds.routes() | self.messages.routes() | answers.routes()
        self._routes |= self.entitlements.routes()
        application = Application(str(settings.bot_id), settings.client_secret)
        self.oauth = OAuthDesk(application, time.monotonic, set(settings.redirect_uris))
        self._oauth = OAuthRoutes(world, self.oauth)
        self._routes |= self._oauth.routes()

    def add_to(self, app: web.Application) -> None:
        """Add the routes to an application; other paths under the prefix answer 404 in Discord's shape."""
        for route, handler in self._routes.items():
            method, path = route.split(" ", 1)
            app.router.add_route(method, API_PREFIX + path, self._guarded(route, handler))
        app.router.add_route("*", API_PREFIX + "/{tail:.*}", self._unknown)

    async def _unknown(self, request: web.Request) -> web.Response:
        error = rest_errors.not_found() if self._may_pass(request) else rest_errors.unauthorized()
        return error.response()

    def _may_pass(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bot {self._settings.token}"

    def _guarded(self, route: str, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            now = time.time()
            path = request.match_info
            major = path.get("guild_id") or path.get("channel_id") or path.get("token") or ""
            self.requests[route] = self.requests.get(route, 0) + 1
            fault = self._faults.take_rest(route)
            if fault is not None and not fault.done:
                return self._failure(fault, route, major, now, request)
            if route in BEARER_ROUTES and request.headers.get("Authorization", "").startswith("Bearer "):
                return self._for_bearer(route, request)
            refusal = self._refusal(route, major, now, request)
            if refusal is not None:
                return refusal
            try:
                response = await handler(request)
            except RestError as error:
                response = error.response()
            if fault is not None:
                return self._failure(fault, route, major, now, request)
            self._limits.write_headers(response, route, major, now)
            return response

        return handle

    def _for_bearer(self, route: str, request: web.Request) -> web.Response:
        try:
            return self._oauth.answers_bearer(request, route)
        except RestError as error:
            return error.response()

    def _failure(self, fault: RestFault, route: str, major: str, now: float, request: web.Request) -> web.Response:
        if fault.status == 429:  # noqa: PLR2004 - the status that has headers of its own
            return self._limits.refuse_for_fault(fault, route, major, now)
        if fault.status == 0 and request.transport is not None:
            request.transport.close()  # what is answered then is read by nobody
        return RestError(fault.status or 500, 0, f"{fault.status}: Server Error").response()

    def _refusal(self, route: str, major: str, now: float, request: web.Request) -> web.Response | None:
        if route not in _PUBLIC_ROUTES and not self._may_pass(request):
            return rest_errors.unauthorized().response()
        return self._limits.refuse(route, major, now)
