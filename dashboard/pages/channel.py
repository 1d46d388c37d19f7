"""``/guilds/{guild_id}/channels/{channel_id}``: one channel in the running period."""

from __future__ import annotations

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from dashboard.charts.bars import bars
from dashboard.charts.trend import trend
from dashboard.instants import day_text
from dashboard.page import Html, InGuild

MOST_IN_CHART = 12
_MOST_IN_TABLE = 200


class MemberPart(msgspec.Struct, frozen=True):
    """A member's part in the channel."""

    user_id: str
    display_name: str
    seconds: int
    sessions: int
    live: bool


class DayPart(msgspec.Struct, frozen=True):
    """A day of the guild's time zone."""

    date: str
    seconds: int


class ChannelStats(msgspec.Struct, frozen=True):
    """``GET /channel-stats``. Members are ordered by their time, and as many as were asked for."""

    channel_id: str
    name: str
    seconds: int
    sessions: int
    members: int
    peak: int
    by_member: list[MemberPart]
    by_day: list[DayPart]


@get("/guilds/{guild_id:str}/channels/{channel_id:str}")
async def show_channel(page: InGuild, channel_id: FromPath[str]) -> Html:
    """Numbers, who was there, and on which days."""
    page.expect("read")
    found = await page.api.get("/channel-stats", ChannelStats, {"channel_id": channel_id, "limit": _MOST_IN_TABLE})
    t, locale = page.words, page.services.templates.words.locale
    by_member = bars(
        [(part.display_name, part.seconds, page.duration(part.seconds)) for part in found.by_member[:MOST_IN_CHART]],
        chart_id="by-member",
        title=t("channel-by-member"),
        description=t("channel-by-member-text", count=found.members),
    )
    by_day = trend(
        [(day_text(part.date, "short", locale), part.seconds) for part in found.by_day],
        chart_id="by-day",
        title=t("channel-by-day"),
        description=t("channel-by-day-text", count=len(found.by_day)),
        value_text=page.duration,
        tick_text=page.tick,
        seconds=True,
    )
    return page.render(
        "channel/channel.html",
        channel=found,
        members=found.by_member,
        by_member_chart=by_member,
        most_in_chart=min(MOST_IN_CHART, len(found.by_member)),
        by_day_chart=by_day,
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_channel,)
