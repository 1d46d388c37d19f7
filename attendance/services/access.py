"""Who may do what: one function and one table; nothing else decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from attendance.domain.audit import Actor
from attendance.domain.ids import GuildId, UserId
from attendance.domain.tokens import ApiToken, Scope
from attendance.errors import ForbiddenError, NotFoundError
from attendance.ports.directory import GuildDirectory
from attendance.ports.member_lookup import MemberLookup
from attendance.ports.panel_roles import PanelRoleSource
from attendance.services.tokens import ApiTokens


class Standing(StrEnum):
    """What a caller is in a guild."""

    BEARER = "bearer"  # any valid JWT for that guild
    SELF = "self"  # the member whom the request is about
    PANEL_READER = "panel_reader"  # a role of the guild's read_roles or write_roles
    PANEL_WRITER = "panel_writer"  # a role of its write_roles
    MANAGER = "manager"  # Manage Server, as Discord judges it
    OPERATOR = "operator"  # one of ADMIN_USER_IDS
    PROGRAM_READ = "program_read"  # an API token with that scope, whose creator still has Manage Server
    PROGRAM_EXPORT = "program_export"
    PROGRAM_SETTINGS = "program_settings"
    PROGRAM_ATTENDANCE = "program_attendance"


class Right(StrEnum):
    """What a route asks for."""

    PRESENCE = "presence"  # whether the bot is there
    OWN_STATS = "own_stats"  # one member's numbers
    OWN_DATA = "own_data"  # everything that is held of a member
    READ = "read"
    WRITE = "write"
    CORRECT = "correct"  # corrections of sessions
    EXPORT = "export"  # signed exports
    KEYS = "keys"  # signing keys: generate, unlock, lock, rotate
    TOKENS = "tokens"  # API tokens
    PANEL_ROLES = "panel_roles"  # who may use the panel: nobody raises themselves
    ERASE = "erase"  # what is held of a member; opting out
    SUBSCRIPTION = "subscription"


_ADMINS = frozenset({Standing.MANAGER, Standing.OPERATOR})
_READERS = _ADMINS | {Standing.PANEL_READER, Standing.PROGRAM_READ}
WHO_MAY: dict[Right, frozenset[Standing]] = {
    Right.PRESENCE: _READERS | {Standing.BEARER},
    Right.OWN_STATS: _READERS | {Standing.SELF},
    Right.OWN_DATA: _ADMINS | {Standing.SELF},
    Right.READ: _READERS,
    Right.WRITE: _ADMINS | {Standing.PANEL_WRITER, Standing.PROGRAM_SETTINGS},
    Right.CORRECT: _ADMINS | {Standing.PANEL_WRITER, Standing.PROGRAM_ATTENDANCE},
    Right.EXPORT: _ADMINS | {Standing.PANEL_READER, Standing.PROGRAM_EXPORT},
    Right.KEYS: _ADMINS,
    Right.TOKENS: _ADMINS,
    Right.PANEL_ROLES: _ADMINS,
    Right.ERASE: _ADMINS | {Standing.SELF},
    Right.SUBSCRIPTION: frozenset({Standing.OPERATOR}),
}
_OF_SCOPE: dict[Scope, Standing] = {
    Scope.READ: Standing.PROGRAM_READ,
    Scope.EXPORT: Standing.PROGRAM_EXPORT,
    Scope.SETTINGS: Standing.PROGRAM_SETTINGS,
    Scope.ATTENDANCE: Standing.PROGRAM_ATTENDANCE,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a verified token speaks for, and in which guild.

    Attributes:
        user_id: who; of an API token its creator.
        guild_id: the guild that the token is for.
        actor: the same with how and from where, for the audit.
        token: the API token; None with a JWT.
        by_dashboard: whether our own dashboard asks for this user, which has a rate limit of its own.
    """

    user_id: UserId
    guild_id: GuildId
    actor: Actor
    token: ApiToken | None = None
    by_dashboard: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """Judges callers. ``operators`` are the deployment's ``ADMIN_USER_IDS``."""

    lookup: MemberLookup
    directory: GuildDirectory
    operators: frozenset[UserId]
    panel: PanelRoleSource
    tokens: ApiTokens

    async def authorise(self, caller: Caller, guild_id: GuildId, right: Right, *, subject: UserId | None = None) -> Standing:
        """Say in which standing the caller has the right; ``subject`` is the member whom the request is about.

        Raises:
            ForbiddenError: the token is another guild's, or the caller may not.
            NotFoundError: the bot is not in the guild (operators still reach a guild that it has left).
            UnavailableError: Discord or the database is away: never an allow.
        """
        if caller.guild_id != guild_id:
            raise ForbiddenError("the token is for another guild")
        holders = WHO_MAY[right]
        if Standing.BEARER in holders:
            return Standing.BEARER
        if caller.token is not None:
            return await self._of_token(caller.token, holders)
        operator = caller.user_id in self.operators and Standing.OPERATOR in holders
        # Before Manage Server: nobody can be judged in a guild that Discord does not show us.
        await self._expect_present(guild_id, or_left=operator)
        if operator:
            return Standing.OPERATOR
        if Standing.SELF in holders and subject == caller.user_id:
            return Standing.SELF
        if Standing.MANAGER in holders and await self.lookup.may_manage(guild_id, caller.user_id):
            return Standing.MANAGER
        of_panel = holders & await self._panel_standings(guild_id, caller.user_id, holders)
        if of_panel:
            return min(of_panel)
        if Standing.MANAGER not in holders:
            raise ForbiddenError("only the operators of this deployment may do this")
        raise ForbiddenError("this needs the Manage Server permission")

    async def rights(self, caller: Caller, guild_id: GuildId) -> frozenset[Right]:
        """Every right that the caller has, about anybody; what only is about themselves, every member has.

        Raises:
            ForbiddenError: the token is another guild's.
            UnavailableError: Discord or the database is away.
        """
        if caller.guild_id != guild_id:
            raise ForbiddenError("the token is for another guild")
        try:
            standings = await self._standings(caller, guild_id)
        except (ForbiddenError, NotFoundError):
            return frozenset()
        return frozenset(right for right, holders in WHO_MAY.items() if holders & standings)

    async def _standings(self, caller: Caller, guild_id: GuildId) -> frozenset[Standing]:
        if caller.token is not None:
            return frozenset(
                {await self._of_token(caller.token, frozenset({_OF_SCOPE[scope]})) for scope in caller.token.scopes}
            )
        operator = caller.user_id in self.operators
        await self._expect_present(guild_id, or_left=operator)
        if operator:
            return frozenset({Standing.OPERATOR})
        if await self.lookup.may_manage(guild_id, caller.user_id):
            return frozenset({Standing.MANAGER})
        return await self._panel_standings(guild_id, caller.user_id, frozenset(Standing))

    def is_operator(self, caller: Caller) -> bool:
        """Whether the caller operates the deployment; no program does."""
        return caller.token is None and caller.user_id in self.operators

    async def authorise_again(self, caller: Caller, guild_id: GuildId, right: Right) -> Standing:
        """`authorise` for what goes on for longer than a request: an API token may have ended meanwhile."""
        if caller.token is not None and not await self.tokens.still_good(caller.token.token_id):
            raise ForbiddenError("the token was revoked or has expired")
        return await self.authorise(caller, guild_id, right)

    async def _of_token(self, token: ApiToken, holders: frozenset[Standing]) -> Standing:
        """A token may what its scopes say for as long as its creator may manage the guild."""
        standings = holders & {_OF_SCOPE[scope] for scope in token.scopes}
        if not standings:
            raise ForbiddenError("the token's scopes do not allow this")
        await self._expect_present(token.guild_id, or_left=False)
        if token.created_by not in self.operators and not await self.lookup.may_manage(token.guild_id, token.created_by):
            raise ForbiddenError("who made the token may not manage this guild any more")
        return min(standings)

    async def _expect_present(self, guild_id: GuildId, *, or_left: bool) -> None:
        presence = await self.directory.presence(guild_id)
        if presence is None or not (presence.present or or_left):
            raise NotFoundError("the bot is not in this guild")

    async def _panel_standings(self, guild_id: GuildId, user_id: UserId, holders: frozenset[Standing]) -> frozenset[Standing]:
        if not holders & {Standing.PANEL_READER, Standing.PANEL_WRITER}:
            return frozenset()
        panel = await self.panel.panel_roles(guild_id)
        if not panel.read | panel.write:
            return frozenset()
        roles = await self.lookup.member_roles(guild_id, user_id) or frozenset()
        if roles & panel.write:
            return frozenset({Standing.PANEL_READER, Standing.PANEL_WRITER})
        return frozenset({Standing.PANEL_READER}) if roles & panel.read else frozenset()
