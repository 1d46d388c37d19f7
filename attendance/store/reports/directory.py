"""Names and channels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.ports.reports import ChannelLine
from attendance.store.reports.connected import Connected
from attendance.store.schema import channel, member

_MEMBER_NAMES = select(member.c.user_id, member.c.display_name).where(
    member.c.guild_id == bindparam("guild_id"), member.c.user_id.in_(bindparam("ids", expanding=True))
)
_CHANNEL_NAMES = select(channel.c.channel_id, channel.c.name).where(
    channel.c.guild_id == bindparam("guild_id"), channel.c.channel_id.in_(bindparam("ids", expanding=True))
)
_CHANNELS = (
    select(
        channel.c.channel_id,
        channel.c.name,
        channel.c.kind,
        channel.c.parent_id,
        channel.c.position,
        channel.c.deleted,
    )
    .where(channel.c.guild_id == bindparam("guild_id"))
    .order_by(channel.c.position, channel.c.channel_id)
)
_SOME_CHANNELS = _CHANNELS.where(channel.c.channel_id.in_(bindparam("ids", expanding=True)))
# Below every driver's bound on parameters (SQLite: 32,766).
_NAMES_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class DirectoryQueries(Connected):
    """`DirectoryView` in SQL."""

    async def member_names(self, guild_id: GuildId, user_ids: Collection[UserId]) -> dict[UserId, str]:
        """Display names, the id where there is none."""
        names = {user_id: str(user_id) for user_id in user_ids}
        ids = list(names)
        for start in range(0, len(ids), _NAMES_AT_ONCE):
            values = {"guild_id": guild_id, "ids": ids[start : start + _NAMES_AT_ONCE]}
            rows = (await self.connection.execute(_MEMBER_NAMES, values)).all()
            names.update({UserId(user_id): name for user_id, name in rows})
        return names

    async def channel_names(self, guild_id: GuildId, channel_ids: Collection[ChannelId]) -> dict[ChannelId, str]:
        """Channel names, the id where there is none."""
        names = {channel_id: str(channel_id) for channel_id in channel_ids}
        if names:
            rows = (await self.connection.execute(_CHANNEL_NAMES, {"guild_id": guild_id, "ids": list(names)})).all()
            names.update({ChannelId(channel_id): name for channel_id, name in rows})
        return names

    async def channels(self, guild_id: GuildId, only: Sequence[ChannelId] | None = None) -> list[ChannelLine]:
        """Channels by position."""
        if only is None:
            rows = (await self.connection.execute(_CHANNELS, {"guild_id": guild_id})).all()
        else:
            rows = (await self.connection.execute(_SOME_CHANNELS, {"guild_id": guild_id, "ids": list(only)})).all()
        return [ChannelLine(*row) for row in rows]
