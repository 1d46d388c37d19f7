"""From a raw gateway dispatch to observations: a value or `PayloadUnreadable`, nothing else, whatever the JSON.

The objects of hikari are not used: they cost three times as much and lose a whole GUILD_CREATE when one voice state belongs to
a user who is not among its ``members``. Formats: https://discord.com/developers/docs/events/gateway-events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attendance.discord.payload_fields import (
    FieldError,
    flag,
    items,
    mapping,
    optional_snowflake,
    required,
    small_integer,
    snowflake,
    text,
)
from attendance.domain.ids import ChannelId, GuildId, ShardId, UserId
from attendance.domain.observations import (
    ChannelDeleted,
    ChannelFacts,
    ChannelKind,
    ChannelSeen,
    GuildChanged,
    GuildFacts,
    GuildLeft,
    GuildSeen,
    GuildUnavailable,
    Observation,
    PayloadUnreadable,
    PermissionsChanged,
    ShardReady,
    ShardResumed,
    VoiceState,
    VoiceStateSeen,
)

CHANNEL_KINDS = {2: ChannelKind.VOICE, 4: ChannelKind.CATEGORY, 13: ChannelKind.STAGE}
"""Discord's channel types that matter here; all others are read over."""

Observations = tuple[Observation, ...]


def read_dispatch(  # noqa: PLR0917 - called for every event: positions are cheaper than keywords
    name: str, data: object, at_ms: int, shard_id: ShardId, alive_at_ms: int, sequence: int | None
) -> Observations | PayloadUnreadable:
    """Turn one dispatch (op 0) into what it says, in order.

    Args:
        name: the event's name (``t``).
        data: its decoded ``d``; any JSON value.
        at_ms: the instant at which it was read, Unix milliseconds.
        shard_id: the shard that read it.
        alive_at_ms: the shard's last sign of life before this payload, Unix milliseconds.
        sequence: the session's sequence number (``s``).

    Returns:
        No observation for an event that says nothing of voice, guilds, channels or permissions: it is a sign of life only.
        `PayloadUnreadable` for one of ours that is not as Discord documents it, with its guild where that can be told.
    """
    reader = _READERS.get(name)
    if reader is None:
        return ()
    try:
        return reader(mapping(data, "d"), at_ms, shard_id, alive_at_ms)
    except FieldError:
        return PayloadUnreadable(at_ms, shard_id, _guild_of(name, data), alive_at_ms, sequence)


def why_unreadable(name: str, data: object) -> str:
    """Say what is wrong with a payload that `read_dispatch` refused, for the log. Quotes names of fields, never values."""
    try:
        _READERS[name](mapping(data, "d"), 0, ShardId(0), 0)
    except FieldError as error:
        return str(error)
    return "nothing"


def _guild_of(name: str, data: object) -> GuildId | None:
    if type(data) is not dict:
        return None
    key = "id" if name in _NAMED_BY_ID else "guild_id"
    try:
        return GuildId(snowflake(data.get(key), key))
    except FieldError:
        return None


def _voice_state_update(data: dict[str, Any], at_ms: int, shard_id: ShardId, _alive_at_ms: int) -> Observations:
    guild_id = GuildId(snowflake(data.get("guild_id"), "guild_id"))
    return (VoiceStateSeen(at_ms, shard_id, guild_id, _voice_state(data, data.get("member"))),)


def _voice_state(data: dict[str, Any], member: object) -> VoiceState:
    user = data.get("user_id")
    user_id = UserId(snowflake(user, "user_id"))
    channel = required(data, "channel_id")
    channel_id = None if channel is None else ChannelId(snowflake(channel, "channel_id"))
    bot, display_name = None, None
    if member is not None:
        bot, display_name = _member(mapping(member, "member"), user)
    return VoiceState(
        user_id,
        channel_id,
        flag(data, "self_mute"),
        flag(data, "mute"),
        flag(data, "self_deaf"),
        flag(data, "deaf"),
        bot,
        display_name,
    )


def _member(member: dict[str, Any], user_id: object) -> tuple[bool, str | None]:
    """Return whether it is a bot and the name that the guild sees. Discord leaves ``bot`` out for humans."""
    user = mapping(member.get("user"), "member.user")
    if user.get("id") != user_id:
        # Taking the bot flag of somebody else would give a human no sessions, or a bot some.
        raise FieldError("member.user.id is another user")
    for value in (member.get("nick"), user.get("global_name"), user.get("username")):
        if value is not None and value != "":
            return flag(user, "bot"), text(value, "a name of the member")
    return flag(user, "bot"), None


def _guild_create(data: dict[str, Any], at_ms: int, shard_id: ShardId, alive_at_ms: int) -> Observations:
    if flag(data, "unavailable"):
        return (GuildUnavailable(at_ms, shard_id, GuildId(snowflake(data.get("id"), "id")), alive_at_ms),)
    members = _members_by_id(data)
    voice_states = tuple(_present(mapping(state, "voice state"), members) for state in items(data, "voice_states"))
    channels = (_channel(mapping(channel, "channel")) for channel in items(data, "channels"))
    kept = tuple(channel for channel in channels if channel is not None)
    return (GuildSeen(at_ms, shard_id, _guild(data), kept, voice_states),)


