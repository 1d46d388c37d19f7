"""Log destinations: which channels of a guild are told what, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from attendance.domain.announcements import LogType
from attendance.domain.audit import Actor
from attendance.domain.ids import ChannelId, GuildId
from attendance.domain.log_destinations import MAX_DESTINATIONS, TOLD_UNASKED, Frequency, LogDestination, ordered_types
from attendance.errors import InvalidInputError, NotFoundError
from attendance.ports.clock import Clock
from attendance.ports.discord_lookup import DiscordLookup
from attendance.ports.ids import IdSource
from attendance.ports.log_destinations import DestinationChange, LogDestinationStore

_NO_CHANNEL = "a channel of this guild that has messages and that the bot can see"


@dataclass(frozen=True, slots=True)
class LogDestinations:
    """Reads and changes log destinations."""

    store: LogDestinationStore
    lookup: DiscordLookup
    clock: Clock
    ids: IdSource

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[Sequence[LogDestination], int]:
        """A guild's destinations in the order in which they were made, and how many there are in all."""
        return await self.store.page(guild_id, limit, offset)

    async def add(
        self,
        guild_id: GuildId,
        channel_id: ChannelId,
        types: Sequence[LogType] | None,
        frequency: Frequency | None,
        actor: Actor,
    ) -> tuple[LogDestination, bool]:
        """Let a channel be told; returns the destination, and whether it is new.

        Without ``types`` a new destination is told everything but checkpoints, without ``frequency`` at once. Of a channel that
        is one already only what is given changes, and it works again if it was disabled.

        Raises:
            InvalidInputError: the channel is not the guild's, has no messages, or the bot may not post there.
            ConflictError: the guild has too many destinations.
            UnavailableError: Discord or the database is away.
        """
        await self._check_channel(guild_id, channel_id)
        now_ms = self.clock.now_ms()
        wanted = LogDestination(
            destination_id=self.ids.session_id(now_ms),
            guild_id=guild_id,
            channel_id=channel_id,
            types=ordered_types(TOLD_UNASKED if types is None else types),
            frequency=frequency or Frequency.IMMEDIATE,
            created_at_ms=now_ms,
        )
        change = DestinationChange(None if types is None else ordered_types(types), frequency=frequency)
        return await self.store.add(wanted, change, actor, MAX_DESTINATIONS)

    async def change(self, guild_id: GuildId, destination_id: UUID, change: DestinationChange, actor: Actor) -> LogDestination:
        """Change what a destination is told or how often; it works again if it was disabled.

        Raises:
            NotFoundError: the guild has no such destination.
        """
        changed = await self.store.change(guild_id, destination_id, change, actor, self.clock.now_ms())
        if changed is None:
            raise NotFoundError("there is no such log destination")
        return changed

    async def remove(self, guild_id: GuildId, destination_id: UUID, actor: Actor) -> None:
        """Tell a channel nothing any more; what waits for it is never told.

        Raises:
            NotFoundError: the guild has no such destination.
        """
        if not await self.store.remove(guild_id, destination_id, actor, self.clock.now_ms()):
            raise NotFoundError("there is no such log destination")

    async def _check_channel(self, guild_id: GuildId, channel_id: ChannelId) -> None:
        channel = await self.lookup.text_channel(guild_id, channel_id)
        if channel is None:
            raise InvalidInputError("the guild has no such channel", details={"channel_id": _NO_CHANNEL})
        if channel.missing_permissions:
            missing = ", ".join(channel.missing_permissions)
            raise InvalidInputError("the bot may not post there", details={"channel_id": f"the bot lacks: {missing}"})
