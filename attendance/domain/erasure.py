"""Erasures: who may be asked for what and when, and what of the stored bytes names a member."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from attendance.core import Engine
from attendance.domain.ids import GuildId, UserId
from attendance.domain.records import RecordType

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# The API's contract: long enough for a member whose account was borrowed to read the message and to withdraw.
ERASURE_WAITS_MS = 72 * HOUR_MS
# Whom an ended request was about is forgotten then: whatever began before the erasure has ended and can look no more.
REQUEST_FORGOTTEN_MS = DAY_MS
# A `record.redacted` names at most so many ranges (records, section 2).
MAX_RANGES = 200


class ErasureState(StrEnum):
    """Where an erasure stands."""

    WAITING = "waiting"  # can be withdrawn
    RUNNING = "running"
    WITHDRAWN = "withdrawn"
    DONE = "done"


class Why(StrEnum):
    """Why a record's bytes are gone."""

    ERASURE = "erasure"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request to erase what is held of a member. Times in Unix milliseconds.

    Attributes:
        told_at_ms: when the member was told by direct message.
        tell_error: why they could not be told; without both, it is still to be tried.
    """

    erasure_id: UUID
    guild_id: GuildId
    user_id: UserId
    requested_by: UserId
    requested_at_ms: int
    due_at_ms: int
    state: ErasureState
    ended_at_ms: int | None = None
    told_at_ms: int | None = None
    tell_error: str | None = None


def ranges_of(positions: Iterable[int]) -> list[tuple[int, int]]:
    """The fewest ranges ``(first, last)`` that hold exactly these positions, ascending."""
    ranges: list[tuple[int, int]] = []
    for position in sorted(set(positions)):
        if ranges and ranges[-1][1] + 1 == position:
            ranges[-1] = (ranges[-1][0], position)
        else:
            ranges.append((position, position))
    return ranges


def redacted_drafts(positions: Iterable[int], why: Why) -> Iterator[bytes]:
    """The drafts of the ``record.redacted`` that name these positions of the chain."""
    ranges = ranges_of(positions)
    for start in range(0, len(ranges), MAX_RANGES):
        members = {
            "type": RecordType.RECORD_REDACTED.value,
            "redacts": ranges[start : start + MAX_RANGES],
            "why": why.value,
        }
        yield msgspec.json.encode(members)


def names_in_text(text: str, user_id: UserId) -> bool:
    """Whether a text holds the member's id as a number of its own."""
    return re.search(rf"(?<!\d){user_id}(?!\d)", text) is not None


def without_member(value: Any, user_id: UserId) -> Any:
    """A JSON value without the member: their id, wherever it stands as a value or within a text, is ``erased``."""
    match value:
        case dict():
            return {without_member(name, user_id): without_member(one, user_id) for name, one in value.items()}
        case list():
            return [without_member(one, user_id) for one in value]
        case str():
            return re.sub(rf"(?<!\d){user_id}(?!\d)", "erased", value)
        case int() if not isinstance(value, bool) and value == user_id:
            return "erased"
        case _:
            return value


def text_without_member(text: str | None, user_id: UserId) -> str | None:
    """The same for the JSON text of an audit entry."""
    return None if text is None else json.dumps(without_member(json.loads(text), user_id), sort_keys=True, ensure_ascii=False)


# -- what the recorder wrote ------------------------------------------------------------------------------------------


def snapshot_without(line: bytes, user_id: UserId) -> bytes:
    """A ``snapshot`` line in which the member was never in voice."""
    members = msgspec.json.decode(line)
    members["voice_states"] = [state for state in members["voice_states"] if state["user_id"] != str(user_id)]
    return msgspec.json.encode(members)


def snapshot_of(line: bytes, user_id: UserId) -> bytes:
    """A ``snapshot`` line with what it says of one member only."""
    members = msgspec.json.decode(line)
    members["voice_states"] = [state for state in members["voice_states"] if state["user_id"] == str(user_id)]
    return msgspec.json.encode(members)


def snapshot_mark(user_id: UserId) -> bytes:
    """What every ``snapshot`` line has that names the member, and no other."""
    return b'"user_id":"%d"' % user_id


def state_mark(user_id: UserId) -> bytes:
    """How an engine's saved state writes the id (LEB128): a state without these bytes says nothing of the member."""
    encoded, rest = bytearray(), int(user_id)
    while rest >= 0x80:  # noqa: PLR2004  # seven bits a byte
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


def is_in_state(guild_id: GuildId, state: bytes, user_id: UserId) -> bool:
    """Whether a saved state holds more of a member than that they are opted out. Never no where the truth is yes."""
    if state_mark(user_id) not in state:
        return False
    engine = Engine()
    engine.restore(guild_id, state)
    if user_id in engine.opted_out(guild_id):
        _apply(engine, guild_id, _opt_in(user_id))
    before = engine.save(guild_id)
    if engine.summary(guild_id).blind_since_ms is not None:
        return state_mark(user_id) in before
    _apply(engine, guild_id, _leave(user_id))
    return engine.save(guild_id) != before


def state_without(guild_id: GuildId, state: bytes, user_id: UserId, *, keep_opt_out: bool) -> bytes | None:
    """A saved state in which the member has just left voice; None where it cannot be had (it is blind, and expects them).

    The fold itself takes them out, so that whoever was with them is alone from then on, as in a trace.

    Args:
        guild_id: Whose state it is.
        state: As the engine saved it.
        user_id: Who is to go.
        keep_opt_out: Whether it may still say that they are opted out.
    """
    if state_mark(user_id) not in state:
        return state
    engine = Engine()
    engine.restore(guild_id, state)
    if user_id in engine.opted_out(guild_id) and not keep_opt_out:
        _apply(engine, guild_id, _opt_in(user_id))
    if engine.summary(guild_id).blind_since_ms is None:
        _apply(engine, guild_id, _leave(user_id))
    left = engine.save(guild_id)
    return None if is_in_state(guild_id, left, user_id) else left


def _leave(user_id: UserId) -> dict[str, Any]:
    gone = {"channel_id": None, "self_mute": False, "mute": False, "self_deaf": False, "deaf": False, "bot": False}
    return {"type": "voice_state", "user_id": str(user_id), **gone}


def _opt_in(user_id: UserId) -> dict[str, Any]:
    return {"type": "opt_out", "user_id": str(user_id), "out": False}


def _apply(engine: Engine, guild_id: GuildId, line: dict[str, Any]) -> None:
    at_ms = engine.summary(guild_id).last_at_ms
    engine.apply([msgspec.json.encode({"at": at_ms, "guild_id": str(guild_id), **line})])
