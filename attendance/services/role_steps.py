"""A few members of a run of verified roles: what Discord is asked about each, and what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from attendance.domain.role_rules import Action, RoleRule, Scope
from attendance.errors import ForbiddenError, InvalidInputError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.guild_roles import GuildRoles
from attendance.ports.role_runs import Outcome, Waiting

_NOT_A_MEMBER = "is no member any more"
_HAD_IT = "had the role already"
_KEEPS_IT = "has the role by another rule too"

Answer = TypeVar("Answer")


class DiscordAwayError(UnavailableError):
    """Discord, not the database."""


async def asked(question: Awaitable[Answer]) -> Answer:
    """Ask Discord, so that its being away can be told from the database's.

    Raises:
        DiscordAwayError: it is away.
    """
    try:
        return await question
    except UnavailableError as error:
        raise DiscordAwayError(error.message) from error


@dataclass(slots=True)
class RoleStep:
    """A few members of one run. ``outcomes`` grow as Discord answers, and stand whatever it answers next."""

    discord: GuildRoles
    rule: RoleRule
    clock: Clock
    until: float
    outcomes: list[Outcome] = field(default_factory=list)

    async def look_at(self, changes: Sequence[Waiting]) -> list[Waiting]:
        """Who has reached it and has not got the role; the others are settled."""
        lacking = []
        for change in changes:
            if self._is_late():
                break
            has = await asked(self.discord.has(self.rule.guild_id, change.user_id, self.rule.role_id))
            if has is False:
                lacking.append(change)
            else:
                self.outcomes.append(_without_asking_more(change, is_member=has is not None))
        return lacking

    async def give(self, changes: Sequence[Waiting]) -> None:
        """Give the role to members who are noted to have it already."""
        for index, change in enumerate(changes):
            if self._is_late():
                return
            user_id, note, failed = change.user_id, None, False
            try:
                given = await asked(self.discord.give(self.rule.guild_id, user_id, self.rule.role_id, self._reason("reached")))
            except InvalidInputError as error:
                given, note, failed = False, error.message, True
            except ForbiddenError as error:
                # None of them has it: what was noted is taken back, so that nobody ever loses what others gave.
                refused = [
                    Outcome(one.user_id, Action.GRANT, held=False, note=error.message, failed=True) for one in changes[index:]
                ]
                self.outcomes += refused
                raise
            if not given and not failed:
                note = _NOT_A_MEMBER
            self.outcomes.append(Outcome(user_id, Action.GRANT, held=given, note=note, failed=failed))

    async def take(self, changes: Sequence[Waiting]) -> None:
        """Take the role from who has it by this rule and by no other."""
        for change in changes:
            if self._is_late():
                return
            user_id = change.user_id
            if change.held_otherwise:
                self.outcomes.append(Outcome(user_id, Action.REMOVE, held=False, note=_KEEPS_IT))
                continue
            try:
                taken = await asked(self.discord.take(self.rule.guild_id, user_id, self.rule.role_id, self._reason("below")))
            except InvalidInputError as error:
                self.outcomes.append(Outcome(user_id, Action.REMOVE, held=True, note=error.message, failed=True))
                continue
            self.outcomes.append(Outcome(user_id, Action.REMOVE, held=False, note=None if taken else _NOT_A_MEMBER))

    def _is_late(self) -> bool:
        return self.clock.monotonic() >= self.until

    def _reason(self, how: str) -> str:
        """For the guild's audit log."""
        hours = self.rule.threshold_seconds / 3600
        time = "all time" if self.rule.scope is Scope.LIFETIME else "the period"
        return f"Rollcall: {how} {hours:.10g} h of voice in {time}"


def _without_asking_more(change: Waiting, *, is_member: bool) -> Outcome:
    """What is known of a member who has the role, or is none."""
    if not is_member:
        return Outcome(change.user_id, change.action, held=False, note=_NOT_A_MEMBER)
    if change.action is Action.KEEP:
        return Outcome(change.user_id, Action.KEEP, held=True, forgotten=True)
    if change.held:  # given, and we died before we could write it down
        return Outcome(change.user_id, Action.GRANT, held=True)
    if change.held_otherwise:
        return Outcome(change.user_id, Action.GRANT, held=True, note=_KEEPS_IT)
    return Outcome(change.user_id, Action.GRANT, held=False, note=_HAD_IT)
