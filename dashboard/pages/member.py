"""``/guilds/{guild_id}/members/{user_id}``: one member's time, and how it came about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from litestar import get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from dashboard.charts.bars import bars
from dashboard.charts.calendar import calendar_of_any_width
from dashboard.domain.streaks import reckon_streaks
from dashboard.instants import parsed_instant
from dashboard.page import GuildPage, Html, InGuild, invite_url
from dashboard.pages.member_address import member_of, section_of
from dashboard.pages.member_wire import Corrections, Days, Explanation, Stats
from dashboard.queries import day_begins

MOST_CORRECTIONS = 100
MOST_DAYS = 366
LEAST_DAYS = 26 * 7  # a drawing of fewer weeks would be blown up
_MOST_IN_CHART = 12


@get("/guilds/{guild_id:str}/members/{user_id:str}")
async def show_member(page: InGuild, user_id: FromPath[str]) -> Html:
    """Figures of the running period, days, channels, the last sessions, corrections."""
    member = member_of(page, user_id)
    if not page.guild.present and not page.may("read"):
        return page.render("overview/absent.html", status=404, invite_href=invite_url(page.services, page.guild.guild_id))
    today = today_of(page)
    stats, told, now, corrections = await asyncio.gather(
        page.api.get("/stats", Stats, {"user_id": member}),
        page.api.get("/stats/days", Days, {"user_id": member, "days": MOST_DAYS}),
        page.api.get("/stats/explain", Explanation, {"user_id": member, "from": day_begins(today, page.guild.zone)}),
        _corrections(page, member),
    )
    names = {stretch.channel_id: stretch.channel_name for stretch in now.stretches}
    names |= {part.channel_id: part.name for part in stats.by_channel}
    locale = page.services.templates.words.locale
    days = {date.fromisoformat(part.date): part.seconds for part in told.items}
    streaks = reckon_streaks(days, today)
    return page.render(
        "member/member.html",
        current=section_of(page, member),
        is_self=member == str(page.user_id),
        stats=stats,
        here=next((stretch for stretch in reversed(now.stretches) if stretch.state == "open"), None),
        today=now,
        day=today,
        channel_names=names,
        streaks=streaks,
        longest_until=None if streaks.longest.last is None else format_date(streaks.longest.last, "d MMM y", locale),
        days=days_chart(page, shown_days(days, today)),
        day_rows=[(day, seconds) for day, seconds in sorted(days.items(), reverse=True) if seconds],
        channels=channels_chart(page, stats),
        session_days={one.session_id: day_in(one.joined_at, page.guild.zone) for one in stats.recent},
        corrections=corrections,
        corrected=corrected_in(corrections, stats.period_index),
    )


def corrected_in(corrections: Corrections | None, period_index: int) -> int:
    """What the listed corrections come to in a period, in seconds."""
    return sum(one.delta_seconds for one in corrections.items if one.period_index == period_index) if corrections else 0


def today_of(page: GuildPage) -> date:
    """The day that the guild's clocks show."""
    return datetime.fromtimestamp(page.services.clock.now_ms() / 1000, ZoneInfo(page.guild.zone)).date()


def day_in(instant: str, zone: str) -> date:
    """The day on which an instant lies by a zone's clocks."""
    return parsed_instant(instant).astimezone(ZoneInfo(zone)).date()


def shown_days(seconds: Mapping[date, int], today: date) -> list[tuple[date, int]]:
    """From the first day with any time on, and some weeks at least. What corrections took below nothing is nothing here."""
    first = min([today - timedelta(days=LEAST_DAYS - 1), *(day for day, length in seconds.items() if length)])
    return [(day, max(0, length)) for day, length in seconds.items() if day >= first]


def days_chart(page: GuildPage, days: list[tuple[date, int]]) -> Markup:
    """Days as squares."""
    t, locale = page.words, page.services.templates.words.locale
    monday = date(2024, 1, 1)
    return calendar_of_any_width(
        days,
        chart_id="days",
        title=t("member-days"),
        description=t("member-days-text", count=sum(1 for _, seconds in days if seconds)),
        weekdays=[format_date(monday.replace(day=number), "EEE", locale) for number in range(1, 8)],
        month=lambda day: format_date(day, "LLL", locale),
        text=lambda day, seconds: t(
            "member-day-text", day=format_date(day, "d MMM y", locale), duration=page.duration(seconds)
        ),
    )


def channels_chart(page: GuildPage, stats: Stats) -> Markup:
    """Channels as bars, those with the most time first."""
    return bars(
        [(part.name, max(0, part.seconds), page.duration(part.seconds)) for part in stats.by_channel[:_MOST_IN_CHART]],
        chart_id="channels",
        title=page.words("member-channels"),
        description=page.words("member-channels-text", count=len(stats.by_channel)),
    )


async def _corrections(page: GuildPage, member: str) -> Corrections | None:
    """The latest; None for who may see only themselves: the API lists them to those who may read."""
    if not page.may("read"):
        return None
    asked: dict[str, Any] = {"user_id": member, "limit": MOST_CORRECTIONS}
    return await page.api.get("/corrections", Corrections, asked)


ROUTES: tuple[ControllerRouterHandler, ...] = (show_member,)
