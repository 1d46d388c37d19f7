"""Where corrections are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from attendance.domain.audit import Actor
from attendance.domain.corrections import Correction
from attendance.domain.ids import GuildId, UserId


@dataclass(frozen=True, slots=True)
class AskedCorrection:
    """What somebody asks to be corrected. ``correction_id`` becomes the correction's, if it is made."""

    correction_id: UUID
    guild_id: GuildId
    session_id: UUID
    delta_ms: int
    note: str
    actor: Actor
    actor_id: UserId
    idempotency_key: str | None
    at_ms: int


class CorrectionStore(Protocol):
    """Corrections of all guilds. Every method raises UnavailableError while the database is away."""

    async def correct(self, asked: AskedCorrection) -> tuple[Correction, bool]:
        """Store a correction with everything that follows from it, in one transaction; and whether it is new.

        What follows: its draft in the queue of records, an audit entry and, unless the period is archived, every sum that has
        the session. An archive that is being made begins anew, so that its entries have the correction or the correction says
        that they do not.

        The second time with the same idempotency key, what was stored first is returned.

        Raises:
            NotFoundError: the guild has no such closed session, or what it held was erased.
            ConflictError: the session's record is not signed yet, or the idempotency key was used for something else.
            InvalidInputError: the corrected session would leave 0 and its length.
        """
        ...

    async def page(self, guild_id: GuildId, user_id: UserId | None, limit: int, offset: int) -> tuple[list[Correction], int]:
        """Corrections, of one member or of all, newest first, and how many there are."""
        ...
