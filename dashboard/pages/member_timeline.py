"""``/guilds/{guild_id}/members/{user_id}/timeline``: every stretch of a day or of some days, and the rule behind each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from babel.dates import format_date
from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from dashboard.charts.timeline import Lane, Stretch, day_bounds, hour_ticks, timeline_of_any_width
from dashboard.downloads import download
from dashboard.errors import ApiRefused
from dashboard.instants import instant_text, parsed_instant
from dashboard.page import GuildPage, Html, InGuild
from dashboard.pages.member import today_of
from dashboard.pages.member_address import member_of, section_of
from dashboard.pages.member_wire import Explanation
from dashboard.queries import day_begins, day_ends, day_of_text

MOST_DAYS = 31
_MOST_MARKS = 8
# What adds to the time, then the rest, in the order in which it is told.
CREDITED = ("counted", "bridged")
NOT_CREDITED = ("below_minimum", "unwitnessed", "deafened", "muted", "solo", "untracked", "afk", "off", "opted_out")


@dataclass(frozen=True, slots=True)
class Days:
    """Local days of a zone, both ends included. ``errors`` by field say what of the query could not be taken."""

    first: date
    last: date
    zone: str
    errors: dict[str, str]

    @property
    def count(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def asked(self) -> dict[str, str | int | None]:
        """The same for the API."""
        return {"from": day_begins(self.first, self.zone), "to": day_ends(self.last, self.zone)}


@get("/guilds/{guild_id:str}/members/{user_id:str}/timeline")
async def show_timeline(page: InGuild, request: Request[Any, Any, Any], user_id: FromPath[str]) -> Html:
    """What a member's time is made of, with everything that did not count beside it."""
    member = member_of(page, user_id)
    today = today_of(page)
    days = days_of(page, request, today)
    try:
        told = await page.api.get("/stats/explain", Explanation, {"user_id": member, **days.asked})
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        days = Days(today, today, days.zone, days.errors | (refused.details or {"from": refused.message}))
        told = await page.api.get("/stats/explain", Explanation, {"user_id": member, **days.asked})
    lasting, opening = timedelta(days=days.count), openings(told)
    return page.render(
        "member/timeline.html",
        status=422 if days.errors else 200,
        current=section_of(page, member),
        is_self=member == str(page.user_id),
        told=told,
        days=days,
        typed={name: request.query_params.get(name, "") for name in days.errors},
        previous=_link(days.first - lasting, days.last - lasting),
        following=_link(days.first + lasting, days.last + lasting) if days.last < today else None,
        chart=chart_of(page, told, days),
        statuses=[status for status in (*CREDITED, *NOT_CREDITED) if any(it.shown_status == status for it in told.stretches)]
        + (["blind"] if told.blind else []),
        credited=[status for status in CREDITED if status == "counted" or told.by_status[status]],
        not_credited=[status for status in NOT_CREDITED if told.by_status.get(status)],
        corrected=sum(one.seconds for one in told.corrections if not one.after_archive),
        rows=[(one, index in opening) for index, one in enumerate(told.stretches)],
        label=label_of(page, days),
        most_days=MOST_DAYS,
    )


@get("/guilds/{guild_id:str}/members/{user_id:str}/timeline.csv")
async def download_timeline(page: InGuild, request: Request[Any, Any, Any], user_id: FromPath[str]) -> Stream:
    """The stretches as a table."""
    member = member_of(page, user_id)
    days = days_of(page, request, today_of(page))
    return await download(page, "/stats/explain", {"user_id": member, "format": "csv", **days.asked})


