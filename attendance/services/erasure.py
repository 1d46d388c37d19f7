"""Erasing what is held of a member: asked for, told, withdrawn for three days, and then carried out step by step.

What happens if we die here: nothing that was done is undone, and what was not done is. Every step looks for what is left of the
member and takes it, in short transactions of its own; the claim runs out, and the next attempt does the same again. The request
is done when one look finds nothing any more, in the transaction that says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog

from attendance.domain.audit import Actor
from attendance.domain.display_names import markdown_name
from attendance.domain.erasure import ERASURE_WAITS_MS, REQUEST_FORGOTTEN_MS, Erasure, ErasureState
from attendance.domain.ids import GuildId, UserId
from attendance.errors import ConflictError, ForbiddenError, NotFoundError, OwnershipLostError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.privacy import DirectMessages, ErasureClaim, ErasureRequests, ErasureSteps, ErasureToTell, PendingErasure
from attendance.ports.signing import Wake

CLAIM_MS = 120_000
# The recorder stores its state every minute: when somebody is out of voice it takes that long until nothing of them is left.
AGAIN_MS = 60_000
_A_LOOK = 20
_SCRUBS = 3
# On SQLite a step's transaction keeps the journal waiting: this many sessions take 10 to 30 ms.
SESSIONS_A_STEP = 200
ROWS_A_STEP = 2_000

_log = structlog.get_logger("privacy")


@dataclass(frozen=True, slots=True)
class Erasures:
    """The asking side."""

    requests: ErasureRequests
    clock: Clock
    ids: IdSource

    async def state(self, guild_id: GuildId, user_id: UserId) -> Erasure:
        """The member's last request.

        Raises:
            NotFoundError: there is none, or it ended more than a day ago.
        """
        found = await self.requests.latest(guild_id, user_id)
        if found is None:
            raise NotFoundError("no erasure was asked for")
        return found

    async def pending(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[PendingErasure], int]:
        """Requests of a guild that wait or run, the next to be due first, and how many there are."""
        return await self.requests.pending(guild_id, limit, offset)

    async def request(self, guild_id: GuildId, user_id: UserId, actor: Actor) -> tuple[Erasure, bool]:
        """Ask for an erasure, in 72 hours; the request that stands now, and whether it is new."""
        now_ms = self.clock.now_ms()
        asked = Erasure(
            erasure_id=self.ids.session_id(now_ms),
            guild_id=guild_id,
            user_id=user_id,
            requested_by=user_id if actor.user_id is None else actor.user_id,
            requested_at_ms=now_ms,
            due_at_ms=now_ms + ERASURE_WAITS_MS,
            state=ErasureState.WAITING,
        )
        return await self.requests.request(asked, actor)

    async def withdraw(self, guild_id: GuildId, user_id: UserId, actor: Actor, *, by_operator: bool = False) -> None:
        """Withdraw the waiting request. Withdrawn already: nothing happens.

        Raises:
            NotFoundError: there is none.
            ForbiddenError: the caller is neither the member, nor who asked for it, nor an operator.
            ConflictError: it has begun.
        """
        found = await self.state(guild_id, user_id)
        if found.state is ErasureState.WITHDRAWN:
            return
        if not by_operator and actor.user_id not in (found.user_id, found.requested_by):
            raise ForbiddenError("only the member or who asked for the erasure can withdraw it")
        if found.state is not ErasureState.WAITING or not await self.requests.withdraw(found, actor, self.clock.now_ms()):
            current = await self.state(guild_id, user_id)
            if current.state is not ErasureState.WITHDRAWN:
                raise ConflictError("the erasure has begun: what is gone cannot be brought back")


@dataclass(frozen=True, slots=True)
class Eraser:
    """Tells members of requests and carries out what is due. Any number of processes may: requests are claimed.

    Attributes:
        holder: names this process in claims, for people who look.
        queued: set when records wait to be signed.
    """

    requests: ErasureRequests
    steps: ErasureSteps
    messages: DirectMessages
    clock: Clock
    ids: IdSource
    holder: str
    queued: Wake | None = None
    sessions_a_step: int = SESSIONS_A_STEP
    rows_a_step: int = ROWS_A_STEP

    async def look(self) -> int:
        """Tell whoever is to be told, carry out what is due, forget old requests; how many erasures were finished."""
        for erasure_id in await self.requests.to_tell(self.clock.now_ms(), _A_LOOK):
            await self._tell(erasure_id)
        done = 0
        for erasure_id in await self.requests.due(self.clock.now_ms(), _A_LOOK):
            done += await self._erase(erasure_id)
        if await self.requests.forget_subjects(self.clock.now_ms() - REQUEST_FORGOTTEN_MS) or done:
            await self._scrub()
        return done

    async def _scrub(self) -> None:
        for _ in range(_SCRUBS):
            if await self.steps.scrub():
                return
        _log.warning("the database's log still holds what was erased, until it is next written over")

    async def _tell(self, erasure_id: UUID) -> None:
        now_ms = self.clock.now_ms()
        waiting = await self.requests.claim_to_tell(erasure_id, self._claimed_by(), now_ms, now_ms + CLAIM_MS)
        if waiting is None:
            return
        # Dying before the note sends it again; Discord knows the nonce for some minutes, and twice is better than never.
        nonce = f"er{erasure_id.hex[:20]}"
        try:
            problem = await self.messages.send(waiting.claim.user_id, erasure_message(waiting), nonce)
        except UnavailableError as error:
            _log.warning("a member cannot be told of an erasure now", erasure=str(erasure_id), reason=error.message)
            return  # the claim runs out; others are told meanwhile
        told_at_ms = self.clock.now_ms() if problem is None else None
        await self.requests.note_told(waiting.claim, told_at_ms, problem)
        _log.info("told a member of an erasure", erasure=str(erasure_id), problem=problem)

    async def _erase(self, erasure_id: UUID) -> bool:
        now_ms = self.clock.now_ms()
        claim = await self.requests.claim(erasure_id, self._claimed_by(), now_ms, now_ms + CLAIM_MS)
        if claim is None:
            return False
        with suppress(OwnershipLostError):  # we were too slow: another attempt goes on
            await self._take_all(claim)
            left = await self.steps.finish(claim, self.clock.now_ms())
            if left is None:
                _log.info("erased a member", guild_id=claim.guild_id, erasure=str(erasure_id))
                return True
            _log.info("an erasure goes on later", guild_id=claim.guild_id, erasure=str(erasure_id), reason=left)
            await self.requests.hold(claim, self.clock.now_ms() + AGAIN_MS)
        return False

    async def _take_all(self, claim: ErasureClaim) -> None:
        guild_id, user_id = claim.guild_id, claim.user_id
        steps = self.steps
        await self._until_none(claim, lambda now_ms: steps.erase_sessions(guild_id, user_id, now_ms, self.sessions_a_step))
        await self._until_none(claim, lambda now_ms: steps.erase_external(guild_id, user_id, now_ms, self.sessions_a_step))
        await steps.anonymise_entries(guild_id, user_id, self.rows_a_step)
        await self._prolong(claim)
        await steps.erase_journal(guild_id, user_id, self.rows_a_step)
        await self._prolong(claim)
        await steps.erase_traces(guild_id, user_id)

    async def _until_none(self, claim: ErasureClaim, step: Callable[[int], Awaitable[int]]) -> None:
        while await step(self.clock.now_ms()):
            await self._prolong(claim)
            if self.queued is not None:
                self.queued.set()

    async def _prolong(self, claim: ErasureClaim) -> None:
        await self.requests.hold(claim, self.clock.now_ms() + CLAIM_MS)

    def _claimed_by(self) -> str:
        return f"{self.holder[:40]}/{self.ids.salt()[:8].hex()}"


def erasure_message(waiting: ErasureToTell) -> str:
    """What the member is told. The guild's name is somebody's text: it is made harmless."""
    by = "You asked" if waiting.requested_by == waiting.claim.user_id else "Somebody who manages the server asked"
    name = markdown_name(waiting.guild_name)
    return (
        f"{by} to erase all attendance of yours on the server {name}. "
        f"It happens <t:{waiting.due_at_ms // 1000}:R>, on <t:{waiting.due_at_ms // 1000}:F>, and cannot be undone.\n"
        "If this was not you, or you do not want it: `/attendance privacy` on that server withdraws it until then."
    )
