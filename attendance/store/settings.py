"""A guild's settings as rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import ChannelId, GuildId
from attendance.domain.schedule import Anchor, Interval, Schedule
from attendance.domain.settings import Fairness, GuildSettings, TrackingMode
from attendance.store import schema
from attendance.store.database import bulk_insert, bulk_upsert

_settings = schema.guild_settings
_tracked = schema.tracked_channel
_COLUMNS = tuple(column.name for column in _settings.columns)


async def store_settings(connection: AsyncConnection, guild_id: GuildId, settings: GuildSettings) -> None:
    """Write a guild's settings over whatever was stored."""
    fairness, schedule = settings.fairness, settings.schedule
    values: dict[str, Any] = {
        "guild_id": guild_id,
        "tracking_mode": settings.tracking_mode.value,
        "pause_on_mute": fairness.pause_on_mute,
        "pause_on_deafen": fairness.pause_on_deafen,
        "pause_when_solo": fairness.pause_when_solo,
        "min_session_seconds": fairness.min_session_seconds,
        "bridge_gap_seconds": fairness.bridge_gap_seconds,
        "exclude_afk": fairness.exclude_afk,
        "timezone": schedule.timezone,
        "reset_interval": schedule.interval.value,
        "reset_anchor": schedule.anchor.value,
        "reset_weekday": schedule.weekday,
        "reset_day": schedule.day,
        "reset_month": schedule.month,
        "reset_hour": schedule.hour,
        "last_reset_at_ms": settings.last_reset_at_ms,
        "next_reset_at_ms": settings.next_reset_at_ms,
    }
    row = tuple(values[name] for name in _COLUMNS)
    await bulk_upsert(connection, _settings, _COLUMNS, [row], replace=_COLUMNS[1:])
    stored = await connection.scalars(select(_tracked.c.channel_id).where(_tracked.c.guild_id == guild_id))
    before = set(stored)
    for channel_id in before - settings.tracked_channels:
        await connection.execute(delete(_tracked).where(_tracked.c.guild_id == guild_id, _tracked.c.channel_id == channel_id))
    added = [(guild_id, channel_id) for channel_id in settings.tracked_channels - before]
    await bulk_insert(connection, _tracked, ("guild_id", "channel_id"), added)


def read_settings(row: Mapping[str, Any] | None, tracked: frozenset[ChannelId]) -> GuildSettings:
    """Settings from a row of ``guild_settings``; those of a guild that was just joined where there is none."""
    if row is None:
        return GuildSettings(tracked_channels=tracked)
    return GuildSettings(
        tracking_mode=TrackingMode(row["tracking_mode"]),
        tracked_channels=tracked,
        fairness=Fairness(
            pause_on_mute=row["pause_on_mute"],
            pause_on_deafen=row["pause_on_deafen"],
            pause_when_solo=row["pause_when_solo"],
            min_session_seconds=row["min_session_seconds"],
            exclude_afk=row["exclude_afk"],
            bridge_gap_seconds=row["bridge_gap_seconds"],
        ),
        schedule=Schedule(
            interval=Interval(row["reset_interval"]),
            anchor=Anchor(row["reset_anchor"]),
            timezone=row["timezone"],
            weekday=row["reset_weekday"],
            day=row["reset_day"],
            month=row["reset_month"],
            hour=row["reset_hour"],
        ),
        last_reset_at_ms=row["last_reset_at_ms"],
        next_reset_at_ms=row["next_reset_at_ms"],
    )


async def load_settings(connection: AsyncConnection, guild_id: GuildId) -> GuildSettings:
    """One guild's settings."""
    tracked = await connection.scalars(select(_tracked.c.channel_id).where(_tracked.c.guild_id == guild_id))
    channels = frozenset(ChannelId(channel) for channel in tracked)
    row = (await connection.execute(select(_settings).where(_settings.c.guild_id == guild_id))).mappings().first()
    return read_settings(None if row is None else dict(row), channels)
