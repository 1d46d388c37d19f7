"""Believable values for the gallery, the same at each run."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from markupsafe import Markup

from dashboard.charts.bars import bars
from dashboard.charts.calendar import calendar_of_any_width
from dashboard.charts.heatmap import heatmap
from dashboard.charts.histogram import histogram
from dashboard.charts.patterns import STATUSES
from dashboard.charts.timeline import Lane, Stretch, day_bounds, hour_ticks, timeline_of_any_width
from dashboard.charts.trend import sparkline, trend
from dashboard.durations import Translate, duration_text, round_duration_text
from dashboard.navigation import guild_navigation

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LAST_DAY = date(2026, 11, 28)
ZONE = "Europe/Berlin"
HOUR_S = 3600


def gallery_context(t: Translate) -> dict[str, object]:
    """What the gallery's template needs."""
    chance = random.Random(7)

    def said(seconds: int) -> str:
        return duration_text(seconds, t)

    days = [(LAST_DAY - timedelta(days=back), _day_seconds(chance, back)) for back in range(365) if back % 41]
    week = [[_hour_seconds(chance, day, hour) for hour in range(24)] for day in range(7)]
    months = [
        (f"{(LAST_DAY - timedelta(days=7 * back)):%-d %b}", chance.randrange(40, 160) * HOUR_S) for back in range(20, -1, -1)
    ]
    people = [
        ("Ada Lovelace", 412_330),
        ("Grace 🛰️ Hopper-with-a-very-long-display-name", 301_112),
        ("王小明王小明王小明王小明", 98_004),
        ("נועה", 420),
        ("Zero", 0),
    ]
    classes = [(f"{hours} h", chance.randrange(0, 60) // (1 + hours // 3)) for hours in range(16)]
    return {
        "calendar": calendar_of_any_width(
            days,
            chart_id="cal",
            title="Time in voice by day",
            description="The last year, the longest day 7 h",
            weekdays=WEEKDAYS,
            month=lambda day: f"{day:%b}",
            text=lambda day, value: f"{day}: {said(value)}",
        ),
        "calendar_rows": [(str(day), said(value)) for day, value in sorted(days)[-14:]],
        "heatmap": heatmap(
            week,
            chart_id="heat",
            title="When the server meets",
            description="Most on Friday evenings",
            weekdays=WEEKDAYS,
            text=lambda day, hour, value: f"{WEEKDAYS[day]} {hour:02d}: {said(value)}",
        ),
        "heatmap_rows": [(WEEKDAYS[day], *(said(value) for value in week[day][18:])) for day in range(7)],
        "bars": bars(
            [(name, value, said(value)) for name, value in people],
            chart_id="bars",
            title="Most time this week",
            description="Ada first",
        ),
        "bars_rows": [(name, said(value)) for name, value in people],
        "trend": trend(
            [(label, None if index in {7, 8} else value) for index, (label, value) in enumerate(months)],
            chart_id="trend",
            title="Time a week",
            description="Rises",
            value_text=said,
            tick_text=lambda seconds: round_duration_text(seconds, t),
            seconds=True,
        ),
        "trend_rows": [(label, said(value)) for label, value in months],
        "spark": sparkline([value for _, value in months], label="Time a week, rising"),
        "histogram": histogram(
            classes, chart_id="hist", title="Lengths of sessions", description="Most are short", count_text=str
        ),
        "histogram_rows": classes,
        "timeline": _day_timeline(),
        "timeline_rows": [("18:00", "Counted", "1 h 00 min")],
        "all_statuses": STATUSES,
        "status_lane": _status_lane(),
        "dense": _dense(chance),
        "channels": _channels(),
        "guild": {"id": "1", "name": "Ledgerdale & Friends", "icon_url": None},
        "navigation": guild_navigation(1, 2, {"self", "read", "manage"}),
        "viewer": {"name": "ada", "is_operator": True},
        "csrf_token": "token",
        "verify_url": "/verify",
        "zone": ZONE,
        "now": datetime(2026, 11, 28, 21, 39, 37, 123_000, tzinfo=UTC),
        "members": [
            {"rank": rank, "name": name, "seconds": value, "mark": "self" if name == "Zero" else None}
            for rank, (name, value) in enumerate(people, 1)
        ],
        "banners": [
            {"kind": "locked", "href": "/x"},
            {"kind": "no-key", "href": "/x"},
            {"kind": "blind", "since": "2026-11-28T20:15:00.000Z"},
            {"kind": "absent", "href": "/x"},
            {"kind": "permissions", "permissions": "Manage Roles, Send Messages"},
            {"kind": "stale"},
        ],
        "flashes": [
            {"tone": "good", "text": "Saved. It holds from the next second on."},
            {"tone": "bad", "text": "The passphrase was wrong."},
        ],
    }


def _day_seconds(chance: random.Random, back: int) -> int:
    day = LAST_DAY - timedelta(days=back)
    return 0 if chance.random() < 0.3 else int(chance.triangular(300, (7 if day.weekday() > 3 else 4) * HOUR_S, HOUR_S))


def _hour_seconds(chance: random.Random, day: int, hour: int) -> int:
    evening = max(0, 6 - abs(20 - hour))
    return int(evening * (1.6 if day > 3 else 1) * chance.uniform(0.5, 1) * 900)


def _day_timeline() -> Markup:
    start, end = day_bounds(LAST_DAY, ZONE)
    hour = HOUR_S * 1000

    def stretch(first: float, last: float, status: str) -> Stretch:
        return Stretch(int(start + first * hour), int(start + last * hour), status, f"{status}, {last - first:.2f} h")

    lanes = [
        Lane(
            "Lounge",
            [
                stretch(8, 10.5, "counted"),
                stretch(10.5, 11, "muted"),
                stretch(11, 12, "counted"),
                stretch(12, 12.05, "bridged"),
                stretch(12.05, 13, "counted"),
            ],
        ),
        Lane(
            "A channel with a long name",
            [
                stretch(17, 18, "solo"),
                stretch(18, 19.5, "counted"),
                stretch(19.5, 20, "unwitnessed"),
                stretch(20, 21, "deafened"),
            ],
        ),
        Lane("Not watched", [stretch(12, 12.05, "blind"), stretch(19.5, 20.2, "blind")]),
    ]
    return timeline_of_any_width(
        lanes,
        start_ms=start,
        end_ms=end,
        marks=hour_ticks(LAST_DAY, ZONE),
        chart_id="day",
        title="28 November, stretch by stretch",
        description="Two stays, in Lounge and in another channel",
    )


def _status_lane() -> Markup:
    stretches = [Stretch(index * 100, index * 100 + 100, status, status) for index, status in enumerate(STATUSES)]
    return timeline_of_any_width(
        [Lane("All", stretches)],
        start_ms=0,
        end_ms=1300,
        marks=[],
        chart_id="statuses",
        title="Every status",
        description="In order",
    )


def _dense(chance: random.Random) -> dict[str, object]:
    start = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    count = 28 * 24
    values = [
        round(max(0.0, 20 * max(0.0, 1 - abs(20 - index % 24) / 7) * chance.uniform(0.6, 1.2)), 1) for index in range(count)
    ]
    week_ago = [value * 0.8 if index % 50 > 3 else None for index, value in enumerate(values)]
    return {
        "x": [start + index * HOUR_S for index in range(count)],
        "series": [
            {"label": "Members", "values": values, "kind": "line"},
            {"label": "Before", "values": week_ago, "kind": "steps"},
        ],
        "label_x": "Time",
        "unit": None,
        "decimals": 1,
    }


def _channels() -> list[dict[str, object]]:
    channels: list[dict[str, object]] = [{"channel_id": "10", "name": "Lobby", "kind": "voice", "parent_id": None}]
    for category, name in ((100, "Study"), (200, "Guild events & talks")):
        channels.append({"channel_id": str(category), "name": name, "kind": "category", "parent_id": None})
        channels += [
            {
                "channel_id": str(category + index),
                "name": f"{name} room {index}",
                "kind": "stage" if index == 4 else "voice",
                "parent_id": str(category),
            }
            for index in range(1, 5)
        ]
    return channels
