"""Takes attendance that other systems report."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from attendance.domain.external_attendance import ExternalAttendance, check_span
from attendance.errors import NotFoundError
from attendance.ports.clock import Clock
from attendance.ports.directory import GuildDirectory
from attendance.ports.external_attendance import ExternalAttendanceStore
from attendance.ports.signing import Wake


@dataclass(frozen=True, slots=True)
class ExternalReports:
    """Reports of other systems. ``queued`` is set when a record waits to be signed."""

    store: ExternalAttendanceStore
    directory: GuildDirectory
    clock: Clock
    queued: Wake = field(default_factory=asyncio.Event)

    async def report(self, report: ExternalAttendance) -> bool:
        """Store a report; whether it was new. The same one again changes nothing.

        Raises:
            NotFoundError: the bot is not in the guild.
            InvalidInputError: the times cannot be.
            ConflictError: another report has the id, or the member has opted out.
        """
        presence = await self.directory.presence(report.guild_id)
        if presence is None or not presence.present:
            raise NotFoundError("the bot is not in this guild")
        now_ms = self.clock.now_ms()
        check_span(report.joined_at_ms, report.left_at_ms, now_ms)
        is_new = await self.store.add(report, now_ms)
        if is_new:
            self.queued.set()
        return is_new
