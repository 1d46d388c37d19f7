"""Which Discord roles may use the panel of a guild without Manage Server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from attendance.domain.ids import GuildId, RoleId


@dataclass(frozen=True, slots=True)
class PanelRoles:
    """``read`` may look, ``write`` may look and change; none by default."""

    read: frozenset[RoleId] = frozenset()
    write: frozenset[RoleId] = frozenset()


class PanelRoleSource(Protocol):
    """Where they are written."""

    async def panel_roles(self, guild_id: GuildId) -> PanelRoles:
        """A guild's panel roles.

        Raises:
            UnavailableError: the database is away.
        """
        ...
