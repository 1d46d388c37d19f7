"""From what services answer to what goes over the wire: ids to text, instants to RFC 3339, milliseconds to seconds."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from api.schemas import reports as body
from api.schemas import settings as setting
from api.schemas.discord import ChannelBody, RoleBody, TextChannelBody
from attendance.domain.instants import to_rfc3339
from attendance.domain.reporting import whole_seconds
from attendance.domain.settings import Fairness, TrackingMode
from attendance.ports.discord_lookup import GuildRole, ListedTextChannel
from attendance.ports.reports import BlindLine, ChannelLine, SessionLine
from attendance.services.attendance_lists import NamedSession, Occupancy
from attendance.services.leaderboards import LeaderboardLine
from attendance.services.overview import GuildOverview
from attendance.services.resets import EndedPeriod
from attendance.services.settings import ScheduleView
from attendance.services.statistics import MemberStatistics


def given(change: msgspec.Struct) -> dict[str, Any]:
    """The members that a PATCH names."""
    members: dict[str, Any] = msgspec.structs.asdict(change)
    return {name: value for name, value in members.items() if value is not msgspec.UNSET}


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_rfc3339(at_ms)


def leaderboard_line(line: LeaderboardLine) -> body.LeaderboardLineBody:
    """A line of a leaderboard."""
    return body.LeaderboardLineBody(
        rank=line.rank,
        user_id=_id(line.user_id),
        display_name=line.display_name,
        seconds=line.credited_ms // 1000,
        sessions=line.session_count,
        live=line.live,
        corrected_seconds=line.corrected_ms // 1000,
    )


def stats_body(stats: MemberStatistics) -> body.StatsBody:
    """A member's statistics; the parts are rounded so that they add up."""
    channel_seconds = whole_seconds(part.credited_ms for part in stats.by_channel)
    day_seconds = whole_seconds(credited_ms for _, credited_ms in stats.by_day)
    sums = stats.sums
    return body.StatsBody(
        user_id=str(stats.user_id),
        display_name=stats.display_name,
        period_index=stats.period_index,
        seconds=sums.credited_ms // 1000,
        sessions=sums.session_count,
        rank=stats.rank,
        live=stats.live,
        paused_seconds=_paused(sums.deafened_ms, sums.muted_ms, sums.solo_ms),
        unwitnessed_seconds=sums.unwitnessed_ms // 1000,
        external_seconds=stats.external_ms // 1000,
        first_seen=_instant(stats.first_seen_ms),
        last_seen=_instant(stats.last_seen_ms),
        by_channel=[
            body.ChannelPartBody(channel_id=str(part.channel_id), name=part.name, seconds=seconds, sessions=part.session_count)
            for part, seconds in zip(stats.by_channel, channel_seconds, strict=True)
        ],
        by_day=[
            body.DayPartBody(date=day.isoformat(), seconds=seconds)
            for (day, _), seconds in zip(stats.by_day, day_seconds, strict=True)
        ],
        recent=[_recent(line) for line in stats.recent],
    )


