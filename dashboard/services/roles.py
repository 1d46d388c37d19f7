"""The deployment's roles. They open no guild."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.errors import ConflictError, NotFoundError
from dashboard.domain import rules
from dashboard.domain.activity import Action
from dashboard.domain.ids import RoleId
from dashboard.domain.roles import MOST_ROLES, Role
from dashboard.domain.told import ChangedRole, OneRole, told_role
from dashboard.domain.users import Standing
from dashboard.services.accounts import Accounts, Actor, decide


@dataclass(frozen=True, slots=True)
class Roles:
    """Making, changing and deleting roles."""

    accounts: Accounts

    async def all(self, actor: Actor) -> list[Role]:
        """Every role, the highest first.

        Raises:
            ForbiddenError: without ``view_admin``.
        """
        rules.may_view(await self.accounts.standing(actor.user_id))
        return await self.accounts.store.roles()

    async def create(self, actor: Actor, role: Role) -> None:
        """Make a role.

        Raises:
            ForbiddenError: see `rules.may_create`.
            ConflictError: there is one of this id, or there are `MOST_ROLES`.
        """
        store = self.accounts.store

        async def attempt(version: int) -> bool:
            rules.may_create(await self.accounts.standing(actor.user_id), role)
            there = {one.role_id for one in await store.roles()}
            if role.role_id in there:
                raise ConflictError("there is a role with this id already")
            if len(there) >= MOST_ROLES:
                raise ConflictError(f"there are {MOST_ROLES} roles, and no room for more")
            return await store.create_role(
                version, role, self.accounts.entry(actor, Action.ROLE_CREATED, OneRole(told_role(role)))
            )

        await decide(store, attempt)

    async def change(self, actor: Actor, role: Role) -> None:
        """Change everything of a role but its id.

        Raises:
            ForbiddenError: see `rules.may_change`.
            NotFoundError: there is none of this id.
        """
        store = self.accounts.store

        async def attempt(version: int) -> bool:
            standing, before = await self._found(actor, role.role_id)
            rules.may_change(standing, before, role, await self.accounts.holders_as_high(role.role_id, standing))
            told = ChangedRole(told_role(before), told_role(role))
            return await store.change_role(version, role, self.accounts.entry(actor, Action.ROLE_CHANGED, told))

        await decide(store, attempt)

    async def delete(self, actor: Actor, role_id: RoleId) -> None:
        """Delete a role, which takes it from everybody.

        Raises:
            ForbiddenError: see `rules.may_delete`.
            NotFoundError: there is none of this id.
        """
        store = self.accounts.store

        async def attempt(version: int) -> bool:
            standing, role = await self._found(actor, role_id)
            rules.may_delete(standing, role, await self.accounts.holders_as_high(role_id, standing))
            return await store.delete_role(
                version, role_id, self.accounts.entry(actor, Action.ROLE_DELETED, OneRole(told_role(role)))
            )

        await decide(store, attempt)

    async def _found(self, actor: Actor, role_id: RoleId) -> tuple[Standing, Role]:
        standing = await self.accounts.standing(actor.user_id)
        rules.may_write(standing)
        role = await self.accounts.store.role(role_id)
        if role is None:
            raise NotFoundError("there is no such role")
        return standing, role
