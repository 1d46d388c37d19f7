"""Preferences as rows of `guild_preferences`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import Actor, AuditEntry
from attendance.domain.ids import GuildId, RoleId
from attendance.domain.preferences import Preferences, as_audited
from attendance.store.audit import record_audit
from attendance.store.database import Database, bulk_upsert
from attendance.store.schema import guild, guild_preferences

_COLUMNS = ("guild_id", "names_shown", "retention_days", "read_roles", "write_roles", "updated_at_ms")


@dataclass(frozen=True, slots=True)
class SqlGuildPreferences:
    """`GuildPreferences` on a database."""

    database: Database

    async def of(self, guild_id: GuildId) -> Preferences:
        """A guild's preferences."""
        async with self.database.snapshot() as connection:
            return await read_preferences(connection, guild_id)

    async def change(
        self, guild_id: GuildId, apply: Callable[[Preferences], Preferences], actor: Actor, now_ms: int
    ) -> Preferences:
        """Store what ``apply`` makes of them."""
        async with self.database.transaction() as connection:
            # The guild's row is what two who change at once wait for: the preferences' own may not be there yet.
            await connection.execute(select(guild.c.guild_id).where(guild.c.guild_id == guild_id).with_for_update())
            before = await read_preferences(connection, guild_id)
            after = apply(before)
            was, now = as_audited(before), as_audited(after)
            differing = [name for name in now if was[name] != now[name]]
            if differing:
                await _store(connection, guild_id, after, now_ms)
                entry = AuditEntry(
                    guild_id=guild_id,
                    at_ms=now_ms,
                    actor=actor,
                    action="preferences.update",
                    before={name: was[name] for name in differing},
                    after={name: now[name] for name in differing},
                )
                await record_audit(connection, entry)
        return after


async def read_preferences(connection: AsyncConnection, guild_id: GuildId) -> Preferences:
    """A guild's preferences, in the caller's transaction."""
    row = (await connection.execute(select(guild_preferences).where(guild_preferences.c.guild_id == guild_id))).first()
    if row is None:
        return Preferences()
    return Preferences(row.names_shown, row.retention_days, _roles(row.read_roles), _roles(row.write_roles))


async def _store(connection: AsyncConnection, guild_id: GuildId, chosen: Preferences, now_ms: int) -> None:
    roles = [json.dumps([str(role_id) for role_id in sorted(group)]) for group in (chosen.read_roles, chosen.write_roles)]
    row = (guild_id, chosen.names_shown, chosen.retention_days, *roles, now_ms)
    await bulk_upsert(connection, guild_preferences, _COLUMNS, [row], replace=_COLUMNS[1:])


def _roles(text: str) -> frozenset[RoleId]:
    return frozenset(RoleId(int(role_id)) for role_id in json.loads(text))
