"""``/attendance me`` and ``/attendance explain``: one member's time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from attendance.discord.interactions.answers import Answer, embed
from attendance.discord.interactions.call import Call
from attendance.discord.interactions.handlers import Command
from attendance.discord.interactions.words import (
    channel_link,
    counted,
    duration,
    instant,
)
from attendance.domain.display_names import markdown_name
from attendance.domain.explain import CREDITED_GROUPS, Stretch
from attendance.domain.reporting import whole_seconds
from attendance.domain.schedule import first_instant
from attendance.errors import InvalidInputError
from attendance.services.access import Right
from attendance.services.explain import Explanation
from attendance.services.statistics import MemberStatistics

_CHANNELS_SHOWN, _DAYS_SHOWN, _STRETCHES_SHOWN = 5, 7, 25
_BAR = "▰▱"
_BAR_LENGTH = 10

_WORDS = {
    "counted": "counted",
    "bridged": "counted (a short unwatched gap, bridged)",
    "unwitnessed": "not watched",
    "deafened": "paused: deafened",
    "muted": "paused: muted",
    "solo": "paused: alone",
    "below_minimum": "too short to count",
    "untracked": "in a channel that is not tracked",
    "afk": "in the AFK channel",
    "off": "recording was off",
    "opted_out": "opted out",
}


async def me(call: Call) -> Answer:
    """A member's running period."""
    user_id = call.member()
    await call.authorise(Right.OWN_STATS, subject=user_id)
    stats = await call.services.statistics.member(call.guild_id, user_id)
    overview = await call.services.overviews.of(call.guild_id)
    timezone = await call.timezone()
    sums = stats.sums
    rank = "no session yet" if stats.rank is None else f"**#{stats.rank:,}** of {overview.member_count:,}"
    time_line = f"**{duration(sums.credited_ms // 1000)}**" + (" · in voice now 🟢" if stats.live else "")
    pauses = [
        ("muted", sums.muted_ms),
        ("deafened", sums.deafened_ms),
        ("alone", sums.solo_ms),
        ("not watched", sums.unwitnessed_ms),
    ]
    paused = ", ".join(f"{name} {duration(ms // 1000)}" for name, ms in pauses if ms >= 1000)  # noqa: PLR2004 - a second
    fields = [
        ("Time", time_line),
        ("Rank", rank),
        ("Sessions", counted(sums.session_count, "session")),
        ("Not counted", paused),
        ("By day", _days(stats, timezone, call.now_ms)),
        ("By channel", _channels(stats)),
        ("Last seen", "" if stats.last_seen_ms is None else instant(stats.last_seen_ms, "R")),
    ]
    since = "" if overview.period is None else f"Since {instant(overview.period.started_at_ms)}"
    title = f"Attendance of {markdown_name(stats.display_name)}"
    hint = "Why is it so much? /attendance explain tells every stretch."
    return Answer(embed=embed(title, since, fields, footer=f"Days in {timezone}. {hint}"))


def _days(stats: MemberStatistics, timezone: str, now_ms: int) -> str:
    today = date.fromisoformat(f"{_local_today(now_ms, timezone)}")
    days = [(day, ms) for day, ms in stats.by_day if ms and (today - day).days < _DAYS_SHOWN]
    most = max((ms for _, ms in days), default=1)
    return "\n".join(f"`{day:%a %d %b}` {_bar(ms / most)} {duration(ms // 1000)}" for day, ms in days)


def _local_today(now_ms: int, timezone: str) -> date:
    return datetime.fromtimestamp(now_ms / 1000, ZoneInfo(timezone)).date()


def _bar(part: float) -> str:
    full = max(1, round(part * _BAR_LENGTH))
    return _BAR[0] * full + _BAR[1] * (_BAR_LENGTH - full)


def _channels(stats: MemberStatistics) -> str:
    seconds = whole_seconds(part.credited_ms for part in stats.by_channel)
    lines = [
        f"{channel_link(part.channel_id)} {duration(one)}" for part, one in zip(stats.by_channel, seconds, strict=True) if one
    ]
    more = len(lines) - _CHANNELS_SHOWN
    return "\n".join([*lines[:_CHANNELS_SHOWN], *([f"and {counted(more, 'more channel')}"] if more > 0 else [])])


