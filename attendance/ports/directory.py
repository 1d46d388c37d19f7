"""What Discord calls things, as the gateway last told it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from attendance.domain.ids import GuildId


@dataclass(frozen=True, slots=True)
class GuildPresence:
    """A guild that the bot is in, or was."""

    name: str
    present: bool


class GuildDirectory(Protocol):
    """Which guilds there are."""

    async def presence(self, guild_id: GuildId) -> GuildPresence | None:
        """The guild, or None if the bot never saw it.

        Raises:
            UnavailableError: the database is away.
        """
        ...
