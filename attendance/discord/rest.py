"""Questions to Discord's REST API, for the main event loop. Implements `attendance.ports.discord_lookup.DiscordLookup`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import hikari
from hikari.api import RESTClient

from attendance.discord.answers import KeptAnswers
from attendance.discord.failures import as_rollcall_error, bot_id_of
from attendance.discord.rest_client import LOOKUP_SECONDS, open_rest
from attendance.domain.ids import ChannelId, GuildId, RoleId, UserId
from attendance.errors import UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.discord_lookup import NEEDED_PERMISSIONS, BotPresence, GuildRole, ListedTextChannel, TextChannel

KEPT_SECONDS = 30.0
KEPT_ANSWERS = 20_000
# Short: whoever repairs a channel's permissions tries again at once, and the gateway does not tell us.
CHANNELS_KEPT_SECONDS = 10.0
KEPT_LISTS = 100  # of up to 500 channels each

Found = TypeVar("Found")
_ABOUT_THE_GUILD = 0
_SEEING = "View Channels"  # of NEEDED_PERMISSIONS
_WITH_MESSAGES = {
    hikari.ChannelType.GUILD_TEXT: "text",
    hikari.ChannelType.GUILD_NEWS: "announcement",
    hikari.ChannelType.GUILD_VOICE: "voice",
    hikari.ChannelType.GUILD_STAGE: "stage",
}
_SPOKEN_IN = frozenset({hikari.ChannelType.GUILD_VOICE, hikari.ChannelType.GUILD_STAGE})


@dataclass(frozen=True, slots=True)
class _Guild:
    owner_id: UserId
    permissions: Mapping[RoleId, hikari.Permissions]
    roles: Sequence[GuildRole]  # the highest first


@dataclass(frozen=True, slots=True)
class _Member:
    role_ids: frozenset[RoleId]
    timed_out: bool


class DiscordRestLookup:
    """Asks with hikari's REST client; see the port for the contract.

    Args:
        rest: a started client with the bot's token.
        bot_id: the bot's own user id.
        clock: wall and monotonic time.
        patience_seconds: the longest that one question may take.
    """

    def __init__(self, rest: RESTClient, bot_id: UserId, clock: Clock, *, patience_seconds: float = LOOKUP_SECONDS) -> None:
        self._rest = rest
        self._clock = clock
        self._bot_id = bot_id
        self._patience_seconds = patience_seconds
        self._guilds: KeptAnswers[_Guild | None] = KeptAnswers(clock, kept_seconds=KEPT_SECONDS, size=KEPT_ANSWERS)
        self._members: KeptAnswers[_Member | None] = KeptAnswers(clock, kept_seconds=KEPT_SECONDS, size=KEPT_ANSWERS)
        self._channels: KeptAnswers[hikari.PermissibleGuildChannel | None] = KeptAnswers(
            clock, kept_seconds=CHANNELS_KEPT_SECONDS, size=KEPT_ANSWERS
        )

        self._lists: KeptAnswers[Sequence[hikari.PermissibleGuildChannel]] = KeptAnswers(
            clock, kept_seconds=CHANNELS_KEPT_SECONDS, size=KEPT_LISTS
        )

    async def may_manage(self, guild_id: GuildId, user_id: UserId) -> bool:
        """See the port."""
        guild, member = await asyncio.gather(self._guild(guild_id), self._member(guild_id, user_id))
        if guild is None or member is None:
            return False
        if guild.owner_id == user_id:
            return True
        held = _permissions_of(guild, member)
        if hikari.Permissions.ADMINISTRATOR in held:
            return True
        # Discord takes everything but reading from a member in time-out.
        return hikari.Permissions.MANAGE_GUILD in held and not member.timed_out

    async def member_roles(self, guild_id: GuildId, user_id: UserId) -> frozenset[RoleId] | None:
        """See the port."""
        member = await self._member(guild_id, user_id)
        return None if member is None else member.role_ids

    async def guild_roles(self, guild_id: GuildId) -> frozenset[RoleId]:
        """See the port."""
        guild = await self._guild(guild_id)
        return frozenset() if guild is None else frozenset(guild.permissions)

    async def named_roles(self, guild_id: GuildId) -> Sequence[GuildRole]:
        """See the port."""
        guild = await self._guild(guild_id)
        return () if guild is None else guild.roles

    async def bot_presence(self, guild_id: GuildId) -> BotPresence:
        """See the port."""
        guild, member = await asyncio.gather(self._guild(guild_id), self._member(guild_id, self._bot_id))
        if guild is None or member is None:
            return BotPresence(present=False, missing_permissions=())
        held = _permissions_of(guild, member)
        if hikari.Permissions.ADMINISTRATOR in held:
            return BotPresence(present=True, missing_permissions=())
        missing = tuple(name for name, bit in NEEDED_PERMISSIONS.items() if not held & bit)
        return BotPresence(present=True, missing_permissions=missing)

    async def text_channel(self, guild_id: GuildId, channel_id: ChannelId) -> TextChannel | None:
        """See the port."""
        guild, member, channel = await asyncio.gather(
            self._guild(guild_id), self._member(guild_id, self._bot_id), self._channel(guild_id, channel_id)
        )
        if guild is None or member is None or channel is None:
            return None
        return TextChannel(channel_id, self._missing_in(channel, guild_id, guild, member))

    async def text_channels(self, guild_id: GuildId) -> Sequence[ListedTextChannel]:
        """See the port."""
        guild, member, channels = await asyncio.gather(
            self._guild(guild_id), self._member(guild_id, self._bot_id), self._guild_channels(guild_id)
        )
        if guild is None or member is None:
            return ()
        categories = {channel.id: channel for channel in channels if channel.type == hikari.ChannelType.GUILD_CATEGORY}
        listed = []
        for channel in sorted(channels, key=lambda one: _place(one, categories)):
            missing = self._missing_in(channel, guild_id, guild, member)
            if channel.type not in _WITH_MESSAGES or _SEEING in missing:
                continue
            category = None if channel.parent_id is None else categories.get(channel.parent_id)
            listed.append(
                ListedTextChannel(
                    ChannelId(int(channel.id)),
                    channel.name or "",
                    _WITH_MESSAGES[hikari.ChannelType(channel.type)],
                    None if category is None else category.name,
                    missing,
                )
            )
        return tuple(listed)

    def forget(self, guild_id: GuildId) -> None:
        """See the port."""
        self._channels.forget(guild_id)
        self._lists.forget(guild_id)
        self._guilds.forget(guild_id)
        self._members.forget(guild_id)

    async def close(self) -> None:
        """End what is being asked."""
        await self._guilds.close()
        await self._members.close()
        await self._channels.close()
        await self._lists.close()

    async def _guild(self, guild_id: GuildId) -> _Guild | None:
        async def ask() -> _Guild | None:
            guild = await self._ask(self._rest.fetch_guild(guild_id))
            if guild is None:
                return None
            permissions = {RoleId(int(role.id)): role.permissions for role in guild.roles.values()}
            return _Guild(UserId(int(guild.owner_id)), permissions, _by_position(guild.roles.values()))

        return await self._guilds.get((guild_id, _ABOUT_THE_GUILD), ask)

    async def _member(self, guild_id: GuildId, user_id: UserId) -> _Member | None:
        async def ask() -> _Member | None:
            member = await self._ask(self._rest.fetch_member(guild_id, user_id))
            if member is None:
                return None
            role_ids = frozenset(RoleId(int(role_id)) for role_id in member.role_ids) | {RoleId(guild_id)}
            until = member.raw_communication_disabled_until
            return _Member(role_ids, until is not None and until.timestamp() * 1000 > self._clock.now_ms())

        return await self._members.get((guild_id, user_id), ask)

    async def _channel(self, guild_id: GuildId, channel_id: ChannelId) -> hikari.PermissibleGuildChannel | None:
        async def ask() -> hikari.PermissibleGuildChannel | None:
            channel = await self._ask(self._rest.fetch_channel(channel_id))
            if not isinstance(channel, hikari.PermissibleGuildChannel) or channel.type not in _WITH_MESSAGES:
                return None
            return channel if int(channel.guild_id) == guild_id else None

        return await self._channels.get((guild_id, channel_id), ask)

    async def _guild_channels(self, guild_id: GuildId) -> Sequence[hikari.PermissibleGuildChannel]:
        async def ask() -> Sequence[hikari.PermissibleGuildChannel]:
            channels = await self._ask(self._rest.fetch_guild_channels(guild_id))
            return tuple(one for one in channels or () if isinstance(one, hikari.PermissibleGuildChannel))

        return await self._lists.get((guild_id, _ABOUT_THE_GUILD), ask)

    def _missing_in(
        self, channel: hikari.PermissibleGuildChannel, guild_id: GuildId, guild: _Guild, bot: _Member
    ) -> tuple[str, ...]:
        held = _permissions_in(channel, guild_id, self._bot_id, guild, bot)
        return tuple(name for name, bit in NEEDED_PERMISSIONS.items() if not held & bit)

    async def _ask(self, question: Awaitable[Found]) -> Found | None:
        """Ask, within the bound; None for what Discord says is not there, or not for us."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await question
        except (hikari.NotFoundError, hikari.ForbiddenError, hikari.UnrecognisedEntityError):
            return None
        except (TimeoutError, LookupError, TypeError, ValueError, AttributeError, hikari.HikariError) as error:
            # A token that is refused (401) is no caller's fault either: it is 503 for them, and the gateway tells the operator.
            raise UnavailableError(as_rollcall_error(error).message) from error


