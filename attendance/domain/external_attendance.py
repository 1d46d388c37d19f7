"""Attendance that happened elsewhere (a meeting, a class) and that another system reports.

It is recorded as `attendance.external` (records, section 2), and is in no leaderboard, role or total of what the gateway saw.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.errors import InvalidInputError

_DAY_MS = 86_400_000
LONGEST_MS = 31 * _DAY_MS
_CLOCK_SKEW_MS = 5 * 60 * 1000


@dataclass(frozen=True, slots=True)
class ExternalAttendance:
    """A report. ``external_id`` is unique in the deployment; ``source`` names the system."""

    external_id: str
    guild_id: GuildId
    user_id: UserId
    channel_id: ChannelId | None
    joined_at_ms: int
    left_at_ms: int
    source: str

    def body_sha256(self) -> bytes:
        """Of everything that it says: two reports of one id are the same where this is the same."""
        members = [getattr(self, name) for name in self.__slots__]
        return sha256(json.dumps(members).encode()).digest()

    def draft(self) -> str:
        """Draft of its record."""
        return json.dumps(
            {
                "type": "attendance.external",
                "source": self.source,
                "external_id": self.external_id,
                "user_id": str(self.user_id),
                "joined_at_ms": self.joined_at_ms,
                "left_at_ms": self.left_at_ms,
            }
        )


def check_span(joined_at_ms: int, left_at_ms: int, now_ms: int) -> None:
    """Refuse what cannot have happened.

    Raises:
        InvalidInputError: it ends before it begins, lasts over 31 days, begins before 1970, or ends in the future.
    """
    problems = {}
    if joined_at_ms < 0:
        problems["joined_at"] = "not before 1970"
    if left_at_ms <= joined_at_ms:
        problems["left_at"] = "after joined_at"
    elif left_at_ms - joined_at_ms > LONGEST_MS:
        problems["left_at"] = f"at most {LONGEST_MS // _DAY_MS} days after joined_at"
    elif left_at_ms > now_ms + _CLOCK_SKEW_MS:
        problems["left_at"] = "not in the future"
    if problems:
        raise InvalidInputError("the times are not valid", details=problems)
