"""What the reports over ranges of time read: sums by local time, busy channels. Part of `ReportView`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.local_time import LocalRange, LocalUnit, Stretch
from attendance.domain.reporting import OpenSession, Sums


class UnitActivity(NamedTuple):
    """What happened in one unit of a trend, by its index.

    ``session_count``: closed sessions that ended in it. ``member_count``: members who had a session, open ones included, that
    overlaps it.
    """

    unit: int
    session_count: int
    member_count: int


class AnalyticsView(Protocol):
    """Sums of closed sessions by local time, and open sessions with their timelines."""

    async def week_hours(self, guild_id: GuildId, stretch: Stretch) -> list[tuple[int, int]]:
        """(hour of the week 0 to 167, Monday's first hour first; credited milliseconds) of a stretch."""
        ...

    async def local_days(
        self, guild_id: GuildId, stretch: Stretch, channel_id: ChannelId | None = None
    ) -> list[tuple[int, int]]:
        """(number of the local day, see `local_day`; credited milliseconds) of a stretch, in one channel or in all."""
        ...

    async def member_days(self, guild_id: GuildId, user_id: UserId, stretch: Stretch) -> list[tuple[int, int]]:
        """The same of one member, in all channels."""
        ...

    async def open_timelines(self, guild_id: GuildId, channel_id: ChannelId | None = None) -> list[OpenSession]:
        """Open sessions with their timelines, in one channel or in all, in no order."""
        ...

    async def activity(self, guild_id: GuildId, units: Sequence[LocalUnit], as_of_ms: int) -> list[UnitActivity]:
        """Sessions and members of each unit in which there were some; open sessions last until ``as_of_ms``."""
        ...

    async def channel_sums(self, guild_id: GuildId, index: int, channel_id: ChannelId) -> tuple[Sums, int]:
        """What closed sessions of a period add up to in a channel, and of how many members."""
        ...

    async def channel_peak(self, guild_id: GuildId, index: int, channel_id: ChannelId, started_at_ms: int) -> int:
        """Most members at once in a channel in the period that runs since ``started_at_ms``."""
        ...

    async def amounts_between(self, guild_id: GuildId, span: LocalRange) -> list[int]:
        """Credited milliseconds, in the range, of every member with a closed session that overlaps it; of many it is 0.

        Members with an open session are not among them. In no order that anything may rely on.
        """
        ...

    async def open_members_between(self, guild_id: GuildId, span: LocalRange) -> dict[UserId, int]:
        """The same of the members with an open session: those of them who have a closed one that overlaps the range, too."""
        ...

    async def channels_between(self, guild_id: GuildId, span: LocalRange) -> dict[ChannelId, int]:
        """Credited milliseconds of closed sessions in the range by channel, those of erased ones too."""
        ...

    async def channel_sessions(self, guild_id: GuildId, span: LocalRange) -> dict[ChannelId, int]:
        """How many closed sessions of each channel ended in the range."""
        ...

    async def channel_members(self, guild_id: GuildId, span: LocalRange, as_of_ms: int) -> dict[ChannelId, int]:
        """How many members had a session in each channel that overlaps the range; open ones last until ``as_of_ms``."""
        ...
