"""Lists of what was seen: closed sessions, blind intervals, and who is in voice now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.errors import InvalidInputError
from attendance.ports.clock import Clock
from attendance.ports.reports import BlindLine, ReportSource, SessionFilter, SessionLine


class NamedSession(NamedTuple):
    """A closed session with the names of its member and channel."""

    session: SessionLine
    display_name: str
    channel_name: str


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A page of sessions, and how many there are in all."""

    sessions: Sequence[NamedSession]
    total: int


@dataclass(frozen=True, slots=True)
class BlindPage:
    """A page of blind intervals, and how many there are in all."""

    intervals: Sequence[BlindLine]
    total: int


class Occupant(NamedTuple):
    """A member with an open session. ``status`` is the accounting's."""

    user_id: UserId
    display_name: str
    joined_at_ms: int
    status: str


@dataclass(frozen=True, slots=True)
class OccupiedChannel:
    """A channel with open sessions, who came first first."""

    channel_id: ChannelId
    name: str
    members: Sequence[Occupant]


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Who has an open session, as far as the guild was seen."""

    as_of_ms: int
    channels: Sequence[OccupiedChannel]


def check_range(from_ms: int | None, to_ms: int | None) -> None:
    """Refuse a range that ends before it begins.

    Raises:
        InvalidInputError: it does.
    """
    if from_ms is not None and to_ms is not None and to_ms < from_ms:
        raise InvalidInputError("the range ends before it begins", details={"to": "not before from"})


@dataclass(frozen=True, slots=True)
class AttendanceLists:
    """The lists."""

    reports: ReportSource
    clock: Clock

    async def sessions(self, which: SessionFilter, limit: int, offset: int) -> SessionPage:
        """Closed sessions that overlap the range, newest first, each in full.

        Raises:
            InvalidInputError: the range ends before it begins.
            UnavailableError: the database is away.
        """
        check_range(which.from_ms, which.to_ms)
        async with self.reports.view() as view:
            lines = await view.sessions(which, limit, offset)
            total = await view.count_sessions(which)
            names = await view.member_names(which.guild_id, {line.user_id for line in lines})
            channels = await view.channel_names(which.guild_id, {line.channel_id for line in lines})
        return SessionPage([NamedSession(line, names[line.user_id], channels[line.channel_id]) for line in lines], total)

    async def blind(self, guild_id: GuildId, from_ms: int | None, to_ms: int | None, limit: int, offset: int) -> BlindPage:
        """Blind intervals that overlap the range, newest first, each in full.

        Raises:
            InvalidInputError: the range ends before it begins.
            UnavailableError: the database is away.
        """
        check_range(from_ms, to_ms)
        async with self.reports.view() as view:
            return BlindPage(
                await view.blind_intervals(guild_id, from_ms, to_ms, limit, offset),
                await view.count_blind_intervals(guild_id, from_ms, to_ms),
            )

    async def occupancy(self, guild_id: GuildId) -> Occupancy:
        """Who has an open session now, by channel. Who is in an untracked channel has none and is not listed.

        Raises:
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            as_of_ms = (await view.watch(guild_id)).seen_until(self.clock.now_ms())
            sessions = await view.open_sessions(guild_id)
            names = await view.member_names(guild_id, {session.user_id for session in sessions})
            channels = await view.channel_names(guild_id, {session.channel_id for session in sessions})
        by_channel: dict[ChannelId, list[Occupant]] = {}
        for session in sessions:
            occupant = Occupant(session.user_id, names[session.user_id], session.joined_at_ms, session.status)
            by_channel.setdefault(session.channel_id, []).append(occupant)
        return Occupancy(
            as_of_ms, [OccupiedChannel(channel, channels[channel], members) for channel, members in by_channel.items()]
        )
