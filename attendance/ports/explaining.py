"""What explaining the past reads: one member's sessions with their timelines, rules, corrections, and the journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol
from uuid import UUID

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.reporting import OpenSession
from attendance.ports.reports import BlindLine, ReportView


class TimedSession(NamedTuple):
    """A closed session with its timeline (canonical JSON). ``signed``: its record is in the chain."""

    session_id: UUID
    channel_id: ChannelId
    stay: int
    part: int
    joined_at_ms: int
    left_at_ms: int
    reason: str
    below_minimum: bool
    timeline: bytes
    rules_sha256: bytes
    signed: bool


class RunningSession(NamedTuple):
    """An open session with its timeline, and its place among the guild's stays."""

    session: OpenSession
    stay: int
    part: int


class RulesVersion(NamedTuple):
    """Rules in force from an instant on. Without an actor: the gateway (the AFK channel moved), or the default."""

    version: int
    from_ms: int
    rules_sha256: bytes
    actor_id: UserId | None


class CorrectionLine(NamedTuple):
    """Time given or taken by hand, at the last millisecond of the session that it corrects.

    ``after_archive``: it stands beside the archived period and is in none of its sums.
    """

    session_id: UUID
    at_ms: int
    delta_ms: int
    after_archive: bool


class ReplayStart(NamedTuple):
    """Where a replay can begin: the engine's state after the lines below ``seq``, the last of them at ``at_ms``.

    Without a state: before the guild's first line, which is not before ``at_ms``.
    """

    seq: int
    at_ms: int
    state: bytes | None


class ExplainView(ReportView, Protocol):
    """One instant of the database. Costs grow with the range that is asked for, not with what was before or after it."""

    async def member_sessions(
        self, guild_id: GuildId, user_id: UserId, from_ms: int, to_ms: int, limit: int
    ) -> list[TimedSession]:
        """A member's closed sessions that overlap ``[from_ms, to_ms)``, the first ``limit`` of them, oldest first."""
        ...

    async def running_session(self, guild_id: GuildId, user_id: UserId) -> RunningSession | None:
        """The member's open session."""
        ...

    async def blind_within(self, guild_id: GuildId, from_ms: int, to_ms: int) -> list[BlindLine]:
        """Blind intervals that touch ``[from_ms, to_ms)``, oldest first."""
        ...

    async def rules_within(self, guild_id: GuildId, from_ms: int, to_ms: int) -> list[RulesVersion]:
        """Every version that was in force in ``[from_ms, to_ms)``, oldest first."""
        ...

    async def member_corrections(self, guild_id: GuildId, user_id: UserId, from_ms: int, to_ms: int) -> list[CorrectionLine]:
        """Corrections of a member's sessions that count in ``[from_ms, to_ms)``, oldest first."""
        ...

    async def replay_start(self, guild_id: GuildId, at_ms: int) -> ReplayStart | None:
        """The last state that is not after ``at_ms``, or else the first one after it.

        Every line behind it is in the journal. None for a guild without a journal, or whose owner stored no state yet.
        """
        ...

    async def lines_about(self, guild_id: GuildId, user_id: UserId, start: ReplayStart, to_ms: int) -> bytes:
        """The lines behind ``start`` and before ``to_ms``, newline-separated, without other members' voice states."""
        ...

    def lines_from(self, guild_id: GuildId, seq: int, chunk: int) -> AsyncIterator[bytes]:
        """All lines from this position on, newline-separated, ``chunk`` at a time."""
        ...

    async def afk_channel(self, guild_id: GuildId) -> ChannelId | None:
        """The guild's AFK channel, as the gateway last told it."""
        ...


class ExplainSource(Protocol):
    """Where views come from."""

    def view(self) -> AbstractAsyncContextManager[ExplainView]:
        """One instant of the database.

        Raises:
            UnavailableError: the database is away.
        """
        ...
