"""Registers the commands with Discord, if they are not what it has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import structlog

from attendance.discord.interactions.definitions import COMMANDS
from attendance.errors import UnavailableError

_log = structlog.get_logger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 600.0
_DEFAULTS: dict[str, Any] = {
    "required": False,
    "autocomplete": False,
    "options": [],
    "choices": [],
    "channel_types": [],
    "contexts": None,
    "integration_types": [0],
    "default_member_permissions": None,
}
_COMPARED = frozenset(
    {
        "name", "type", "description", "default_member_permissions", "contexts", "integration_types", "options", "required",
        "autocomplete", "choices", "channel_types", "min_value", "max_value", "min_length", "max_length", "value",
    }
)  # fmt: skip


class CommandRegistry(Protocol):
    """Where commands are registered: `attendance.discord.interactions.rest.InteractionRest`."""

    async def commands(self) -> list[dict[str, Any]]:
        """The global commands."""
        ...

    async def put_commands(self, commands: Sequence[dict[str, Any]]) -> None:
        """Replace them."""
        ...


async def register(registry: CommandRegistry) -> bool:
    """Register the commands if they differ; returns whether they did.

    Raises:
        UnavailableError: Discord is away or refuses.
    """
    if _comparable(await registry.commands()) == _comparable(COMMANDS):
        return False
    await registry.put_commands(COMMANDS)
    _log.info("commands_registered", commands=[command["name"] for command in COMMANDS])
    return True


async def keep_registered(registry: CommandRegistry) -> None:
    """Register at the start, as often as it takes, and then wait: a part of the service ends with the service alone."""
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            await register(registry)
            break
        except UnavailableError as error:
            _log.warning("commands_not_registered", error=error.message, retry_in_seconds=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    await asyncio.Event().wait()


def _comparable(value: Any) -> Any:
    """What is ours of a command: without ids and versions, and without members that say the default."""
    if isinstance(value, Mapping):
        kept = {name: _comparable(member) for name, member in value.items() if name in _COMPARED}
        return {name: it for name, it in kept.items() if it != _DEFAULTS.get(name) and it is not None}
    if isinstance(value, list | tuple):
        items = [_comparable(item) for item in value]
        return sorted(items, key=lambda it: str(it.get("name"))) if items and _is_command(value[0]) else items
    return value


def _is_command(value: Any) -> bool:
    return isinstance(value, Mapping) and "integration_types" in value
