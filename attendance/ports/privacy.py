"""What erasures, retention and the deletion of left guilds need from the store, and what is told to members.

Every method of a store is one transaction or says otherwise, and raises `UnavailableError` while the database is away; whether
a failing write was stored is then unknown, and doing it again is right.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol
from uuid import UUID

from attendance.domain.audit import Actor
from attendance.domain.erasure import Erasure
from attendance.domain.ids import GuildId, UserId


class ErasureClaim(NamedTuple):
    """An erasure that one attempt works on. ``claimed_by`` is new for each attempt: it fences off every earlier one."""

    erasure_id: UUID
    guild_id: GuildId
    user_id: UserId
    claimed_by: str


class PendingErasure(NamedTuple):
    """An erasure that waits or runs. ``display_name`` is the id where nothing else is held of the member."""

    erasure: Erasure
    display_name: str


class ErasureToTell(NamedTuple):
    """An erasure of which the member was not told yet, and what the message says."""

    claim: ErasureClaim
    guild_name: str
    requested_by: UserId
    due_at_ms: int


class ErasureRequests(Protocol):
    """Requests to erase a member, on their way."""

    async def request(self, erasure: Erasure, actor: Actor) -> tuple[Erasure, bool]:
        """Store a request unless one is waiting or running for the member; the one that stands, and whether it is new.

        Two who ask at once make one.
        """
        ...

    async def latest(self, guild_id: GuildId, user_id: UserId) -> Erasure | None:
        """The member's last request; None where there was none, or where it is forgotten whom it was about."""
        ...

    async def pending(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[PendingErasure], int]:
        """Requests of a guild that wait or run, the next to be due first, and how many there are."""
        ...

    async def withdraw(self, erasure: Erasure, actor: Actor, now_ms: int) -> bool:
        """Withdraw a waiting request; False if it does not wait any more."""
        ...

    async def to_tell(self, now_ms: int, limit: int) -> list[UUID]:
        """Waiting requests of which the member is still to be told and that nobody is at work on."""
        ...

    async def claim_to_tell(self, erasure_id: UUID, claimed_by: str, now_ms: int, until_ms: int) -> ErasureToTell | None:
        """Take it; None if somebody else has, or nothing is to be told any more."""
        ...

    async def note_told(self, claim: ErasureClaim, told_at_ms: int | None, error: str | None) -> None:
        """Note that the member was told, or why they cannot be; the claim is given back."""
        ...

    async def due(self, now_ms: int, limit: int) -> list[UUID]:
        """Requests that are due, of which the member was told (or cannot be), and that nobody is at work on."""
        ...

    async def claim(self, erasure_id: UUID, claimed_by: str, now_ms: int, until_ms: int) -> ErasureClaim | None:
        """Begin it, or take up what another attempt left; None if somebody else has. From here on it cannot be withdrawn."""
        ...

    async def hold(self, claim: ErasureClaim, until_ms: int) -> None:
        """Prolong a claim, or with an instant that is near let it be taken up again then.

        Raises:
            OwnershipLostError: another attempt has it.
        """
        ...

    async def forget_subjects(self, ended_before_ms: int) -> int:
        """Forget whom requests were about that ended before then; how many."""
        ...


class ErasureSteps(Protocol):
    """The parts of an erasure. Each may be done any number of times, in any order, by several at once."""

    async def erase_sessions(self, guild_id: GuildId, user_id: UserId, now_ms: int, limit: int) -> int:
        """Erase up to ``limit`` of the member's closed sessions with everything that follows from them; how many.

        In one transaction: the sums lose them, the bytes of their records and of their corrections' go, what waits in queues
        and outboxes about them goes, and a ``record.redacted`` is queued.
        """
        ...

    async def erase_external(self, guild_id: GuildId, user_id: UserId, now_ms: int, limit: int) -> int:
        """Erase up to ``limit`` reports of other systems about the member, with the bytes of their records; how many."""
        ...

    async def anonymise_entries(self, guild_id: GuildId, user_id: UserId, limit: int) -> int:
        """Take the member's id and salt out of archived periods; several transactions. How many entries there were."""
        ...

    async def erase_journal(self, guild_id: GuildId, user_id: UserId, limit: int) -> None:
        """Take the member out of the journal before the checkpoint, and out of milestones; several transactions."""
        ...

    async def erase_traces(self, guild_id: GuildId, user_id: UserId) -> None:
        """Delete their name, their part in role runs, commands about them, and their id in the audit's entries."""
        ...

    async def finish(self, claim: ErasureClaim, now_ms: int) -> str | None:
        """Mark the erasure done if nothing of the member is left; otherwise say what is, and change nothing.

        Raises:
            OwnershipLostError: another attempt has it.
        """
        ...

    async def scrub(self) -> bool:
        """Let the database's files forget what was deleted, as far as that is in our hands; False: trying again may do more."""
        ...


class RetentionStore(Protocol):
    """What is too old."""

    async def guilds(self, after: GuildId, limit: int) -> list[tuple[GuildId, int]]:
        """Guilds with a retention and its days, ascending."""
        ...

    async def erase_old_sessions(self, guild_id: GuildId, before_ms: int, now_ms: int, limit: int) -> int:
        """Erase up to ``limit`` sessions that ended before then, as `ErasureSteps.erase_sessions` does; how many."""
        ...

    async def erase_old_external(self, guild_id: GuildId, before_ms: int, now_ms: int, limit: int) -> int:
        """The same with reports of other systems."""
        ...

    async def anonymise_old_entries(self, guild_id: GuildId, before_ms: int, limit: int) -> int:
        """Take ids and salts out of up to ``limit`` entries of periods that ended before then; how many."""
        ...

    async def forget_names(self, guild_id: GuildId, limit: int) -> int:
        """Delete up to ``limit`` names of members of whom nothing else is left; how many."""
        ...


class LeftGuilds(Protocol):
    """Guilds that the bot has left."""

    async def left_before(self, before_ms: int, limit: int) -> list[GuildId]:
        """Guilds that it left before then and has not come back to, the longest gone first."""
        ...

    async def delete_some(self, guild_id: GuildId, before_ms: int, limit: int) -> int:
        """Delete up to ``limit`` rows of what its stream does not need; how many. None of a guild that the bot is back in."""
        ...

    async def ask_owner(self, guild_id: GuildId, before_ms: int, now_ms: int) -> bool:
        """Ask the owner of the guild's stream to forget it and to delete what is left.

        False if that was asked already, or the bot is back.
        """
        ...


class DirectMessages(Protocol):
    """Messages to members."""

    async def send(self, user_id: UserId, text: str, nonce: str) -> str | None:
        """Send a message once (the nonce, of at most 25 characters, tells a repetition); why it cannot be, or None.

        Raises:
            UnavailableError: Discord is away or limits us; trying again is right.
        """
        ...
