"""The guilds and the people in them, and everything that happens in voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.encoding import encode_json, encode_voice_state
from simulator.entities import VOICE_TYPES, Channel, ChannelType, Member, User, VoiceState
from simulator.guild import Guild
from simulator.snowflakes import SnowflakeSource
from simulator.truth import TruthLog


class WorldError(Exception):
    """An edit asks for something that the world does not have or does not allow; the message says what."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One gateway event of a guild. ``data`` is the encoded `d`; None for GUILD_CREATE, which each session words itself."""

    guild_id: int
    name: str
    data: bytes | None


@dataclass(slots=True)
class VoiceWorld:
    """State of the simulated Discord. Edits are synchronous: they change it, note the truth and tell the listeners.

    Unknown ids raise `WorldError`. ``one_connection_each`` is Discord's rule that an account is in one voice channel
    anywhere; a world that plays a trace does without, since a trace may say otherwise.
    """

    bot: User
    truth: TruthLog = field(default_factory=TruthLog)
    ids: SnowflakeSource = field(default_factory=SnowflakeSource)
    guilds: dict[int, Guild] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    listeners: list[Callable[[Dispatch], None]] = field(default_factory=list)
    channel_guild: dict[int, int] = field(default_factory=dict)
    one_connection_each: bool = True
    _voice_guild: dict[int, int] = field(default_factory=dict)
    _voice_sessions: int = 0

    def guild(self, guild_id: int) -> Guild:
        """Return a guild."""
        found = self.guilds.get(guild_id)
        if found is None:
            raise WorldError(f"no guild {guild_id}")
        return found

    def channel(self, channel_id: int) -> Channel:
        """Return a channel."""
        guild_id = self.channel_guild.get(channel_id)
        if guild_id is None:
            raise WorldError(f"no channel {channel_id}")
        return self.guilds[guild_id].channels[channel_id]

    def member(self, guild_id: int, user_id: int) -> Member:
        """Return a member of a guild."""
        found = self.guild(guild_id).members.get(user_id)
        if found is None:
            raise WorldError(f"no member {user_id} in guild {guild_id}")
        return found

    def emit(self, guild_id: int, name: str, data: bytes | None) -> None:
        """Tell the listeners of an event, unless the bot is not in the guild or cannot see it for an outage."""
        guild = self.guilds[guild_id]
        if guild.has_bot and not guild.unavailable:
            dispatch = Dispatch(guild_id, name, data)
            for listener in self.listeners:
                listener(dispatch)

    def emit_json(self, guild_id: int, name: str, payload: dict[str, Any]) -> None:
        """Tell the listeners of an event whose `d` is ``payload``."""
        self.emit(guild_id, name, encode_json(payload))

    def set_voice(
        self,
        guild_id: int,
        user_id: int,
        channel_id: int | None,
        *,
        self_mute: bool = False,
        mute: bool = False,
        self_deaf: bool = False,
        deaf: bool = False,
    ) -> None:
        """Give a member a complete new voice state; a null channel is a leave.

        An account has one voice connection (bots have one a guild), so joining here leaves the other guild's voice.
        """
        guild = self.guild(guild_id)
        member = self.member(guild_id, user_id)
        before = guild.voice_states.get(user_id)
        if channel_id is None:
            session_id = before.session_id if before else self._new_voice_session()
            self._put(guild, member, VoiceState(user_id, None, session_id, self_mute, mute, self_deaf, deaf))
            return
        channel = guild.channels.get(channel_id)
        if channel is None or channel.type not in VOICE_TYPES:
            raise WorldError(f"no voice channel {channel_id} in guild {guild_id}")
        if self.one_connection_each:
            self._leave_other_guild(guild_id, member)
        same = before is not None and before.channel_id == channel_id
        session_id = before.session_id if before is not None and same else self._new_voice_session()
        suppress = channel.type is ChannelType.STAGE
        self._put(guild, member, VoiceState(user_id, channel_id, session_id, self_mute, mute, self_deaf, deaf, suppress))

    def _new_voice_session(self) -> str:
        self._voice_sessions += 1
        return f"{self._voice_sessions * 0x9E3779B97F4A7C15 % (1 << 128):032x}"

    def _leave_other_guild(self, guild_id: int, member: Member) -> None:
        user_id = member.user.id
        elsewhere = self._voice_guild.get(user_id)
        if elsewhere is not None and elsewhere != guild_id and not member.user.bot:
            self.leave(elsewhere, user_id)

    def _put(self, guild: Guild, member: Member, state: VoiceState) -> None:
        user_id = member.user.id
        if state.channel_id is None:
            guild.voice_states.pop(user_id, None)
            self._voice_guild.pop(user_id, None)
        else:
            guild.voice_states[user_id] = state
            self._voice_guild[user_id] = guild.id
        if guild.has_bot:
            self.truth.add_voice(guild.id, state, bot=member.user.bot)
        self.emit(guild.id, "VOICE_STATE_UPDATE", encode_voice_state(guild.id, state, member))

    def join(self, guild_id: int, user_id: int, channel_id: int, *, self_mute: bool = False) -> None:
        """Put a member into a voice channel, or move one there; flags from before are kept on a move."""
        before = self.guild(guild_id).voice_states.get(user_id)
        if before is None:
            self.set_voice(guild_id, user_id, channel_id, self_mute=self_mute)
            return
        self.set_voice(
            guild_id,
            user_id,
            channel_id,
            self_mute=before.self_mute or self_mute,
            mute=before.mute,
            self_deaf=before.self_deaf,
            deaf=before.deaf,
        )

    def leave(self, guild_id: int, user_id: int) -> None:
        """Take a member out of voice; nothing happens to one who is not in it."""
        if user_id in self.guild(guild_id).voice_states:
            self.set_voice(guild_id, user_id, None)

    def set_flags(
        self,
        guild_id: int,
        user_id: int,
        *,
        self_mute: bool | None = None,
        mute: bool | None = None,
        self_deaf: bool | None = None,
        deaf: bool | None = None,
    ) -> None:
        """Change some voice flags of a member who is in voice; None leaves a flag as it is."""
        before = self.guild(guild_id).voice_states.get(user_id)
        if before is None:
            raise WorldError(f"member {user_id} of guild {guild_id} is not in voice")
        self.set_voice(
            guild_id,
            user_id,
            before.channel_id,
            self_mute=before.self_mute if self_mute is None else self_mute,
            mute=before.mute if mute is None else mute,
            self_deaf=before.self_deaf if self_deaf is None else self_deaf,
            deaf=before.deaf if deaf is None else deaf,
        )

    def in_voice(self, guild_id: int) -> dict[int, int]:
        """Return the channel id of every member who is in voice, by user id."""
        states = self.guild(guild_id).voice_states
        return {user_id: state.channel_id for user_id, state in states.items() if state.channel_id is not None}
