"""Runs of verified roles: each judges one rule once, and then carries out what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

from attendance.domain.audit import Actor
from attendance.domain.ids import GuildId, UserId
from attendance.domain.role_rules import Action, Change, RoleRule


class RunState(StrEnum):
    """How far a run is."""

    DUE = "due"
    JUDGED = "judged"  # its changes are listed, and are being made
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRun:
    """A run, and how far it is.

    Attributes:
        period_index: the period at whose end it is judged; None: on demand.
        error: why it failed, or why it had nothing to do.
        waiting: members that Discord has still to be asked about.
        granted: who got the role.
        removed: who lost it.
        passed_over: who was judged, and needed nothing: had it otherwise, or is a member no more.
        failed: whom Discord refused it.
    """

    run_id: UUID
    guild_id: GuildId
    rule_id: UUID
    period_index: int | None
    state: RunState
    error: str | None
    created_at_ms: int
    done_at_ms: int | None
    waiting: int = 0
    granted: int = 0
    removed: int = 0
    passed_over: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule says now. ``period_index``: of the archived period that was looked at; None: all time, or no period yet."""

    period_index: int | None
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class RunClaim:
    """A run in one worker's hands. ``claimed_by`` is this claim's own name, new for each."""

    run_id: UUID
    claimed_by: str
    period_index: int | None
    state: RunState
    rule: RoleRule


class Waiting(NamedTuple):
    """A change that waits. ``held``: has the role by this rule; ``held_otherwise``: by another rule for the same role."""

    user_id: UserId
    action: Action
    held: bool
    held_otherwise: bool


class Outcome(NamedTuple):
    """What became of a change.

    ``held``: whether the member has the role by this rule now. ``note``: why nothing was done, or why it failed. ``forgotten``:
    there is nothing to tell, the change goes.
    """

    user_id: UserId
    action: Action
    held: bool
    note: str | None = None
    failed: bool = False
    forgotten: bool = False


class RoleRunStore(Protocol):
    """Runs, their changes, and who has a role by which rule. Every call raises `UnavailableError`.

    What is given a claim raises `OwnershipLostError` when the claim does not stand any more: it ran out and another worker has
    the run, or the rule was changed or removed.
    """

    async def judgement(self, rule: RoleRule, period_index: int | None) -> Judgement:
        """What the rule says, of a period or, with None, of the last archived one; rules over all time look at everything.

        A period's time is what its archive says. Nothing follows where no period is archived.
        """
        ...

    async def credited(self, rule: RoleRule, period_index: int | None, user_ids: Sequence[UserId]) -> dict[UserId, int]:
        """The milliseconds that the rule counts, of those of the members who have any."""
        ...

    async def ask(self, rule: RoleRule, run_id: UUID, actor: Actor, now_ms: int) -> tuple[RoleRun, bool]:
        """Queue a run on demand, unless one is not done yet; the run, and whether it is new. Audited.

        Raises:
            NotFoundError: the rule is gone.
        """
        ...

    async def page(self, guild_id: GuildId, rule_id: UUID, limit: int, offset: int) -> tuple[list[RoleRun], int]:
        """Runs of a rule, newest first, and how many there are in all."""
        ...

    async def due(self, now_ms: int, limit: int) -> list[UUID]:
        """Runs that are not done and in nobody's hands, the longest waiting first; of each rule only its oldest."""
        ...

    async def claim(self, run_id: UUID, claimed_by: str, now_ms: int, until_ms: int) -> RunClaim | None:
        """Take a run, if it is due and no other claim stands."""
        ...

    async def is_superseded(self, claim: RunClaim) -> bool:
        """Whether a newer run of the same rule waits to be judged: it says all that this one would."""
        ...

    async def list_changes(self, claim: RunClaim, changes: Sequence[Change], until_ms: int) -> None:
        """Write down what was judged."""
        ...

    async def waiting(self, claim: RunClaim, until_ms: int, limit: int) -> list[Waiting]:
        """Some changes that wait. Those of members who were erased since the run began are dropped."""
        ...

    async def intend(self, claim: RunClaim, user_ids: Sequence[UserId], now_ms: int) -> None:
        """Note that these members have the role by this rule, before Discord is told: after a crash it is still known."""
        ...

    async def settle(
        self, claim: RunClaim, outcomes: Sequence[Outcome], now_ms: int, next_at_ms: int, error: str | None = None
    ) -> None:
        """Write down what was done and give the run back until then; with its last change it is done, with an error failed."""
        ...

    async def end(self, claim: RunClaim, now_ms: int, error: str | None, *, failed: bool) -> None:
        """End the run. A failure stays with the rule until a run succeeds."""
        ...

    async def release(self, claim: RunClaim, next_at_ms: int) -> None:
        """Give the run back until then, if it is still ours."""
        ...

    async def trim(self, before_ms: int, limit: int) -> int:
        """Delete up to ``limit`` runs that ended before then; how many."""
        ...
