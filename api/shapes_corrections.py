"""Corrections on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas.corrections import CorrectionBody
from attendance.domain.corrections import Correction
from attendance.domain.ids import UserId
from attendance.domain.instants import to_rfc3339


def correction_body(made: Correction, names: Mapping[UserId, str]) -> CorrectionBody:
    """A correction; ``names`` has who made it."""
    return CorrectionBody(
        correction_id=str(made.correction_id),
        session_id=str(made.session_id),
        user_id=str(made.user_id),
        channel_id=str(made.channel_id),
        period_index=made.period_index,
        at=to_rfc3339(made.at_ms),
        delta_seconds=made.delta_ms // 1000,
        note=made.note,
        actor_id=str(made.actor_id),
        actor_name=names[made.actor_id],
        created_at=to_rfc3339(made.created_at_ms),
        after_archive=made.after_archive,
    )
