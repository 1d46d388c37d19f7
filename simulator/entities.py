"""The things a guild is made of, each with its JSON as Discord sends it. Ids are integers here and strings in JSON."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

JOINED_AT = "2024-02-29T18:30:00.000000+00:00"
"""When every demo member joined: nothing depends on it, and a fixed instant keeps payloads the same on every run."""


class ChannelType(enum.IntEnum):
    """Discord's channel types, those that the simulator knows."""

    TEXT = 0
    VOICE = 2
    CATEGORY = 4
    STAGE = 13


VOICE_TYPES = frozenset({ChannelType.VOICE, ChannelType.STAGE})


class Permission(enum.IntFlag):
    """Discord's permission bits, those that the simulator checks or hands out."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    EMBED_LINKS = 1 << 14
    READ_MESSAGE_HISTORY = 1 << 16
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    MANAGE_ROLES = 1 << 28


EVERYONE_PERMISSIONS = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.READ_MESSAGE_HISTORY
    | Permission.CONNECT
    | Permission.SPEAK
)
ALL_PERMISSIONS = (1 << 53) - 1


@dataclass(slots=True)
class User:
    """A Discord account."""

    id: int
    name: str
    bot: bool = False

    def payload(self) -> dict[str, Any]:
        """Return the user object as the gateway sends it: `bot` is always there."""
        return {
            "id": str(self.id),
            "username": self.name.lower().replace(" ", "_").replace(".", ""),
            "global_name": None if self.bot else self.name,
            "discriminator": "0001" if self.bot else "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
        }


@dataclass(slots=True)
class Role:
    """A role; the one whose id is the guild's is @everyone."""

    id: int
    name: str
    permissions: int = 0
    position: int = 0
    managed: bool = False

    def payload(self) -> dict[str, Any]:
        """Return the role object."""
        return {
            "id": str(self.id),
            "name": self.name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": self.position,
            "permissions": str(int(self.permissions)),
            "managed": self.managed,
            "mentionable": False,
            "flags": 0,
        }


@dataclass(slots=True)
class Overwrite:
    """What a channel allows and denies to a role (`is_member` false) or a member."""

    id: int
    allow: int = 0
    deny: int = 0
    is_member: bool = False

    def payload(self) -> dict[str, Any]:
        """Return the overwrite object."""
        return {
            "id": str(self.id),
            "type": int(self.is_member),
            "allow": str(int(self.allow)),
            "deny": str(int(self.deny)),
        }


@dataclass(slots=True)
class Channel:
    """A guild channel or category."""

    id: int
    guild_id: int
    name: str
    type: ChannelType
    parent_id: int | None = None
    position: int = 0
    overwrites: list[Overwrite] = field(default_factory=list)

    def payload(self, *, with_guild: bool = True) -> dict[str, Any]:
        """Return the channel object; inside GUILD_CREATE Discord leaves `guild_id` out."""
        data: dict[str, Any] = {
            "id": str(self.id),
            "type": int(self.type),
            "name": self.name,
            "position": self.position,
            "parent_id": None if self.parent_id is None else str(self.parent_id),
            "permission_overwrites": [overwrite.payload() for overwrite in self.overwrites],
            "flags": 0,
        }
        if with_guild:
            data["guild_id"] = str(self.guild_id)
        if self.type is ChannelType.TEXT:
            data |= {"topic": None, "nsfw": False, "rate_limit_per_user": 0, "last_message_id": None}
        elif self.type in VOICE_TYPES:
            data |= {"bitrate": 64_000, "user_limit": 0, "rtc_region": None, "nsfw": False, "rate_limit_per_user": 0}
            data |= {"last_message_id": None, "video_quality_mode": 1}
        return data


@dataclass(slots=True)
class Member:
    """A user in a guild. The encoded form is kept by `simulator.encoding` and cleared on a change."""

    user: User
    role_ids: list[int] = field(default_factory=list)
    nick: str | None = None
    encoded: bytes | None = None

    def payload(self, *, deaf: bool = False, mute: bool = False) -> dict[str, Any]:
        """Return the member object; `deaf` and `mute` are the server's flags on the member's voice."""
        return {
            "user": self.user.payload(),
            "nick": self.nick,
            "avatar": None,
            "banner": None,
            "roles": [str(role_id) for role_id in self.role_ids],
            "joined_at": JOINED_AT,
            "premium_since": None,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
            "deaf": deaf,
            "mute": mute,
        }


@dataclass(slots=True)
class VoiceState:
    """Where a member is in voice, and the flags that the member and the server set."""

    user_id: int
    channel_id: int | None
    session_id: str
    self_mute: bool = False
    mute: bool = False
    self_deaf: bool = False
    deaf: bool = False
    suppress: bool = False

    def payload(self) -> dict[str, Any]:
        """Return the state as it stands in GUILD_CREATE: neither `guild_id` nor `member`."""
        return {
            "user_id": str(self.user_id),
            "channel_id": None if self.channel_id is None else str(self.channel_id),
            "session_id": self.session_id,
            "deaf": self.deaf,
            "mute": self.mute,
            "self_deaf": self.self_deaf,
            "self_mute": self.self_mute,
            "self_video": False,
            "suppress": self.suppress,
            "request_to_speak_timestamp": None,
        }
