"""Webhooks and their delivery log, for who sets and reads them.

Who can write to these tables can send what the database holds to a URL of their own, but not sign it as a guild's webhook.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.announcements import WebhookEvent
from attendance.domain.audit import AuditEntry
from attendance.domain.ids import GuildId
from attendance.domain.webhooks import TEST_EVENT, Attempt, Delivery, DeliveryState, WebhookSettings
from attendance.errors import ConflictError
from attendance.ports.webhooks import DeliveryDetails, StoredWebhook, WebhookChange
from attendance.store.audit import record_audit
from attendance.store.database import Database, bulk_upsert
from attendance.store.schema import webhook, webhook_attempt, webhook_delivery

_LOG_COLUMNS = tuple(webhook_delivery.c[name] for name in Delivery.__slots__)
_SWITCHED_OFF = "the webhook was switched off"


@dataclass(frozen=True, slots=True)
class SqlWebhookStore:
    """`WebhookStore` over SQL."""

    database: Database

    async def read(self, guild_id: GuildId) -> StoredWebhook:
        """A guild's webhook."""
        async with self.database.snapshot() as connection:
            return await _stored(connection, _row_of(guild_id)) or StoredWebhook(WebhookSettings())

    async def change(
        self, guild_id: GuildId, now_ms: int, decide: Callable[[StoredWebhook], WebhookChange | None]
    ) -> StoredWebhook:
        """Read, decide and write under the row's lock."""
        async with self.database.transaction() as connection:
            before = await _stored(connection, _row_of(guild_id).with_for_update())
            if before is None:
                await _insert_default(connection, guild_id, now_ms)
                # Another first change may have been quicker.
                before = await _stored(connection, _row_of(guild_id).with_for_update())
                assert before is not None  # noqa: S101  # one of the two has inserted it
            change = decide(before)
            if change is None:
                return before
            after = change.webhook.settings
            await connection.execute(
                update(webhook)
                .where(webhook.c.guild_id == guild_id)
                .values(
                    url=after.url,
                    secret=change.webhook.sealed,
                    events=_events_text(after.events),
                    enabled=after.enabled,
                    failing_since_ms=after.failing_since_ms,
                    disabled_reason=after.disabled_reason,
                    updated_at_ms=now_ms,
                )
            )
            if before.settings.delivers and not after.delivers:
                await fail_waiting(connection, guild_id, _SWITCHED_OFF)
            await record_audit(connection, change.audit)
            return change.webhook

    async def deliveries(self, guild_id: GuildId, state: DeliveryState | None, limit: int, offset: int) -> list[Delivery]:
        """The log, newest first."""
        query = (
            select(*_LOG_COLUMNS)
            .where(_of(guild_id, state))
            .order_by(webhook_delivery.c.created_at_ms.desc(), webhook_delivery.c.delivery_id)
            .limit(limit)
            .offset(offset)
        )
        async with self.database.snapshot() as connection:
            return [_delivery(row) for row in (await connection.execute(query)).all()]

    async def count_deliveries(self, guild_id: GuildId, state: DeliveryState | None) -> int:
        """How many there are."""
        query = select(func.count()).select_from(webhook_delivery).where(_of(guild_id, state))
        async with self.database.snapshot() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def delivery(self, guild_id: GuildId, delivery_id: UUID) -> DeliveryDetails | None:
        """One delivery, and its attempts."""
        tried = webhook_attempt.c
        attempts = (
            select(tried.number, tried.at_ms, tried.duration_ms, tried.status, tried.error)
            .where(tried.delivery_id == delivery_id)
            .order_by(tried.number)
        )
        async with self.database.snapshot() as connection:
            found = await _one(connection, guild_id, delivery_id)
            if found is None:
                return None
            return DeliveryDetails(found, [Attempt(*row) for row in (await connection.execute(attempts)).all()])

    async def replay(self, guild_id: GuildId, delivery_id: UUID, now_ms: int, audit: AuditEntry) -> Delivery | None:
        """Let it be tried at once."""
        async with self.database.transaction() as connection:
            delivers = await _delivers(connection, guild_id)
            found = await _one(connection, guild_id, delivery_id)
            if found is None:
                return None
            if found.state is DeliveryState.DROPPED:
                raise ConflictError("what this delivery told has been erased")
            _check_delivers(delivers=delivers)
            changed = await connection.execute(
                update(webhook_delivery)
                .where(
                    webhook_delivery.c.delivery_id == delivery_id,
                    webhook_delivery.c.claimed_by.is_(None),
                    webhook_delivery.c.state != DeliveryState.DROPPED.value,
                )
                .values(state=DeliveryState.WAITING.value, next_attempt_at_ms=now_ms)
            )
            if changed.rowcount:
                await record_audit(connection, audit)
            return await _one(connection, guild_id, delivery_id)

    async def add_test(self, guild_id: GuildId, delivery_id: UUID, now_ms: int, audit: AuditEntry) -> Delivery:
        """Put a test into the outbox."""
        async with self.database.transaction() as connection:
            _check_delivers(delivers=await _delivers(connection, guild_id))
            await connection.execute(
                insert(webhook_delivery).values(
                    delivery_id=delivery_id,
                    guild_id=guild_id,
                    event=TEST_EVENT,
                    created_at_ms=now_ms,
                    state=DeliveryState.WAITING.value,
                    attempts=0,
                    next_attempt_at_ms=now_ms,
                )
            )
            await record_audit(connection, audit)
            added = await _one(connection, guild_id, delivery_id)
        assert added is not None  # noqa: S101  # it was inserted above
        return added


