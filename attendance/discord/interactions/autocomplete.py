"""What is offered while a member types. At most 25 choices, each name at most 100 characters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any

from attendance.discord.interactions.call import Call
from attendance.discord.interactions.words import duration, local, local_date, local_time
from attendance.domain.display_names import plain_name
from attendance.domain.schedule import known_timezones
from attendance.ports.reports import SessionFilter
from attendance.ports.signing import ArchivedPeriod
from attendance.services.access import Right
from attendance.services.attendance_lists import NamedSession

_MOST, _NAME_MAX = 25, 100
_DAYS = 60

Choices = list[dict[str, Any]]


async def tracked_channels(call: Call) -> Choices:
    """Channels on the list, deleted ones too."""
    await call.authorise(Right.READ)
    tracked = await call.services.settings.tracked(call.guild_id, 1_000, 0)
    named = (
        (plain_name(line.name) + (" (deleted)" if line.deleted else ""), str(line.channel_id)) for line in tracked.channels
    )
    return _matching(call, named)


async def archived_periods(call: Call) -> Choices:
    """Periods that are over, the newest first. Whoever may use the command may see them."""
    await call.authorise(Right.PRESENCE)
    timezone = await call.timezone()
    periods, _ = await call.services.keyring.history(call.guild_id, 200, 0)

    def words(period: ArchivedPeriod) -> str:
        last_ms = max(period.started_at_ms, (period.ended_at_ms or period.started_at_ms) - 1)
        began, ended = local_date(period.started_at_ms, timezone), local_date(last_ms, timezone)
        return f"{period.period_index}: {began} to {ended}"

    return _matching(call, ((words(period), period.period_index) for period in periods))


async def sessions(call: Call) -> Choices:
    """The guild's latest finished sessions."""
    await call.authorise(Right.READ)
    timezone = await call.timezone()
    page = await call.services.lists.sessions(SessionFilter(call.guild_id), 100, 0)

    def words(named: NamedSession) -> str:
        who, where = plain_name(named.display_name, limit=30), plain_name(named.channel_name, limit=20)
        ended = local_time(named.session.left_at_ms, timezone)
        return f"{who} · {where} · {ended} · {duration(named.session.credited_ms // 1000)}"

    return _matching(call, ((words(named), str(named.session.session_id)) for named in page.sessions))


async def own_sessions(call: Call) -> Choices:
    """The latest finished sessions of who asks."""
    await call.authorise(Right.OWN_STATS, subject=call.user_id)
    timezone = await call.timezone()
    page = await call.services.lists.sessions(SessionFilter(call.guild_id, user_id=call.user_id), 100, 0)

    def words(named: NamedSession) -> str:
        where, ended = plain_name(named.channel_name, limit=40), local_time(named.session.left_at_ms, timezone)
        return f"{where} · {ended} · {duration(named.session.credited_ms // 1000)}"

    return _matching(call, ((words(named), str(named.session.session_id)) for named in page.sessions))


async def days(call: Call) -> Choices:
    """The last days in the guild's time zone, today first."""
    await call.authorise(Right.OWN_STATS, subject=call.user_id)
    today = local(call.now_ms, await call.timezone()).date()
    words = {0: "today", 1: "yesterday"}
    return _matching(
        call,
        (
            (f"{day.isoformat()} ({words.get(ago, f'{day:%A}')})", day.isoformat())
            for ago in range(_DAYS)
            for day in [today - timedelta(days=ago)]
        ),
    )


async def timezones(call: Call) -> Choices:
    """Time zones by any part of their name, the one in force first."""
    await call.authorise(Right.READ)
    current = await call.timezone()
    names = [current, *sorted(known_timezones() - {current}, key=lambda name: ("/" not in name, name))]
    return _matching(call, ((name, name) for name in names))


def _matching(call: Call, named: Iterable[tuple[str, str | int]]) -> Choices:
    """Those with what is typed in their name or value, case and underscores ignored."""
    typed = _folded(str(call.interaction.options.get(call.interaction.focused or "", "")))
    found: Choices = []
    for name, value in named:
        if typed in _folded(name) or typed in _folded(str(value)):
            found.append({"name": name[:_NAME_MAX], "value": value})
            if len(found) == _MOST:
                break
    return found


def _folded(text: str) -> str:
    return text.casefold().replace("_", " ").strip()


CHOICES_OF: dict[tuple[str, ...], Callable[[Call], Awaitable[Choices]]] = {
    ("attendance", "leaderboard", "period"): archived_periods,
    ("attendance", "explain", "day"): days,
    ("attendance", "explain", "until"): days,
    ("attendance", "receipt", "session"): own_sessions,
    ("rollcall", "untrack", "channel"): tracked_channels,
    ("rollcall", "period", "timezone"): timezones,
    ("rollcall", "verify", "session"): sessions,
    ("rollcall", "verify", "period"): archived_periods,
}
