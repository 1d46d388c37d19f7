"""What the API says of a member, as far as the pages about one show it."""

from __future__ import annotations

import msgspec


class Paused(msgspec.Struct, frozen=True):
    """Paused seconds by their reason."""

    deafened: int
    muted: int
    solo: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.deafened + self.muted + self.solo


class ChannelPart(msgspec.Struct, frozen=True):
    """A member's part in a channel."""

    channel_id: str
    name: str
    seconds: int
    sessions: int


class DayPart(msgspec.Struct, frozen=True):
    """A day of the guild's time zone; below 0 only by a correction."""

    date: str
    seconds: int


class Days(msgspec.Struct, frozen=True):
    """``GET /stats/days``: without gaps, oldest first, today included."""

    items: list[DayPart]


class RecentSession(msgspec.Struct, frozen=True):
    """A closed session, without its channel's name."""

    session_id: str
    channel_id: str
    joined_at: str
    left_at: str
    seconds: int
    reason: str
    state: str
    corrected_seconds: int


class Stats(msgspec.Struct, frozen=True):
    """``GET /stats``: the running period."""

    user_id: str
    display_name: str
    period_index: int
    seconds: int
    sessions: int
    rank: int | None
    live: bool
    paused_seconds: Paused
    unwitnessed_seconds: int
    external_seconds: int
    first_seen: str | None
    last_seen: str | None
    by_channel: list[ChannelPart]
    recent: list[RecentSession]


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of one status, clipped to the range."""

    start: str
    end: str
    seconds: int
    status: str
    credited: bool
    channel_id: str
    channel_name: str
    session_id: str | None
    state: str | None
    stay: int | None
    part: int | None
    reason: str | None
    below_minimum: bool
    rule: str | None
    rules_version: int | None
    rules_set_by: str | None
    rules_set_by_name: str | None
    rules_since: str | None

    @property
    def shown_status(self) -> str:
        """What it is shown as: time that counted in a stay too short to be worth anything is a status of its own here."""
        return "below_minimum" if self.below_minimum and self.status in ("counted", "bridged") else self.status


class Blind(msgspec.Struct, frozen=True):
    """A time in which nothing was seen, in full."""

    started_at: str
    ended_at: str | None
    cause: str
    ended_by: str | None


class TimedCorrection(msgspec.Struct, frozen=True):
    """What a hand added or took, where it counts."""

    session_id: str
    at: str
    seconds: int
    after_archive: bool


class Explanation(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """``GET /stats/explain``."""

    user_id: str
    display_name: str
    from_: str
    to: str
    as_of: str
    journal_from: str | None
    seconds: int
    by_status: dict[str, int]
    blind_seconds: int
    blind: list[Blind]
    corrected_seconds: int
    corrections: list[TimedCorrection]
    stretches: list[Stretch]


class Correction(msgspec.Struct, frozen=True):
    """A correction in full, as ``GET /corrections`` lists it."""

    correction_id: str
    session_id: str
    channel_id: str
    period_index: int
    at: str
    delta_seconds: int
    note: str
    actor_id: str
    actor_name: str
    created_at: str
    after_archive: bool


class Corrections(msgspec.Struct, frozen=True):
    """``GET /corrections``, newest first."""

    items: list[Correction]
    total: int


class Session(msgspec.Struct, frozen=True):
    """A closed session, as ``GET /sessions`` lists it."""

    session_id: str
    user_id: str
    display_name: str
    channel_id: str
    channel_name: str
    joined_at: str
    left_at: str
    seconds: int
    reason: str
    state: str
    below_minimum: bool
    corrected_seconds: int


class Sessions(msgspec.Struct, frozen=True):
    """``GET /sessions``, newest first."""

    items: list[Session]
    total: int