def _members_by_id(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Index the members that Discord sent along: those in voice and the bot, if we lack the intent for all of them."""
    if "members" not in data:
        return {}
    members: dict[str, dict[str, Any]] = {}
    for item in items(data, "members"):
        member = mapping(item, "member")
        user_id = mapping(member.get("user"), "member.user").get("id")
        snowflake(user_id, "member.user.id")
        members[str(user_id)] = member
    return members


def _present(state: dict[str, Any], members: dict[str, dict[str, Any]]) -> VoiceState:
    """Read one state of a GUILD_CREATE: Discord puts the member beside it, not into it, and not always."""
    user_id = state.get("user_id")
    snowflake(user_id, "user_id")
    read = _voice_state(state, state.get("member") or members.get(str(user_id)))
    if read.channel_id is None:
        raise FieldError("channel_id of somebody in voice is null")
    return read


def _guild(data: dict[str, Any]) -> GuildFacts:
    afk_channel_id = optional_snowflake(required(data, "afk_channel_id"), "afk_channel_id")
    return GuildFacts(
        GuildId(snowflake(data.get("id"), "id")),
        text(data.get("name"), "name"),
        UserId(snowflake(data.get("owner_id"), "owner_id")),
        None if afk_channel_id is None else ChannelId(afk_channel_id),
    )


def _guild_update(data: dict[str, Any], at_ms: int, shard_id: ShardId, _alive_at_ms: int) -> Observations:
    guild = _guild(data)
    # It does not say what changed, and the owner may everything.
    return GuildChanged(at_ms, shard_id, guild), PermissionsChanged(at_ms, shard_id, guild.guild_id)


def _guild_delete(data: dict[str, Any], at_ms: int, shard_id: ShardId, alive_at_ms: int) -> Observations:
    guild_id = GuildId(snowflake(data.get("id"), "id"))
    if flag(data, "unavailable"):
        return (GuildUnavailable(at_ms, shard_id, guild_id, alive_at_ms),)
    return (GuildLeft(at_ms, shard_id, guild_id),)


def _channel(data: dict[str, Any]) -> ChannelFacts | None:
    kind = CHANNEL_KINDS.get(small_integer(data.get("type"), "type"))
    if kind is None:
        return None
    parent_id = optional_snowflake(data.get("parent_id"), "parent_id")
    return ChannelFacts(
        ChannelId(snowflake(data.get("id"), "id")),
        text(data.get("name"), "name"),
        kind,
        None if parent_id is None else ChannelId(parent_id),
        small_integer(data.get("position", 0), "position"),
    )


def _channel_seen(data: dict[str, Any], at_ms: int, shard_id: ShardId, _alive_at_ms: int) -> Observations:
    channel = _channel(data)
    if channel is None:
        return ()
    return (ChannelSeen(at_ms, shard_id, GuildId(snowflake(data.get("guild_id"), "guild_id")), channel),)


def _channel_deleted(data: dict[str, Any], at_ms: int, shard_id: ShardId, _alive_at_ms: int) -> Observations:
    # Only what identifies it is read: a deletion must not be missed for a name.
    if small_integer(data.get("type"), "type") not in CHANNEL_KINDS:
        return ()
    guild_id = GuildId(snowflake(data.get("guild_id"), "guild_id"))
    return (ChannelDeleted(at_ms, shard_id, guild_id, ChannelId(snowflake(data.get("id"), "id"))),)


def _permissions_changed(data: dict[str, Any], at_ms: int, shard_id: ShardId, _alive_at_ms: int) -> Observations:
    return (PermissionsChanged(at_ms, shard_id, GuildId(snowflake(data.get("guild_id"), "guild_id"))),)


def _ready(data: dict[str, Any], at_ms: int, shard_id: ShardId, _alive_at_ms: int) -> Observations:
    for name in ("session_id", "resume_gateway_url"):
        if not text(data.get(name), name):
            raise FieldError(f"{name} is empty")  # we could never resume
    guilds = (mapping(guild, "guild") for guild in items(data, "guilds"))
    return (ShardReady(at_ms, shard_id, frozenset(GuildId(snowflake(guild.get("id"), "id")) for guild in guilds)),)


def _resumed(_data: dict[str, Any], at_ms: int, shard_id: ShardId, _alive_at_ms: int) -> Observations:
    return (ShardResumed(at_ms, shard_id),)


_READERS: dict[str, Callable[[dict[str, Any], int, ShardId, int], Observations]] = {
    "READY": _ready,
    "RESUMED": _resumed,
    "GUILD_CREATE": _guild_create,
    "GUILD_UPDATE": _guild_update,
    "GUILD_DELETE": _guild_delete,
    "GUILD_ROLE_CREATE": _permissions_changed,
    "GUILD_ROLE_UPDATE": _permissions_changed,
    "GUILD_ROLE_DELETE": _permissions_changed,
    # Without the members intent Discord sends this for the bot's own member only.
    "GUILD_MEMBER_UPDATE": _permissions_changed,
    "CHANNEL_CREATE": _channel_seen,
    "CHANNEL_UPDATE": _channel_seen,
    "CHANNEL_DELETE": _channel_deleted,
    "VOICE_STATE_UPDATE": _voice_state_update,
}
_NAMED_BY_ID = frozenset({"GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE"})
