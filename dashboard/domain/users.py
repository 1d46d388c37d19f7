"""People who signed in, and how high each of them stands."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.errors import InvalidInputError
from dashboard.domain.ids import UserId
from dashboard.domain.roles import EVERYTHING, NOTHING, SUPER_ADMIN, Permission, Role

MOST_REASON_CHARACTERS = 500

# Above every role: whom the settings name, nobody can touch from here.
CONFIGURED_RANK = SUPER_ADMIN.priority + 1
NO_RANK = -1


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signed in at least once, as Discord described them the last time. Instants in Unix milliseconds."""

    user_id: UserId
    username: str
    global_name: str | None
    avatar: str | None
    created_at_ms: int  # the first sign-in
    signed_in_at_ms: int  # the last one

    @property
    def shown_name(self) -> str:
        """The name that people see."""
        return self.global_name or self.username


@dataclass(frozen=True, slots=True)
class Ban:
    """Why somebody may not sign in, by whom, and since when (Unix milliseconds)."""

    reason: str
    banned_by: UserId
    banned_at_ms: int


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as an operator sees them: with their roles, highest first, and the ban that is in force."""

    user: User
    roles: tuple[Role, ...]
    ban: Ban | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules look at: somebody's roles, a ban, and whether ``ADMIN_USER_IDS`` names them.

    The settings win over a ban: who can write them could lift it, and a deployment must not be locked out by its database.
    """

    user_id: UserId
    roles: frozenset[Role] = frozenset()
    is_configured: bool = False
    has_ban: bool = False

    @property
    def is_banned(self) -> bool:
        """Whether a ban keeps them out."""
        return self.has_ban and not self.is_configured

    @property
    def is_super_admin(self) -> bool:
        """Whether everything is allowed: by the settings, or by the built-in role."""
        return not self.is_banned and (self.is_configured or SUPER_ADMIN in self.roles)

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything that one of the roles allows. Nothing while banned."""
        if self.is_super_admin:
            return EVERYTHING
        return NOTHING if self.is_banned else frozenset(each for role in self.roles for each in role.permissions)

    @property
    def rank(self) -> int:
        """The highest priority among the roles; `CONFIGURED_RANK` for whom the settings name, `NO_RANK` without a role.

        A ban does not lower it: who may not act on somebody may not lift their ban either.
        """
        if self.is_configured:
            return CONFIGURED_RANK
        return max((role.priority for role in self.roles), default=NO_RANK)


def checked_reason(reason: str) -> str:
    """A reason from what somebody typed, on one line.

    Raises:
        InvalidInputError: there is none, or it is too long.
    """
    words = " ".join(reason.split())
    if not 1 <= len(words) <= MOST_REASON_CHARACTERS or not words.isprintable():
        problem = f"must be 1 to {MOST_REASON_CHARACTERS} printable characters"
        raise InvalidInputError("say why", details={"reason": problem})
    return words
