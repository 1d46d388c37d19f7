"""Panel roles, as the guild's preferences name them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import select

from attendance.domain.ids import GuildId, RoleId
from attendance.ports.panel_roles import PanelRoles
from attendance.store.database import Database
from attendance.store.schema import guild_preferences


@dataclass(frozen=True, slots=True)
class SqlPanelRoles:
    """`PanelRoleSource` over the `guild_preferences` table."""

    database: Database

    async def panel_roles(self, guild_id: GuildId) -> PanelRoles:
        """A guild's panel roles; none before anybody chose some."""
        preferences = guild_preferences.c
        query = select(preferences.read_roles, preferences.write_roles).where(preferences.guild_id == guild_id)
        async with self.database.snapshot() as connection:
            row = (await connection.execute(query)).first()
        return PanelRoles() if row is None else PanelRoles(_roles(row.read_roles), _roles(row.write_roles))


def _roles(text: str) -> frozenset[RoleId]:
    return frozenset(RoleId(int(role_id)) for role_id in json.loads(text))
