"""Who uses this deployment's dashboard, and what an operator may do about them.

Every decision names the version of all accounts that it was made on, and is made again when somebody else was faster: what the
rules allowed is still allowed when it is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from attendance.clock import Clock
from attendance.errors import ConflictError, NotFoundError
from dashboard.domain import rules
from dashboard.domain.activity import Action, Activity, LoggedActivity
from dashboard.domain.ids import RoleId, UserId
from dashboard.domain.roles import SUPER_ADMIN, Role
from dashboard.domain.told import Banned, Held, Told, Unbanned
from dashboard.domain.users import Ban, ListedUser, Standing, checked_reason
from dashboard.ports import AccountActivity, AccountStore

# So often is a decision made again before its maker is told to come back: each time, somebody else's was written.
MOST_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and from which address."""

    user_id: UserId
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Users, their bans and their roles. ``configured`` are the super admins by the settings.

    Whatever changes a user returns them as they are then.
    """

    store: AccountStore
    log: AccountActivity
    clock: Clock
    configured: frozenset[UserId]

    async def users(self, actor: Actor, search: str | None, limit: int, offset: int) -> tuple[list[ListedUser], int]:
        """A page of everybody who ever signed in, the latest sign-in first, and how many there are.

        ``search`` is a part of a name in any case, or an id.

        Raises:
            ForbiddenError: without ``view_admin``.
        """
        rules.may_view(await self.standing(actor.user_id))
        return await self.store.users(search, limit, offset)

    async def user(self, actor: Actor, user_id: UserId) -> ListedUser:
        """One of them.

        Raises:
            ForbiddenError: without ``view_admin``.
            NotFoundError: they never signed in.
        """
        rules.may_view(await self.standing(actor.user_id))
        return await self._known(user_id)

    async def activity(
        self, actor: Actor, user_id: UserId | None, action: Action | None, limit: int, offset: int
    ) -> tuple[list[LoggedActivity], int]:
        """A page of what happened, newest first, by this user and of this kind where asked; and how much there is.

        Raises:
            ForbiddenError: without ``view_admin``.
        """
        rules.may_view(await self.standing(actor.user_id))
        return await self.log.page(user_id, action, limit, offset)

    async def ban(self, actor: Actor, user_id: UserId, reason: str) -> ListedUser:
        """Keep somebody out, and end their sessions at once.

        Raises:
            ForbiddenError: see `rules.may_ban`.
            NotFoundError: they never signed in.
            ConflictError: they are banned already.
            InvalidInputError: there is no reason, or it is too long.
        """

        async def attempt(version: int) -> bool:
            target = await self._target(actor, user_id, rules.may_ban)
            why = Ban(checked_reason(reason), actor.user_id, self.clock.now_ms())
            if target.has_ban:
                raise ConflictError("this user is banned already")
            entry = self.entry(actor, Action.BAN, Banned(why.reason), user_id)
            return await self.store.ban(version, user_id, why, entry)

        await decide(self.store, attempt)
        return await self._known(user_id)

    async def unban(self, actor: Actor, user_id: UserId, reason: str | None) -> ListedUser:
        """Let somebody in again; they sign in anew.

        Raises:
            ForbiddenError: see `rules.may_ban`.
            NotFoundError: they never signed in.
            ConflictError: they are not banned.
            InvalidInputError: the reason is too long.
        """

        async def attempt(version: int) -> bool:
            target = await self._target(actor, user_id, rules.may_ban)
            why = checked_reason(reason) if reason and reason.strip() else None
            if not target.has_ban:
                raise ConflictError("this user is not banned")
            return await self.store.unban(version, user_id, self.entry(actor, Action.UNBAN, Unbanned(why), user_id))

        await decide(self.store, attempt)
        return await self._known(user_id)

    async def assign(self, actor: Actor, user_id: UserId, role_id: RoleId) -> ListedUser:
        """Give somebody a role.

        Raises:
            ForbiddenError: see `rules.may_assign`.
            NotFoundError: they never signed in, or there is no such role.
            ConflictError: they have it.
        """

        async def attempt(version: int) -> bool:
            role = await self._role(actor, role_id)
            target = await self._target(actor, user_id, lambda one, other: rules.may_assign(one, other, role))
            if role in target.roles:
                raise ConflictError("this user has this role already")
            entry = self.entry(actor, Action.ROLE_ASSIGNED, Held("assigned", role_id), user_id)
            return await self.store.assign(version, user_id, role_id, entry)

        await decide(self.store, attempt)
        return await self._known(user_id)

    async def remove(self, actor: Actor, user_id: UserId, role_id: RoleId) -> ListedUser:
        """Take a role from somebody, or lay down one's own.

        Raises:
            ForbiddenError: see `rules.may_remove`.
            NotFoundError: they never signed in, there is no such role, or they do not have it.
            ConflictError: it is the last super admin's.
        """

        async def attempt(version: int) -> bool:
            role = await self._role(actor, role_id)
            others = await self.super_admins_but(user_id)
            target = await self._target(actor, user_id, lambda one, other: rules.may_remove(one, other, role, others))
            if role not in target.roles:
                raise NotFoundError("this user does not have this role")
            entry = self.entry(actor, Action.ROLE_REMOVED, Held("removed", role_id), user_id)
            return await self.store.remove(version, user_id, role_id, entry)

        await decide(self.store, attempt)
        return await self._known(user_id)

    async def standing(self, user_id: UserId) -> Standing:
        """Somebody's standing now; of who never signed in, that of a stranger."""
        found = await self.store.standing(user_id)
        return self.as_configured(Standing(user_id) if found is None else found)

    def as_configured(self, standing: Standing) -> Standing:
        """A standing with what the settings say."""
        return replace(standing, is_configured=standing.user_id in self.configured)

    def entry(self, actor: Actor, action: Action, told: Told, subject_id: UserId | None = None) -> Activity:
        """An entry of the log about what somebody does now."""
        return Activity.of(actor.user_id, action, told, actor.address, self.clock.now_ms(), subject_id=subject_id)

    async def _known(self, user_id: UserId) -> ListedUser:
        found = await self.store.user(user_id)
        if found is None:
            raise _nobody()
        return found

    async def _target(self, actor: Actor, user_id: UserId, rule: Callable[[Standing, Standing], None]) -> Standing:
        standing = await self.standing(actor.user_id)
        rules.may_write(standing)  # before anybody is told who is there
        found = await self.store.standing(user_id)
        if found is None:
            raise _nobody()
        target = self.as_configured(found)
        rule(standing, target)
        return target

    async def _role(self, actor: Actor, role_id: RoleId) -> Role:
        rules.may_write(await self.standing(actor.user_id))
        role = await self.store.role(role_id)
        if role is None:
            raise NotFoundError("there is no such role")
        return role

    async def holders_as_high(self, role_id: RoleId, standing: Standing) -> list[Standing]:
        """Those who have a role and stand as high as ``standing`` by any of theirs.

        Whom the settings name is allowed everything whatever they hold, so that a change of a role cannot touch them.
        """
        return [self.as_configured(one) for one in await self.store.holders(role_id, standing.rank)]

    async def super_admins_but(self, user_id: UserId) -> list[Standing]:
        """Every super admin but one, by a role or by the settings."""
        held = await self.store.holders(SUPER_ADMIN.role_id, SUPER_ADMIN.priority)
        by_settings = [Standing(one, is_configured=True) for one in self.configured]
        return [one for one in [*held, *by_settings] if one.user_id != user_id]


async def decide(store: AccountStore, attempt: Callable[[int], Awaitable[bool]]) -> None:
    """Let ``attempt`` read, decide and write on a version of all accounts, until nobody came between.

    Raises:
        ConflictError: others came between each time.
    """
    for _ in range(MOST_ATTEMPTS):
        if await attempt(await store.version()):
            return
    raise ConflictError("others are changing accounts at the same time: try again")


def _nobody() -> NotFoundError:
    return NotFoundError("nobody with this id ever signed in")
