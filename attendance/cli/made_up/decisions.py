"""What the demo's people ask of Rollcall in the made-up weeks: schedules, rules that change, members who opt out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from attendance.domain.audit import Actor, Via
from attendance.domain.commands import CommandKind
from attendance.domain.ids import GuildId, UserId
from attendance.ports.commands import NewCommand
from simulator import DEMO_ADMIN_ID
from simulator.demo_ids import demo_channel_id, demo_guild_id, demo_user_id
from simulator.habits import MUSIC

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that is asked of a guild's owner, so many days and hours after the first midnight.

    ``member``: the number of who asks, for themselves, with a slash command; without one it is the admin in the dashboard.
    """

    day: int
    hour: float
    guild: int
    kind: CommandKind
    body: Mapping[str, Any]
    member: int | None = None

    def at_ms(self, began_ms: int) -> int:
        """When, in Unix milliseconds."""
        return began_ms + self.day * _DAY_MS + int(self.hour * _HOUR_MS)

    def command(self) -> NewCommand:
        """As the inbox takes it."""
        actor = Actor(UserId(DEMO_ADMIN_ID)) if self.member is None else Actor(self._member(self.member), Via.SLASH)
        body = json.dumps(self.body, sort_keys=True, separators=(",", ":"))
        return NewCommand(GuildId(demo_guild_id(self.guild)), self.kind, body, actor, None)

    def _member(self, number: int) -> UserId:
        return UserId(demo_user_id(self.guild, number))


def _opt_out(day: int, hour: float, guild: int, member: int, *, out: bool) -> Decision:
    body = {"user_id": str(demo_user_id(guild, member)), "out": out}
    return Decision(day, hour, guild, CommandKind.OPT_OUT, body, member)


_SETTINGS, _SCHEDULE = CommandKind.SETTINGS, CommandKind.SCHEDULE
_WEEKLY = {"interval": "weekly", "weekday": 0, "hour": 0, "timezone": "Europe/Berlin"}

# In the order of their instants. Those behind the end of the history do not happen.
DECISIONS = (
    Decision(0, 0.2, 0, _SCHEDULE, _WEEKLY),
    Decision(0, 0.3, 0, _SETTINGS, {"pause_on_deafen": True}),
    Decision(0, 0.4, 1, _SCHEDULE, _WEEKLY | {"weekday": 5, "timezone": "America/New_York"}),
    Decision(8, 9.5, 0, _SETTINGS, {"pause_when_solo": True}),
    _opt_out(10, 19.1, 0, 25, out=True),
    Decision(13, 16.0, 1, _SETTINGS, {"pause_on_deafen": True, "bridge_gap_seconds": 60}),
    Decision(16, 10.0, 0, _SETTINGS, {"min_session_seconds": 300}),
    Decision(18, 10.2, 0, _SETTINGS, {"tracking_mode": "denylist"}),
    Decision(18, 10.3, 0, CommandKind.TRACK, {"channel_id": str(demo_channel_id(0, MUSIC))}),
    _opt_out(19, 21.4, 0, 26, out=True),
    Decision(23, 8.6, 0, _SETTINGS, {"min_session_seconds": 0}),
    _opt_out(25, 12.2, 0, 26, out=False),
    Decision(29, 17.5, 0, _SETTINGS, {"pause_on_mute": True}),
    Decision(31, 20.1, 0, _SETTINGS, {"pause_on_mute": False}),
)


def decisions(began_ms: int, until_ms: int) -> Iterator[tuple[int, Decision]]:
    """Those that are made before ``until_ms``, with their instants, in order."""
    return ((at_ms, decision) for decision in DECISIONS if (at_ms := decision.at_ms(began_ms)) < until_ms)
