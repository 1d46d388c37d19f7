"""From members' data to what goes over the wire."""

from __future__ import annotations

from api.schemas.members import ErasureBody, OptedOutBody, OptOutBody, PendingErasureBody
from attendance.domain.erasure import Erasure, ErasureState
from attendance.domain.ids import UserId
from attendance.domain.instants import to_rfc3339
from attendance.ports.opt_outs import OptOutLine
from attendance.ports.privacy import PendingErasure


def opt_out_body(user_id: UserId, since_ms: int | None) -> OptOutBody:
    """Whether a member is opted out."""
    return OptOutBody(user_id=str(user_id), opted_out=since_ms is not None, since=_instant(since_ms))


def erasure_body(erasure: Erasure) -> ErasureBody:
    """A request to erase a member."""
    return ErasureBody(
        user_id=str(erasure.user_id),
        state=erasure.state.value,
        requested_by=str(erasure.requested_by),
        requested_at=to_rfc3339(erasure.requested_at_ms),
        due_at=to_rfc3339(erasure.due_at_ms),
        ended_at=_instant(erasure.ended_at_ms),
        told_at=_instant(erasure.told_at_ms),
        tell_error=erasure.tell_error,
    )


def opted_out_body(line: OptOutLine) -> OptedOutBody:
    """A member who has opted out."""
    return OptedOutBody(
        user_id=str(line.user_id), display_name=line.display_name, since=to_rfc3339(line.since_ms), own=line.is_own
    )


def pending_erasure_body(pending: PendingErasure) -> PendingErasureBody:
    """A request that waits or runs."""
    erasure = pending.erasure
    return PendingErasureBody(
        user_id=str(erasure.user_id),
        display_name=pending.display_name,
        state="running" if erasure.state is ErasureState.RUNNING else "waiting",
        requested_by=str(erasure.requested_by),
        requested_at=to_rfc3339(erasure.requested_at_ms),
        due_at=to_rfc3339(erasure.due_at_ms),
        told_at=_instant(erasure.told_at_ms),
        tell_error=erasure.tell_error,
    )


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_rfc3339(at_ms)
