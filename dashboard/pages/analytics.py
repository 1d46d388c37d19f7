"""``/guilds/{guild_id}/analytics``: when people are there, over the last so many days, and what was not seen of it.

Who and what makes it up takes longer to add up; it comes after the page (``analytics_breakdowns``).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, get
from litestar.types import ControllerRouterHandler

from dashboard.charts.heatmap import heatmap
from dashboard.errors import ApiRefused
from dashboard.lists import Listed, whole_list
from dashboard.page import GuildPage, Html, InGuild

DAYS = (7, 28, 90, 365)
UNITS = ("day", "week", "month")
DEFAULT_DAYS, MOST_DAYS = 28, 366
_HOURS = 24
_NUMBER = re.compile(r"[0-9]{1,3}", re.ASCII)


class Heatmap(msgspec.Struct, frozen=True):
    """``GET /analytics/heatmap``: member-seconds by local hour of the week, Monday first."""

    timezone: str
    from_: str = msgspec.field(name="from")
    to: str
    cells: list[list[int]]


class TrendPart(msgspec.Struct, frozen=True):
    """A local day, or a week or month by its first day."""

    date: str
    seconds: int
    sessions: int
    members: int


class Trend(msgspec.Struct, frozen=True):
    """``GET /analytics/trend``."""

    seconds: int
    sessions: int
    items: list[TrendPart]


class Blind(msgspec.Struct, frozen=True):
    """A time in which nothing was seen, in full; one that goes on has no end."""

    started_at: str
    ended_at: str | None
    seconds: int
    cause: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the forms say: how many local days, by which clocks (None: the server's), in which unit."""

    days: int
    zone: str | None
    unit: str

    @property
    def query(self) -> str:
        """The same again, for an address."""
        zone = {} if self.zone is None else {"tz": self.zone}
        return urlencode({"days": self.days, "unit": self.unit, **zone})


@get("/guilds/{guild_id:str}/analytics")
async def show_analytics(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """The heatmap, the trend, and blind time beside them."""
    page.expect("read")
    asked = asked_of(request)
    try:
        return await _show(page, asked)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        errors = refused.details or {"tz": refused.message}
        return _render(page, asked, status=refused.status, errors=errors)


def asked_of(request: Request[Any, Any, Any]) -> Asked:
    """The query; what makes no sense counts as not there, but for a time zone: the API says what is wrong with it."""
    given = request.query_params
    days = int(given.get("days", "")) if _NUMBER.fullmatch(given.get("days", "")) else DEFAULT_DAYS
    unit = given.get("unit", UNITS[0])
    zone = given.get("tz", "").strip() or None
    return Asked(min(max(days, 1), MOST_DAYS), zone, unit if unit in UNITS else UNITS[0])


async def _show(page: GuildPage, asked: Asked) -> Html:
    query = {"days": asked.days, "tz": asked.zone}
    hours, trend = await asyncio.gather(
        page.api.get("/analytics/heatmap", Heatmap, query),
        page.api.get("/analytics/trend", Trend, {**query, "unit": asked.unit}),
    )
    blind = await whole_list(page.api, "/blind", Listed[Blind], {"from": hours.from_, "to": hours.to})
    weekdays = [page.words(f"settings-weekday-{day}") for day in range(7)]
    chart = heatmap(
        [[max(0, seconds) for seconds in row] for row in hours.cells],
        chart_id="hours",
        title=page.words("analytics-hours"),
        description=page.words("analytics-hours-text"),
        weekdays=[name[:3] for name in weekdays],
        text=lambda day, hour, seconds: page.words(
            "analytics-cell", day=weekdays[day], hour=f"{hour:02d}", duration=page.duration(seconds)
        ),
    )
    return _render(
        page,
        asked,
        hours=hours,
        trend=trend,
        heatmap_chart=chart,
        weekdays=weekdays,
        peak_hour=peak_hour(hours.cells),
        peak_part=max(trend.items, key=lambda part: part.seconds, default=None),
        trend_data=_dense(page, trend),
        blind=blind,
        blind_seconds=sum(within(one, hours.from_, hours.to) for one in blind),
    )


def _render(page: GuildPage, asked: Asked, *, status: int = 200, **values: Any) -> Html:
    return page.render(
        "analytics/analytics.html",
        status=status,
        **{"errors": {}, "hours": None, **values},
        asked=asked,
        day_choices=sorted({*DAYS, asked.days}),
        units=UNITS,
    )


def peak_hour(cells: Sequence[Sequence[int]]) -> tuple[int, int] | None:
    """Weekday and hour with the most time, the first of several; None where there is none."""
    most, day, hour = max(
        ((seconds, -day, -hour) for day, row in enumerate(cells) for hour, seconds in enumerate(row)), default=(0, 0, 0)
    )
    return (-day, -hour) if most > 0 else None


def within(blind: Blind, from_: str, to: str) -> int:
    """Whole seconds of a blind interval that lie within a range."""
    start, end = (datetime.fromisoformat(text) for text in (from_, to))
    started = datetime.fromisoformat(blind.started_at)
    ended = end if blind.ended_at is None else datetime.fromisoformat(blind.ended_at)
    return max(0, int((min(end, ended) - max(start, started)).total_seconds()))


def _dense(page: GuildPage, trend: Trend) -> dict[str, Any]:
    """What uPlot draws: hours, at the noon of each unit's first day in UTC, which is the same date nearly everywhere."""
    noons = (datetime.combine(date.fromisoformat(part.date), datetime.min.time(), UTC) for part in trend.items)
    return {
        "x": [int(noon.timestamp()) + _HOURS // 2 * 3600 for noon in noons],
        "series": [
            {
                "label": page.words("analytics-time"),
                "values": [round(part.seconds / 3600, 2) for part in trend.items],
                "kind": "bars",
            }
        ],
        "label_x": page.words("analytics-day"),
        "unit": page.words("analytics-hours-unit"),
        "decimals": 1,
    }


ROUTES: tuple[ControllerRouterHandler, ...] = (show_analytics,)
