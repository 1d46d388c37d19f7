"""A guild: its payloads, and who may do what in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.entities import (
    ALL_PERMISSIONS,
    JOINED_AT,
    Channel,
    Member,
    Permission,
    Role,
    VoiceState,
)


@dataclass(slots=True)
class Guild:
    """A guild with everything in it. `unavailable` is an outage: it exists, and its events are not seen."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    voice_states: dict[int, VoiceState] = field(default_factory=dict)
    afk_channel_id: int | None = None
    unavailable: bool = False
    has_bot: bool = True

    def payload(self) -> dict[str, Any]:
        """Return the guild object that REST and GUILD_UPDATE share."""
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "owner_id": str(self.owner_id),
            "region": "deprecated",
            "afk_channel_id": None if self.afk_channel_id is None else str(self.afk_channel_id),
            "afk_timeout": 300,
            "widget_enabled": False,
            "widget_channel_id": None,
            "verification_level": 1,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "roles": [role.payload() for role in self.roles.values()],
            "emojis": [],
            "stickers": [],
            "features": [],
            "mfa_level": 0,
            "application_id": None,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "max_members": 500_000,
            "max_presences": None,
            "vanity_url_code": None,
            "description": None,
            "banner": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": "en-US",
            "public_updates_channel_id": None,
            "safety_alerts_channel_id": None,
            "max_video_channel_users": 25,
            "max_stage_video_channel_users": 50,
            "nsfw_level": 0,
            "premium_progress_bar_enabled": False,
            "incidents_data": None,
        }

    def create_payload(self, bot_id: int, *, with_voice: bool) -> dict[str, Any]:
        """Return GUILD_CREATE for a bot without the presences intent: its members are the bot and who is in voice."""
        shown = [bot_id, *(user_id for user_id in self.voice_states if user_id != bot_id)]
        states = self.voice_states
        return self.payload() | {
            "joined_at": JOINED_AT,
            "large": len(self.members) > 250,  # noqa: PLR2004 - Discord's largest large_threshold
            "unavailable": False,
            "member_count": len(self.members),
            "members": [self._voice_member(user_id) for user_id in shown if user_id in self.members],
            "channels": [channel.payload(with_guild=False) for channel in self.channels.values()],
            "voice_states": [state.payload() for state in states.values()] if with_voice else [],
            "threads": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def _voice_member(self, user_id: int) -> dict[str, Any]:
        state = self.voice_states.get(user_id)
        member = self.members[user_id]
        return member.payload(deaf=state.deaf, mute=state.mute) if state else member.payload()

    def permissions_of(self, user_id: int, channel: Channel | None = None) -> int:
        """Return a member's permission bits in the guild or in one channel, by Discord's published algorithm.

        A user who is not a member has none.
        """
        member = self.members.get(user_id)
        if member is None:
            return 0
        if user_id == self.owner_id:
            return ALL_PERMISSIONS
        bits = self.roles[self.id].permissions
        for role_id in member.role_ids:
            bits |= self.roles[role_id].permissions
        if bits & Permission.ADMINISTRATOR:
            return ALL_PERMISSIONS
        return bits if channel is None else self._with_overwrites(bits, member, channel)

    def _with_overwrites(self, bits: int, member: Member, channel: Channel) -> int:
        by_id = {overwrite.id: overwrite for overwrite in channel.overwrites}
        if everyone := by_id.get(self.id):
            bits = bits & ~everyone.deny | everyone.allow
        allow = deny = 0
        for role_id in member.role_ids:
            if role := by_id.get(role_id):
                allow |= role.allow
                deny |= role.deny
        bits = bits & ~deny | allow
        if own := by_id.get(member.user.id):
            bits = bits & ~own.deny | own.allow
        return bits
