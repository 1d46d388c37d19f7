"""Interactions: somebody uses a command or presses a button, and what the bot makes of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.application_commands import CHANNEL, ROLE, USER, CommandBook, UsageError, use_of
from simulator.entities import Permission
from simulator.guild import Guild
from simulator.snowflakes import snowflake_at
from simulator.world import World

COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
EPHEMERAL = 1 << 6
FIRST_ANSWER_S = 3.0
TOKEN_LIVES_S = 900.0
_KEPT = 1_000


@dataclass(slots=True)
class Interaction:
    """One interaction and all that was answered to it.

    Attributes:
        callback: the body of the first answer, once it came; ``deferred`` while its message is still to come.
        original: the message of the first answer, or the one that a component changes; None where there is none (any more).
        followups: further messages, in order.
        choices: an autocomplete's answer.
        files: attached files by message id and name.
    """

    id: int
    token: str
    kind: int
    payload: dict[str, Any]
    opened_at_s: float
    callback: dict[str, Any] | None = None
    deferred: bool = False
    ephemeral: bool = False
    original: dict[str, Any] | None = None
    followups: list[dict[str, Any]] = field(default_factory=list)
    choices: list[dict[str, Any]] | None = None
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    is_answered: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def answered(self) -> None:
        """Note that whoever waits sees an answer: a message, a changed message, or choices."""
        self.is_answered = True
        self.changed.set()

    def shown(self) -> dict[str, Any]:
        """What the control API says of it."""
        return {
            "id": str(self.id),
            "answered": self.is_answered,
            "deferred": self.deferred,
            "ephemeral": self.ephemeral,
            "callback_type": None if self.callback is None else self.callback["type"],
            "message": self.original,
            "followups": self.followups,
            "choices": self.choices,
        }


class InteractionDesk:
    """Makes interactions and keeps their answers, the last 1,000 of them.

    Args:
        world: who is in which guild, and who may what.
        commands: what can be used.
        monotonic: seconds, for the life of tokens.
        now_ms: Unix milliseconds, for ids.
    """

    def __init__(self, world: World, commands: CommandBook, monotonic: Callable[[], float], now_ms: Callable[[], int]) -> None:
        self._world = world
        self._commands = commands
        self._monotonic = monotonic
        self._now_ms = now_ms
        self._by_id: dict[int, Interaction] = {}
        self._made = 0
        self.first_answer_s = FIRST_ANSWER_S

    def get(self, interaction_id: int) -> Interaction | None:
        """An interaction that is still kept."""
        return self._by_id.get(interaction_id)

    def by_token(self, token: str) -> Interaction | None:
        """The interaction of a token whose 15 minutes are not over."""
        found = next((it for it in self._by_id.values() if it.token == token), None)
        return found if found is not None and self.age_s(found) <= TOKEN_LIVES_S else None

    def age_s(self, interaction: Interaction) -> float:
        """How many seconds ago it was made."""
        return self._monotonic() - interaction.opened_at_s

    def use(
        self,
        guild_id: int,
        user_id: int,
        command: str,
        options: dict[str, Any] | None = None,
        *,
        focused: str | None = None,
        channel_id: int | None = None,
        allowed_by_admin: bool = False,
        locale: str = "en-US",
    ) -> Interaction:
        """A member uses a command, or types into one of its options (``focused``).

        Args:
            guild_id: where.
            user_id: who.
            command: the name with its sub-command, such as "attendance me".
            options: values by name; ids as text or number.
            focused: the option that is being typed.
            channel_id: where; the guild's first text channel by default.
            allowed_by_admin: an admin has opened the command to this member, whatever its default permissions.
            locale: the member's language.

        Raises:
            UsageError: Discord would not let the member do so.
        """
        guild = self._guild_of(guild_id, user_id)
        name, *path = command.split()
        found = next((it for it in self._commands.of() if it["name"] == name and it["type"] == 1), None)
        if found is None:
            raise UsageError(f"no command {name!r}")
        needed = found["default_member_permissions"]
        held = guild.permissions_of(user_id)
        if needed is not None and not allowed_by_admin and (int(needed) & ~held or int(needed) == 0):
            raise UsageError("the member may not use this command")
        given = dict(options or {})
        used = use_of(found, path, given, focused)
        data = {"id": found["id"], "name": name, "type": 1, "options": used, "resolved": _resolved(guild, used)}
        kind = COMMAND if focused is None else AUTOCOMPLETE
        return self._dispatch(guild, user_id, kind, data, channel_id, locale)

    def press(self, message_of: int, custom_id: str, user_id: int) -> Interaction:
        """A member presses a button of an answer.

        Args:
            message_of: the interaction whose answer has the button.
            custom_id: the button.
            user_id: who presses; who used the command, if the answer is ephemeral.

        Raises:
            UsageError: there is no such message or button, or the member does not see it.
        """
        before = self._by_id.get(message_of)
        if before is None:
            raise UsageError("no such interaction")
        messages = [it for it in (before.original, *before.followups) if it is not None]
        buttons = [(message, button) for message in messages for row in message["components"] for button in row["components"]]
        found = next((it for it in buttons if it[1].get("custom_id") == custom_id), None)
        if found is None:
            raise UsageError("no such button")
        message, button = found
        if button.get("disabled"):
            raise UsageError("the button is disabled")
        if message["flags"] & EPHEMERAL and str(user_id) != before.payload["member"]["user"]["id"]:
            raise UsageError("the member does not see this message")
        guild = self._guild_of(int(before.payload["guild_id"]), user_id)
        data = {"custom_id": custom_id, "component_type": 2}
        made = self._dispatch(guild, user_id, COMPONENT, data, int(before.payload["channel_id"]), "en-US", message=message)
        made.ephemeral = bool(message["flags"] & EPHEMERAL)
        return made

    def _guild_of(self, guild_id: int, user_id: int) -> Guild:
        guild = self._world.guilds.get(guild_id)
        if guild is None or user_id not in guild.members:
            raise UsageError("no such guild, or the user is no member of it")
        return guild

    def _dispatch(  # noqa: PLR0917 - one payload
        self,
        guild: Guild,
        user_id: int,
        kind: int,
        data: dict[str, Any],
        channel_id: int | None,
        locale: str,
        message: dict[str, Any] | None = None,
    ) -> Interaction:
        self._made += 1
        interaction_id = snowflake_at(self._now_ms(), self._made)
        token = "aW50ZXJhY3Rpb24" + hashlib.sha256(f"interaction {interaction_id}".encode()).hexdigest()
        channel = guild.channels[channel_id] if channel_id in guild.channels else next(iter(guild.channels.values()))
        permissions = guild.permissions_of(user_id, channel)
        payload: dict[str, Any] = {
            "id": str(interaction_id),
            "application_id": str(self._world.bot.id),
            "type": kind,
            "token": token,
            "version": 1,
            "data": data,
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "channel_id": str(channel.id),
            "channel": channel.payload(),
            "member": guild.members[user_id].payload() | {"permissions": str(permissions)},
            "locale": locale,
            "app_permissions": str(guild.permissions_of(self._world.bot.id, channel)),
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(guild.id)},
            "context": 0,
            "attachment_size_limit": 10_485_760,
        }
        if message is not None:
            payload["message"] = message
        made = Interaction(interaction_id, token, kind, payload, self._monotonic(), original=message)
        self._by_id[interaction_id] = made
        while len(self._by_id) > _KEPT:
            del self._by_id[next(iter(self._by_id))]
        self._world.emit_json(guild.id, "INTERACTION_CREATE", payload)
        return made


def _resolved(guild: Guild, used: list[dict[str, Any]]) -> dict[str, Any]:
    resolved: dict[str, Any] = {}
    for option in used:
        if "options" in option:
            for kind, found in _resolved(guild, option["options"]).items():
                resolved.setdefault(kind, {}).update(found)
        elif option["type"] in {USER, CHANNEL, ROLE}:
            _resolve(guild, option, resolved)
    return resolved


def _resolve(guild: Guild, option: dict[str, Any], resolved: dict[str, Any]) -> None:
    wanted = int(option["value"])
    if option["type"] == USER:
        member = guild.members.get(wanted)
        if member is None:
            raise UsageError(f"{option['name']} is no member")
        partial = {key: value for key, value in member.payload().items() if key not in {"user", "deaf", "mute"}}
        resolved.setdefault("users", {})[option["value"]] = member.user.payload()
        resolved.setdefault("members", {})[option["value"]] = partial | {"permissions": str(guild.permissions_of(wanted))}
    elif option["type"] == CHANNEL:
        channel = guild.channels.get(wanted)
        if channel is None:
            raise UsageError(f"{option['name']} is no channel of the guild")
        partial = {key: channel.payload()[key] for key in ("id", "name", "type", "parent_id")}
        resolved.setdefault("channels", {})[option["value"]] = partial | {"permissions": str(int(Permission.VIEW_CHANNEL))}
    else:
        role = guild.roles.get(wanted)
        if role is None:
            raise UsageError(f"{option['name']} is no role of the guild")
        resolved.setdefault("roles", {})[option["value"]] = role.payload()
