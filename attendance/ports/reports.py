"""What reports read. A view is one instant of the database: everything read through it fits together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.ranking import Contender, Ranked
from attendance.domain.reporting import LiveSession, OpenSession, Sums, Watch
from attendance.domain.settings import GuildSettings
from attendance.ports.analytics import AnalyticsView


@dataclass(frozen=True, slots=True)
class Period:
    """A period. ``state``: running, cut, closed (its sessions are stored), archived."""

    index: int
    started_at_ms: int
    ended_at_ms: int | None
    state: str
    entry_count: int | None


@dataclass(frozen=True, slots=True)
class Board:
    """Which ranking: a guild's period, in one channel or in all, of all members or of those found by name."""

    guild_id: GuildId
    period_index: int
    channel_id: ChannelId | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which closed sessions: those that overlap ``[from_ms, to_ms)``."""

    guild_id: GuildId
    from_ms: int | None = None
    to_ms: int | None = None
    user_id: UserId | None = None
    channel_id: ChannelId | None = None


class SessionLine(NamedTuple):
    """A closed session as lists show it. ``signed``: its record is in the chain.

    ``corrected_ms`` is what all its corrections come to, beside what was recorded.
    """

    session_id: UUID
    user_id: UserId
    channel_id: ChannelId
    period_index: int
    joined_at_ms: int
    left_at_ms: int
    reason: str
    credited_ms: int
    unwitnessed_ms: int
    deafened_ms: int
    muted_ms: int
    solo_ms: int
    below_minimum: bool
    signed: bool
    corrected_ms: int = 0


class BlindLine(NamedTuple):
    """A blind interval; one that runs has no end."""

    started_at_ms: int
    ended_at_ms: int | None
    cause: str
    ended_by: str | None


class ChannelLine(NamedTuple):
    """A channel as the gateway knows it."""

    channel_id: ChannelId
    name: str
    kind: str
    parent_id: ChannelId | None
    position: int
    deleted: bool


class SumsVersion(NamedTuple):
    """Which sums a view sees: how many sessions are stored, and how often a correction or an erasure changed the sums."""

    closed_count: int
    revision: int


class ChannelSum(NamedTuple):
    """One member's closed sessions in one channel."""

    channel_id: ChannelId
    credited_ms: int
    session_count: int


class PeriodView(Protocol):
    """Periods, and how far the guild was seen."""

    async def running_period(self, guild_id: GuildId) -> Period | None:
        """The running period; None for a guild without any."""
        ...

    async def period(self, guild_id: GuildId, index: int) -> Period | None:
        """A period by its index."""
        ...

    async def watch(self, guild_id: GuildId) -> Watch:
        """The running blind interval and the owner's lease."""
        ...

    async def period_is_signed(self, guild_id: GuildId, index: int) -> bool:
        """Whether the period's record is in the chain."""
        ...

    async def period_sums(self, guild_id: GuildId, index: int) -> tuple[Sums, int]:
        """What all members' closed sessions of a period add up to, and how many members there are."""
        ...

    async def settings(self, guild_id: GuildId) -> GuildSettings:
        """The guild's settings, the defaults where it has none."""
        ...

    async def blind_intervals(
        self, guild_id: GuildId, from_ms: int | None, to_ms: int | None, limit: int | None, offset: int
    ) -> list[BlindLine]:
        """Those that overlap ``[from_ms, to_ms)``, newest first; all of them with ``limit`` None."""
        ...

    async def count_blind_intervals(self, guild_id: GuildId, from_ms: int | None, to_ms: int | None) -> int:
        """How many there are."""
        ...


