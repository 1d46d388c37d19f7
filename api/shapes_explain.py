"""From explanations and previews to what goes over the wire."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, cast

from api.schemas import explain as body
from api.schemas.settings import Mode
from attendance.domain.instants import to_rfc3339
from attendance.domain.reporting import whole_seconds
from attendance.domain.settings import GuildSettings
from attendance.ports.explaining import CorrectionLine
from attendance.services.explain import Explanation
from attendance.services.fairness_preview import FairnessPreview, MemberPreview


def _id(value: Any) -> str | None:
    return None if value is None else str(value)


def explanation_body(told: Explanation) -> body.ExplanationBody:
    """A member's time."""
    late = [line.delta_ms for line in told.late_corrections]
    corrections = [
        *(_correction(line, seconds) for line, seconds in zip(told.corrections, told.rounded.corrected, strict=True)),
        *(_correction(line, seconds) for line, seconds in zip(told.late_corrections, whole_seconds(late), strict=True)),
    ]
    return body.ExplanationBody(
        user_id=str(told.user_id),
        display_name=told.display_name,
        from_=to_rfc3339(told.from_ms),
        to=to_rfc3339(told.to_ms),
        as_of=to_rfc3339(told.as_of_ms),
        journal_from=None if told.journal_from_ms is None else to_rfc3339(told.journal_from_ms),
        seconds=told.rounded.credited,
        by_status=body.StatusSecondsBody(**told.rounded.totals),
        blind_seconds=told.blind_ms // 1000,
        blind=[
            body.ExplainedBlindBody(
                started_at=to_rfc3339(line.started_at_ms),
                ended_at=None if line.ended_at_ms is None else to_rfc3339(line.ended_at_ms),
                cause=line.cause,
                ended_by=line.ended_by,
            )
            for line in told.blind
        ],
        corrected_seconds=sum(late) // 1000,
        corrections=corrections,
        stretches=_stretches(told),
    )


def _correction(line: CorrectionLine, seconds: int) -> body.ExplainedCorrectionBody:
    return body.ExplainedCorrectionBody(
        session_id=str(line.session_id), at=to_rfc3339(line.at_ms), seconds=seconds, after_archive=line.after_archive
    )


def _stretches(told: Explanation) -> list[body.StretchBody]:
    text = cache(to_rfc3339)  # one stretch begins where the last one ended, and many have the same rules
    session_text = cache(_id)
    bodies = []
    for stretch, seconds in zip(told.rounded.stretches, told.rounded.seconds, strict=True):
        version, actor_id, since_ms = stretch.rules or (None, None, None)
        bodies.append(
            body.StretchBody(
                start=text(stretch.start_ms),
                end=text(stretch.end_ms),
                seconds=seconds,
                status=stretch.status,
                credited=stretch.is_credited,
                channel_id=str(stretch.channel_id),
                channel_name=told.channel_names[stretch.channel_id],
                session_id=session_text(stretch.session_id),
                state=cast("Literal['open', 'pending', 'signed'] | None", stretch.state),
                stay=stretch.stay,
                part=stretch.part,
                reason=stretch.reason,
                below_minimum=stretch.below_minimum,
                rule=stretch.rule,
                rules_version=version,
                rules_set_by=_id(actor_id),
                rules_set_by_name=None if actor_id is None else told.setter_names[actor_id],
                rules_since=None if since_ms is None else text(since_ms),
            )
        )
    return bodies


def preview_members(preview: FairnessPreview, limit: int, offset: int) -> list[body.MemberPreviewBody]:
    """A page of members."""
    return [_member(member, preview.names[member.user_id]) for member in preview.members[offset : offset + limit]]


def preview_body(preview: FairnessPreview, items: list[body.MemberPreviewBody]) -> body.PreviewBody:
    """The whole comparison with one page of its members."""
    now = sum(member.now_ms for member in preview.members) // 1000
    then = sum(member.then_ms for member in preview.members) // 1000
    not_covered = []
    if preview.from_ms > preview.wanted_from_ms:
        why: Literal["journal_trimmed", "not_recorded"] = "journal_trimmed" if preview.is_trimmed else "not_recorded"
        missing = (to_rfc3339(preview.wanted_from_ms), to_rfc3339(preview.from_ms))
        not_covered.append(body.NotCoveredBody(from_=missing[0], to=missing[1], why=why))
    return body.PreviewBody(
        from_=to_rfc3339(preview.from_ms),
        to=to_rfc3339(preview.to_ms),
        not_covered=not_covered,
        blind_seconds=preview.blind_ms // 1000,
        rules_now=_rules(preview.settings),
        rules_then=_rules(preview.others),
        seconds_now=now,
        seconds_then=then,
        difference_seconds=then - now,
        members_now=sum(1 for it in preview.members if it.now_ms),
        members_then=sum(1 for it in preview.members if it.then_ms),
        appearing=sum(1 for it in preview.members if it.then_ms and not it.now_ms),
        disappearing=sum(1 for it in preview.members if it.now_ms and not it.then_ms),
        items=items,
        total=len(preview.members),
    )


def _member(member: MemberPreview, name: str) -> body.MemberPreviewBody:
    now, then = member.now_ms // 1000, member.then_ms // 1000
    return body.MemberPreviewBody(
        user_id=str(member.user_id),
        display_name=name,
        seconds_now=now,
        seconds_then=then,
        difference_seconds=then - now,
        sessions_now=member.now_sessions,
        sessions_then=member.then_sessions,
        change=_change(member),
    )


def _change(member: MemberPreview) -> Literal["appears", "disappears", "more", "less", "same"]:
    if member.difference_ms == 0:
        return "same"
    if member.difference_ms > 0:
        return "more" if member.now_ms else "appears"
    return "less" if member.then_ms else "disappears"


def _rules(settings: GuildSettings) -> body.RulesBody:
    fairness = settings.fairness
    return body.RulesBody(
        tracking_mode=cast("Mode", settings.tracking_mode.value.capitalize()),
        tracked_channels=[str(channel) for channel in sorted(settings.tracked_channels)],
        pause_on_mute=fairness.pause_on_mute,
        pause_on_deafen=fairness.pause_on_deafen,
        pause_when_solo=fairness.pause_when_solo,
        min_session_seconds=fairness.min_session_seconds,
        exclude_afk=fairness.exclude_afk,
        bridge_gap_seconds=fairness.bridge_gap_seconds,
    )
