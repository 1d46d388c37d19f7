"""What an operator is offered: what the rules would allow now. The services ask the rules again when it is done."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.domain import rules
from dashboard.domain.ids import RoleId, UserId
from dashboard.domain.roles import Role
from dashboard.services.accounts import Accounts, Actor


@dataclass(frozen=True, slots=True)
class UserOffer:
    """About a user.

    Attributes:
        ban_refusal: why they cannot be banned or let in again; None where they can.
        to_give: roles that can be given to them.
        to_take: ids of those of their roles that can be taken.
    """

    ban_refusal: str | None
    to_give: tuple[Role, ...]
    to_take: frozenset[RoleId]


@dataclass(frozen=True, slots=True)
class RoleOffer:
    """About a role: why it cannot be changed at all, or deleted; None where it can."""

    change_refusal: str | None
    deletion_refusal: str | None


@dataclass(frozen=True, slots=True)
class Offers:
    """Asks the rules about everything that a page could offer."""

    accounts: Accounts

    async def about_user(self, actor: Actor, user_id: UserId) -> UserOffer:
        """What the actor can do about somebody."""
        standing, target = await self.accounts.standing(actor.user_id), await self.accounts.standing(user_id)
        others = await self.accounts.super_admins_but(user_id)
        every = [role for role in await self.accounts.store.roles() if role not in target.roles]
        return UserOffer(
            rules.refusal(rules.may_ban, standing, target),
            tuple(role for role in every if rules.refusal(rules.may_assign, standing, target, role) is None),
            frozenset(
                role.role_id for role in target.roles if rules.refusal(rules.may_remove, standing, target, role, others) is None
            ),
        )

    async def about_role(self, actor: Actor, role: Role) -> RoleOffer:
        """What the actor can do about a role."""
        standing = await self.accounts.standing(actor.user_id)
        holders = await self.accounts.holders_as_high(role.role_id, standing)
        return RoleOffer(
            rules.refusal(rules.may_change, standing, role, role, holders),
            rules.refusal(rules.may_delete, standing, role, holders),
        )
