"""Application commands as Discord keeps them: checked when they are put, and checked again when somebody uses one."""

from __future__ import annotations

import re
from typing import Any

from simulator import rest_errors
from simulator.rest_errors import RestError
from simulator.snowflakes import snowflake_at

SUB_COMMAND, SUB_COMMAND_GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = range(1, 11)
_NAME = re.compile(r"[-_a-z0-9\u00df-\u024f]{1,32}")
_MOST_COMMANDS, _MOST_OPTIONS, _MOST_CHOICES = 100, 25, 25
_MOST_TEXT = 8_000
_DESCRIPTION_MAX, _CHOICE_MAX, _STRING_MAX = 100, 100, 6_000
_MEMBERS = frozenset(
    {
        "name", "name_localizations", "description", "description_localizations", "options", "default_member_permissions",
        "dm_permission", "default_permission", "integration_types", "contexts", "type", "nsfw", "id", "handler",
    }
)  # fmt: skip


class UsageError(Exception):
    """Discord's own client would not have sent this use of a command."""


class CommandBook:
    """The application's commands by scope (a guild's id, or nothing for the global ones)."""

    def __init__(self, application_id: int) -> None:
        self._application_id = application_id
        self._commands: dict[str, list[dict[str, Any]]] = {}
        self._made = 0
        self.puts = 0

    def of(self, scope: str = "") -> list[dict[str, Any]]:
        """The commands of a scope."""
        return self._commands.get(scope, [])

    def put(self, scope: str, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Replace a scope's commands; one that keeps its name and type keeps its id.

        Raises:
            RestError: 400 as Discord answers; nothing is replaced.
        """
        if len(bodies) > _MOST_COMMANDS:
            raise _bad("_", "APPLICATION_COMMANDS_MAX", "Maximum number of application commands reached (100)")
        for index, body in enumerate(bodies):
            _check_command(str(index), body)
        names = [(body["name"], body.get("type") or 1) for body in bodies]
        if len(set(names)) != len(names):
            raise _bad("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        known = {(command["name"], command["type"]): command["id"] for command in self.of(scope)}
        self._commands[scope] = [self._command(scope, body, known) for body in bodies]
        self.puts += 1
        return self._commands[scope]

    def _command(self, scope: str, body: dict[str, Any], known: dict[tuple[str, int], str]) -> dict[str, Any]:
        kind = body.get("type") or 1
        self._made += 1
        new_id = str(snowflake_at(1_750_000_000_000 + self._made))
        command: dict[str, Any] = {
            "application_id": str(self._application_id),
            "version": new_id,
            "default_member_permissions": None,
            "description": "",
            "dm_permission": True,
            "contexts": None,
            "integration_types": [0],
            "nsfw": False,
            "name_localizations": None,
            "description_localizations": None,
            "options": [],
        }
        if scope:
            command["guild_id"] = scope
        return command | body | {"type": kind, "id": known.get((body["name"], kind), new_id)}


def _bad(field: str, code: str, message: str) -> RestError:
    return rest_errors.invalid_form(field, code, message)


def _check_command(where: str, body: dict[str, Any]) -> None:
    kind = body.get("type") or 1
    unknown = body.keys() - _MEMBERS
    if unknown:
        raise _bad(f"{where}.{min(unknown)}", "UNKNOWN_KEY", "The simulator knows no such member")
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise _bad(f"{where}.name", "BASE_TYPE_REQUIRED", "This field is required")
    if kind != 1:
        return
    _check_named(where, body)
    permissions = body.get("default_member_permissions")
    if permissions is not None and not (isinstance(permissions, str) and permissions.isascii() and permissions.isdigit()):
        raise _bad(f"{where}.default_member_permissions", "NUMBER_TYPE_COERCE", "Not a permission set")
    _check_options(where, body.get("options") or [], depth=0)
    if _text_of(body) > _MOST_TEXT:
        raise _bad(where, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")


def _text_of(body: dict[str, Any]) -> int:
    own = len(body.get("name") or "") + len(body.get("description") or "")
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in body.get("choices") or [])
    return own + choices + sum(_text_of(option) for option in body.get("options") or [])


def _check_named(where: str, body: dict[str, Any]) -> None:
    if not isinstance(body.get("name"), str) or not _NAME.fullmatch(body["name"]):
        raise _bad(f"{where}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    description = body.get("description")
    if not isinstance(description, str) or not 1 <= len(description) <= _DESCRIPTION_MAX:
        raise _bad(f"{where}.description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")


def _check_options(where: str, options: list[dict[str, Any]], *, depth: int) -> None:
    if len(options) > _MOST_OPTIONS:
        raise _bad(f"{where}.options", "BASE_TYPE_BAD_LENGTH", "Must be 25 or fewer in length.")
    names = [option.get("name") for option in options]
    if len(set(names)) != len(names):
        raise _bad(f"{where}.options", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
    kinds = [option.get("type") for option in options]
    groups = [kind in {SUB_COMMAND, SUB_COMMAND_GROUP} for kind in kinds]
    if any(groups) and not all(groups):
        raise _bad(f"{where}.options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-commands stand alone")
    optional_seen = False
    for index, option in enumerate(options):
        place = f"{where}.options.{index}"
        kind = option.get("type")
        if not isinstance(kind, int) or not SUB_COMMAND <= kind <= 11 or (kind == SUB_COMMAND_GROUP and depth):  # noqa: PLR2004
            raise _bad(f"{place}.type", "BASE_TYPE_CHOICES", "Value is not one of the option types.")
        _check_named(place, option)
        if kind in {SUB_COMMAND, SUB_COMMAND_GROUP}:
            _check_options(place, option.get("options") or [], depth=depth + 1)
            continue
        if option.get("required") and optional_seen:
            raise _bad(f"{place}.required", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options come first")
        optional_seen = optional_seen or not option.get("required")
        _check_option(place, kind, option)


def _check_option(place: str, kind: int, option: dict[str, Any]) -> None:
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        raise _bad(f"{place}.autocomplete", "APPLICATION_COMMAND_OPTION_AUTOCOMPLETE_CHOICES", "Choices and autocomplete")
    if (choices or option.get("autocomplete")) and kind not in {STRING, INTEGER, NUMBER}:
        raise _bad(f"{place}.choices", "APPLICATION_COMMAND_OPTION_TYPE_INVALID", "Not for this type")
    check_choices(place, kind, choices)
    if option.get("channel_types") and kind != CHANNEL:
        raise _bad(f"{place}.channel_types", "APPLICATION_COMMAND_OPTION_TYPE_INVALID", "Not for this type")
    if kind not in {INTEGER, NUMBER} and ("min_value" in option or "max_value" in option):
        raise _bad(f"{place}.min_value", "APPLICATION_COMMAND_OPTION_TYPE_INVALID", "Not for this type")
    if kind != STRING and ("min_length" in option or "max_length" in option):
        raise _bad(f"{place}.min_length", "APPLICATION_COMMAND_OPTION_TYPE_INVALID", "Not for this type")


def check_choices(place: str, kind: int, choices: list[dict[str, Any]]) -> None:
    """Accept an option's choices, or an autocomplete's.

    Raises:
        RestError: 400 as Discord answers.
    """
    if len(choices) > _MOST_CHOICES:
        raise _bad(f"{place}.choices", "BASE_TYPE_BAD_LENGTH", "Must be 25 or fewer in length.")
    for choice in choices:
        name, value = choice.get("name"), choice.get("value")
        if not isinstance(name, str) or not 1 <= len(name) <= _CHOICE_MAX:
            raise _bad(f"{place}.choices.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        right = isinstance(value, str) if kind == STRING else isinstance(value, int | float) and not isinstance(value, bool)
        if not right or (isinstance(value, str) and not 1 <= len(value) <= _CHOICE_MAX):
            raise _bad(f"{place}.choices.value", "BASE_TYPE_BAD_LENGTH", "Not a value of the option's type and length.")


def use_of(command: dict[str, Any], path: list[str], given: dict[str, Any], focused: str | None) -> list[dict[str, Any]]:
    """The `options` of an interaction: what Discord's client makes of what a member chose and typed.

    Args:
        command: the command as it was put.
        path: the names of the sub-command group and sub-command, if it has any.
        given: values by option name.
        focused: for an autocomplete, the option that is being typed: its value is a text, and nothing is required yet.

    Raises:
        UsageError: the client would not let this through.
    """
    options: list[dict[str, Any]] = command.get("options") or []
    for name in path:
        found = next((it for it in options if it["name"] == name and it["type"] in {SUB_COMMAND, SUB_COMMAND_GROUP}), None)
        if found is None:
            raise UsageError(f"no sub-command {name!r}")
        options = found.get("options") or []
    if any(option["type"] in {SUB_COMMAND, SUB_COMMAND_GROUP} for option in options):
        raise UsageError("a sub-command is missing")
    known = {option["name"]: option for option in options}
    if given.keys() - known.keys():
        raise UsageError(f"no option {min(given.keys() - known.keys())!r}")
    if focused is None:
        missing = [name for name, option in known.items() if option.get("required") and name not in given]
        if missing:
            raise UsageError(f"{missing[0]} is required")
    elif focused not in given or not known[focused].get("autocomplete"):
        raise UsageError(f"{focused!r} is not an option with autocomplete that is being typed")
    used = [_used(known[name], value, is_focused=name == focused) for name, value in given.items()]
    for position, name in enumerate(reversed(path)):
        kind = SUB_COMMAND if position == 0 else SUB_COMMAND_GROUP
        used = [{"name": name, "type": kind, "options": used}]
    return used


def _used(option: dict[str, Any], value: Any, *, is_focused: bool) -> dict[str, Any]:
    name, kind = option["name"], option["type"]
    if is_focused:
        return {"name": name, "type": kind, "value": str(value), "focused": True}
    if kind in {USER, CHANNEL, ROLE, MENTIONABLE}:
        if not str(value).isdigit():
            raise UsageError(f"{name} is an id")
        value = str(value)
    expected = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: float}.get(kind, str)
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise UsageError(f"{name} is a {expected.__name__}")
    choices = [choice["value"] for choice in option.get("choices") or []]
    if choices and value not in choices:
        raise UsageError(f"{name} is one of {choices}")
    if kind in {INTEGER, NUMBER} and not option.get("min_value", value) <= value <= option.get("max_value", value):
        raise UsageError(f"{name} is out of range")
    if kind == STRING and not option.get("min_length", 0) <= len(str(value)) <= option.get("max_length", _STRING_MAX):
        raise UsageError(f"{name} is too short or too long")
    return {"name": name, "type": kind, "value": value}
