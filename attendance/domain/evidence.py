"""Whether a session's record, its timeline and its row still say the same: small checks that name what they expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from attendance.core import check_canonical
from attendance.domain.records import SessionFacts, b64url, session_members
from attendance.errors import InvalidRecordError, ProfileError

PAUSES = ("deafened", "muted", "solo")
_STATUSES = frozenset({"counted", "bridged", "unwitnessed", *PAUSES})


def expect(name: str, expected: object, found: object) -> None:
    """Compare one member, exactly: true is not 1.

    Raises:
        InvalidRecordError: They differ.
    """
    if type(expected) is not type(found) or expected != found:
        raise InvalidRecordError(f"expected {name} {expected!r}, found {found!r}")


def check_session(record: Mapping[str, Any], session: SessionFacts) -> None:
    """Accept a parsed ``voice.session`` whose timeline has the digest, whose sums follow from it, and whose row agrees.

    Below-minimum is taken as recorded: it depends on earlier parts of the stay. The messages hold what a member did: they are
    for the log, not for the public.

    Raises:
        InvalidRecordError: The first thing that is otherwise.
    """
    expect("timeline_sha256", record.get("timeline_sha256"), b64url(sha256(session.timeline).digest()))
    sums = sum_timeline(session.timeline, session.joined_at_ms, session.left_at_ms)
    counted = sums["counted"] + sums["bridged"]
    expect("counted_ms", counted, record.get("counted_ms"))
    expect("bridged_ms", sums["bridged"], record.get("bridged_ms"))
    expect("unwitnessed_ms", sums["unwitnessed"], record.get("unwitnessed_ms"))
    expect("paused_ms", {pause: sums[pause] for pause in PAUSES}, record.get("paused_ms"))
    expect("credited_ms", 0 if record.get("below_minimum") else counted, record.get("credited_ms"))
    for name, value in session_members(session).items():
        if record.get(name) != value:
            raise InvalidRecordError(f"expected {name} {record.get(name)!r} as recorded, found {value!r} in the session")


def sum_timeline(timeline: bytes, joined_at_ms: int, left_at_ms: int) -> dict[str, int]:
    """Milliseconds of each status in a timeline that is canonical and a partition of ``[joined_at_ms, left_at_ms)``.

    Raises:
        InvalidRecordError: It is not.
    """
    try:
        check_canonical(timeline)
    except ProfileError as error:
        raise InvalidRecordError(f"expected a canonical timeline, found {error}") from error
    segments = json.loads(timeline)
    if not isinstance(segments, list):
        raise InvalidRecordError("expected a timeline that is a list, found another value")
    sums = dict.fromkeys(sorted(_STATUSES), 0)
    reached, before = joined_at_ms, None
    for segment in segments:
        start, end, status = _segment(segment)
        if start != reached or end <= start or status == before:
            raise InvalidRecordError(
                f"expected a segment that begins at {reached}, ends later and changes the status, found {segment}"
            )
        sums[status] += end - start
        reached, before = end, status
    expect("the timeline's end", left_at_ms, reached)
    return sums


def _segment(segment: object) -> tuple[int, int, str]:
    match segment:
        case [int(start), int(end), str(status)] if status in _STATUSES and bool not in (type(start), type(end)):
            return start, end, status
        case _:
            raise InvalidRecordError(f"expected a segment [start, end, status], found {segment}")