class RankingView(Protocol):
    """Rankings."""

    async def sums_version(self, guild_id: GuildId) -> SumsVersion:
        """Whatever is summed up from the guild's sessions changes only together with this."""
        ...

    async def live_sessions(self, board: Board) -> list[LiveSession]:
        """Open sessions of the board's members, in no order."""
        ...

    async def stored_of_live(self, board: Board) -> dict[UserId, tuple[int, int]]:
        """Credited milliseconds and number of closed sessions of the board's members who have an open session."""
        ...

    async def stored_after(self, board: Board, after: tuple[int, int] | None, limit: int) -> list[tuple[int, int, int]]:
        """Lines (negated_ms, user_id, session_count) of a whole guild's board behind ``after`` (negated_ms, user_id)."""
        ...

    async def stored_changed(self, board: Board, since_count: int) -> list[tuple[int, int, int]]:
        """The lines of members whose sessions were stored when the count of closed ones was ``since_count`` or more."""
        ...

    async def members_found(self, guild_id: GuildId, search: str) -> set[UserId]:
        """Members whose display name contains the text, case ignored, or whose id it is, be they on a board or not."""
        ...

    async def stored(self, board: Board, limit: int, offset: int) -> list[Contender]:
        """Members by their closed sessions: most time first, then the lower id."""
        ...

    async def count_stored(self, board: Board) -> int:
        """How many there are."""
        ...

    async def counts_above(self, board: Board, credited_ms: Collection[int]) -> dict[int, int]:
        """For each amount, how many of the board's members (whatever the search) have more from closed sessions."""
        ...

    async def archived(self, board: Board, limit: int, offset: int) -> list[Ranked]:
        """The entries of an archived period in their order."""
        ...

    async def count_archived(self, board: Board) -> int:
        """How many there are."""
        ...

    async def late_corrections(self, board: Board) -> dict[UserId, int]:
        """What was corrected after the board's period was archived, in milliseconds by member."""
        ...


class MemberView(Protocol):
    """One member's numbers, and sessions."""

    async def member_sums(self, guild_id: GuildId, index: int, user_id: UserId) -> Sums | None:
        """A member's closed sessions in a period; None without any."""
        ...

    async def member_channels(self, guild_id: GuildId, index: int, user_id: UserId) -> list[ChannelSum]:
        """The same by channel."""
        ...

    async def member_quarters(self, guild_id: GuildId, index: int, user_id: UserId) -> list[tuple[int, int]]:
        """The same by UTC quarter-hour: (start_ms // 900_000, credited milliseconds), ascending."""
        ...

    async def member_external_ms(self, guild_id: GuildId, user_id: UserId, from_ms: int) -> int:
        """What other systems reported of the member, from an instant on; in no total."""
        ...

    async def member_span(self, guild_id: GuildId, user_id: UserId) -> tuple[int, int] | None:
        """When the member's first closed session began and the last one ended."""
        ...

    async def open_session(self, guild_id: GuildId, user_id: UserId) -> OpenSession | None:
        """The member's open session, with its timeline."""
        ...

    async def open_sessions(self, guild_id: GuildId) -> list[OpenSession]:
        """All open sessions of a guild, in order of channel and joining, without timelines."""
        ...

    async def sessions(self, which: SessionFilter, limit: int, offset: int) -> list[SessionLine]:
        """Closed sessions, newest first."""
        ...

    async def count_sessions(self, which: SessionFilter) -> int:
        """How many there are."""
        ...


class DirectoryView(Protocol):
    """What Discord calls things. Names are other people's text: never markup, never a formula."""

    async def member_names(self, guild_id: GuildId, user_ids: Collection[UserId]) -> dict[UserId, str]:
        """Display names; a member that the gateway never described goes by the id."""
        ...

    async def channel_names(self, guild_id: GuildId, channel_ids: Collection[ChannelId]) -> dict[ChannelId, str]:
        """Channel names, of deleted ones too; the id where there is none."""
        ...

    async def channels(self, guild_id: GuildId, only: Sequence[ChannelId] | None = None) -> list[ChannelLine]:
        """Voice channels, stages and categories by position, those of ``only`` if it is given; deleted ones too."""
        ...


class ReportView(PeriodView, RankingView, MemberView, DirectoryView, AnalyticsView, Protocol):
    """Everything a report may read, at one instant."""


class ReportSource(Protocol):
    """Where views come from."""

    def view(self) -> AbstractAsyncContextManager[ReportView]:
        """One instant of the database.

        Raises:
            UnavailableError: the database is away.
        """
        ...
