"""Reading a trace: a line of bytes to a `Line`, or `MalformedError`. Quotes are from the accounting text, section 2."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from tests.twin.rules import Rules

FLAGS = ("self_mute", "mute", "self_deaf", "deaf", "bot")
MODES = ("all", "allowlist", "denylist", "off")
LARGEST = 2**53 - 1
ID = re.compile(r"0|[1-9][0-9]*", re.ASCII)


class MalformedError(Exception):
    """The line is malformed; the message says why."""


@dataclass(frozen=True)
class VoiceState:
    user: int
    channel: int | None
    self_mute: bool = False
    mute: bool = False
    self_deaf: bool = False
    deaf: bool = False
    bot: bool = False


@dataclass(frozen=True)
class Line:
    """One read line. ``body`` is what its type adds, in the order of the text's table."""

    at: int
    type: str
    guild: int
    body: tuple[Any, ...] = ()


def split_lines(data: bytes) -> list[bytes]:
    """Lines end with a newline; the last one may lack it."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return lines


def read_line(raw: bytes) -> Line:
    members = read_object(raw)
    at, guild = read_integer(members, "at"), read_id(members, "guild_id")
    kind = required(members, "type")
    if not isinstance(kind, str) or kind not in BODIES:
        raise MalformedError("an unknown `type`")
    return Line(at, kind, guild, BODIES[kind](members))


def read_object(raw: bytes) -> dict[str, Any]:
    """ "not UTF-8, not one JSON object, a blank line"."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=refuse_constant, parse_int=read_digits)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not UTF-8 or not JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedError("not an object")
    return value


def refuse_constant(name: str) -> NoReturn:
    """Python's reader knows NaN and Infinity; JSON does not."""
    raise ValueError(name)


def read_digits(digits: str) -> int:
    """Python refuses to convert thousands of digits. A prefix is enough: all that matters is that it is too large."""
    return int(digits[:30])


def required(members: Mapping[str, Any], name: str) -> Any:
    """ "a missing `at`, `type`, `guild_id` or required member"."""
    if name not in members:
        raise MalformedError(f"`{name}` is missing")
    return members[name]


def read_integer(members: Mapping[str, Any], name: str) -> int:
    """The text bounds no integer; we take those that the signed records can hold, and so does the engine."""
    value = required(members, name)
    if type(value) is not int or abs(value) > LARGEST:
        raise MalformedError(f"`{name}` is not an integer within 2^53-1")
    return value


def as_id(value: Any) -> int:
    """ "an id that is not `0` or `[1-9][0-9]*` below 2^63 as a string"."""
    if not isinstance(value, str) or not ID.fullmatch(value) or len(value) > 19 or int(value) >= 2**63:
        raise MalformedError("not an id")
    return int(value)


def read_id(members: Mapping[str, Any], name: str) -> int:
    return as_id(required(members, name))


def read_id_or_null(members: Mapping[str, Any], name: str) -> int | None:
    return None if required(members, name) is None else read_id(members, name)


def read_flag(members: Mapping[str, Any], name: str) -> bool:
    """ "Missing booleans are false", and "a flag or `out` that is not a boolean" is malformed."""
    value = members.get(name, False)
    if type(value) is not bool:
        raise MalformedError(f"`{name}` is not a boolean")
    return value


def read_list(members: Mapping[str, Any], name: str) -> list[Any]:
    value = required(members, name)
    if not isinstance(value, list):
        raise MalformedError(f"`{name}` is not a list")
    return value


def read_state(members: Any, *, in_snapshot: bool) -> VoiceState:
    """ "A state in a snapshot has the members of `voice_state`, `channel_id` never null"."""
    if not isinstance(members, dict):
        raise MalformedError("a state is not an object")
    user, channel = read_id(members, "user_id"), read_id_or_null(members, "channel_id")
    if in_snapshot and channel is None:
        raise MalformedError("a state in a snapshot without a channel")
    return VoiceState(user, channel, *(read_flag(members, flag) for flag in FLAGS))


def read_seconds(members: Mapping[str, Any], name: str) -> int:
    """ "seconds that are not integers from 0"."""
    seconds = read_integer(members, name)
    if seconds < 0:
        raise MalformedError(f"`{name}` is below 0")
    return seconds


def read_rules(value: Any) -> Rules:
    """The defaults are "what a missing member means"; "null for a rule other than `afk_channel_id`" is malformed."""
    if not isinstance(value, dict):
        raise MalformedError("`rules` is not an object")
    read: dict[str, Any] = {}
    if "mode" in value:
        if not isinstance(value["mode"], str) or value["mode"] not in MODES:
            raise MalformedError("an unknown `mode`")
        read["mode"] = value["mode"]
    if "channels" in value:
        read["channels"] = frozenset(as_id(channel) for channel in read_list(value, "channels"))
    if "afk_channel_id" in value:
        read["afk_channel_id"] = read_id_or_null(value, "afk_channel_id")
    for name in ("pause_on_mute", "pause_on_deafen", "pause_when_solo"):
        read[name] = read_flag(value, name)
    for name in ("min_session_seconds", "bridge_gap_seconds"):
        if name in value:
            read[name] = read_seconds(value, name)
    return Rules(**read)


BODIES: dict[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]] = {
    "rules": lambda m: (read_rules(required(m, "rules")),),
    "snapshot": lambda m: (tuple(read_state(state, in_snapshot=True) for state in read_list(m, "voice_states")),),
    "voice_state": lambda m: (read_state(m, in_snapshot=False),),
    "blind": lambda _: (),
    "resumed": lambda _: (),
    "period_end": lambda _: (),
    "channel": lambda m: (read_id(m, "channel_id"), read_id_or_null(m, "parent_id")),
    "channel_deleted": lambda m: (read_id(m, "channel_id"),),
    "opt_out": lambda m: (read_id(m, "user_id"), read_flag(m, "out")),
    "guild_left": lambda _: (),
}
