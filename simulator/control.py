"""The control API under ``/_control``: faults, edits of the world, bursts and the truth. JSON in, JSON out.

``POST /fault`` {"kind": …, arguments}, ``POST /world`` {"edit": …, arguments}, ``POST /burst`` {"count": …, "guild_id"},
``POST /advance`` {"behaviour_ms"}, ``GET /truth`` (a trace, one line each; ``start``, ``guild_id``),
``GET /truth/count``, ``GET /status``. Ids may be numbers or decimal strings. Mistakes answer 422 with ``error``.
``/interactions`` is in `simulator.control_interactions`, ``/redirect-uris`` in `simulator.control_oauth`.
``POST /entitlements`` {"do": "create" | "update" | "delete", arguments of `EntitlementDesk`}, ``GET /role-changes``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from simulator.burst import emit_burst
from simulator.encoding import encode_json
from simulator.entitlements import EntitlementDesk
from simulator.fault_desk import FaultDesk, FaultError
from simulator.gateway import Gateway
from simulator.player import Player
from simulator.rest_errors import json_response
from simulator.rest_guilds import GuildRoutes
from simulator.world import World, WorldError

CONTROL_PREFIX = "/_control"
EDITS = frozenset(
    {
        "join", "leave", "set_voice", "set_flags", "create_channel", "update_channel", "delete_channel", "update_guild",
        "remove_bot", "return_bot", "create_role", "update_role", "delete_role", "give_role", "take_role", "make_admin",
        "add_member", "remove_member",
    }
)  # fmt: skip


class ControlApi:
    """Drives a running simulator over HTTP. It has no password: the simulator is for loopback."""

    def __init__(  # noqa: PLR0917 - each is a different type
        self,
        world: World,
        gateway: Gateway,
        desk: FaultDesk,
        player: Player,
        guilds: GuildRoutes,
        entitlements: EntitlementDesk,
    ) -> None:
        self._guilds = guilds
        self._sales: dict[str, Callable[..., int | None]] = {
            "create": entitlements.create,
            "update": entitlements.update,
            "delete": entitlements.delete,
        }
        self._world = world
        self._gateway = gateway
        self._desk = desk
        self._player = player

    def add_to(self, app: web.Application) -> None:
        """Add the routes to an application."""
        add = app.router.add_route
        add("POST", CONTROL_PREFIX + "/fault", self.fault)
        add("POST", CONTROL_PREFIX + "/world", self.edit)
        add("POST", CONTROL_PREFIX + "/burst", self.burst)
        add("POST", CONTROL_PREFIX + "/advance", self.advance)
        add("GET", CONTROL_PREFIX + "/truth", self.truth)
        add("GET", CONTROL_PREFIX + "/truth/count", self.truth_count)
        add("GET", CONTROL_PREFIX + "/status", self.status)
        add("GET", CONTROL_PREFIX + "/role-changes", self.role_changes)
        add("POST", CONTROL_PREFIX + "/entitlements", self.sell)

    async def fault(self, request: web.Request) -> web.Response:
        """Do a fault of `FaultDesk`."""
        body = await _body(request)
        kind = str(body.pop("kind", ""))
        try:
            return json_response({"touched": self._desk.apply(kind, **body)})
        except (FaultError, WorldError) as error:
            raise _unprocessable(str(error)) from error

    async def edit(self, request: web.Request) -> web.Response:
        """Do an edit of `World`, or `add_guild` with `name` and `owner_id`."""
        body = {key: _number(key, value) for key, value in (await _body(request)).items()}
        edit = body.pop("edit", None)
        try:
            if edit == "add_guild":
                return json_response({"result": str(self._world.new_guild(**body).id)})
            if edit not in EDITS:
                raise _unprocessable(f"no edit {edit!r}; there are: add_guild, {', '.join(sorted(EDITS))}")
            result = getattr(self._world, edit)(**body)
        except (WorldError, TypeError, ValueError) as error:
            raise _unprocessable(str(error)) from error
        return json_response({"result": None if result is None else str(result)})

    async def role_changes(self, _: web.Request) -> web.Response:
        """Return the roles that the bot gave and took, in order."""
        return json_response(
            [
                {name: str(value) if name.endswith("_id") else value for name, value in change._asdict().items()}
                for change in self._guilds.role_changes
            ]
        )

    async def sell(self, request: web.Request) -> web.Response:
        """Sell an entitlement, give it another end, or take it back."""
        body = {key: _number(key, value) for key, value in (await _body(request)).items()}
        do = self._sales.get(body.pop("do", ""))
        if do is None:
            raise _unprocessable(f"do is one of: {', '.join(self._sales)}")
        try:
            result = do(**body)
        except KeyError as error:
            raise _unprocessable(f"no entitlement {error}") from error
        except (WorldError, TypeError, ValueError) as error:
            raise _unprocessable(str(error)) from error
        return json_response({"result": None if result is None else str(result)})

    async def burst(self, request: web.Request) -> web.Response:
        """Emit a burst and answer with its report when the sockets have taken it."""
        body = await _body(request)
        count, guild_id = body.get("count"), body.get("guild_id")
        if not isinstance(count, int) or count < 1:
            raise _unprocessable("count must be a positive integer")
        try:
            guild = None if guild_id is None else int(guild_id)
            report = await emit_burst(self._world, self._gateway, count, guild_id=guild)
        except (WorldError, ValueError) as error:
            raise _unprocessable(str(error)) from error
        return json_response(report.payload())

    async def advance(self, request: web.Request) -> web.Response:
        """Let behaviour up to so many milliseconds from now happen at once."""
        behaviour_ms = (await _body(request)).get("behaviour_ms")
        if not isinstance(behaviour_ms, int) or behaviour_ms < 0:
            raise _unprocessable("behaviour_ms must be an integer from 0")
        return json_response({"applied": self._player.advance_to(self._player.position_ms + behaviour_ms)})

    async def truth(self, request: web.Request) -> web.Response:
        """Return the truth as a trace."""
        try:
            start = int(request.query.get("start", "0"))
            guild_id = int(request.query["guild_id"]) if "guild_id" in request.query else None
        except ValueError as error:
            raise _unprocessable("start and guild_id must be integers") from error
        lines = self._world.truth.lines(max(start, 0), guild_id=guild_id)
        return web.Response(body=b"".join(encode_json(line) + b"\n" for line in lines), content_type="application/x-ndjson")

    async def truth_count(self, _: web.Request) -> web.Response:
        """Return how many lines the truth has, and how many of them are voice changes."""
        return json_response({"lines": len(self._world.truth), "voice_changes": self._world.truth.voice_changes})

    async def status(self, _: web.Request) -> web.Response:
        """Return what is connected and what has happened so far."""
        gateway = self._gateway
        sessions = [
            {
                "id": session.id,
                "shard": [session.shard_id, session.shard_count],
                "connected": session.connection is not None,
                "sequence": session.sequence,
            }
            for session in gateway.sessions.values()
        ]
        return json_response(
            {
                "sessions": sessions,
                "sockets": len(gateway.connections),
                "identifies": gateway.identifies,
                "resumes": gateway.resumes,
                "guilds": [str(guild_id) for guild_id in self._world.guilds],
                "in_voice": sum(len(guild.voice_states) for guild in self._world.guilds.values()),
                "voice_changes": self._world.truth.voice_changes,
                "behaviour_ms": self._player.position_ms,
                "skipped": self._player.skipped,
                "finished": self._player.finished.is_set(),
            }
        )


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise _unprocessable(f"the body is not a JSON object: {error}") from error


def _number(key: str, value: Any) -> Any:
    """Ids are strings in JSON, for the sake of clients whose numbers are doubles."""
    is_id = key.endswith("_id") and isinstance(value, str) and value.isascii() and value.isdigit()
    return int(value) if is_id else value


def _unprocessable(message: str) -> web.HTTPUnprocessableEntity:
    return web.HTTPUnprocessableEntity(text=encode_json({"error": message}).decode(), content_type="application/json")
