"""What attendance from elsewhere needs from outside."""

from __future__ import annotations

from typing import Protocol

from attendance.domain.external_attendance import ExternalAttendance


class ExternalAttendanceStore(Protocol):
    """Reports of other systems. Every method is one transaction."""

    async def add(self, report: ExternalAttendance, now_ms: int) -> bool:
        """Store a report and queue its record; whether it was new.

        Raises:
            ConflictError: another report has the id, or the member has opted out.
            UnavailableError: the database is away; whether it was stored is unknown.
        """
        ...
