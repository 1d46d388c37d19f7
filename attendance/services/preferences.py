"""What `/settings` shows and changes: the guild's one time zone, which its owner keeps, and its preferences."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from attendance.domain.ids import GuildId, RoleId
from attendance.domain.preferences import MAX_PANEL_ROLES, MAX_RETENTION_DAYS, MIN_RETENTION_DAYS, Preferences
from attendance.errors import InvalidInputError
from attendance.ports.clock import Clock
from attendance.ports.discord_lookup import DiscordLookup
from attendance.ports.preferences import GuildPreferences
from attendance.services.commands import Request
from attendance.services.settings import SettingsService

_ROLES = ("read_roles", "write_roles")


@dataclass(frozen=True, slots=True)
class GeneralSettings:
    """Everything that `/settings` shows. ``timezone`` is an IANA name."""

    timezone: str
    preferences: Preferences


@dataclass(frozen=True, slots=True)
class PreferencesService:
    """Reads and changes them."""

    store: GuildPreferences
    settings: SettingsService
    lookup: DiscordLookup
    clock: Clock

    async def of(self, guild_id: GuildId) -> GeneralSettings:
        """A guild's settings."""
        schedule = (await self.settings.schedule(guild_id)).schedule
        return GeneralSettings(schedule.timezone, await self.store.of(guild_id))

    async def change(self, request: Request, changes: Mapping[str, Any]) -> GeneralSettings:
        """Change the members given: ``timezone`` and those of `Preferences`.

        Raises:
            InvalidInputError: no such time zone, days out of range, or roles that are not the guild's.
            UnavailableError: the guild's owner, the database or Discord is away. Sending it again is right.
        """
        chosen = {name: value for name, value in changes.items() if name != "timezone"}
        self._check_days(chosen)
        for name in _ROLES:
            if name in chosen:
                chosen[name] = await self._roles(request.guild_id, name, chosen[name])
        if "timezone" in changes:
            await self.settings.change_schedule(request, {"timezone": changes["timezone"]})
        if chosen:
            now_ms = self.clock.now_ms()
            await self.store.change(request.guild_id, lambda before: replace(before, **chosen), request.actor, now_ms)
        return await self.of(request.guild_id)

    @staticmethod
    def _check_days(chosen: Mapping[str, Any]) -> None:
        days = chosen.get("retention_days")
        if days is not None and not MIN_RETENTION_DAYS <= days <= MAX_RETENTION_DAYS:
            told = f"{MIN_RETENTION_DAYS} to {MAX_RETENTION_DAYS}, or null to keep everything"
            raise InvalidInputError("the retention is out of range", details={"retention_days": told})

    async def _roles(self, guild_id: GuildId, name: str, wanted: Collection[RoleId]) -> frozenset[RoleId]:
        roles = frozenset(wanted)
        if not roles:
            return roles
        if len(roles) > MAX_PANEL_ROLES:
            raise InvalidInputError("too many roles", details={name: f"at most {MAX_PANEL_ROLES}"})
        if name == "write_roles" and RoleId(guild_id) in roles:
            raise InvalidInputError("everyone would be let in", details={name: "not @everyone"})
        if roles - await self.lookup.guild_roles(guild_id):
            raise InvalidInputError("the guild has no such role", details={name: "roles of this guild"})
        return roles