def _paused(deafened_ms: int, muted_ms: int, solo_ms: int) -> body.PausedBody:
    return body.PausedBody(deafened=deafened_ms // 1000, muted=muted_ms // 1000, solo=solo_ms // 1000)


def _state(line: SessionLine) -> str:
    return "signed" if line.signed else "pending"


def _recent(line: SessionLine) -> body.RecentSessionBody:
    return body.RecentSessionBody(
        session_id=str(line.session_id),
        channel_id=str(line.channel_id),
        joined_at=to_rfc3339(line.joined_at_ms),
        left_at=to_rfc3339(line.left_at_ms),
        seconds=line.credited_ms // 1000,
        reason=line.reason,
        state=_state(line),
        corrected_seconds=line.corrected_ms // 1000,
    )


def session_body(named: NamedSession) -> body.SessionBody:
    """A closed session."""
    line = named.session
    return body.SessionBody(
        session_id=str(line.session_id),
        user_id=str(line.user_id),
        display_name=named.display_name,
        channel_id=str(line.channel_id),
        channel_name=named.channel_name,
        period_index=line.period_index,
        joined_at=to_rfc3339(line.joined_at_ms),
        left_at=to_rfc3339(line.left_at_ms),
        seconds=line.credited_ms // 1000,
        paused_seconds=_paused(line.deafened_ms, line.muted_ms, line.solo_ms),
        unwitnessed_seconds=line.unwitnessed_ms // 1000,
        below_minimum=line.below_minimum,
        reason=line.reason,
        state=_state(line),
        corrected_seconds=line.corrected_ms // 1000,
    )


def blind_body(line: BlindLine, now_ms: int) -> body.BlindBody:
    """A blind interval."""
    ended_at_ms = now_ms if line.ended_at_ms is None else line.ended_at_ms
    return body.BlindBody(
        started_at=to_rfc3339(line.started_at_ms),
        ended_at=_instant(line.ended_at_ms),
        seconds=max(0, ended_at_ms - line.started_at_ms) // 1000,
        cause=line.cause,
        ended_by=line.ended_by,
    )


def occupancy_body(occupancy: Occupancy) -> body.OccupancyBody:
    """Who is in voice now."""
    channels = [
        body.OccupiedChannelBody(
            channel_id=str(channel.channel_id),
            name=channel.name,
            members=[
                body.OccupantBody(
                    user_id=str(occupant.user_id),
                    display_name=occupant.display_name,
                    joined_at=to_rfc3339(occupant.joined_at_ms),
                    status=occupant.status,
                )
                for occupant in channel.members
            ],
        )
        for channel in occupancy.channels
    ]
    members = sum(len(channel.members) for channel in channels)
    return body.OccupancyBody(as_of=to_rfc3339(occupancy.as_of_ms), members=members, channels=channels)


def overview_body(overview: GuildOverview) -> body.OverviewBody:
    """A guild at a glance."""
    period = None
    if overview.period is not None:
        period = body.OverviewPeriodBody(
            index=overview.period.index,
            started_at=to_rfc3339(overview.period.started_at_ms),
            ends_at=_instant(overview.ends_at_ms),
        )
    return body.OverviewBody(
        guild_id=str(overview.guild_id),
        name=overview.name,
        tracking_mode=overview.tracking_mode.value.capitalize(),
        period=period,
        occupancy=body.OverviewOccupancyBody(members=overview.members_present, channels=overview.channels_occupied),
        signing=body.OverviewSigningBody(
            configured=overview.signing_configured,
            unlocked=overview.signing_unlocked,
            pending=overview.signing_pending,
        ),
        totals=body.OverviewTotalsBody(
            seconds=overview.credited_ms // 1000, sessions=overview.session_count, members=overview.member_count
        ),
        blind_seconds=overview.blind_ms // 1000,
        tier=overview.tier.value,
    )


def mode_body(mode: TrackingMode) -> setting.ModeBody:
    """The tracking mode as the contract writes it."""
    return setting.ModeBody(mode=cast("setting.Mode", mode.value.capitalize()))


def fairness_body(fairness: Fairness) -> setting.FairnessBody:
    """The fairness settings."""
    return setting.FairnessBody(
        pause_on_mute=fairness.pause_on_mute,
        pause_on_deafen=fairness.pause_on_deafen,
        pause_when_solo=fairness.pause_when_solo,
        min_session_seconds=fairness.min_session_seconds,
        exclude_afk=fairness.exclude_afk,
        bridge_gap_seconds=fairness.bridge_gap_seconds,
    )


def tracked_channel(line: ChannelLine) -> setting.TrackedChannelBody:
    """A channel of the list."""
    kind = cast("setting.ChannelKindName", line.kind)
    return setting.TrackedChannelBody(channel_id=str(line.channel_id), name=line.name, kind=kind)


def channel_body(line: ChannelLine) -> ChannelBody:
    """A channel of the guild."""
    return ChannelBody(
        channel_id=str(line.channel_id),
        name=line.name,
        kind=cast("setting.ChannelKindName", line.kind),
        parent_id=_id(line.parent_id),
        position=line.position,
    )


def text_channel_body(channel: ListedTextChannel) -> TextChannelBody:
    """A channel with messages."""
    return TextChannelBody(
        channel_id=str(channel.channel_id),
        name=channel.name,
        kind=cast("Any", channel.kind),
        category=channel.category,
        missing_permissions=list(channel.missing_permissions),
    )


def role_body(role: GuildRole) -> RoleBody:
    """A role of the guild."""
    return RoleBody(role_id=str(role.role_id), name=role.name, position=role.position, managed=role.is_managed)


def reset_interval(view: ScheduleView) -> setting.ResetIntervalBody:
    """The reset schedule."""
    schedule = view.schedule
    resets = [to_rfc3339(at_ms) for at_ms in view.next_resets_ms]
    return setting.ResetIntervalBody(
        interval=schedule.interval.value,
        anchor=schedule.anchor.value,
        timezone=schedule.timezone,
        weekday=schedule.weekday,
        day=schedule.day,
        month=schedule.month,
        hour=schedule.hour,
        next_reset_at=resets[0] if resets else None,
        next_resets=resets,
    )


def ended_period(period: EndedPeriod) -> setting.EndedPeriodBody:
    """A period that is over."""
    return setting.EndedPeriodBody(
        period_index=period.period_index,
        started_at=to_rfc3339(period.started_at_ms),
        ended_at=to_rfc3339(period.ended_at_ms),
        state="signed" if period.signed else "pending",
        entry_count=period.entry_count,
    )
