"""The accounting's table "From the gateway to the trace", one method a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attendance.domain.ids import GuildId, ShardId, UserId
from attendance.domain.observations import (
    BlindCause,
    ChannelDeleted,
    ChannelFacts,
    ChannelKind,
    ChannelSeen,
    GuildChanged,
    GuildLeft,
    GuildSeen,
    GuildUnavailable,
    Observation,
    PayloadUnreadable,
    PermissionsChanged,
    ShardAlive,
    ShardLost,
    ShardReady,
    ShardResumed,
    VoiceState,
    VoiceStateSeen,
)
from attendance.domain.stream import lines
from attendance.domain.stream.guild_stream import GuildStream
from attendance.domain.stream.writer import StreamWriter

_DAY_MS = 86_400_000
_REMEMBERED_NAMES = 1_000_000  # about 100 MB; when full it starts anew, which costs some writes and nothing else


class Translator:
    """Turns observations into lines, in the order in which they were read.

    Args:
        writer: the streams of the guilds that this process owns.
        bots: users once known as bots; grows. A user once known as a bot stays one.
        resuming: shards that begin by resuming the session of an earlier process: until RESUMED they say what was missed.
    """

    def __init__(self, writer: StreamWriter, bots: set[UserId], resuming: Iterable[ShardId] = ()) -> None:
        self.writer = writer
        self.bots = bots
        self.alive_ms: dict[ShardId, int] = {}
        self.connected: dict[ShardId, bool] = dict.fromkeys(resuming, False)
        self._unannounced = 0  # voice states of guilds that no GUILD_CREATE announced
        self._names: dict[tuple[GuildId, UserId], int] = {}

    def observe(self, seen: Observation) -> None:
        """Append what follows from one observation to the writer's batch."""
        handler = _HANDLERS[type(seen)]
        if type(seen) not in _NOT_ALIVE:
            self._note_alive(seen.shard_id, seen.at_ms)
        handler(self, seen)

    def take_unannounced(self) -> int:
        """How many voice states belonged to no known guild since the last call."""
        count, self._unannounced = self._unannounced, 0
        return count

    def _note_alive(self, shard_id: ShardId, at_ms: int) -> None:
        if at_ms > self.alive_ms.get(shard_id, 0):
            self.alive_ms[shard_id] = at_ms
            self.writer.alive(shard_id, at_ms)

    def _of_shard(self, shard_id: ShardId) -> Iterator[GuildStream]:
        return (stream for stream in self.writer.streams.values() if stream.shard_id == shard_id)

    # -- voice -------------------------------------------------------------------------------------------------------

    def _voice_state(self, seen: VoiceStateSeen) -> None:
        stream = self.writer.streams.get(seen.guild_id)
        if stream is None or not stream.present:
            self._unannounced += 1  # Discord announces a guild before its voice states; its snapshot will tell
            return
        at_ms = self.writer.instant(stream, seen.at_ms)
        bot = self._is_bot(stream, seen.at_ms, seen.state)
        text = lines.voice_state_text(at_ms, seen.guild_id, seen.state, bot=bot)
        self.writer.append(stream, at_ms, "voice_state", text, seen.state.user_id)
        if stream.replayed is not None:
            stream.replayed[seen.state.user_id] = seen.state

    def _is_bot(self, stream: GuildStream, at_ms: int, state: VoiceState) -> bool:
        """Whether the member is a bot, now or ever before; notes the name on the way.

        Once a day the same name is noted again: an erasure or a retention may have deleted it.
        """
        if state.bot:
            self.bots.add(state.user_id)
        bot = state.user_id in self.bots
        if state.display_name is not None:
            key = (stream.guild_id, state.user_id)
            print_ = hash((state.display_name, bot, at_ms // _DAY_MS))
            if self._names.get(key) != print_:
                if len(self._names) >= _REMEMBERED_NAMES:
                    self._names.clear()
                self._names[key] = print_
                self.writer.batch.members[key] = (state.display_name, bot)
        return bot

    # -- guilds ------------------------------------------------------------------------------------------------------

    def _guild(self, seen: GuildSeen) -> None:
        """GUILD_CREATE: channel lines for what changed, rules if the AFK channel moved, then the snapshot."""
        writer, guild = self.writer, seen.guild
        stream = writer.streams.get(guild.guild_id)
        if stream is None:
            stream = GuildStream(guild.guild_id, seen.shard_id, last_at_ms=seen.at_ms)
            writer.streams[guild.guild_id] = stream
            writer.batch.new_guilds[guild.guild_id] = seen.at_ms
            writer.batch.left[guild.guild_id] = None  # its row may be left of an earlier time
        if not stream.present:
            stream.present = True
            writer.batch.left[guild.guild_id] = None
        writer.batch.guilds[guild.guild_id] = guild
        writer.batch.complete_channels[guild.guild_id] = {channel.channel_id for channel in seen.channels}
        stream.afk_channel_id = guild.afk_channel_id
        for channel in seen.channels:
            self._note_channel(stream, channel, seen.at_ms)
        writer.refresh_rules(stream, seen.at_ms, None)
        if self.connected.get(seen.shard_id, True):
            self._snapshot(stream, seen.at_ms, seen.voice_states)
        else:
            # Replayed by a resume: it was the truth when Discord sent it first, and who has left since is told behind it. As
            # the present it would vouch for time up to now. It becomes the present with RESUMED.
            writer.begin_blind(stream, seen.at_ms, BlindCause.DISCONNECTED)
            stream.replayed = {state.user_id: state for state in seen.voice_states}

    def _snapshot(self, stream: GuildStream, at_ms: int, voice_states: Iterable[VoiceState]) -> None:
        at_ms = self.writer.instant(stream, at_ms)
        states = [(state, self._is_bot(stream, at_ms, state)) for state in voice_states if state.channel_id is not None]
        self.writer.append(stream, at_ms, "snapshot", lines.snapshot_text(at_ms, stream.guild_id, states))
        self.writer.end_blind(stream, at_ms, "snapshot")
        stream.in_sync = True
        stream.replayed = None

    def _guild_changed(self, seen: GuildChanged) -> None:
        self.writer.batch.permissions_changed.add(seen.guild.guild_id)
        stream = self.writer.streams.get(seen.guild.guild_id)
        if stream is None or not stream.present:
            return
        self.writer.batch.guilds[stream.guild_id] = seen.guild
        stream.afk_channel_id = seen.guild.afk_channel_id
        self.writer.refresh_rules(stream, seen.at_ms, None)

    def _channel(self, seen: ChannelSeen) -> None:
        stream = self.writer.streams.get(seen.guild_id)
        if stream is not None and stream.present:
            self._note_channel(stream, seen.channel, seen.at_ms)

    def _note_channel(self, stream: GuildStream, channel: ChannelFacts, at_ms: int) -> None:
        self.writer.batch.channels[stream.guild_id, channel.channel_id] = channel
        self.writer.batch.deleted_channels.pop((stream.guild_id, channel.channel_id), None)
        if (complete := self.writer.batch.complete_channels.get(stream.guild_id)) is not None:
            complete.add(channel.channel_id)
        if channel.kind is not ChannelKind.CATEGORY:
            self.writer.set_parent(stream, at_ms, channel.channel_id, channel.parent_id)

    def _channel_deleted(self, seen: ChannelDeleted) -> None:
        stream = self.writer.streams.get(seen.guild_id)
        if stream is None or not stream.present:
            return
        at_ms = self.writer.instant(stream, seen.at_ms)
        text = lines.channel_deleted_text(at_ms, seen.guild_id, seen.channel_id)
        self.writer.append(stream, at_ms, "channel_deleted", text)
        self.writer.batch.deleted_channels[seen.guild_id, seen.channel_id] = None
        if stream.replayed is not None:
            stream.replayed = {
                user_id: state for user_id, state in stream.replayed.items() if state.channel_id != seen.channel_id
            }

    def _guild_left(self, seen: GuildLeft) -> None:
        self._left(self.writer.streams.get(seen.guild_id), seen.at_ms)

    def _left(self, stream: GuildStream | None, at_ms: int) -> None:
        if stream is None or not stream.present:
            return
        at_ms = self.writer.plain(stream, at_ms, "guild_left")
        self.writer.end_blind(stream, at_ms, "guild_left")
        self.writer.batch.left[stream.guild_id] = at_ms
        stream.present = False
        stream.fall_out_of_sync()

    # -- connections -------------------------------------------------------------------------------------------------

    def _ready(self, seen: ShardReady) -> None:
        """A new gateway session: nothing vouches for what was before it, and each guild comes back by GUILD_CREATE."""
        for stream in self._of_shard(seen.shard_id):
            stream.fall_out_of_sync()
            if not stream.present:
                continue
            if stream.guild_id in seen.guild_ids:
                before = self.alive_ms.get(seen.shard_id, stream.last_at_ms)
                self.writer.begin_blind(stream, min(before, seen.at_ms), BlindCause.DISCONNECTED)
            else:
                self._left(stream, seen.at_ms)
        self._note_alive(seen.shard_id, seen.at_ms)
        self.connected[seen.shard_id] = True

    def _resumed(self, seen: ShardResumed) -> None:
        self.connected[seen.shard_id] = True
        for stream in self._of_shard(seen.shard_id):
            if stream.replayed is not None:
                self._snapshot(stream, seen.at_ms, stream.replayed.values())
            elif stream.blind is not None and stream.in_sync:
                at_ms = self.writer.plain(stream, seen.at_ms, "resumed")
                self.writer.end_blind(stream, at_ms, "resumed")

    def _lost(self, seen: ShardLost) -> None:
        self.connected[seen.shard_id] = False
        for stream in self._of_shard(seen.shard_id):
            if stream.present:
                self.writer.begin_blind(stream, seen.alive_at_ms, seen.cause)
            if seen.cause is BlindCause.OVERFLOW:
                stream.fall_out_of_sync()  # observations were thrown away: a resume must not vouch for them

    def _unreadable(self, seen: PayloadUnreadable) -> None:
        """It may have been a leave. The shard identifies anew, so a snapshot will end the interval.

        A guild that is named but has no stream here has nothing to lose, and is nobody else: one guild whose GUILD_CREATE we
        cannot read must not keep its whole shard blind.
        """
        if seen.guild_id is not None:
            self._lose_guild(seen.guild_id, seen.alive_at_ms, BlindCause.UNREADABLE)
            return
        for stream in list(self._of_shard(seen.shard_id)):
            self._lose_guild(stream.guild_id, seen.alive_at_ms, BlindCause.UNREADABLE)

    def _unavailable(self, seen: GuildUnavailable) -> None:
        self._lose_guild(seen.guild_id, seen.alive_at_ms, BlindCause.UNAVAILABLE)

    def _permissions(self, seen: PermissionsChanged) -> None:
        self.writer.batch.permissions_changed.add(seen.guild_id)

    def _only_alive(self, _seen: ShardAlive) -> None:
        """Noted already: a sign of life has nothing else to say."""

    def _lose_guild(self, guild_id: GuildId, alive_at_ms: int, cause: BlindCause) -> None:
        stream = self.writer.streams.get(guild_id)
        if stream is not None and stream.present:
            self.writer.begin_blind(stream, alive_at_ms, cause)
            stream.fall_out_of_sync()


_HANDLERS: dict[type, Callable[[Translator, Any], None]] = {
    VoiceStateSeen: Translator._voice_state,  # noqa: SLF001  # the table is part of the class, written after it
    GuildSeen: Translator._guild,  # noqa: SLF001
    GuildChanged: Translator._guild_changed,  # noqa: SLF001
    ChannelSeen: Translator._channel,  # noqa: SLF001
    ChannelDeleted: Translator._channel_deleted,  # noqa: SLF001
    GuildLeft: Translator._guild_left,  # noqa: SLF001
    GuildUnavailable: Translator._unavailable,  # noqa: SLF001
    ShardReady: Translator._ready,  # noqa: SLF001
    ShardResumed: Translator._resumed,  # noqa: SLF001
    ShardLost: Translator._lost,  # noqa: SLF001
    PayloadUnreadable: Translator._unreadable,  # noqa: SLF001
    PermissionsChanged: Translator._permissions,  # noqa: SLF001
    ShardAlive: Translator._only_alive,  # noqa: SLF001
}
# These tell of an earlier sign of life (alive_at_ms) or note it themselves after looking at the one before.
_NOT_ALIVE = frozenset({GuildUnavailable, ShardReady, ShardLost, PayloadUnreadable})
