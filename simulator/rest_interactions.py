"""REST routes with which a bot answers interactions, and those of its commands. The former need no token but their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from simulator import rest_errors
from simulator.application_commands import STRING, CommandBook, check_choices
from simulator.interactions import AUTOCOMPLETE, COMPONENT, EPHEMERAL, Interaction, InteractionDesk
from simulator.message_checks import check_message, shown_attachments
from simulator.messages import MessageBoard
from simulator.rest_errors import RestError, json_response
from simulator.rest_guilds import path_id
from simulator.truth import wall_clock_ms
from simulator.world import World

MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES = 4, 5, 6, 7, 8
_ORIGINAL = "/webhooks/{application_id}/{token}/messages/@original"
PUBLIC_ROUTES = frozenset(
    {
        "POST /interactions/{interaction_id}/{token}/callback",
        "POST /webhooks/{application_id}/{token}",
        f"GET {_ORIGINAL}",
        f"PATCH {_ORIGINAL}",
        f"DELETE {_ORIGINAL}",
    }
)
Parts = tuple[dict[str, Any], dict[str, bytes], dict[str, str]]


class InteractionRoutes:
    """Answers to interactions, and application commands."""

    def __init__(self, world: World, commands: CommandBook, desk: InteractionDesk) -> None:
        self._world = world
        self._commands = commands
        self._desk = desk
        self._board = MessageBoard()  # makes message objects; nobody reads a channel of it

    def routes(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """Return the handlers by `METHOD /template`."""
        scopes = ("/applications/{application_id}/commands", "/applications/{application_id}/guilds/{guild_id}/commands")
        return {
            **{f"GET {path}": self.commands for path in scopes},
            **{f"PUT {path}": self.put_commands for path in scopes},
            **{f"POST {path}": self.post_command for path in scopes},
            "POST /interactions/{interaction_id}/{token}/callback": self.callback,
            "POST /webhooks/{application_id}/{token}": self.follow_up,
            f"GET {_ORIGINAL}": self.original,
            f"PATCH {_ORIGINAL}": self.edit_original,
            f"DELETE {_ORIGINAL}": self.delete_original,
        }

    # Commands

    def _scope(self, request: web.Request) -> str:
        if request.match_info["application_id"] != str(self._world.bot.id):
            raise rest_errors.missing_access()
        guild_id = request.match_info.get("guild_id", "")
        guild = self._world.guilds.get(int(guild_id)) if guild_id.isascii() and guild_id.isdigit() else None
        if guild_id and (guild is None or not guild.has_bot):
            raise rest_errors.missing_access()
        return guild_id

    async def commands(self, request: web.Request) -> web.Response:
        """Return the application's commands, global or of one guild."""
        return json_response(self._commands.of(self._scope(request)))

    async def put_commands(self, request: web.Request) -> web.Response:
        """Replace the application's commands."""
        scope = self._scope(request)
        try:
            bodies = msgspec.json.decode(await request.read(), type=list[dict[str, Any]])
        except msgspec.DecodeError as error:
            raise rest_errors.invalid_form("_", "LIST_TYPE_CONVERT", "Only iterables may be used") from error
        return json_response(self._commands.put(scope, bodies))

    async def post_command(self, request: web.Request) -> web.Response:
        """Make one command, or replace the one of its name and type."""
        scope = self._scope(request)
        try:
            body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise RestError(400, 50_109, "The request body contains invalid JSON.") from error
        name = (body.get("name"), body.get("type") or 1)
        others = [it for it in self._commands.of(scope) if (it["name"], it["type"]) != name]
        kept = [{key: it[key] for key in it if key not in {"application_id", "version", "guild_id"}} for it in others]
        made = self._commands.put(scope, [*kept, body])[-1]
        return json_response(made, 200 if len(kept) < len(self._commands.of(scope)) - 1 else 201)

    # Answers

    async def callback(self, request: web.Request) -> web.Response:
        """Take the first answer: within three seconds, and once."""
        interaction = self._desk.get(path_id(request, "interaction_id"))
        if interaction is None or interaction.token != request.match_info["token"]:
            raise _unknown_interaction()
        if interaction.callback is not None:
            raise RestError(400, 40_060, "Interaction has already been acknowledged.")
        if self._desk.age_s(interaction) > self._desk.first_answer_s:
            raise _unknown_interaction()
        body, files, names = await _parts(request)
        kind, data = body.get("type"), body.get("data") or {}
        if not isinstance(kind, int) or kind not in _ALLOWED[interaction.kind]:
            raise rest_errors.invalid_form("type", "BASE_TYPE_CHOICES", "Not an answer to this kind of interaction.")
        if kind == CHOICES:
            check_choices("data", _focused_type(interaction), data.get("choices") or [])
            interaction.choices = data.get("choices") or []
            interaction.answered()
        elif kind in {MESSAGE, UPDATE}:
            self._set_original(interaction, (data, files, names), is_edit=kind == UPDATE)
        elif kind == DEFERRED_MESSAGE:
            interaction.original, interaction.deferred = None, True
        if kind in {MESSAGE, DEFERRED_MESSAGE}:
            interaction.ephemeral = bool((data.get("flags") or 0) & EPHEMERAL)
            if interaction.original is not None:
                interaction.original["flags"] = data.get("flags") or 0
        interaction.callback = body
        return web.Response(status=204)

    async def original(self, request: web.Request) -> web.Response:
        """Return the first answer's message."""
        interaction = self._answered(request)
        if interaction.original is None:
            raise _unknown_message()
        return json_response(interaction.original)

    async def edit_original(self, request: web.Request) -> web.Response:
        """Change the first answer's message, or bring the one that was promised."""
        interaction = self._answered(request)
        if interaction.original is None and not interaction.deferred:
            raise _unknown_message()
        parts = await _parts(request)
        self._set_original(interaction, parts, is_edit=not interaction.deferred)
        interaction.deferred = False
        return json_response(interaction.original)

    async def delete_original(self, request: web.Request) -> web.Response:
        """Delete the first answer's message, or the promise of one."""
        interaction = self._answered(request)
        if interaction.original is None and not interaction.deferred:
            raise _unknown_message()
        interaction.original, interaction.deferred = None, False
        return web.Response(status=204)

    async def follow_up(self, request: web.Request) -> web.Response:
        """Send a further message; the first one after a deferral takes its place."""
        interaction = self._answered(request)
        body, files, names = await _parts(request)
        check_message(body, files)
        if interaction.deferred:
            self._set_original(interaction, (body, files, names), is_edit=False)
            interaction.deferred = False
            message = interaction.original or {}
        else:
            message = self._message(interaction, (body, files, names), None)
            message["flags"] = body.get("flags") or 0
            interaction.followups.append(message)
            interaction.answered()
        return json_response(message)

    def _answered(self, request: web.Request) -> Interaction:
        if request.match_info["application_id"] != str(self._world.bot.id):
            raise _unknown_webhook()
        interaction = self._desk.by_token(request.match_info["token"])
        if interaction is None:
            raise RestError(401, 50_027, "Invalid Webhook Token")
        if interaction.callback is None:
            raise _unknown_webhook()
        return interaction

    def _set_original(self, interaction: Interaction, parts: Parts, *, is_edit: bool) -> None:
        check_message(parts[0], parts[1], is_edit=is_edit)
        interaction.original = self._message(interaction, parts, interaction.original if is_edit else None)
        interaction.original["flags"] |= EPHEMERAL if interaction.ephemeral else 0
        interaction.answered()

    def _message(self, interaction: Interaction, parts: Parts, before: dict[str, Any] | None) -> dict[str, Any]:
        body, files, names = parts
        channel_id = int(interaction.payload["channel_id"])
        message = self._board.post(channel_id, self._world.bot, body, wall_clock_ms())
        if before is not None:
            kept = ("content", "embeds", "components", "attachments")
            message |= {key: before[key] for key in kept if key not in body} | {"id": before["id"], "flags": before["flags"]}
        if "attachments" in body:
            message["attachments"] = shown_attachments(body, files, names)
        message["allowed_mentions"] = body.get("allowed_mentions")  # not Discord's: for whoever looks at the answer
        message |= {"application_id": str(self._world.bot.id), "webhook_id": str(self._world.bot.id)}
        for attachment in message["attachments"]:
            content = files.get(f"files[{attachment['id']}]")
            if content is not None:
                interaction.files[message["id"], attachment["filename"]] = content
        return message


