"""What happens to a world over time, as values. Offsets are milliseconds since the stream began, never decreasing."""

from __future__ import annotations

from typing import NamedTuple


class VoiceChange(NamedTuple):
    """A member's complete new voice state; a null channel is a leave."""

    offset_ms: int
    guild_id: int
    user_id: int
    channel_id: int | None
    self_mute: bool
    mute: bool
    self_deaf: bool
    deaf: bool
    bot: bool


class ChannelMoved(NamedTuple):
    """A channel is now in another category, or in none."""

    offset_ms: int
    channel_id: int
    parent_id: int | None


class ChannelMade(NamedTuple):
    """A voice channel is there that was not."""

    offset_ms: int
    guild_id: int
    channel_id: int
    name: str
    parent_id: int | None


class ChannelRenamed(NamedTuple):
    """A channel has another name."""

    offset_ms: int
    channel_id: int
    name: str


class ChannelRemoved(NamedTuple):
    """A channel is gone."""

    offset_ms: int
    channel_id: int


class GuildLeft(NamedTuple):
    """The bot was removed from a guild."""

    offset_ms: int
    guild_id: int


Change = VoiceChange | ChannelMade | ChannelMoved | ChannelRenamed | ChannelRemoved | GuildLeft
