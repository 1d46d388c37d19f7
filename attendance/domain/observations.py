"""What the gateway saw, in the order it was read from the sockets. The recorder turns these into trace lines.

``at_ms`` is the instant the payload was read (Unix milliseconds, UTC). ``alive_at_ms`` is a shard's last sign of life (an
event or a heartbeat's answer) *before* whatever happened. Nothing here decides anything: the table "From the gateway
to the trace" of the accounting is applied by `attendance.services.recording`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from attendance.domain.ids import ChannelId, GuildId, ShardId, UserId


class BlindCause(StrEnum):
    """Why nothing was seen. Stored with the interval and shown to admins."""

    DISCONNECTED = "disconnected"  # socket lost, op 7, op 9
    UNAVAILABLE = "unavailable"  # Discord says the guild is down
    UNREADABLE = "unreadable"  # a payload that we could not read
    OVERFLOW = "overflow"  # our own queue was full
    STALLED = "stalled"  # signs of life too far apart: a stopped process, a sleeping machine
    RESTART = "restart"  # the process ended, by will or not


class ChannelKind(StrEnum):
    """The kinds of channel that matter here; text channels are not kept."""

    VOICE = "voice"
    STAGE = "stage"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class VoiceState:
    """One member's voice state. ``bot`` is None where the payload does not say."""

    user_id: UserId
    channel_id: ChannelId | None
    self_mute: bool = False
    mute: bool = False
    self_deaf: bool = False
    deaf: bool = False
    bot: bool | None = None
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A voice channel, stage or category as Discord describes it."""

    channel_id: ChannelId
    name: str
    kind: ChannelKind
    parent_id: ChannelId | None
    position: int


@dataclass(frozen=True, slots=True)
class GuildFacts:
    """What GUILD_CREATE and GUILD_UPDATE say of the guild itself."""

    guild_id: GuildId
    name: str
    owner_id: UserId
    afk_channel_id: ChannelId | None


@dataclass(frozen=True, slots=True)
class VoiceStateSeen:
    """VOICE_STATE_UPDATE."""

    at_ms: int
    shard_id: ShardId
    guild_id: GuildId
    state: VoiceState


@dataclass(frozen=True, slots=True)
class GuildSeen:
    """GUILD_CREATE of an available guild: everything about channels and voice, absent means not there."""

    at_ms: int
    shard_id: ShardId
    guild: GuildFacts
    channels: tuple[ChannelFacts, ...]
    voice_states: tuple[VoiceState, ...]


@dataclass(frozen=True, slots=True)
class GuildChanged:
    """GUILD_UPDATE."""

    at_ms: int
    shard_id: ShardId
    guild: GuildFacts


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """CHANNEL_CREATE or CHANNEL_UPDATE of a voice channel, stage or category."""

    at_ms: int
    shard_id: ShardId
    guild_id: GuildId
    channel: ChannelFacts


@dataclass(frozen=True, slots=True)
class ChannelDeleted:
    """CHANNEL_DELETE of a voice channel, stage or category."""

    at_ms: int
    shard_id: ShardId
    guild_id: GuildId
    channel_id: ChannelId


@dataclass(frozen=True, slots=True)
class GuildLeft:
    """GUILD_DELETE without ``unavailable``: the bot is no longer in the guild."""

    at_ms: int
    shard_id: ShardId
    guild_id: GuildId


@dataclass(frozen=True, slots=True)
class GuildUnavailable:
    """GUILD_DELETE with ``unavailable``: an outage at Discord. GUILD_CREATE ends it."""

    at_ms: int
    shard_id: ShardId
    guild_id: GuildId
    alive_at_ms: int


@dataclass(frozen=True, slots=True)
class ShardReady:
    """READY: a new gateway session. Guilds of this shard that it does not list were left; the others follow as GUILD_CREATE."""

    at_ms: int
    shard_id: ShardId
    guild_ids: frozenset[GuildId]


@dataclass(frozen=True, slots=True)
class ShardResumed:
    """RESUMED: every missed event has been replayed (the replays came before this, as ordinary observations)."""

    at_ms: int
    shard_id: ShardId


@dataclass(frozen=True, slots=True)
class ShardLost:
    """The shard sees nothing any more: socket lost, op 7, op 9, a stall, an overflow.

    Put once when it happens; what is observed of the shard afterwards and before ShardResumed counts as replay.
    """

    at_ms: int
    shard_id: ShardId
    alive_at_ms: int
    cause: BlindCause


@dataclass(frozen=True, slots=True)
class PayloadUnreadable:
    """A payload that could not be read; ``guild_id`` is None where not even that could be told. The shard identifies anew."""

    at_ms: int
    shard_id: ShardId
    guild_id: GuildId | None
    alive_at_ms: int
    sequence: int | None


@dataclass(frozen=True, slots=True)
class ShardAlive:
    """A sign of life of a connected shard with nothing else to say (a heartbeat's answer, or some event we do not read)."""

    at_ms: int
    shard_id: ShardId


@dataclass(frozen=True, slots=True)
class PermissionsChanged:
    """A role, the owner or the bot's own member changed: cached permission answers of the guild are void."""

    at_ms: int
    shard_id: ShardId
    guild_id: GuildId


Observation = (
    VoiceStateSeen
    | GuildSeen
    | GuildChanged
    | ChannelSeen
    | ChannelDeleted
    | GuildLeft
    | GuildUnavailable
    | ShardReady
    | ShardResumed
    | ShardLost
    | PayloadUnreadable
    | ShardAlive
    | PermissionsChanged
)
