"""Webhooks, from what services answer to what goes over the wire, and back."""

from __future__ import annotations

from msgspec import UnsetType

from api.parameters import parse_channel, parse_user
from api.schemas import webhooks as body
from attendance.domain.announcements import WebhookEvent
from attendance.domain.external_attendance import ExternalAttendance
from attendance.domain.ids import GuildId, parse_snowflake
from attendance.domain.instants import parse_rfc3339, to_rfc3339
from attendance.domain.webhooks import Attempt, Delivery, WebhookSettings
from attendance.services.webhooks import ChangedWebhook, WebhookEdit


def webhook_edit(change: body.ChangeWebhookBody) -> WebhookEdit:
    """What a PATCH asks for."""
    return WebhookEdit(
        url=None if isinstance(change.url, UnsetType) else change.url,
        remove_url=change.url is None,
        events=None if isinstance(change.events, UnsetType) else frozenset(WebhookEvent(event) for event in change.events),
        enabled=None if isinstance(change.enabled, UnsetType) else change.enabled,
        rotate_secret=change.rotate_secret,
    )


def webhook_body(settings: WebhookSettings) -> body.WebhookBody:
    """What is set."""
    return body.WebhookBody(
        url=settings.url,
        secret_set=settings.secret_set,
        events=_events(settings),
        enabled=settings.enabled,
        failing_since=_instant(settings.failing_since_ms),
        disabled_reason=settings.disabled_reason,
    )


def changed_webhook_body(changed: ChangedWebhook) -> body.ChangedWebhookBody:
    """What is set now, with a new secret."""
    settings = changed.settings
    return body.ChangedWebhookBody(
        url=settings.url,
        secret_set=settings.secret_set,
        events=_events(settings),
        enabled=settings.enabled,
        failing_since=_instant(settings.failing_since_ms),
        disabled_reason=settings.disabled_reason,
        secret=changed.secret,
    )


def delivery_body(delivery: Delivery) -> body.DeliveryBody:
    """A line of the log."""
    return body.DeliveryBody(
        id=str(delivery.delivery_id),
        event=delivery.event,
        session_id=None if delivery.session_id is None else str(delivery.session_id),
        period_index=delivery.period_index,
        state=delivery.state.value,
        attempts=delivery.attempts,
        created_at=to_rfc3339(delivery.created_at_ms),
        next_attempt_at=_instant(delivery.next_attempt_at_ms),
        delivered_at=_instant(delivery.delivered_at_ms),
        last_status=delivery.last_status,
        last_error=delivery.last_error,
    )


def attempt_body(attempt: Attempt) -> body.AttemptBody:
    """One request."""
    return body.AttemptBody(
        number=attempt.number,
        at=to_rfc3339(attempt.at_ms),
        duration_ms=attempt.duration_ms,
        status=attempt.status,
        error=attempt.error,
    )


def external_attendance(report: body.ReportAttendanceBody) -> ExternalAttendance:
    """What another system reports.

    Raises:
        InvalidInputError: a time is none.
    """
    return ExternalAttendance(
        external_id=report.id,
        guild_id=GuildId(parse_snowflake(report.guild_id, name="guild_id")),
        user_id=parse_user(report.user_id),
        channel_id=None if report.channel_id is None else parse_channel(report.channel_id),
        joined_at_ms=parse_rfc3339(report.joined_at, name="joined_at"),
        left_at_ms=parse_rfc3339(report.left_at, name="left_at"),
        source=report.source,
    )


def reported_attendance(report: ExternalAttendance) -> body.ReportedAttendanceBody:
    """What was recorded."""
    return body.ReportedAttendanceBody(
        id=report.external_id,
        guild_id=str(report.guild_id),
        user_id=str(report.user_id),
        channel_id=None if report.channel_id is None else str(report.channel_id),
        joined_at=to_rfc3339(report.joined_at_ms),
        left_at=to_rfc3339(report.left_at_ms),
        source=report.source,
        seconds=(report.left_at_ms - report.joined_at_ms) // 1000,
    )


def _events(settings: WebhookSettings) -> list[body.EventName]:
    return [event.value for event in WebhookEvent if event in settings.events]


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_rfc3339(at_ms)
