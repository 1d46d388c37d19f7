"""Open and closed sessions: samples in, a timeline and its sums out. Quotes are from the accounting text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.twin.rules import Rules, digest

QUARTER_MS = 900_000

Segment = tuple[int, int, str]


@dataclass
class Stay:
    """One number for "one member's unbroken presence in one tracked channel", and what its sessions share."""

    number: int
    next_part: int = 0
    counted_ms: int = 0


@dataclass
class OpenSession:
    """``samples`` says which status holds from which instant on; the last one for an instant wins."""

    user: int
    channel: int
    period_index: int
    stay: Stay
    rules: Rules
    joined: int
    samples: list[tuple[int, str]] = field(default_factory=list)

    def mark(self, at: int, status: str) -> None:
        self.samples.append((at, status))

    @property
    def status(self) -> str:
        return self.samples[-1][1]


@dataclass(frozen=True)
class Session:
    """What a session says (section 7), closed (``left`` and ``reason``) or reckoned to ``left`` with no reason."""

    guild: int
    user: int
    channel: int
    period_index: int
    stay: int
    part: int
    joined: int
    left: int
    reason: str | None
    timeline: tuple[Segment, ...]
    below_minimum: bool
    rules: Rules

    def sum_of(self, *statuses: str) -> int:
        return sum(end - start for start, end, status in self.timeline if status in statuses)

    @property
    def counted_ms(self) -> int:
        """ "sum of `counted` and `bridged`"."""
        return self.sum_of("counted", "bridged")

    @property
    def credited_ms(self) -> int:
        """ "0 if `below_minimum`, else `counted_ms`"."""
        return 0 if self.below_minimum else self.counted_ms


def timeline_of(session: OpenSession, left: int) -> tuple[Segment, ...]:
    """ "Segments of length zero vanish and neighbours of equal status merge"."""
    starts = [at for at, _ in session.samples]
    segments: list[Segment] = []
    for (start, status), end in zip(session.samples, [*starts[1:], left], strict=True):
        assert start <= end
        if start == end:
            continue
        if segments and segments[-1][2] == status:
            segments[-1] = (segments[-1][0], end, status)
        else:
            segments.append((start, end, status))
    return tuple(segments)


def reckon(guild: int, session: OpenSession, left: int, reason: str | None) -> Session:
    """ "the stay's `counted_ms` so far, this session included, is under the minimum of this session's own rules"."""
    timeline = timeline_of(session, left)
    counted = sum(end - start for start, end, status in timeline if status in ("counted", "bridged"))
    return Session(
        guild=guild,
        user=session.user,
        channel=session.channel,
        period_index=session.period_index,
        stay=session.stay.number,
        part=session.stay.next_part,
        joined=session.joined,
        left=left,
        reason=reason,
        timeline=timeline,
        below_minimum=session.stay.counted_ms + counted < session.rules.min_session_seconds * 1000,
        rules=session.rules,
    )


def close(guild: int, session: OpenSession, left: int, reason: str) -> Session | None:
    """ "A session with `joined_at = left_at` is dropped: it is not emitted and takes no part number"."""
    if session.joined == left:
        return None
    closed = reckon(guild, session, left, reason)
    session.stay.next_part += 1
    session.stay.counted_ms += closed.counted_ms
    return closed


def printed(session: Session) -> dict[str, Any]:
    """Exactly the members of section 7; of an open session `left_at_ms` and `reason` are null (section 9)."""
    is_open = session.reason is None
    return {
        "guild_id": str(session.guild),
        "user_id": str(session.user),
        "channel_id": str(session.channel),
        "period_index": session.period_index,
        "stay": session.stay,
        "part": session.part,
        "joined_at_ms": session.joined,
        "left_at_ms": None if is_open else session.left,
        "reason": session.reason,
        "timeline": [list(segment) for segment in session.timeline],
        "counted_ms": session.counted_ms,
        "bridged_ms": session.sum_of("bridged"),
        "unwitnessed_ms": session.sum_of("unwitnessed"),
        "paused_ms": {status: session.sum_of(status) for status in ("deafened", "muted", "solo")},
        "below_minimum": session.below_minimum,
        "credited_ms": session.credited_ms,
    }


def compact(value: Any) -> bytes:
    """JSON with "sorted keys and no white space"."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def quarters(session: Session) -> list[tuple[int, int]]:
    """Credited milliseconds in each UTC quarter of an hour that has any, ascending: (`start_ms // 900000`, ms)."""
    found: dict[int, int] = {}
    for start, end, status in session.timeline:
        if status not in ("counted", "bridged") or session.below_minimum:
            continue
        for quarter in range(start // QUARTER_MS, (end - 1) // QUARTER_MS + 1):
            inside = min(end, (quarter + 1) * QUARTER_MS) - max(start, quarter * QUARTER_MS)
            found[quarter] = found.get(quarter, 0) + inside
    return sorted(found.items())


def closed_row(session: Session, ordinal: int) -> tuple[Any, ...]:
    """The session as the extension's `Engine.apply` gives it."""
    return (
        session.guild,
        ordinal,
        session.user,
        session.channel,
        session.period_index,
        session.stay,
        session.part,
        session.joined,
        session.left,
        session.reason,
        compact(session.timeline),
        session.counted_ms,
        session.sum_of("bridged"),
        session.sum_of("unwitnessed"),
        session.sum_of("deafened"),
        session.sum_of("muted"),
        session.sum_of("solo"),
        session.below_minimum,
        session.credited_ms,
        quarters(session),
        digest(session.rules),
    )
