"""Who and what makes up a guild's time: how it is distributed over its members, and over its channels.

The same sums by quarter-hour as the trend of the same range. A member's go with an erasure, a channel's stay: so the channels
always add up to the trend, and the members to it but for what was erased.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from attendance.domain.distribution import Distribution, distribution_of
from attendance.domain.ids import ChannelId, GuildId
from attendance.domain.reporting import OpenSession
from attendance.ports.clock import Clock
from attendance.ports.reports import ReportSource, ReportView
from attendance.services.analytics import span_of


@dataclass(frozen=True, slots=True)
class MemberDistribution:
    """How the credited time of ``[from_ms, to_ms)`` is distributed over the members who had a session then.

    ``erased_ms``: time of sessions that were erased since, which is nobody's, and in the trend nevertheless.
    """

    timezone: str
    from_ms: int
    to_ms: int
    distribution: Distribution
    erased_ms: int


class ChannelShare(NamedTuple):
    """A channel's part of a range.

    ``session_count``: those that ended in it, and the open ones; ``member_count``: who had a session there then. Sessions that
    were erased are in neither, their time is in ``credited_ms``.
    """

    channel_id: ChannelId
    name: str
    credited_ms: int
    session_count: int
    member_count: int


@dataclass(frozen=True, slots=True)
class ChannelShares:
    """Credited time in ``[from_ms, to_ms)`` by channel: most time first, then the lower id."""

    timezone: str
    from_ms: int
    to_ms: int
    channels: Sequence[ChannelShare]


@dataclass(frozen=True, slots=True)
class Breakdowns:
    """Parts of the last so many local days, today included, of all periods."""

    reports: ReportSource
    clock: Clock

    async def distribution(self, guild_id: GuildId, days: int, timezone: str | None) -> MemberDistribution:
        """How the members' time is distributed; ``timezone`` None is the guild's.

        Raises:
            InvalidInputError: there is no such time zone.
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            now_ms = self.clock.now_ms()
            span = await span_of(view, guild_id, days, timezone, now_ms)
            amounts = await view.amounts_between(guild_id, span)
            members = await view.open_members_between(guild_id, span)
            channels = await view.channels_between(guild_id, span)
            running, as_of_ms = await _running(view, guild_id, now_ms)
        stored_ms, quarters = sum(members.values()), span.quarters
        for session in running:
            if session.joined_at_ms < as_of_ms and span.from_ms < as_of_ms:
                members[session.user_id] = members.get(session.user_id, 0) + _within(session, quarters, as_of_ms)
        amounts += members.values()
        distribution = await asyncio.to_thread(distribution_of, amounts)  # 100,000 are sorted for some 20 ms
        open_ms = sum(members.values()) - stored_ms
        erased_ms = sum(channels.values()) - (distribution.credited_ms - open_ms)
        return MemberDistribution(span.timezone, span.from_ms, now_ms, distribution, erased_ms)

    async def channels(self, guild_id: GuildId, days: int, timezone: str | None) -> ChannelShares:
        """Time, sessions and members of each channel with any; ``timezone`` None is the guild's.

        Raises:
            InvalidInputError: there is no such time zone.
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            now_ms = self.clock.now_ms()
            span = await span_of(view, guild_id, days, timezone, now_ms)
            credited = defaultdict(int, await view.channels_between(guild_id, span))
            running, as_of_ms = await _running(view, guild_id, now_ms)
            sessions = defaultdict(int, await view.channel_sessions(guild_id, span))
            members = await view.channel_members(guild_id, span, as_of_ms)
            for session in running:
                credited[session.channel_id] += _within(session, span.quarters, as_of_ms)
                sessions[session.channel_id] += session.as_closed(as_of_ms).session_count
            known = {place for place in credited.keys() | sessions.keys() if credited[place] or sessions[place]}
            known |= members.keys()
            names = await view.channel_names(guild_id, known)
        shares = [ChannelShare(place, names[place], credited[place], sessions[place], members.get(place, 0)) for place in known]
        shares.sort(key=lambda share: (-share.credited_ms, share.channel_id))
        return ChannelShares(span.timezone, span.from_ms, now_ms, shares)


async def _running(view: ReportView, guild_id: GuildId, now_ms: int) -> tuple[list[OpenSession], int]:
    """Open sessions, and the instant up to which they may be reckoned."""
    return await view.open_timelines(guild_id), (await view.watch(guild_id)).seen_until(now_ms)


def _within(session: OpenSession, quarters: tuple[int, int], as_of_ms: int) -> int:
    """What the open session would add to the range if it closed."""
    first, end = quarters
    return sum(credited_ms for quarter, credited_ms in session.quarters(as_of_ms) if first <= quarter < end)
