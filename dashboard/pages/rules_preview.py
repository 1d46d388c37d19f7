"""What other rules would have made of the last week: asked by the tabs of tracking and of fairness, shown below their forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from markupsafe import Markup

from dashboard.charts.comparison import Compared, compared_bars
from dashboard.page import GuildPage

MOST_IN_CHART, MOST_IN_TABLE = 10, 20


class NotCovered(msgspec.Struct, frozen=True):
    """A part of the week that could not be computed, and why: ``journal_trimmed`` or ``not_recorded``."""

    from_: str = msgspec.field(name="from")
    to: str
    why: str


class MemberPreview(msgspec.Struct, frozen=True):
    """A member on both sides."""

    user_id: str
    display_name: str
    seconds_now: int
    seconds_then: int
    difference_seconds: int
    sessions_now: int
    sessions_then: int
    change: str


class Preview(msgspec.Struct, frozen=True):
    """``POST /fairness/preview``: whole seconds under the rules in force (``now``) and under the others (``then``)."""

    from_: str = msgspec.field(name="from")
    to: str
    not_covered: list[NotCovered]
    blind_seconds: int
    seconds_now: int
    seconds_then: int
    difference_seconds: int
    members_now: int
    members_then: int
    appearing: int
    disappearing: int
    items: list[MemberPreview]
    total: int


@dataclass(frozen=True, slots=True)
class ShownPreview:
    """A preview and its chart. ``changed`` are the members whose time would change, the largest difference first."""

    preview: Preview
    changed: list[MemberPreview]
    chart: Markup | None


async def preview_of(page: GuildPage, rules: Mapping[str, object]) -> ShownPreview:
    """Ask what would change; nothing is stored.

    Raises:
        ApiRefused, ApiAwayError: as the API says.
    """
    found: Preview = await page.api.post(f"/fairness/preview?limit={MOST_IN_TABLE}", dict(rules), Preview)
    changed = [member for member in found.items if member.difference_seconds]
    return ShownPreview(found, changed, _chart(page, changed[:MOST_IN_CHART]))


def _chart(page: GuildPage, members: list[MemberPreview]) -> Markup | None:
    if not members:
        return None
    rows = [
        Compared(
            label=member.display_name,
            before=member.seconds_now,
            after=member.seconds_then,
            before_words=page.words("preview-now-bar", duration=page.duration(member.seconds_now)),
            after_words=page.words("preview-then-bar", duration=page.duration(member.seconds_then)),
        )
        for member in members
    ]
    return compared_bars(
        rows,
        chart_id="preview-chart",
        title=page.words("preview-chart"),
        description=page.words("preview-chart-text", count=len(members)),
    )
