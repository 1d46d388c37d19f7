"""Where a guild's preferences are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attendance.domain.audit import Actor
from attendance.domain.ids import GuildId
from attendance.domain.preferences import Preferences


class GuildPreferences(Protocol):
    """Reads and changes preferences.

    Both raise `UnavailableError` while the database is away.
    """

    async def of(self, guild_id: GuildId) -> Preferences:
        """A guild's preferences; the defaults before anybody chose others."""
        ...

    async def change(
        self, guild_id: GuildId, apply: Callable[[Preferences], Preferences], actor: Actor, now_ms: int
    ) -> Preferences:
        """Store what ``apply`` makes of the preferences as they are, with an audit entry of what differs; returns it.

        Two who change at once change one after the other: neither undoes what the other did to another member.
        """
        ...
