"""The outbox of webhooks: taking what is due, reading what it tells, and storing what came of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.announcements import WebhookEvent
from attendance.domain.audit import SYSTEM, AuditEntry
from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType
from attendance.domain.webhook_payloads import Told
from attendance.domain.webhooks import (
    GIVEN_UP_AFTER_MS,
    GONE,
    SIGNATURE_WAIT_MS,
    Attempt,
    DeliveryState,
    Outcome,
    Reply,
)
from attendance.ports.webhooks import Due, Receiver
from attendance.store.audit import record_audit
from attendance.store.database import Database
from attendance.store.schema import record, webhook, webhook_attempt, webhook_delivery
from attendance.store.webhook_facts import read_told
from attendance.store.webhooks import fail_waiting

_SIGNED_LATER = (WebhookEvent.SESSION_COMPLETED.value, WebhookEvent.PERIOD_ARCHIVED.value)
_DAYS_OF_FAILURE = GIVEN_UP_AFTER_MS // 86_400_000


@dataclass(frozen=True, slots=True)
class SqlDeliveryStore:
    """`DeliveryStore` over SQL."""

    database: Database

    async def receivers(
        self, now_ms: int, after: GuildId, limit: int, without: Collection[GuildId], *, with_failing: bool
    ) -> list[Receiver]:
        """Webhooks with something due: one probe of an index for each webhook that there is."""
        is_due = exists().where(webhook_delivery.c.guild_id == webhook.c.guild_id, _due(now_ms))
        query = (
            select(webhook.c.guild_id, webhook.c.url, webhook.c.secret, webhook.c.failing_since_ms.is_not(None))
            .where(webhook.c.guild_id > after, webhook.c.enabled, webhook.c.url.is_not(None), is_due)
            .where(webhook.c.guild_id.not_in(without))
            .order_by(webhook.c.guild_id)
            .limit(limit)
        )
        if not with_failing:
            query = query.where(webhook.c.failing_since_ms.is_(None))
        async with self.database.snapshot() as connection:
            return [Receiver(*row) for row in (await connection.execute(query)).all()]

    async def claim(self, guild_id: GuildId, token: str, now_ms: int, until_ms: int, limit: int) -> list[Due]:
        """Take what is due: whoever takes it moves it out of everyone else's sight."""
        columns = webhook_delivery.c
        first = (
            select(columns.delivery_id)
            .where(columns.guild_id == guild_id, _due(now_ms))
            .order_by(columns.next_attempt_at_ms)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken = (
            update(webhook_delivery)
            .where(columns.delivery_id.in_(first), columns.next_attempt_at_ms <= now_ms)
            .values(claimed_by=token, next_attempt_at_ms=until_ms, attempts=columns.attempts + 1)
            .returning(
                columns.delivery_id,
                columns.guild_id,
                columns.event,
                columns.session_id,
                columns.period_index,
                columns.body,
                columns.created_at_ms,
                columns.attempts,
            )
        )
        async with self.database.transaction() as connection:
            return [Due(token, *row) for row in (await connection.execute(taken)).all()]

    async def told(self, due: Due) -> Told | None:
        """What it tells."""
        async with self.database.snapshot() as connection:
            return await read_told(connection, due)

    async def finish(self, due: Due, url: str, attempt: Attempt, reply: Reply, outcome: Outcome) -> str | None:
        """Store what came of an attempt. The webhook's row comes first, as in every other transaction that locks both."""
        now_ms = attempt.ended_ms
        delivered = {"delivered_at_ms": now_ms} if outcome.state is DeliveryState.DELIVERED else {}
        async with self.database.transaction() as connection:
            since_ms = await _note_health(connection, due.guild_id, url, now_ms, succeeded=reply.succeeded)
            ended = await connection.execute(
                update(webhook_delivery)
                .where(_held(due))
                .values(
                    state=outcome.state.value,
                    next_attempt_at_ms=outcome.next_attempt_at_ms,
                    claimed_by=None,
                    last_status=reply.status,
                    last_error=reply.problem,
                    **delivered,
                )
            )
            if ended.rowcount != 1:
                return None
            values = {name: getattr(attempt, name) for name in Attempt.__slots__}
            await connection.execute(
                insert(webhook_attempt).values(delivery_id=due.delivery_id, guild_id=due.guild_id, **values)
            )
            reason = None if since_ms is None else _why_off(reply, since_ms, now_ms)
            if reason is not None:
                await _switch_off(connection, due.guild_id, reason, now_ms)
            return reason

    async def drop(self, due: Due) -> None:
        """It is over."""
        async with self.database.transaction() as connection:
            await connection.execute(
                update(webhook_delivery)
                .where(_held(due))
                .values(
                    state=DeliveryState.DROPPED.value,
                    next_attempt_at_ms=None,
                    claimed_by=None,
                    last_error="what it told has been erased",
                )
            )

    async def forget(self, before_ms: int, limit: int) -> int:
        """Delete old deliveries; what still waits by then belongs to a webhook that was switched off."""
        old = (
            select(webhook_delivery.c.delivery_id)
            .where(webhook_delivery.c.created_at_ms < before_ms)
            .order_by(webhook_delivery.c.created_at_ms)
            .limit(limit)
        )
        async with self.database.transaction() as connection:
            ids = (await connection.scalars(old)).all()
            await connection.execute(delete(webhook_attempt).where(webhook_attempt.c.delivery_id.in_(ids)))
            await connection.execute(delete(webhook_delivery).where(webhook_delivery.c.delivery_id.in_(ids)))
        return len(ids)


def _due(now_ms: int) -> ColumnElement[bool]:
    """Its time has come, and its record is signed or has been waited for."""
    columns = webhook_delivery.c
    signed_session = exists().where(record.c.session_id == columns.session_id)
    signed_period = exists().where(
        record.c.guild_id == columns.guild_id,
        record.c.type == RecordType.LEADERBOARD_PERIOD.value,
        record.c.period_index == columns.period_index,
    )
    waits = and_(columns.event.in_(_SIGNED_LATER), columns.attempts == 0, columns.created_at_ms > now_ms - SIGNATURE_WAIT_MS)
    return and_(columns.next_attempt_at_ms <= now_ms, or_(not_(waits), signed_session, signed_period))


def _held(due: Due) -> ColumnElement[bool]:
    columns = webhook_delivery.c
    return and_(columns.delivery_id == due.delivery_id, columns.claimed_by == due.token, columns.attempts == due.attempt)


async def _note_health(connection: AsyncConnection, guild_id: GuildId, url: str, now_ms: int, *, succeeded: bool) -> int | None:
    """Write since when the webhook fails, or that it does not; since when, or None if it is another one by now."""
    this = and_(webhook.c.guild_id == guild_id, webhook.c.url == url)
    if succeeded:
        await connection.execute(
            update(webhook).where(this, webhook.c.failing_since_ms.is_not(None)).values(failing_since_ms=None)
        )
        return None
    noted = await connection.execute(
        update(webhook)
        .where(this, webhook.c.enabled)
        .values(failing_since_ms=func.coalesce(webhook.c.failing_since_ms, now_ms))
        .returning(webhook.c.failing_since_ms)
    )
    row = noted.one_or_none()
    return None if row is None else int(row[0])


def _why_off(reply: Reply, failing_since_ms: int, now_ms: int) -> str | None:
    if reply.status == GONE:
        return reply.problem
    if now_ms - failing_since_ms >= GIVEN_UP_AFTER_MS:
        return f"every attempt of {_DAYS_OF_FAILURE} days has failed; the last one: {reply.problem}"
    return None


async def _switch_off(connection: AsyncConnection, guild_id: GuildId, reason: str, now_ms: int) -> None:
    await connection.execute(
        update(webhook)
        .where(webhook.c.guild_id == guild_id)
        .values(enabled=False, disabled_reason=reason, updated_at_ms=now_ms)
    )
    await fail_waiting(connection, guild_id, reason)
    before, after = {"enabled": True}, {"enabled": False, "disabled_reason": reason}
    entry = AuditEntry(guild_id=guild_id, at_ms=now_ms, actor=SYSTEM, action="webhook.disable", before=before, after=after)
    await record_audit(connection, entry)
