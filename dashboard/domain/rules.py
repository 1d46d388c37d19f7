"""Who may do what to whom. Each rule returns, or raises `ForbiddenError` with the words that the caller is shown.

Three things hold whatever is done, by whom and in which order (tests/property/test_account_rules.py):

- Nobody gains a permission or a priority by what they do themselves.
- Nobody changes what somebody of their own priority or a higher one may do, or that one's sign-in. Equals are left out on
  purpose: if they could, two of them could shut each other out, and one stolen session would be enough to take over every
  other. Whoever stands above both decides.
- Where there was a super admin, there is one afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from attendance.errors import ConflictError, ForbiddenError
from dashboard.domain.roles import SUPER_ADMIN, Permission, Role
from dashboard.domain.users import Standing


def may_view(actor: Standing) -> None:
    """Read the lists.

    Raises:
        ForbiddenError: without ``view_admin``.
    """
    if Permission.VIEW_ADMIN not in actor.permissions:
        raise ForbiddenError("this needs the permission view_admin")


def may_write(actor: Standing) -> None:
    """Change anything at all; what exactly, the rules below say.

    Raises:
        ForbiddenError: without ``manage_users``.
    """
    if Permission.MANAGE_USERS not in actor.permissions:
        raise ForbiddenError("this needs the permission manage_users")


def may_ban(actor: Standing, target: Standing) -> None:
    """Ban somebody, or lift their ban.

    Raises:
        ForbiddenError: oneself, whom the settings name, or somebody who does not stand below.
    """
    may_write(actor)
    if actor.user_id == target.user_id:
        raise ForbiddenError("nobody can ban themselves or lift their own ban")
    _is_above(actor, target)


def may_assign(actor: Standing, target: Standing, role: Role) -> None:
    """Give somebody a role.

    Raises:
        ForbiddenError: to oneself, to somebody who does not stand below, or a role that is not the actor's to give.
    """
    may_write(actor)
    if actor.user_id == target.user_id:
        raise ForbiddenError("nobody can give themselves a role")
    _is_above(actor, target)
    _is_theirs_to_give(actor, role.priority, role.permissions)


def may_remove(actor: Standing, target: Standing, role: Role, others: Iterable[Standing]) -> None:
    """Take a role from somebody, or lay down one's own. ``others`` are the other super admins.

    Raises:
        ForbiddenError: from somebody else who does not stand below.
        ConflictError: the last super admin would be gone.
    """
    may_write(actor)
    if actor.user_id != target.user_id:
        _is_above(actor, target)
    keeps = target.is_configured or role != SUPER_ADMIN
    if target.is_super_admin and not keeps and not any(other.is_super_admin for other in others):
        raise ConflictError("this is the last super admin: make another one first")


def may_erase(target: Standing, others: Iterable[Standing]) -> None:
    """Erase somebody, who asked for it or of whom it was asked. ``others`` are the other super admins.

    Raises:
        ConflictError: the last super admin would be gone.
    """
    if target.is_super_admin and not target.is_configured and not any(other.is_super_admin for other in others):
        raise ConflictError("this is the last super admin: make another one first")


def may_create(actor: Standing, role: Role) -> None:
    """Make a role.

    Raises:
        ForbiddenError: it would stand as high as the actor, or allow what they are not allowed.
    """
    may_write(actor)
    _is_theirs_to_give(actor, role.priority, role.permissions)


def may_change(actor: Standing, before: Role, after: Role, holders: Iterable[Standing]) -> None:
    """Change a role. ``holders`` are those who have it.

    Raises:
        ForbiddenError: it is built in, it stands or would stand as high as the actor, gains what they are not allowed, or
            changes what somebody of their priority or a higher one may do.
    """
    may_write(actor)
    _is_not_built_in(before)
    _is_theirs_to_give(actor, before.priority, frozenset())
    _is_theirs_to_give(actor, after.priority, after.permissions - before.permissions)
    _spares_the_higher(actor, before, after, holders)


def may_delete(actor: Standing, role: Role, holders: Iterable[Standing]) -> None:
    """Delete a role, which takes it from everybody. ``holders`` are those who have it.

    Raises:
        ForbiddenError: it is built in, stands as high as the actor, or somebody of their priority or a higher one would lose
            a permission.
    """
    may_write(actor)
    _is_not_built_in(role)
    _is_theirs_to_give(actor, role.priority, frozenset())
    _spares_the_higher(actor, role, None, holders)


def refusal(rule: Callable[..., None], *arguments: object) -> str | None:
    """The words with which a rule refuses; None where it does not. For pages, which offer only what is possible."""
    try:
        rule(*arguments)
    except (ForbiddenError, ConflictError) as error:
        return error.message
    return None


def _is_above(actor: Standing, target: Standing) -> None:
    if target.is_configured:
        raise ForbiddenError("this user is a super admin by the settings (ADMIN_USER_IDS): change those")
    if target.rank >= actor.rank:
        raise ForbiddenError("this user's priority is as high as yours or higher")


def _is_theirs_to_give(actor: Standing, priority: int, permissions: frozenset[Permission]) -> None:
    if priority >= actor.rank:
        raise ForbiddenError("this role's priority is as high as yours or higher")
    if lacking := permissions - actor.permissions:
        raise ForbiddenError(f"you do not have what this role allows: {', '.join(sorted(lacking))}")


def _is_not_built_in(role: Role) -> None:
    if role.role_id == SUPER_ADMIN.role_id:
        raise ForbiddenError("this role is built in: it can be given and taken, not changed or deleted")


def _spares_the_higher(actor: Standing, before: Role, after: Role | None, holders: Iterable[Standing]) -> None:
    for holder in holders:
        kept = holder.roles - {before}
        changed = replace(holder, roles=kept if after is None else kept | {after})
        same = (changed.rank, changed.permissions) == (holder.rank, holder.permissions)
        if holder.user_id != actor.user_id and holder.rank >= actor.rank and not same:
            raise ForbiddenError("somebody of your priority or a higher one holds this role, and it would change what they may")
