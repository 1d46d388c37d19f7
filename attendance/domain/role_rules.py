"""Rules of verified roles: who reaches one, and which roles a bot can give at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from attendance.domain.ids import ChannelId, GuildId, RoleId, UserId

MAX_RULES = 25
"""Rules of one guild: each is judged at each period's end."""
MAX_CHANNELS = 50
MAX_THRESHOLD_SECONDS = 315_360_000  # ten years

_ADMINISTRATOR = 1 << 3
_MANAGE_ROLES = 1 << 28
# What makes a moderator. Whoever may write rules could give themselves any role below the bot's, and needs no more than
# Manage Server for it: time in voice must not buy more than that.
_MODERATOR = {
    "Kick Members": 1 << 1,
    "Ban Members": 1 << 2,
    "Administrator": _ADMINISTRATOR,
    "Manage Channels": 1 << 4,
    "Manage Server": 1 << 5,
    "View Audit Log": 1 << 7,
    "Manage Messages": 1 << 13,
    "Mention Everyone": 1 << 17,
    "Mute Members": 1 << 22,
    "Deafen Members": 1 << 23,
    "Move Members": 1 << 24,
    "Manage Nicknames": 1 << 27,
    "Manage Roles": _MANAGE_ROLES,
    "Manage Webhooks": 1 << 29,
    "Manage Expressions": 1 << 30,
    "Manage Events": 1 << 33,
    "Manage Threads": 1 << 34,
    "Timeout Members": 1 << 40,
}


class Scope(StrEnum):
    """Which time a rule looks at."""

    PERIOD = "period"
    LIFETIME = "lifetime"


class Action(StrEnum):
    """What a run does about a member."""

    GRANT = "grant"
    REMOVE = "remove"
    KEEP = "keep"  # reached it and has the role by this rule: given again to who came back without it


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRule:
    """Members with this much credited time get the role.

    Attributes:
        channel_ids: only time in these counts, a category standing for its channels; empty: all.
        remove_below: who has the role by this rule and is below the threshold when it is judged loses it.
        last_error: why the last run could not give the role; None after one that could.
    """

    rule_id: UUID
    guild_id: GuildId
    role_id: RoleId
    threshold_seconds: int
    scope: Scope
    channel_ids: tuple[ChannelId, ...]
    remove_below: bool
    last_error: str | None
    created_by: UserId
    created_at_ms: int
    updated_at_ms: int

    @property
    def threshold_ms(self) -> int:
        """The threshold in the accounting's unit."""
        return self.threshold_seconds * 1000

    def says_the_same(self, other: RoleRule) -> bool:
        """Whether another rule would do exactly the same."""
        return self.terms() == other.terms()

    def terms(self) -> dict[str, object]:
        """What the rule says, as JSON for the audit."""
        return {
            "role_id": str(self.role_id),
            "threshold_seconds": self.threshold_seconds,
            "scope": self.scope.value,
            "channel_ids": [str(channel_id) for channel_id in self.channel_ids],
            "remove_below": self.remove_below,
        }


class Change(NamedTuple):
    """What is to be done about a member."""

    user_id: UserId
    action: Action


def judge(reached: AbstractSet[UserId], held: AbstractSet[UserId], *, remove_below: bool) -> list[Change]:
    """What follows for whom, by user id.

    Args:
        reached: who has the time.
        held: who has the role by this rule: only these are ever removed.
        remove_below: whether anybody is.
    """
    changes = [Change(user_id, Action.KEEP if user_id in held else Action.GRANT) for user_id in reached]
    if remove_below:
        changes += [Change(user_id, Action.REMOVE) for user_id in held - reached]
    return sorted(changes)


class RoleFacts(NamedTuple):
    """A role as Discord describes it. ``permissions`` are its bits."""

    role_id: RoleId
    position: int
    permissions: int
    managed: bool

    @property
    def rank(self) -> tuple[int, int]:
        """Where it stands: of two at one position the older, whose id is lower, is the higher (Discord's permissions guide)."""
        return self.position, -self.role_id


def grant_problem(  # noqa: PLR0911  # one line a reason
    guild_id: GuildId,
    role_id: RoleId,
    roles: Mapping[RoleId, RoleFacts],
    bot_role_ids: Collection[RoleId],
    *,
    bot_is_owner: bool = False,
) -> str | None:
    """Why a bot with these roles cannot, or must not, give a role; None if it can.

    Args:
        guild_id: whose roles; the role of this id is @everyone.
        role_id: the role to give.
        roles: all roles of the guild.
        bot_role_ids: the bot's own; @everyone is understood.
        bot_is_owner: owners are above every role.
    """
    role = roles.get(role_id)
    if role is None:
        return "the guild has no such role"
    if int(role_id) == int(guild_id):
        return "everyone has the role @everyone already"
    if role.managed:
        return "the role is managed by an integration: nobody can give it"
    powers = [name for name, bit in _MODERATOR.items() if role.permissions & bit]
    if powers:
        return f"the role has a moderator's permissions ({', '.join(powers)}), which time in voice must not give"
    if bot_is_owner:
        return None
    own = [roles[one] for one in {*bot_role_ids, RoleId(guild_id)} if one in roles]
    held = 0
    for one in own:
        held |= one.permissions
    if not held & (_ADMINISTRATOR | _MANAGE_ROLES):
        return "the bot lacks the permission Manage Roles"
    if role.rank >= max(one.rank for one in own):
        return "the role is not below the bot's highest role: move the bot's role up"
    return None
