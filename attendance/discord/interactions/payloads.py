"""From a raw INTERACTION_CREATE to an `Interaction`, exactly: a value or `UnreadableInteractionError`, whatever the JSON.

Format: https://discord.com/developers/docs/interactions/receiving-and-responding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec

from attendance.discord.payload_fields import FieldError, snowflake
from attendance.domain.ids import GuildId, RoleId, UserId

Value = str | int | float | bool
_SUB_COMMANDS = frozenset({1, 2})


class Kind(IntEnum):
    """The kinds that reach a bot by its gateway and that its commands can cause."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4


class UnreadableInteractionError(Exception):
    """The payload is not as Discord documents it. The message names the field and quotes no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """Somebody used a command, pressed a button or is typing into an option.

    Attributes:
        id: unique; a repeated delivery has the same.
        application_id: the bot's application.
        token: answers with it for 15 minutes. A secret.
        guild_id: where; None in a direct message.
        user_id: who.
        role_ids: the member's roles, without @everyone.
        permissions: the member's permission bits in the channel, as Discord judged them at this moment.
        path: the command and its sub-command, such as ("attendance", "me").
        options: what was given, by name; ids are decimal texts.
        focused: the option that is being typed.
        custom_id: the button.
    """

    id: int
    application_id: int
    token: str
    kind: Kind
    guild_id: GuildId | None
    user_id: UserId
    role_ids: frozenset[RoleId]
    permissions: int
    path: tuple[str, ...]
    options: Mapping[str, Value]
    focused: str | None = None
    custom_id: str = ""

    def __repr__(self) -> str:
        """Without the token: this ends up in logs."""
        return f"Interaction({self.id}, {'/'.join(self.path) or self.custom_id})"


class _Option(msgspec.Struct):
    name: str
    type: int
    value: Value | None = None
    options: list[_Option] = []
    focused: bool = False


class _Data(msgspec.Struct):
    name: str = ""
    options: list[_Option] = []
    custom_id: str = ""


class _User(msgspec.Struct):
    id: str


class _Member(msgspec.Struct):
    user: _User
    permissions: str
    roles: list[str] = []


class _Payload(msgspec.Struct):
    id: str
    application_id: str
    type: int
    token: str
    data: _Data | None = None
    guild_id: str | None = None
    member: _Member | None = None
    user: _User | None = None


def read_interaction(payload: Any) -> Interaction | None:
    """Read a payload; None for a kind that our commands never cause (a ping, a form).

    Raises:
        UnreadableInteractionError: it is not as documented.
    """
    try:
        read = msgspec.convert(payload, _Payload)
        return _interaction(read)
    except (msgspec.ValidationError, FieldError) as error:
        raise UnreadableInteractionError(str(error)) from None


def _interaction(read: _Payload) -> Interaction | None:
    if read.type not in Kind.__members__.values():
        return None
    data = read.data
    user = read.member.user if read.member is not None else read.user
    if data is None or user is None:
        raise FieldError("data or user is missing")
    path, options, focused = [data.name] if data.name else [], data.options, None
    while len(options) == 1 and options[0].type in _SUB_COMMANDS:
        path.append(options[0].name)
        options = options[0].options
    for option in options:
        focused = option.name if option.focused else focused
    return Interaction(
        id=snowflake(read.id, "id"),
        application_id=snowflake(read.application_id, "application_id"),
        token=read.token,
        kind=Kind(read.type),
        guild_id=None if read.guild_id is None else GuildId(snowflake(read.guild_id, "guild_id")),
        user_id=UserId(snowflake(user.id, "user.id")),
        role_ids=frozenset(RoleId(snowflake(role, "member.roles")) for role in (read.member.roles if read.member else [])),
        permissions=_bits(read.member.permissions) if read.member is not None else 0,
        path=tuple(path),
        options={option.name: option.value for option in options if option.value is not None},
        focused=focused,
        custom_id=data.custom_id,
    )


def _bits(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 30):  # noqa: PLR2004 - far more bits than there are
        raise FieldError("member.permissions is not a number")
    return int(text)