def _by_position(roles: Iterable[hikari.Role]) -> tuple[GuildRole, ...]:
    """The highest first; of two at one position Discord puts the older further up."""
    named = [GuildRole(RoleId(int(role.id)), role.name, role.position, role.is_managed) for role in roles]
    return tuple(sorted(named, key=lambda role: (-role.position, role.role_id)))


def _place(
    channel: hikari.PermissibleGuildChannel, categories: Mapping[hikari.Snowflake, hikari.PermissibleGuildChannel]
) -> tuple[int, ...]:
    """Where Discord shows it: what is in no category first, then by category; what is spoken in below what is only written."""
    category = None if channel.parent_id is None else categories.get(channel.parent_id)
    above = (-1, 0) if category is None else (category.position, int(category.id))
    return (*above, channel.type in _SPOKEN_IN, channel.position, int(channel.id))


def _permissions_of(guild: _Guild, member: _Member) -> hikari.Permissions:
    held = hikari.Permissions.NONE
    for role_id in member.role_ids:
        held |= guild.permissions.get(role_id, hikari.Permissions.NONE)
    return held


def _permissions_in(
    channel: hikari.PermissibleGuildChannel, guild_id: GuildId, user_id: UserId, guild: _Guild, member: _Member
) -> hikari.Permissions:
    """Discord's published algorithm: roles, then what the channel says to everyone, to the roles, to the member."""
    held = _permissions_of(guild, member)
    if hikari.Permissions.ADMINISTRATOR in held or guild.owner_id == user_id:
        return hikari.Permissions.all_permissions()
    overwrites = channel.permission_overwrites
    everyone = overwrites.get(hikari.Snowflake(guild_id))
    if everyone is not None:
        held = held & ~everyone.deny | everyone.allow
    roles = [hikari.Snowflake(role_id) for role_id in member.role_ids if int(role_id) != guild_id]
    of_roles = [overwrites[role_id] for role_id in roles if role_id in overwrites]
    for one in of_roles:
        held &= ~one.deny
    for one in of_roles:
        held |= one.allow
    own = overwrites.get(hikari.Snowflake(user_id))
    return held if own is None else held & ~own.deny | own.allow


@contextlib.asynccontextmanager
async def open_lookup(token: str, rest_url: str | None, clock: Clock) -> AsyncIterator[DiscordRestLookup]:
    """Open the look-ups for as long as the block lasts.

    Args:
        token: the bot's token.
        rest_url: Discord's REST address with `/api/v10`; None is Discord's own.
        clock: wall and monotonic time.

    Raises:
        ConfigError: the token has not the form of one.
    """
    bot_id = bot_id_of(token)
    async with open_rest(token, rest_url) as rest:
        lookup = DiscordRestLookup(rest, bot_id, clock)
        try:
            yield lookup
        finally:
            await lookup.close()