async def fail_waiting(connection: AsyncConnection, guild_id: GuildId, reason: str) -> None:
    """End everything of a guild that waits, in the caller's transaction. An attempt at work on one cannot end it any more."""
    await connection.execute(
        update(webhook_delivery)
        .where(
            webhook_delivery.c.guild_id == guild_id,
            webhook_delivery.c.next_attempt_at_ms.is_not(None),
        )
        .values(state=DeliveryState.FAILED.value, next_attempt_at_ms=None, claimed_by=None, last_error=reason)
    )


def _row_of(guild_id: GuildId) -> Select[tuple[object, ...]]:
    return select(webhook).where(webhook.c.guild_id == guild_id)


async def _stored(connection: AsyncConnection, query: Select[tuple[object, ...]]) -> StoredWebhook | None:
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    settings = WebhookSettings(
        url=row["url"],
        secret_set=row["secret"] is not None,
        events=frozenset(WebhookEvent(event) for event in json.loads(row["events"])),
        enabled=row["enabled"],
        failing_since_ms=row["failing_since_ms"],
        disabled_reason=row["disabled_reason"],
    )
    return StoredWebhook(settings, row["secret"])


async def _insert_default(connection: AsyncConnection, guild_id: GuildId, now_ms: int) -> None:
    default = WebhookSettings()
    columns = ("guild_id", "events", "enabled", "created_at_ms", "updated_at_ms")
    row = (guild_id, _events_text(default.events), default.enabled, now_ms, now_ms)
    await bulk_upsert(connection, webhook, columns, [row])


def _events_text(events: frozenset[WebhookEvent]) -> str:
    return json.dumps(sorted(event.value for event in events))


async def _delivers(connection: AsyncConnection, guild_id: GuildId) -> bool:
    """Whether the guild's webhook sends anything; it stays so until the transaction ends."""
    stored = await _stored(connection, _row_of(guild_id).with_for_update(read=True))
    return stored is not None and stored.settings.delivers


def _check_delivers(*, delivers: bool) -> None:
    if not delivers:
        raise ConflictError("the webhook has no URL, or is switched off")


async def _one(connection: AsyncConnection, guild_id: GuildId, delivery_id: UUID) -> Delivery | None:
    query = select(*_LOG_COLUMNS).where(webhook_delivery.c.guild_id == guild_id, webhook_delivery.c.delivery_id == delivery_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _delivery(row)


def _delivery(row: object) -> Delivery:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001  # a Row's public way to its names
    return Delivery(**{**values, "state": DeliveryState(values["state"])})


def _of(guild_id: GuildId, state: DeliveryState | None) -> ColumnElement[bool]:
    of_guild = webhook_delivery.c.guild_id == guild_id
    return of_guild if state is None else and_(of_guild, webhook_delivery.c.state == state.value)
