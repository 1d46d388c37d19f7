"""What is asked of Discord itself about one guild or member, because the gateway does not tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from attendance.domain.ids import ChannelId, GuildId, RoleId, UserId

NEEDED_PERMISSIONS = {"View Channels": 1 << 10, "Send Messages": 1 << 11, "Embed Links": 1 << 14}
"""What the bot needs in a guild, by the names that Discord's settings show. Seeing voice takes the first, posting the others.
Connect is not among them: the bot never joins a voice channel."""


@dataclass(frozen=True, slots=True)
class BotPresence:
    """Whether the bot is in a guild, and which of `NEEDED_PERMISSIONS` its roles lack there, in that order."""

    present: bool
    missing_permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextChannel:
    """A channel with messages (text, announcement, voice or stage), and which of `NEEDED_PERMISSIONS` the bot lacks there."""

    channel_id: ChannelId
    missing_permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedTextChannel:
    """A channel with messages as a list shows it; ``kind`` is ``text``, ``announcement``, ``voice`` or ``stage``."""

    channel_id: ChannelId
    name: str
    kind: str
    category: str | None  # its name
    missing_permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuildRole:
    """A role of a guild; a higher ``position`` stands further up in Discord's list, @everyone (the guild's own id) at 0."""

    role_id: RoleId
    name: str
    position: int
    is_managed: bool


class DiscordLookup(Protocol):
    """Answers that may be up to 30 s old, less after `forget`.

    Every question raises `UnavailableError` when Discord is away, limits us for long, or does not answer within 3 s. Belongs to
    one event loop.
    """

    async def may_manage(self, guild_id: GuildId, user_id: UserId) -> bool:
        """Whether the user owns the guild or has Administrator or Manage Server there through roles, @everyone included.

        False for who is no member and for a guild without the bot.
        """
        ...

    async def member_roles(self, guild_id: GuildId, user_id: UserId) -> frozenset[RoleId] | None:
        """The roles of a member, @everyone (the guild's own id) included; None for who is no member, or without the bot."""
        ...

    async def guild_roles(self, guild_id: GuildId) -> frozenset[RoleId]:
        """Every role of the guild, @everyone (the guild's own id) included; none for a guild without the bot."""
        ...

    async def named_roles(self, guild_id: GuildId) -> Sequence[GuildRole]:
        """The same with their names, the highest first and @everyone last."""
        ...

    async def bot_presence(self, guild_id: GuildId) -> BotPresence:
        """Whether the bot is in the guild and what it lacks."""
        ...

    async def text_channel(self, guild_id: GuildId, channel_id: ChannelId) -> TextChannel | None:
        """A channel that has messages; None where the guild has no such, or the bot cannot see it.

        What is said of the channel itself may be 10 s old.
        """
        ...

    async def text_channels(self, guild_id: GuildId) -> Sequence[ListedTextChannel]:
        """Every channel that has messages and that the bot can see, in Discord's order; none for a guild without the bot.

        What is said of the channels themselves may be 10 s old.
        """
        ...

    def forget(self, guild_id: GuildId) -> None:
        """Drop all answers about a guild, since a role, the owner or the bot's own member changed.

        An answer under way reaches who waits for it and is not kept.
        """
        ...
