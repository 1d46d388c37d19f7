"""Ending a period by hand."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.domain.commands import CommandKind
from attendance.domain.ranking import live_lines
from attendance.errors import UnavailableError
from attendance.ports.reports import Board, ReportSource, ReportView
from attendance.services.commands import Commands, Request


@dataclass(frozen=True, slots=True)
class EndedPeriod:
    """A period that is over. ``signed``: its record is in the chain."""

    period_index: int
    started_at_ms: int
    ended_at_ms: int
    entry_count: int
    signed: bool


@dataclass(frozen=True, slots=True)
class Resets:
    """Resets on demand."""

    reports: ReportSource
    commands: Commands

    async def reset_now(self, request: Request) -> EndedPeriod:
        """End the running period now; with an idempotency key a retry answers with the same period.

        Raises:
            ConflictError: the idempotency key was used for something else.
            UnavailableError: the guild's owner has not answered, or the database is away.
        """
        result = await self.commands.apply(request, CommandKind.RESET, {})
        async with self.reports.view() as view:
            period = await view.period(request.guild_id, result["period_index"])
            if period is None or period.ended_at_ms is None:
                raise UnavailableError("the period's end is not stored yet")
            board = Board(request.guild_id, period.index)
            count = period.entry_count
            if count is None:
                count = await _members(view, board, period.ended_at_ms)
            signed = await view.period_is_signed(request.guild_id, period.index)
        return EndedPeriod(period.index, period.started_at_ms, period.ended_at_ms, count, signed)


async def _members(view: ReportView, board: Board, ended_at_ms: int) -> int:
    """How many entries the archive will have: until the last sessions are stored, those that are being closed count too."""
    live = live_lines(await view.live_sessions(board), (await view.stored_of_live(board)).get, ended_at_ms)
    new = sum(1 for _, _, sessions, _ in live.now if sessions) - len(live.replaced)
    return await view.count_stored(board) + new
