"""Short ways to write a trace and to look at its sessions, for worked examples."""

from __future__ import annotations

from typing import Any

from tests.twin.replay import run
from tests.twin.session import Session

ALICE, BOB, CAROL, BOT = "9", "10", "101", "8"
ROOM, HALL, AFK, FLOOR = "20", "3", "4", "50"

Line = dict[str, Any]
Short = tuple[Any, ...]


def line(at: int, type_: str, **members: Any) -> Line:
    return {"at": at, "type": type_, "guild_id": "7", **members}


def voice(at: int, user: str, channel: str | None, *flags: str) -> Line:
    return line(at, "voice_state", user_id=user, channel_id=channel, **dict.fromkeys(flags, True))


def snapshot(at: int, *present: tuple[str, str]) -> Line:
    return line(at, "snapshot", voice_states=[{"user_id": user, "channel_id": channel} for user, channel in present])


def rules(at: int, **members: Any) -> Line:
    return line(at, "rules", rules=members)


def closed(*lines: Line) -> list[Short]:
    """Each closed session as (user, channel, stay, part, joined, left, reason)."""
    return [(str(s.user), str(s.channel), s.stay, s.part, s.joined, s.left, s.reason) for s in run(list(lines)).closed]


def still_open(*lines: Line) -> list[Short]:
    """Each open session as (user, channel, stay, part, joined, reckoned to)."""
    return [(str(s.user), str(s.channel), s.stay, s.part, s.joined, s.left) for s in run(list(lines)).still_open()]


def the_session(*lines: Line) -> Session:
    [session] = run(list(lines)).closed
    return session


def timeline(*lines: Line) -> list[tuple[int, int, str]]:
    return list(the_session(*lines).timeline)
