"""The commands as Discord registers them. What a member may then do is judged anew at every use."""

from __future__ import annotations

from typing import Any

from attendance.discord.interactions.words import month_name, weekday_name
from attendance.domain.schedule import Anchor, Interval
from attendance.domain.settings import MAX_BRIDGE_GAP_SECONDS, MAX_MIN_SESSION_SECONDS, TrackingMode

MANAGE_GUILD = 1 << 5
_STRING, _INTEGER, _BOOLEAN, _USER, _CHANNEL = 3, 4, 5, 6, 7
_VOICE, _CATEGORY, _STAGE = 2, 4, 13
_IN_GUILDS, _GUILD_INSTALL = 0, 0
LAST_PAGE = 1_000

Option = dict[str, Any]


def _sub(name: str, description: str, *options: Option) -> Option:
    return {"type": 1, "name": name, "description": description, "options": list(options)}


def _option(kind: int, name: str, description: str, **more: Any) -> Option:
    return {"type": kind, "name": name, "description": description, **more}


def _choices(*named: tuple[str, str | int]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in named]


def _command(name: str, description: str, permissions: int | None, *options: Option) -> dict[str, Any]:
    return {
        "name": name,
        "type": 1,
        "description": description,
        "default_member_permissions": None if permissions is None else str(permissions),
        "contexts": [_IN_GUILDS],
        "integration_types": [_GUILD_INSTALL],
        "options": list(options),
    }


_MEMBER = _option(_USER, "member", "Somebody else; for who manages the server")
_ATTENDANCE = _command(
    "attendance",
    "Your time in voice",
    None,
    _sub("me", "Your time in the running period", _MEMBER),
    _sub(
        "leaderboard",
        "Who has how much time, as a picture and as text",
        _option(_INTEGER, "period", "An archived period; by default the running one", autocomplete=True, min_value=0),
        _option(_CHANNEL, "channel", "One channel only", channel_types=[_VOICE, _STAGE]),
        _option(_INTEGER, "page", "Which ten; by default the first", min_value=1, max_value=LAST_PAGE),
        _option(_BOOLEAN, "private", "Show it to you alone"),
    ),
    _sub(
        "explain",
        "What your time is made of, and which rule stands behind each stretch",
        _option(_STRING, "day", "A day, such as 2026-11-21; by default the running period", autocomplete=True, max_length=10),
        _option(_STRING, "until", "The last day, with a first one", autocomplete=True, max_length=10),
        _MEMBER,
    ),
    _sub(
        "receipt",
        "A file that proves one session of yours to anyone",
        _option(_STRING, "session", "One of your sessions", autocomplete=True, required=True, max_length=100),
    ),
    _sub("privacy", "What is kept about you, and how to opt out"),
)
_ROLLCALL = _command(
    "rollcall",
    "Settings and state of the attendance record",
    MANAGE_GUILD,
    _sub("status", "What is recorded and signed, and what is missing"),
    _sub(
        "track",
        "Put a channel or category on the list of channels",
        _option(
            _CHANNEL, "channel", "Voice channel, stage or category", channel_types=[_VOICE, _CATEGORY, _STAGE], required=True
        ),
    ),
    _sub(
        "untrack",
        "Take a channel or category off the list of channels",
        _option(_STRING, "channel", "One that is on the list", autocomplete=True, required=True, max_length=100),
    ),
    _sub(
        "mode",
        "Which channels count",
        _option(
            _STRING,
            "mode",
            "All channels, those on the list, those not on it, or none",
            required=True,
            choices=_choices(
                ("All channels", TrackingMode.ALL.value),
                ("Only channels on the list", TrackingMode.ALLOWLIST.value),
                ("All but channels on the list", TrackingMode.DENYLIST.value),
                ("Off: record nobody", TrackingMode.OFF.value),
            ),
        ),
    ),
    _sub(
        "fairness",
        "What pauses time and what is too short; without options, how it is now",
        _option(_BOOLEAN, "pause_on_mute", "Time muted does not count"),
        _option(_BOOLEAN, "pause_on_deafen", "Time deafened does not count"),
        _option(_BOOLEAN, "pause_when_solo", "Time alone in a channel does not count"),
        _option(_BOOLEAN, "exclude_afk", "Time in the AFK channel does not count"),
        _option(
            _INTEGER,
            "min_session_seconds",
            "Shorter stays do not count",
            min_value=0,
            max_value=MAX_MIN_SESSION_SECONDS,
        ),
        _option(
            _INTEGER,
            "bridge_gap_seconds",
            "Unwatched gaps up to this long are bridged",
            min_value=0,
            max_value=MAX_BRIDGE_GAP_SECONDS,
        ),
    ),
    _sub(
        "period",
        "When a period ends; without options, how it is now",
        _option(
            _STRING,
            "interval",
            "How long a period is",
            choices=_choices(*((it.value.capitalize(), it.value) for it in Interval)),
        ),
        _option(
            _STRING,
            "anchor",
            "At fixed times, or counted from the last end",
            choices=_choices(
                ("Calendar: at fixed local times", Anchor.CALENDAR.value),
                ("Rolling: one interval after the last end", Anchor.ROLLING.value),
            ),
        ),
        _option(_STRING, "timezone", "The server's time zone, such as Europe/Berlin", autocomplete=True, max_length=64),
        _option(_INTEGER, "weekday", "For weekly", choices=_choices(*((weekday_name(day), day) for day in range(7)))),
        _option(_INTEGER, "day", "For monthly and yearly; 31 is the last", min_value=1, max_value=31),
        _option(_INTEGER, "month", "For yearly", choices=_choices(*((month_name(month), month) for month in range(1, 13)))),
        _option(_INTEGER, "hour", "The local hour", min_value=0, max_value=23),
    ),
    _sub(
        "verify",
        "Whether a session's or a period's record still is what was signed",
        _option(_STRING, "session", "A session's id", autocomplete=True, max_length=100),
        _option(_INTEGER, "period", "A period that is over", autocomplete=True, min_value=0),
    ),
)

COMMANDS = (_ATTENDANCE, _ROLLCALL)
