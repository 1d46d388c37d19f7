"""Settings history: who changed what, and which rules were in force when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from attendance.domain.audit import AuditEntry
from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.errors import NotFoundError
from attendance.ports.audit import AuditFilter, AuditLog
from attendance.ports.reports import ReportSource
from attendance.ports.rules import RulesHistory, RulesLine
from attendance.services.attendance_lists import check_range

# Whose targets are members, and whose are channels; those of all others are ids of rows that have no name.
_ABOUT_MEMBERS = frozenset({"opt_out.add", "opt_out.remove", "member.erase", "member.erase_withdraw"})
_ABOUT_CHANNELS = frozenset({"tracked_channel.add", "tracked_channel.remove"})


class ChangeNames(NamedTuple):
    """What the guild calls whom and what its changes name now; the id where it does not know them."""

    members: dict[UserId, str]
    channels: dict[ChannelId, str]

    def target(self, entry: AuditEntry) -> str | None:
        """What was changed by its name, where it is a member or a voice channel."""
        if (member := _target_of(entry, _ABOUT_MEMBERS)) is not None:
            return self.members[UserId(member)]
        channel = _target_of(entry, _ABOUT_CHANNELS)
        return None if channel is None else self.channels[ChannelId(channel)]


def _target_of(entry: AuditEntry, actions: Collection[str]) -> int | None:
    """The id that an entry of these actions is about; None for others, and where it was erased."""
    target = entry.target
    return int(target) if entry.action in actions and target is not None and target.isdecimal() else None


@dataclass(frozen=True, slots=True)
class SettingsHistory:
    """Reads both."""

    audit: AuditLog
    rules: RulesHistory
    reports: ReportSource

    async def changes(self, which: AuditFilter, limit: int, offset: int) -> tuple[list[AuditEntry], int]:
        """Entries of the audit, newest first, and how many there are.

        Raises:
            InvalidInputError: the range ends before it begins.
        """
        check_range(which.from_ms, which.to_ms)
        return await self.audit.page(which, limit, offset)

    async def names(self, guild_id: GuildId, actors: Iterable[UserId | None]) -> dict[UserId, str]:
        """What the guild calls those who made changes; the id where it does not know them. None is Rollcall itself."""
        known = {user_id for user_id in actors if user_id is not None}
        async with self.reports.view() as view:
            return await view.member_names(guild_id, known)

    async def names_in(self, guild_id: GuildId, entries: Sequence[AuditEntry]) -> ChangeNames:
        """The names of those who made these changes, and of the members and voice channels that they are about."""
        members = {entry.actor.user_id for entry in entries if entry.actor.user_id is not None}
        members |= {UserId(found) for entry in entries if (found := _target_of(entry, _ABOUT_MEMBERS)) is not None}
        channels = {ChannelId(found) for entry in entries if (found := _target_of(entry, _ABOUT_CHANNELS)) is not None}
        async with self.reports.view() as view:
            return ChangeNames(await view.member_names(guild_id, members), await view.channel_names(guild_id, channels))

    async def versions(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[RulesLine], int]:
        """Versions of the rules, newest first, and how many there are."""
        return await self.rules.page(guild_id, limit, offset)

    async def version_of(self, guild_id: GuildId, rules_sha256: bytes) -> Sequence[RulesLine]:
        """The versions that have exactly these rules, oldest first: at least one.

        Raises:
            NotFoundError: the guild never had them.
        """
        found = await self.rules.of_digest(guild_id, rules_sha256)
        if not found:
            raise NotFoundError("the guild never had such rules")
        return found