def days_of(page: GuildPage, request: Request[Any, Any, Any], today: date) -> Days:
    """``?day=``, or ``?from=&to=``, with ``?tz=``; today by the guild's clocks without them."""
    query, t, errors = request.query_params, page.words, {}
    zone = query.get("tz", "").strip() or page.guild.zone
    if zone not in available_timezones():
        zone, errors["tz"] = page.guild.zone, t("member-bad-zone")
    if "from" not in query and "to" not in query:
        day = day_of_text(query.get("day", "")) or today
        return Days(day, day, zone, errors)
    first, last = day_of_text(query.get("from", "")), day_of_text(query.get("to", ""))
    if first is None:
        errors["from"] = t("member-bad-day")
    if last is None:
        errors["to"] = t("member-bad-day")
    if first is None or last is None:
        return Days(first or last or today, first or last or today, zone, errors)
    if last < first:
        return Days(first, first, zone, errors | {"to": t("member-ends-before")})
    if (last - first).days >= MOST_DAYS:
        errors["to"] = t("member-too-long", days=MOST_DAYS)
        last = first + timedelta(days=MOST_DAYS - 1)
    return Days(first, last, zone, errors)


def label_of(page: GuildPage, days: Days) -> str:
    """The days by their dates."""
    locale = page.services.templates.words.locale
    first, last = (format_date(day, "EEE d MMM y", locale) for day in (days.first, days.last))
    return first if days.count == 1 else page.words("member-days-between", first=first, last=last)


def openings(told: Explanation) -> set[int]:
    """At which stretches (by their place) a session begins, or time without one: there the table says more."""
    keys = [(one.stay, one.part) if one.state else None for one in told.stretches]
    return {0, *(index for index, (before, here) in enumerate(pairwise(keys), 1) if here is None or before != here)}


def chart_of(page: GuildPage, told: Explanation, days: Days) -> Markup:
    """A lane for each channel, in the order in which they were entered, and one for what nobody watched."""
    t = page.words
    start_ms, end_ms = day_bounds(days.first, days.zone)[0], day_bounds(days.last, days.zone)[1]
    lanes: dict[str, list[Stretch]] = {}
    names = {}
    for one in told.stretches:
        names[one.channel_id] = one.channel_name
        lanes.setdefault(one.channel_id, []).append(_drawn(page, one.start, one.end, one.shown_status, days.zone))
    drawn = [Lane(names[channel_id], stretches) for channel_id, stretches in lanes.items()]
    if told.blind:
        blind = [_drawn(page, one.started_at, one.ended_at or told.to, "blind", days.zone) for one in told.blind]
        drawn.append(Lane(t("member-not-watched"), [one for one in blind if one.end_ms > one.start_ms]))
    return timeline_of_any_width(
        drawn or [Lane(t("member-nothing-lane"), [])],
        start_ms=start_ms,
        end_ms=end_ms,
        marks=hour_ticks(days.first, days.zone) if days.count == 1 else _day_marks(page, days),
        chart_id="timeline",
        title=t("member-timeline"),
        description=t("member-timeline-text", duration=page.duration(told.seconds), count=len(told.stretches)),
    )


def _drawn(page: GuildPage, start: str, end: str, status: str, zone: str) -> Stretch:
    start_ms, end_ms = (round(parsed_instant(at).timestamp() * 1000) for at in (start, end))
    text = page.words(
        "member-stretch-text",
        start=instant_text(start, zone, "clock"),
        end=instant_text(end, zone, "clock"),
        status=page.words(f"ui-status-{status}"),
        duration=page.duration(max(0, end_ms - start_ms) // 1000),
    )
    return Stretch(start_ms, end_ms, status, text)


def _day_marks(page: GuildPage, days: Days) -> list[tuple[int, str]]:
    """Midnights, as many as have room for their date."""
    every = -(-days.count // _MOST_MARKS)
    shown = (days.first + timedelta(days=number) for number in range(0, days.count, every))
    locale = page.services.templates.words.locale
    return [(day_bounds(day, days.zone)[0], format_date(day, "d MMM", locale)) for day in shown]


def _link(first: date, last: date) -> dict[str, str | None]:
    """The query of other days; ``None`` takes out what is not needed."""
    if first == last:
        return {"day": first.isoformat(), "from": None, "to": None}
    return {"day": None, "from": first.isoformat(), "to": last.isoformat()}


ROUTES: tuple[ControllerRouterHandler, ...] = (show_timeline, download_timeline)
