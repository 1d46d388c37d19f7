"""How times, dates and names are worded. Instants are Discord's own timestamps: each reader sees them in their own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from attendance.domain.display_names import markdown_name
from attendance.domain.ids import ChannelId, UserId

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTE, _HOUR = 60, 3600


def duration(seconds: int) -> str:
    """``59 s``, ``12 min 05 s``, ``3 h 07 min``: two units, cut and not rounded up."""
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    if seconds < _MINUTE:
        return f"{sign}{seconds} s"
    if seconds < _HOUR:
        return f"{sign}{seconds // _MINUTE} min {seconds % _MINUTE:02d} s"
    return f"{sign}{seconds // _HOUR:,} h {seconds % _HOUR // _MINUTE:02d} min".replace(",", "\u202f")


def instant(at_ms: int, style: str = "f") -> str:
    """Discord's timestamp; styles: ``t`` time, ``d`` date, ``f`` both, ``R`` relative."""
    return f"<t:{at_ms // 1000}:{style}>"


def local(at_ms: int, timezone: str) -> datetime:
    """The instant on a zone's clocks."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(ZoneInfo(timezone))


def local_date(at_ms: int, timezone: str) -> str:
    """``21 Nov 2026``, for where no timestamp of Discord's is possible."""
    at = local(at_ms, timezone)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def local_time(at_ms: int, timezone: str) -> str:
    """``21 Nov 2026, 05:40``."""
    return f"{local_date(at_ms, timezone)}, {local(at_ms, timezone):%H:%M}"


def weekday_name(number: int) -> str:
    """Monday is 0."""
    return _WEEKDAYS[number]


def month_name(number: int) -> str:
    """January is 1."""
    return _MONTHS[number - 1]


def channel_link(channel_id: ChannelId) -> str:
    """A link that every reader sees by its current name, if they may see the channel."""
    return f"<#{channel_id}>"


def member_link(user_id: UserId) -> str:
    """The same for a member; within an embed it pings nobody."""
    return f"<@{user_id}>"


def bold_name(name: str) -> str:
    """Somebody's name, harmless, in bold."""
    return f"**{markdown_name(name)}**"


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 session``, ``2 sessions``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}".replace(",", "\u202f")


def yes_no(value: object) -> str:
    """For a switch."""
    return "on" if value else "off"
