"""A guild's settings: read from the store, validated here, changed by the guild's owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attendance.domain.commands import CommandKind
from attendance.domain.ids import ChannelId, GuildId
from attendance.domain.schedule import Anchor, Interval, Schedule, next_resets, validate_schedule
from attendance.domain.settings import MAX_BRIDGE_GAP_SECONDS, MAX_MIN_SESSION_SECONDS, Fairness, TrackingMode
from attendance.errors import InvalidInputError, NotFoundError
from attendance.ports.reports import ChannelLine, ReportSource
from attendance.services.commands import Commands, Request

_FAIRNESS_LIMITS = {"min_session_seconds": MAX_MIN_SESSION_SECONDS, "bridge_gap_seconds": MAX_BRIDGE_GAP_SECONDS}
_RESETS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule and the next resets that follow from it, ascending; none while it is off."""

    schedule: Schedule
    next_resets_ms: Sequence[int]


@dataclass(frozen=True, slots=True)
class TrackedChannels:
    """A page of tracked channels, and how many there are in all."""

    channels: Sequence[ChannelLine]
    total: int


@dataclass(frozen=True, slots=True)
class SettingsService:
    """Reads and changes settings."""

    reports: ReportSource
    commands: Commands

    async def change_mode(self, request: Request, mode: str) -> TrackingMode:
        """Set the tracking mode; case does not matter.

        Raises:
            InvalidInputError: there is no such mode.
        """
        try:
            wanted = TrackingMode(mode.lower())
        except ValueError:
            allowed = ", ".join(known.value.capitalize() for known in TrackingMode)
            raise InvalidInputError("there is no such mode", details={"mode": f"one of {allowed}"}) from None
        result = await self.commands.apply(request, CommandKind.SETTINGS, {"tracking_mode": wanted.value})
        return TrackingMode(result["tracking_mode"])

    async def fairness(self, guild_id: GuildId) -> Fairness:
        """The fairness settings."""
        async with self.reports.view() as view:
            return (await view.settings(guild_id)).fairness

    async def change_fairness(self, request: Request, changes: Mapping[str, bool | int]) -> Fairness:
        """Change the members given, which are names of `Fairness`; with none, nothing is asked of anyone.

        Raises:
            InvalidInputError: a number of seconds is out of range.
        """
        problems = {
            name: f"an integer from 0 to {limit}"
            for name, limit in _FAIRNESS_LIMITS.items()
            if not 0 <= changes.get(name, 0) <= limit
        }
        if problems:
            raise InvalidInputError("the fairness settings are not valid", details=problems)
        if not changes:
            return await self.fairness(request.guild_id)
        result = await self.commands.apply(request, CommandKind.SETTINGS, changes)
        return Fairness(**{name: result[name] for name in Fairness.__dataclass_fields__})

    async def schedule(self, guild_id: GuildId) -> ScheduleView:
        """The reset schedule."""
        async with self.reports.view() as view:
            settings = await view.settings(guild_id)
        return _with_resets(settings.schedule, settings.next_reset_at_ms)

    async def change_schedule(self, request: Request, changes: Mapping[str, str | int]) -> ScheduleView:
        """Change the members given, which are names of `Schedule`; with none, nothing is asked of anyone.

        Raises:
            InvalidInputError: a member is out of range, or unknown as an interval, an anchor or a time zone.
        """
        current = await self.schedule(request.guild_id)
        if not changes:
            return current
        validate_schedule(replace(current.schedule, **_typed(changes)))
        result = await self.commands.apply(request, CommandKind.SCHEDULE, changes)
        next_ms = result.pop("next_reset_at_ms")
        return _with_resets(Schedule(**_typed(result)), next_ms)

    async def tracked(self, guild_id: GuildId, limit: int, offset: int) -> TrackedChannels:
        """The channels and categories of the list, by position; one that the gateway never described comes last."""
        async with self.reports.view() as view:
            ids = sorted((await view.settings(guild_id)).tracked_channels)
            known = await view.channels(guild_id, ids)
        missing = sorted(set(ids) - {line.channel_id for line in known})
        lines = [*known, *(ChannelLine(channel, str(channel), "voice", None, 0, deleted=True) for channel in missing)]
        return TrackedChannels(lines[offset : offset + limit], len(lines))

    async def track(self, request: Request, channel_id: ChannelId) -> tuple[ChannelLine, bool]:
        """Put a channel or category on the list; returns it, and whether it was not on it.

        Raises:
            InvalidInputError: the guild has no such voice channel, stage or category.
        """
        async with self.reports.view() as view:
            known = [line for line in await view.channels(request.guild_id, [channel_id]) if not line.deleted]
        if not known:
            details = {"channel_id": "a voice channel, stage or category of this guild"}
            raise InvalidInputError("the guild has no such channel", details=details)
        result = await self.commands.apply(request, CommandKind.TRACK, {"channel_id": str(channel_id)})
        return known[0], bool(result["created"])

    async def untrack(self, request: Request, channel_id: ChannelId) -> None:
        """Take a channel or category off the list.

        Raises:
            NotFoundError: it is not on it.
        """
        result = await self.commands.apply(request, CommandKind.UNTRACK, {"channel_id": str(channel_id)})
        if not result["removed"]:
            raise NotFoundError("the channel is not tracked")


def _typed(members: Mapping[str, Any]) -> dict[str, Any]:
    typed = dict(members)
    problems = {}
    for name, kind in (("interval", Interval), ("anchor", Anchor)):
        if name in typed:
            try:
                typed[name] = kind(typed[name])
            except ValueError:
                problems[name] = f"one of {', '.join(known.value for known in kind)}"
    if problems:
        raise InvalidInputError("the reset schedule is not valid", details=problems)
    return typed


def _with_resets(schedule: Schedule, next_ms: int | None) -> ScheduleView:
    """The owner has said when the next one is; the others follow as if nobody resets by hand."""
    if next_ms is None:
        return ScheduleView(schedule, [])
    return ScheduleView(schedule, [next_ms, *next_resets(schedule, next_ms, next_ms, _RESETS_SHOWN - 1)])
