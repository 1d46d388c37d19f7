"""A guild at a glance."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.domain.ids import GuildId
from attendance.domain.ranking import live_lines
from attendance.domain.reporting import overlap_ms
from attendance.domain.settings import TrackingMode
from attendance.domain.subscriptions import Tier
from attendance.errors import NotFoundError
from attendance.ports.clock import Clock
from attendance.ports.directory import GuildDirectory
from attendance.ports.reports import Board, Period, ReportSource, ReportView
from attendance.services.keyring import Keyring
from attendance.services.leaderboards import seen_until
from attendance.services.standings_cache import StandingsCache
from attendance.services.subscriptions import Subscriptions


@dataclass(frozen=True, slots=True)
class GuildOverview:
    """A guild at a glance; the sums are of the running period, open sessions included. No period: none began yet."""

    guild_id: GuildId
    name: str
    tracking_mode: TrackingMode
    period: Period | None
    ends_at_ms: int | None
    members_present: int
    channels_occupied: int
    signing_configured: bool
    signing_unlocked: bool
    signing_pending: int
    credited_ms: int
    session_count: int
    member_count: int
    blind_ms: int
    tier: Tier


@dataclass(frozen=True, slots=True)
class Overviews:
    """Overviews of guilds."""

    reports: ReportSource
    directory: GuildDirectory
    keyring: Keyring
    clock: Clock
    cache: StandingsCache
    subscriptions: Subscriptions

    async def of(self, guild_id: GuildId) -> GuildOverview:
        """The overview.

        Raises:
            NotFoundError: the bot never saw the guild.
            UnavailableError: the database is away.
        """
        presence = await self.directory.presence(guild_id)
        if presence is None:
            raise NotFoundError("the bot is not in this guild")
        signing = await self.keyring.status(guild_id)
        subscription = await self.subscriptions.of(guild_id)
        async with self.reports.view() as view:
            now_ms = self.clock.now_ms()
            settings = await view.settings(guild_id)
            period = await view.running_period(guild_id)
            present = await view.open_sessions(guild_id)
            credited_ms, session_count, member_count = await self._sums(view, guild_id, period)
            return GuildOverview(
                guild_id=guild_id,
                name=presence.name,
                tracking_mode=settings.tracking_mode,
                period=period,
                ends_at_ms=settings.next_reset_at_ms,
                members_present=len(present),
                channels_occupied=len({session.channel_id for session in present}),
                signing_configured=signing.configured,
                signing_unlocked=signing.unlocked,
                signing_pending=signing.pending,
                credited_ms=credited_ms,
                session_count=session_count,
                member_count=member_count,
                blind_ms=await _blind_ms(view, guild_id, period, now_ms),
                tier=subscription.tier,
            )

    async def _sums(self, view: ReportView, guild_id: GuildId, period: Period | None) -> tuple[int, int, int]:
        if period is None:
            return 0, 0, 0
        board = Board(guild_id, period.index)
        as_of_ms = await seen_until(view, guild_id, period, self.clock)
        live = live_lines(await view.live_sessions(board), lambda _: None, as_of_ms)
        standings = await self.cache.standings_if_kept(view, board)
        if standings is not None:
            credited_ms, session_count = standings.totals
            members = len(standings) + sum(1 for line in live.now if standings.stored_of(line[1]) is None)
        else:
            sums, stored_members = await view.period_sums(guild_id, period.index)
            credited_ms, session_count = sums.credited_ms, sums.session_count
            members = stored_members + len(live.now) - len(await view.stored_of_live(board))
        return (
            credited_ms - sum(negated_ms for negated_ms, *_ in live.now),
            session_count + sum(sessions for _, _, sessions, _ in live.now),
            members,
        )


async def _blind_ms(view: ReportView, guild_id: GuildId, period: Period | None, now_ms: int) -> int:
    """Blind time of the running period, up to now while it goes on."""
    if period is None:
        return 0
    intervals = await view.blind_intervals(guild_id, period.started_at_ms, now_ms, None, 0)
    return sum(
        overlap_ms(line.started_at_ms, now_ms if line.ended_at_ms is None else line.ended_at_ms, period.started_at_ms, now_ms)
        for line in intervals
    )