_ALLOWED = {
    2: frozenset({MESSAGE, DEFERRED_MESSAGE}),
    COMPONENT: frozenset({MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE}),
    AUTOCOMPLETE: frozenset({CHOICES}),
}


def _focused_type(interaction: Interaction) -> int:
    options = interaction.payload["data"]["options"]
    while options and "options" in options[0]:
        options = options[0]["options"]
    return int(next((option["type"] for option in options if option.get("focused")), STRING))


async def _parts(request: web.Request) -> Parts:
    files: dict[str, bytes] = {}
    names: dict[str, str] = {}
    if request.content_type == "multipart/form-data":
        form = await request.post()
        raw: bytes | bytearray = b"{}"
        for name, part in form.items():
            if name == "payload_json":  # a text, bytes with a type of their own, or a file: clients differ
                raw = part.file.read() if isinstance(part, web.FileField) else part.encode() if isinstance(part, str) else part
            elif isinstance(part, web.FileField):
                files[name], names[name] = part.file.read(), part.filename
    else:
        raw = await request.read() or b"{}"
    try:
        return msgspec.json.decode(raw, type=dict[str, Any]), files, names
    except msgspec.DecodeError as error:
        raise RestError(400, 50_109, "The request body contains invalid JSON.") from error


def _unknown_interaction() -> RestError:
    return RestError(404, 10_062, "Unknown interaction")


def _unknown_message() -> RestError:
    return RestError(404, 10_008, "Unknown Message")


def _unknown_webhook() -> RestError:
    return RestError(404, 10_015, "Unknown Webhook")
