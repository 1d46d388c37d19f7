"""Corrects recorded sessions: never an edit, always a record beside the record."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from attendance.domain.corrections import MAX_DELTA_SECONDS, MAX_NOTE_CHARACTERS, Correction
from attendance.domain.ids import GuildId, UserId
from attendance.errors import InvalidInputError
from attendance.ports.clock import Clock
from attendance.ports.corrections import AskedCorrection, CorrectionStore
from attendance.ports.ids import IdSource
from attendance.ports.signing import Wake
from attendance.services.commands import Request


@dataclass(frozen=True, slots=True)
class Corrections:
    """Corrections of every guild. ``queued`` is the signer's: a record waits after each."""

    store: CorrectionStore
    clock: Clock
    ids: IdSource
    queued: Wake

    async def correct(self, request: Request, session_id: UUID, delta_seconds: int, note: str) -> tuple[Correction, bool]:
        """Add to a session's credited time, or take from it; and whether that is new.

        With the request's idempotency key a retry answers with the same correction.

        Raises:
            NotFoundError: the guild has no such closed session.
            ConflictError: its record is not signed yet, or the idempotency key was used for something else.
            InvalidInputError: nothing is changed, no note is given, or the session would leave 0 and its length.
        """
        problems = {}
        if delta_seconds == 0 or abs(delta_seconds) > MAX_DELTA_SECONDS:
            problems["delta_seconds"] = f"from -{MAX_DELTA_SECONDS} to {MAX_DELTA_SECONDS}, but not 0"
        if not 0 < len(note.strip()) <= MAX_NOTE_CHARACTERS:
            problems["note"] = f"1 to {MAX_NOTE_CHARACTERS} characters"
        if request.actor.user_id is None or problems:
            raise InvalidInputError("the correction is not valid", details=problems)
        now_ms = self.clock.now_ms()
        asked = AskedCorrection(
            correction_id=self.ids.session_id(now_ms),
            guild_id=request.guild_id,
            session_id=session_id,
            delta_ms=delta_seconds * 1000,
            note=note,
            actor=request.actor,
            actor_id=request.actor.user_id,
            idempotency_key=request.idempotency_key,
            at_ms=now_ms,
        )
        made, is_new = await self.store.correct(asked)
        self.queued.set()
        return made, is_new

    async def page(self, guild_id: GuildId, user_id: UserId | None, limit: int, offset: int) -> tuple[list[Correction], int]:
        """Corrections, of one member or of all, newest first, and how many there are."""
        return await self.store.page(guild_id, user_id, limit, offset)
