"""What the API says of a guild at a glance, asked at once: the page and the stream behind it show the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec

from attendance.errors import RollcallError
from dashboard.api_client import GuildApi
from dashboard.guild_state import BlindTime, BlindTimes, BotPresence, SigningState

TOP = 5
LAST_SESSIONS = 8
LAST_BLIND = 4


class Period(msgspec.Struct, frozen=True):
    """The running period."""

    index: int
    started_at: str
    ends_at: str | None


class Totals(msgspec.Struct, frozen=True):
    """Of the running period, open sessions included."""

    seconds: int
    sessions: int
    members: int


class Overview(msgspec.Struct, frozen=True):
    """``GET /overview``."""

    tracking_mode: str
    period: Period | None
    totals: Totals
    blind_seconds: int


class Occupant(msgspec.Struct, frozen=True):
    """A member with an open session."""

    user_id: str
    display_name: str
    joined_at: str
    status: str


class OccupiedChannel(msgspec.Struct, frozen=True):
    """A channel with open sessions."""

    channel_id: str
    name: str
    members: list[Occupant]


class Occupancy(msgspec.Struct, frozen=True):
    """``GET /analytics/live-occupancy``."""

    as_of: str
    members: int
    channels: list[OccupiedChannel]


class Line(msgspec.Struct, frozen=True):
    """A member's place; ``user_id`` and ``display_name`` are None after an erasure."""

    rank: int
    user_id: str | None
    display_name: str | None
    seconds: int
    live: bool


class Leaders(msgspec.Struct, frozen=True):
    """``GET /leaderboard``."""

    items: list[Line]


class EndedSession(msgspec.Struct, frozen=True):
    """A closed session."""

    session_id: str
    user_id: str
    display_name: str
    channel_id: str
    channel_name: str
    left_at: str
    seconds: int
    state: str


class EndedSessions(msgspec.Struct, frozen=True):
    """``GET /sessions``, newest first."""

    items: list[EndedSession]


@dataclass(frozen=True, slots=True)
class Glance:
    """A guild at a glance."""

    overview: Overview
    occupancy: Occupancy
    signing: SigningState
    blind: list[BlindTime]
    leaders: list[Line]
    sessions: list[EndedSession]
    presence: BotPresence

    @property
    def is_new(self) -> bool:
        """Nothing has been counted yet."""
        return not self.occupancy.members and not self.overview.totals.sessions and not self.sessions

    @property
    def blind_now(self) -> BlindTime | None:
        """The blind time that goes on."""
        return next((one for one in self.blind if one.ended_at is None), None)


async def ask_occupancy(api: GuildApi) -> Occupancy:
    """Who is in voice.

    Raises:
        ApiAwayError, ApiRefused: as the API answers.
    """
    return await api.get("/analytics/live-occupancy", Occupancy)


async def ask_glance(api: GuildApi) -> Glance:
    """Everything, at once.

    Raises:
        ApiAwayError, ApiRefused: the first of the answers that is none.
    """
    try:
        async with asyncio.TaskGroup() as asking:
            overview = asking.create_task(api.get("/overview", Overview))
            occupancy = asking.create_task(ask_occupancy(api))
            signing = asking.create_task(api.get("/signing/status", SigningState))
            blind = asking.create_task(api.get("/blind", BlindTimes, {"limit": LAST_BLIND}))
            leaders = asking.create_task(api.get("/leaderboard", Leaders, {"limit": TOP}))
            sessions = asking.create_task(api.get("/sessions", EndedSessions, {"limit": LAST_SESSIONS}))
            presence = asking.create_task(api.get("/bot-present", BotPresence))
    except* RollcallError as errors:
        raise errors.exceptions[0] from None
    return Glance(
        overview=overview.result(),
        occupancy=occupancy.result(),
        signing=signing.result(),
        blind=blind.result().items,
        leaders=leaders.result().items,
        sessions=sessions.result().items,
        presence=presence.result(),
    )
