"""Corrections of recorded sessions: what a hand adds or takes, beside a record that never changes (records, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.errors import InvalidInputError

MAX_NOTE_CHARACTERS = 500
# A year: no session is longer than its period, and a number that every database takes.
MAX_DELTA_SECONDS = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction of one session.

    Attributes:
        correction_id: its own id.
        guild_id, session_id, user_id, channel_id, period_index: of the session.
        at_ms: the session's last millisecond, where it counts.
        delta_ms: what is added, or taken.
        actor_id: who said so.
        note: why.
        created_at_ms: when.
        after_archive: the period's archive stood already and does not have it.
    """

    correction_id: UUID
    guild_id: GuildId
    session_id: UUID
    user_id: UserId
    channel_id: ChannelId
    period_index: int
    at_ms: int
    delta_ms: int
    actor_id: UserId
    note: str
    created_at_ms: int
    after_archive: bool


def check_correction(delta_ms: int, credited_ms: int, length_ms: int) -> None:
    """Accept a correction that leaves its session within nothing and its whole length.

    Args:
        delta_ms: what is to be added.
        credited_ms: what the session counts for so far, earlier corrections included.
        length_ms: from its beginning to its end.

    Raises:
        InvalidInputError: it does not; the details say what would.
    """
    if 0 <= credited_ms + delta_ms <= length_ms:
        return
    least, most = -(credited_ms // 1000), (length_ms - credited_ms) // 1000
    raise InvalidInputError(
        "a corrected session stays within 0 and its length",
        details={"delta_seconds": f"from {least} to {most}, but not 0"},
    )
