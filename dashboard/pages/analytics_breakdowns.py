"""``/guilds/{guild_id}/analytics/breakdowns``: the members by how much they have, and the channels, of a range of analytics.

A page of its own: scripts fetch the part ``#breakdowns`` of it into the page of analytics, others follow the link there.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Request, get
from litestar.types import ControllerRouterHandler

from dashboard.charts.bars import bars
from dashboard.charts.histogram import histogram
from dashboard.errors import ApiRefused
from dashboard.page import GuildPage, Html, InGuild
from dashboard.pages.analytics import asked_of

MOST_IN_CHART = 12
_HOUR_S = 3600


class AmountClass(msgspec.Struct, frozen=True):
    """How many members have ``[from_seconds, to_seconds)``, and what they have together; the last has no end."""

    from_seconds: int
    to_seconds: int | None
    members: int
    seconds: int


class Quartiles(msgspec.Struct, frozen=True):
    """Of the members with time."""

    lower_seconds: int
    median_seconds: int
    upper_seconds: int


class TopTenth(msgspec.Struct, frozen=True):
    """The tenth of the members with time who have the most; ``share`` is a part of 1."""

    members: int
    seconds: int
    share: float | None


class Distribution(msgspec.Struct, frozen=True):
    """``GET /analytics/distribution``."""

    timezone: str
    from_: str = msgspec.field(name="from")
    to: str
    members: int
    members_with_time: int
    seconds: int
    erased_seconds: int
    quartiles: Quartiles | None
    top_tenth: TopTenth
    items: list[AmountClass]


class ChannelShare(msgspec.Struct, frozen=True):
    """A channel's part of the range."""

    channel_id: str
    name: str
    seconds: int
    sessions: int
    members: int


class ChannelShares(msgspec.Struct, frozen=True):
    """``GET /analytics/channels``: most time first; they add up to ``seconds``."""

    seconds: int
    items: list[ChannelShare]


@get("/guilds/{guild_id:str}/analytics/breakdowns")
async def show_breakdowns(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Members by their time, and time by channel."""
    page.expect("read")
    asked = asked_of(request)
    query = {"days": asked.days, "tz": asked.zone}
    try:
        distribution, channels = await asyncio.gather(
            page.api.get("/analytics/distribution", Distribution, query),
            page.api.get("/analytics/channels", ChannelShares, query),
        )
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return page.redirect(f"{page.base}/analytics?{asked.query}")  # it has the form, and says there what is wrong
    return page.render("analytics/breakdowns.html", asked=asked, **breakdown_values(page, distribution, channels))


def breakdown_values(page: GuildPage, distribution: Distribution, shares: ChannelShares) -> dict[str, Any]:
    """What the template shows of both: drawings, and the words of the classes."""
    t = page.words
    names = [class_name(page, one) for one in distribution.items]
    first = next((index for index, one in enumerate(distribution.items) if one.members), 0)
    top = distribution.top_tenth
    return {
        "distribution": distribution,
        "class_names": names,
        "top_percent": None if top.share is None else round(100 * top.share),
        "distribution_chart": histogram(
            # From the first step that somebody is on: on a phone, the chart's beginning is what is seen of it.
            [(name, one.members) for name, one in zip(names, distribution.items, strict=True)][first:],
            chart_id="amounts",
            title=t("analytics-amounts"),
            description=t("analytics-amounts-text", count=distribution.members),
            count_text=lambda count: t("ui-number", n=count),
        ),
        "shares": shares,
        "shares_chart": bars(
            # A correction may take a channel below zero; such a bar has no length.
            [(one.name, max(0, one.seconds), page.duration(one.seconds)) for one in shares.items[:MOST_IN_CHART]],
            chart_id="by-channel",
            title=t("analytics-channels"),
            description=t("analytics-channels-text", count=len(shares.items)),
        ),
        "charted_channels": MOST_IN_CHART,
        "further_channels": max(0, len(shares.items) - MOST_IN_CHART),
    }


def class_name(page: GuildPage, one: AmountClass) -> str:
    """A class in words, by the edges that the API has: none, under 15 min, 15 to 30 min, 1 to 2 h, 1,024 h or more."""
    t = page.words
    if one.to_seconds is None:
        return t("analytics-class-over", start=t("ui-number", n=one.from_seconds // _HOUR_S))
    if one.from_seconds == 0:
        return t("analytics-class-none")
    if one.to_seconds > _HOUR_S:
        start, end = (t("ui-number", n=seconds // _HOUR_S) for seconds in (one.from_seconds, one.to_seconds))
        return t("analytics-class-hours", start=start, end=end)
    if one.from_seconds < 60:  # noqa: PLR2004  # a second
        return t("analytics-class-under", end=page.duration(one.to_seconds))
    return t("analytics-class-minutes", start=str(one.from_seconds // 60), end=str(one.to_seconds // 60))


ROUTES: tuple[ControllerRouterHandler, ...] = (show_breakdowns,)