async def explain(call: Call) -> Answer:
    """What a member's time is made of."""
    user_id = call.member()
    await call.authorise(Right.OWN_STATS, subject=user_id)
    timezone = await call.timezone()
    from_ms, to_ms = _range(call, timezone)
    told = await call.services.explanations.explain(
        call.guild_id, user_id, from_ms, to_ms, for_themselves=user_id == call.user_id
    )
    totals = told.rounded.totals
    not_counted = "\n".join(
        f"{_WORDS[group]}: {duration(seconds)}" for group, seconds in totals.items() if seconds and group not in CREDITED_GROUPS
    )
    corrected = sum(told.rounded.corrected)
    until_ms = min(told.to_ms, call.now_ms)
    description = f"From {instant(told.from_ms)} to {instant(until_ms)}\n**{duration(told.rounded.credited)}** counted" + (
        f", {duration(corrected)} of it by correction" if corrected else ""
    )
    fields = [
        ("Not counted", not_counted),
        ("Nobody watched", _blind_words(told)),
        *_stretch_fields(told),
    ]
    title = f"The time of {markdown_name(told.display_name)}"
    return Answer(embed=embed(title, description, fields, footer=f"Days begin at midnight in {timezone}."))


def _blind_words(told: Explanation) -> str:
    if not told.blind:
        return ""
    return f"{counted(len(told.blind), 'time')}, {duration(told.blind_ms // 1000)} together: time then is not counted"


def _stretch_fields(told: Explanation) -> Iterable[tuple[str, str]]:
    stretches = list(zip(told.rounded.stretches, told.rounded.seconds, strict=True))
    shown = stretches[-_STRETCHES_SHOWN:]
    name, part = "Stretches, the latest first", list[str]()
    for stretch, seconds in reversed(shown):
        line = _stretch_words(stretch, seconds)
        if sum(map(len, part)) + len(part) + len(line) > 1000:  # noqa: PLR2004 - Discord's fields hold 1,024
            yield name, "\n".join(part)
            name, part = "\u200b", []
        part.append(line)
    if part:
        yield name, "\n".join(part)
    earlier = len(stretches) - len(shown)
    if earlier:
        yield "Earlier", f"{counted(earlier, 'stretch', 'stretches')} before these: ask for a `day`"


def _stretch_words(stretch: Stretch, seconds: int) -> str:
    when = f"{instant(stretch.start_ms, 'd')} {instant(stretch.start_ms, 't')}"
    version = f" v{stretch.rules.version}" if stretch.rules else ""
    rule = f" (`{stretch.rule}`{version})" if stretch.rule else ""
    return f"{when} {channel_link(stretch.channel_id)} **{duration(seconds)}** {_WORDS.get(stretch.group, stretch.group)}{rule}"


def _range(call: Call, timezone: str) -> tuple[int | None, int | None]:
    """Whole local days, the last one included; nothing asked is the running period.

    Raises:
        InvalidInputError: a day is none, or the last one is before the first.
    """
    first, last = _day(call, "day"), _day(call, "until")
    if first is None:
        if last is not None:
            raise InvalidInputError("a last day needs a first one", details={"day": "the first day, such as 2026-11-21"})
        return None, None
    last = last or first
    if last < first:
        raise InvalidInputError("the range ends before it begins", details={"until": "a day not before `day`"})
    zone = ZoneInfo(timezone)
    return (
        first_instant(zone, datetime.combine(first, time())),
        first_instant(zone, datetime.combine(last + timedelta(days=1), time())),
    )


_FIRST_DAY, _LAST_DAY = date(2015, 1, 1), date(9000, 1, 1)


def _day(call: Call, name: str) -> date | None:
    text = call.text(name)
    if text is None:
        return None
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        day = None
    if day is None or not text.isascii() or not _FIRST_DAY <= day <= _LAST_DAY:
        raise InvalidInputError("this is not a day", details={name: "year-month-day, such as 2026-11-21"})
    return day


COMMANDS: dict[tuple[str, ...], Command] = {
    ("attendance", "me"): Command(me),
    ("attendance", "explain"): Command(explain),
}
