"""Lengths of time as people read them: 3 h 07 min."""

from __future__ import annotations

from collections.abc import Callable

Translate = Callable[..., str]

_MINUTE_S = 60
_HOUR_S = 3600


def duration_text(seconds: int, t: Translate) -> str:
    """Whole seconds as words: ``45 s`` under a minute, ``7 min`` under an hour, ``3 h 07 min`` from there.

    Rounded down to what is shown, as all time is here. A length below zero (a correction) has its sign before it.
    """
    if seconds < 0:
        return t("ui-duration-negative", duration=duration_text(-seconds, t))
    if seconds < _MINUTE_S:
        return t("ui-duration-s", seconds=seconds)
    if seconds < _HOUR_S:
        return t("ui-duration-m", minutes=seconds // _MINUTE_S)
    hours, rest = divmod(seconds, _HOUR_S)
    return t("ui-duration-hm", hours=hours, minutes=f"{rest // _MINUTE_S:02d}")


def round_duration_text(seconds: int, t: Translate) -> str:
    """The same for the ticks of an axis, which are round: ``192 h`` where nothing is left over."""
    if seconds >= _HOUR_S and seconds % _HOUR_S == 0:
        return t("ui-duration-h", hours=seconds // _HOUR_S)
    return duration_text(seconds, t)


def duration_iso(seconds: int) -> str:
    """The same for machines, as ``<time datetime>`` takes it: ``PT11220S``. Below zero there is no such form: zero."""
    return f"PT{max(0, seconds)}S"
