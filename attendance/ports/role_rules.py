"""Stored rules of verified roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from attendance.domain.audit import Actor
from attendance.domain.ids import GuildId
from attendance.domain.role_rules import RoleRule


class RoleRuleStore(Protocol):
    """Rules by guild. Every change is audited in its own transaction. Every call raises `UnavailableError`."""

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[Sequence[RoleRule], int]:
        """Rules in the order in which they were made, and how many there are in all."""
        ...

    async def rule(self, guild_id: GuildId, rule_id: UUID) -> RoleRule | None:
        """One rule, None where the guild has no such."""
        ...

    async def add(self, rule: RoleRule, actor: Actor, limit: int) -> RoleRule:
        """Add a rule, unless one that says the same is there: then that one is returned.

        Raises:
            ConflictError: the guild has ``limit`` rules.
        """
        ...

    async def change(
        self, guild_id: GuildId, rule_id: UUID, changes: Mapping[str, Any], actor: Actor, at_ms: int
    ) -> RoleRule | None:
        """Change members of a rule; returns it as it is now, None where there is no such.

        Runs that are not done are judged anew. With another role nobody has it by this rule yet: who has the old one keeps it.
        A change to what is already so is none.
        """
        ...

    async def remove(self, guild_id: GuildId, rule_id: UUID, actor: Actor, at_ms: int) -> bool:
        """Remove a rule with its runs; whether there was one. Members keep the role."""
        ...
