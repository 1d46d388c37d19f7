"""The control API of interactions: use a command as a member, type into it, press a button, and read what came of it.

``POST /interactions`` {"guild_id", "user_id", "command": "attendance me", "options": {…}} uses a command; with ``"focused"``,
the name of an option, it asks for its autocomplete. {"message_of": an interaction's id, "custom_id", "user_id"} presses a
button. With ``"wait_s"`` it answers when the bot has. ``GET /interactions/{id}`` reads it (again),
``GET /interactions/{id}/files/{name}`` an attached file. What Discord's client would not let through answers 422.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from simulator.application_commands import UsageError
from simulator.encoding import encode_json
from simulator.interactions import Interaction, InteractionDesk
from simulator.rest_errors import json_response

_MOST_WAITED_S = 60.0


class InteractionControl:
    """Lets tests and the demo be members."""

    def __init__(self, desk: InteractionDesk) -> None:
        self._desk = desk

    def add_to(self, app: web.Application, prefix: str) -> None:
        """Add the routes to an application."""
        app.router.add_route("POST", prefix + "/interactions", self.make)
        app.router.add_route("GET", prefix + "/interactions/{id}", self.read)
        app.router.add_route("GET", prefix + "/interactions/{id}/files/{name}", self.file)

    async def make(self, request: web.Request) -> web.Response:
        """Make an interaction; with ``wait_s``, answer when the bot has."""
        try:
            body = msgspec.json.decode(await request.read(), type=dict[str, Any])
            wait_s = min(float(body.pop("wait_s", 0)), _MOST_WAITED_S)
            made = self._made(body)
        except (UsageError, msgspec.DecodeError, TypeError, ValueError, KeyError) as error:
            text = encode_json({"error": str(error)}).decode()
            raise web.HTTPUnprocessableEntity(text=text, content_type="application/json") from error
        await _answered(made, wait_s)
        return json_response(made.shown())

    def _made(self, body: dict[str, Any]) -> Interaction:
        for key in ("guild_id", "user_id", "channel_id", "message_of"):
            if key in body:
                body[key] = int(body[key])
        return self._desk.press(**body) if "message_of" in body else self._desk.use(**body)

    def _found(self, request: web.Request) -> Interaction:
        raw = request.match_info["id"]
        found = self._desk.get(int(raw)) if raw.isascii() and raw.isdigit() else None
        if found is None:
            raise web.HTTPNotFound(text='{"error":"no such interaction"}', content_type="application/json")
        return found

    async def read(self, request: web.Request) -> web.Response:
        """Return an interaction as it stands."""
        return json_response(self._found(request).shown())

    async def file(self, request: web.Request) -> web.Response:
        """Return an attached file, the newest of that name."""
        found = [content for (_, name), content in self._found(request).files.items() if name == request.match_info["name"]]
        if not found:
            raise web.HTTPNotFound(text='{"error":"no such file"}', content_type="application/json")
        return web.Response(body=found[-1], content_type="application/octet-stream")


async def _answered(interaction: Interaction, wait_s: float) -> None:
    try:
        async with asyncio.timeout(wait_s):
            while not interaction.is_answered:
                interaction.changed.clear()
                await interaction.changed.wait()
    except TimeoutError:
        return
