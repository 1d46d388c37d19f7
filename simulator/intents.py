"""Which gateway intents a bot asked for, and which events they let through."""

from __future__ import annotations

GUILDS = 1 << 0
GUILD_MEMBERS = 1 << 1
GUILD_VOICE_STATES = 1 << 7
GUILD_PRESENCES = 1 << 8
MESSAGE_CONTENT = 1 << 15

PRIVILEGED = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT
_UNASSIGNED = 1 << 17 | 1 << 18 | 1 << 19 | 1 << 22 | 1 << 23
_HIGHEST_BIT = 26
KNOWN = ((1 << _HIGHEST_BIT) - 1) & ~_UNASSIGNED

_NEEDED = {
    "GUILD_CREATE": GUILDS,
    "GUILD_UPDATE": GUILDS,
    "GUILD_DELETE": GUILDS,
    "GUILD_ROLE_CREATE": GUILDS,
    "GUILD_ROLE_UPDATE": GUILDS,
    "GUILD_ROLE_DELETE": GUILDS,
    "CHANNEL_CREATE": GUILDS,
    "CHANNEL_UPDATE": GUILDS,
    "CHANNEL_DELETE": GUILDS,
    "GUILD_MEMBER_ADD": GUILD_MEMBERS,
    "GUILD_MEMBER_UPDATE": GUILD_MEMBERS,
    "GUILD_MEMBER_REMOVE": GUILD_MEMBERS,
    "VOICE_STATE_UPDATE": GUILD_VOICE_STATES,
}


def lets_through(intents: int, event: str) -> bool:
    """Return whether a session with these intents receives an event; events without an intent always come."""
    needed = _NEEDED.get(event)
    return needed is None or bool(intents & needed)
