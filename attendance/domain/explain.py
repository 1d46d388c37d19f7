"""One member's time, stretch by stretch: clipped to a range, each with the rule behind it, in seconds that add up.

The engine said how each stretch counts; here its words are only cut to the range, put in order and rounded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

import msgspec

from attendance.core import clip_timeline
from attendance.domain.ids import ChannelId, UserId
from attendance.domain.reporting import OpenSession, whole_seconds

# The rule behind each status; what counts needs none. An opt-out is the member's own word and no rule of the guild.
_RULE_OF = {
    "bridged": "bridge_gap_seconds",
    "unwitnessed": "bridge_gap_seconds",
    "deafened": "pause_on_deafen",
    "muted": "pause_on_mute",
    "solo": "pause_when_solo",
    "afk": "exclude_afk",
    "off": "tracking_mode",
    "untracked": "tracked_channels",
    "opted_out": "opt_out",
}
_COUNTS = ("counted", "bridged")
BELOW_MINIMUM = "below_minimum"
# Totals: what adds up to the credited time first. `below_minimum` is counted time of stays that were too short.
CREDITED_GROUPS = ("counted", "bridged")
GROUPS = (
    *CREDITED_GROUPS, BELOW_MINIMUM, "unwitnessed", "deafened", "muted", "solo", "untracked", "afk", "off", "opted_out",
)  # fmt: skip


class RulesInForce(NamedTuple):
    """Which rules held: their version, who set it (None: the gateway, or the default) and since when."""

    version: int
    actor_id: UserId | None
    since_ms: int


class Stretch(NamedTuple):
    """A stretch of one status within a range.

    What only a session has is None where none was opened: its ``state`` ("open", "pending", "signed"), ``stay``, ``part`` and
    ``reason`` (also None while it is open); ``session_id`` is None until it closed.
    """

    start_ms: int
    end_ms: int
    status: str
    is_credited: bool
    channel_id: ChannelId
    rule: str | None
    rules: RulesInForce | None
    session_id: UUID | None = None
    state: str | None = None
    stay: int | None = None
    part: int | None = None
    reason: str | None = None
    below_minimum: bool = False

    @property
    def group(self) -> str:
        """Under which total it stands."""
        return BELOW_MINIMUM if self.status in _COUNTS and not self.is_credited else self.status

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class SessionAccount:
    """A session as its stretches are made of: closed, or open and reckoned to now."""

    channel_id: ChannelId
    timeline: bytes
    below_minimum: bool
    rules: RulesInForce | None
    session_id: UUID | None
    state: str
    stay: int
    part: int
    reason: str | None


class Unaccounted(NamedTuple):
    """Time in voice without a session, as the engine tells it: ``why`` is untracked, afk, off or opted_out."""

    start_ms: int
    end_ms: int
    channel_id: ChannelId
    why: str
    rules_sha256: bytes


def reckoned_timeline(session: OpenSession, as_of_ms: int) -> bytes:
    """The timeline of an open session as if it closed at ``as_of_ms`` (not before its running segment)."""
    assert session.timeline is not None  # noqa: S101  # the caller asked for it
    if as_of_ms <= session.since_ms:
        return session.timeline
    running = b'[%d,%d,"%s"]]' % (session.since_ms, as_of_ms, session.status.encode())
    return session.timeline[:-1] + (b"" if session.timeline == b"[]" else b",") + running


def session_stretches(session: SessionAccount, from_ms: int, to_ms: int) -> list[Stretch]:
    """The parts of a session within ``[from_ms, to_ms)``.

    Raises:
        StateError: the stored timeline is damaged.
    """
    stretches = []
    for start_ms, end_ms, status in msgspec.json.decode(clip_timeline(session.timeline, from_ms, to_ms)):
        counts = status in _COUNTS
        too_short = counts and session.below_minimum
        stretches.append(
            Stretch(
                start_ms=start_ms,
                end_ms=end_ms,
                status=status,
                is_credited=counts and not session.below_minimum,
                channel_id=session.channel_id,
                rule="min_session_seconds" if too_short else _RULE_OF.get(status),
                rules=session.rules,
                session_id=session.session_id,
                state=session.state,
                stay=session.stay,
                part=session.part,
                reason=session.reason,
                below_minimum=session.below_minimum,
            )
        )
    return stretches


def unaccounted_stretch(told: Unaccounted, start_ms: int, end_ms: int, rules: RulesInForce | None) -> Stretch:
    """Time without a session, within ``[start_ms, end_ms)``."""
    return Stretch(
        start_ms=start_ms,
        end_ms=end_ms,
        status=told.why,
        is_credited=False,
        channel_id=told.channel_id,
        rule=_RULE_OF[told.why],
        rules=None if told.why == "opted_out" else rules,
    )


def left_over(start_ms: int, end_ms: int, taken: Sequence[Stretch]) -> Iterator[tuple[int, int]]:
    """What of ``[start_ms, end_ms)`` no stretch of ``taken`` (ascending, without overlap) covers."""
    first = bisect_right(taken, start_ms, key=attrgetter("end_ms"))
    for stretch in islice(taken, first, None):
        if stretch.start_ms >= end_ms:
            break
        if stretch.start_ms > start_ms:
            yield start_ms, stretch.start_ms
        start_ms = stretch.end_ms
    if start_ms < end_ms:
        yield start_ms, end_ms


class Rounded(NamedTuple):
    """Stretches in order of time, their seconds, those of each group, of all credited time, and of the corrections in it."""

    stretches: list[Stretch]
    seconds: list[int]
    totals: dict[str, int]
    credited: int
    corrected: list[int]


def round_stretches(stretches: Iterable[Stretch], corrections_ms: Iterable[int] = ()) -> Rounded:
    """Round cumulatively (accounting, section 7), group by group, so that parts add up to their totals.

    The credited groups and then the corrections stand under one total, which is what leaderboards show.
    """
    ordered = sorted(stretches, key=attrgetter("start_ms"))
    by_group: dict[str, list[int]] = {group: [] for group in GROUPS}
    for index, stretch in enumerate(ordered):
        by_group[stretch.group].append(index)
    under_credited = [index for group in CREDITED_GROUPS for index in by_group[group]]
    corrections = list(corrections_ms)
    parts = whole_seconds([*(ordered[index].length_ms for index in under_credited), *corrections])
    seconds = dict(zip(under_credited, parts, strict=False))
    for group in GROUPS[len(CREDITED_GROUPS) :]:
        seconds.update(zip(by_group[group], whole_seconds(ordered[i].length_ms for i in by_group[group]), strict=True))
    return Rounded(
        stretches=ordered,
        seconds=[seconds[index] for index in range(len(ordered))],
        totals={group: sum(seconds[index] for index in by_group[group]) for group in GROUPS},
        credited=sum(parts),
        corrected=parts[len(under_credited) :],
    )
