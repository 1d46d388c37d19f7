"""What the gateway and Discord say of a guild itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attendance.domain.ids import GuildId
from attendance.ports.directory import GuildDirectory, GuildPresence
from attendance.ports.discord_lookup import BotPresence, DiscordLookup, GuildRole, ListedTextChannel
from attendance.ports.reports import ChannelLine, ReportSource


@dataclass(frozen=True, slots=True)
class Channels:
    """A guild's channels, and the bot's place in it."""

    reports: ReportSource
    directory: GuildDirectory
    lookup: DiscordLookup

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[Sequence[ChannelLine], int]:
        """Voice channels, stages and categories by position, and how many there are in all.

        Raises:
            UnavailableError: the database is away.
        """
        async with self.reports.view() as view:
            lines = [line for line in await view.channels(guild_id) if not line.deleted]
        return lines[offset : offset + limit], len(lines)

    async def known(self, guild_id: GuildId) -> GuildPresence | None:
        """What the guild is called, and whether the bot is in it; None if it never was.

        Raises:
            UnavailableError: the database is away.
        """
        return await self.directory.presence(guild_id)

    async def bot_presence(self, guild_id: GuildId) -> BotPresence:
        """Whether the bot is in the guild, as the gateway knows it, and what it lacks there, as Discord does.

        Raises:
            UnavailableError: the database is away, or the bot is there and Discord is away.
        """
        presence = await self.directory.presence(guild_id)
        if presence is None or not presence.present:
            return BotPresence(present=False, missing_permissions=())
        return await self.lookup.bot_presence(guild_id)

    async def roles(self, guild_id: GuildId, limit: int, offset: int) -> tuple[Sequence[GuildRole], int]:
        """The guild's roles, the highest first, and how many there are in all; none without the bot.

        Raises:
            UnavailableError: Discord is away.
        """
        roles = await self.lookup.named_roles(guild_id)
        return roles[offset : offset + limit], len(roles)

    async def with_messages(self, guild_id: GuildId, limit: int, offset: int) -> tuple[Sequence[ListedTextChannel], int]:
        """The channels with messages that the bot can see, in Discord's order, and how many there are; none without the bot.

        Raises:
            UnavailableError: Discord is away.
        """
        channels = await self.lookup.text_channels(guild_id)
        return channels[offset : offset + limit], len(channels)
