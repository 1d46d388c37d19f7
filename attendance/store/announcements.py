"""The outboxes: what happened is stored for everyone who wants to know it, in the transaction that decides it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.announcements import LOG_TYPES, WEBHOOK_EVENTS, Announcement
from attendance.domain.ids import GuildId
from attendance.store import schema
from attendance.store.database import Row, bulk_insert, bulk_upsert

_ITEM_COLUMNS = ("destination_id", "guild_id", "type", "session_id", "period_index", "body", "created_at_ms")
_DELIVERY_COLUMNS = (
    "delivery_id", "guild_id", "event", "session_id", "period_index", "body", "created_at_ms", "state", "attempts",
    "next_attempt_at_ms",
)  # fmt: skip


async def announce(connection: AsyncConnection, announcements: Sequence[Announcement]) -> None:
    """Put announcements into the outboxes of the guild's log destinations and webhook, in the caller's transaction.

    A guild that wants to know nothing costs nothing but two lookups for the whole batch. Disabled destinations and webhooks
    are told nothing, later neither.
    """
    if not announcements:
        return
    guild_ids = sorted({announcement.guild_id for announcement in announcements})
    destinations = await _destinations(connection, guild_ids)
    webhooks = await _webhooks(connection, guild_ids)
    items: list[Row] = []
    deliveries: list[Row] = []
    for announcement in announcements:
        body = None if announcement.body is None else json.dumps(announcement.body, sort_keys=True)
        what = (announcement.session_id, announcement.period_index, body, announcement.at_ms)
        kind = LOG_TYPES[announcement.what].value
        for destination_id, types in destinations[announcement.guild_id]:
            if kind in types:
                items.append((destination_id, announcement.guild_id, kind, *what))
        event = WEBHOOK_EVENTS.get(announcement.what)
        if event is not None and event.value in webhooks.get(announcement.guild_id, ()):
            key = (delivery_id(announcement), announcement.guild_id, event.value)
            deliveries.append((*key, *what, "waiting", 0, announcement.at_ms))
    await bulk_insert(connection, schema.log_item, _ITEM_COLUMNS, items)
    # The id follows from what is told: told again after a crash, it is the same delivery.
    await bulk_upsert(connection, schema.webhook_delivery, _DELIVERY_COLUMNS, deliveries)


def delivery_id(announcement: Announcement) -> UUID:
    """The stable id of a webhook's delivery: one for each guild, event and thing that it is about."""
    about: object = announcement.session_id or announcement.period_index
    if about is None:
        about = f"{announcement.at_ms}:{json.dumps(announcement.body, sort_keys=True)}"
    return uuid5(NAMESPACE_OID, f"rollcall:{announcement.guild_id}:{announcement.what.value}:{about}")


async def _destinations(
    connection: AsyncConnection, guild_ids: Sequence[int]
) -> dict[GuildId, list[tuple[UUID, frozenset[str]]]]:
    table = schema.log_destination
    rows = await connection.execute(
        select(table.c.guild_id, table.c.destination_id, table.c.types).where(
            table.c.guild_id.in_(guild_ids), table.c.disabled_at_ms.is_(None)
        )
    )
    found: dict[GuildId, list[tuple[UUID, frozenset[str]]]] = defaultdict(list)
    for row in rows:
        found[GuildId(row.guild_id)].append((row.destination_id, frozenset(json.loads(row.types))))
    return found


async def _webhooks(connection: AsyncConnection, guild_ids: Sequence[int]) -> dict[GuildId, frozenset[str]]:
    table = schema.webhook
    rows = await connection.execute(
        select(table.c.guild_id, table.c.events).where(
            table.c.guild_id.in_(guild_ids), table.c.enabled, table.c.url.is_not(None)
        )
    )
    return {GuildId(row.guild_id): frozenset(json.loads(row.events)) for row in rows}
