"""The outbox of log destinations. See `attendance.ports.log_deliveries`.

Locks are taken in one order, the destination before its messages, so that deliverers and admins never wait in a circle. Whoever
puts items there (`attendance.store.announcements`) takes none of them and is never kept waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, ScalarSelect, Select, and_, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.audit import SYSTEM, AuditEntry
from attendance.domain.ids import ChannelId, GuildId
from attendance.domain.log_contents import Told
from attendance.domain.log_destinations import LogDestination, next_due
from attendance.ports.log_deliveries import Claim, LogMessage
from attendance.store.audit import record_audit
from attendance.store.database import Database
from attendance.store.log_contents import read_told
from attendance.store.log_destinations import delete_waiting, hold_destination, timezone_of
from attendance.store.schema import log_destination, log_item, log_message

_DELETED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class SqlLogDeliveryStore:
    """`LogDeliveryStore` on a database."""

    database: Database

    async def waiting(self, now_ms: int, gathered_before_ms: int, after: UUID | None, limit: int) -> list[UUID]:
        """Destinations for which there is something to compose, or to throw away."""
        with_items = _with_waiting_items(after)
        there = log_destination.c
        oldest_ms = (
            select(log_item.c.created_at_ms)
            .where(log_item.c.destination_id == with_items.c.destination_id, log_item.c.message_id.is_(None))
            .order_by(log_item.c.id)
            .limit(1)
            .scalar_subquery()
        )
        at_work = exists().where(log_message.c.destination_id == with_items.c.destination_id)
        due = or_(
            there.destination_id.is_(None),  # removed while an item was on its way
            there.disabled_at_ms.is_not(None),
            there.next_due_at_ms <= now_ms,
            and_(there.next_due_at_ms.is_(None), oldest_ms <= gathered_before_ms),
        )
        joined = with_items.outerjoin(log_destination, there.destination_id == with_items.c.destination_id)
        query = (
            select(with_items.c.destination_id)
            .select_from(joined)
            .where(with_items.c.destination_id.is_not(None), due, ~at_work)
            .limit(limit)
        )
        async with self.database.snapshot() as connection:
            return list(await connection.scalars(query))

    async def compose(self, destination_id: UUID, message_id: UUID, claim: Claim, now_ms: int, limit: int) -> LogMessage | None:
        """Make a message of waiting items and claim it."""
        async with self.database.transaction() as connection:
            destination = await hold_destination(connection, log_destination.c.destination_id == destination_id)
            if destination is None or destination.disabled_at_ms is not None:
                unwanted = delete(log_item).where(log_item.c.id.in_(_first_waiting(destination_id, _DELETED_AT_ONCE)))
                await connection.execute(unwanted)
                return None
            if await connection.scalar(select(exists().where(log_message.c.destination_id == destination_id))):
                return None
            taken = await connection.execute(
                update(log_item).where(log_item.c.id.in_(_first_waiting(destination_id, limit))).values(message_id=message_id)
            )
            if taken.rowcount == 0:
                return None
            if taken.rowcount < limit:
                await _move_on(connection, destination, now_ms)
            message = LogMessage(
                message_id, destination_id, destination.guild_id, destination.channel_id, now_ms, attempts=0, claim=claim
            )
            await connection.execute(
                insert(log_message).values(
                    message_id=message_id,
                    destination_id=destination_id,
                    guild_id=destination.guild_id,
                    created_at_ms=now_ms,
                    attempts=1,
                    next_attempt_at_ms=now_ms,
                    claimed_by=claim.claimed_by,
                    claimed_until_ms=claim.until_ms,
                )
            )
        return message

    async def pass_over(self, now_ms: int, limit: int) -> int:
        """Move on what is due for destinations for which nothing has gathered."""
        there = log_destination.c
        nothing = ~exists().where(log_item.c.destination_id == there.destination_id, log_item.c.message_id.is_(None))
        idle = select(there.destination_id).where(there.next_due_at_ms <= now_ms, there.disabled_at_ms.is_(None), nothing)
        async with self.database.snapshot() as connection:
            found = list(await connection.scalars(idle.limit(limit)))
        if found:
            async with self.database.transaction() as connection:
                for destination_id in sorted(found):
                    destination = await hold_destination(connection, there.destination_id == destination_id)
                    if destination is not None and destination.next_due_at_ms is not None:
                        await _move_on(connection, destination, now_ms)
        return len(found)

    async def claim_due(self, claim: Claim, now_ms: int, limit: int) -> list[LogMessage]:
        """Claim messages whose next attempt is due."""
        due = (log_message.c.next_attempt_at_ms <= now_ms, _unclaimed(now_ms))
        query = select(log_message.c.message_id).where(*due).order_by(log_message.c.next_attempt_at_ms).limit(limit)
        async with self.database.snapshot() as connection:
            found = list(await connection.scalars(query))
        claimed = [await self._claim(message_id, claim, due) for message_id in found]
        return [message for message in claimed if message is not None]

    async def _claim(
        self, message_id: UUID, claim: Claim, due: tuple[ColumnElement[bool], ColumnElement[bool]]
    ) -> LogMessage | None:
        take = (
            update(log_message)
            .where(log_message.c.message_id == message_id, *due)
            .values(claimed_by=claim.claimed_by, claimed_until_ms=claim.until_ms, attempts=log_message.c.attempts + 1)
        )
        joined = log_message.join(log_destination, log_destination.c.destination_id == log_message.c.destination_id)
        query = (
            select(log_message, log_destination.c.channel_id)
            .select_from(joined)
            .where(log_message.c.message_id == message_id, log_message.c.claimed_by == claim.claimed_by)
        )
        async with self.database.transaction() as connection:
            if (await connection.execute(take)).rowcount != 1:
                return None
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        return LogMessage(
            row.message_id,
            row.destination_id,
            GuildId(row.guild_id),
            ChannelId(row.channel_id),
            row.created_at_ms,
            attempts=row.attempts - 1,
            claim=claim,
        )

    async def told(self, message: LogMessage) -> Sequence[Told] | None:
        """What the message is about, read now."""
        async with self.database.snapshot() as connection:
            return await read_told(connection, message)

    async def finish(self, message: LogMessage, now_ms: int) -> None:
        """The message is in the channel: delete it and its items."""
        await self._end(message, last_delivered_at_ms=now_ms, last_error=None)

    async def drop(self, message: LogMessage, reason: str | None) -> None:
        """The message is not told after all: delete it and its items."""
        await self._end(message, **({} if reason is None else {"last_error": reason}))

    async def _end(self, message: LogMessage, **values: int | str | None) -> None:
        async with self.database.transaction() as connection:
            await hold_destination(connection, log_destination.c.destination_id == message.destination_id)
            # Whoever has claimed it meanwhile: that Discord has it is a fact, and nobody need post it again.
            ended = await connection.execute(delete(log_message).where(log_message.c.message_id == message.message_id))
            if ended.rowcount != 1:
                return
            await connection.execute(delete(log_item).where(log_item.c.message_id == message.message_id))
            if not values:
                return
            await connection.execute(
                update(log_destination)
                .where(log_destination.c.destination_id == message.destination_id, log_destination.c.disabled_at_ms.is_(None))
                .values(**values)
            )

    async def postpone(self, message: LogMessage, until_ms: int, *, reason: str | None, attempts: int) -> None:
        """Give the claim back until the next attempt."""
        later = (
            update(log_message)
            .where(log_message.c.message_id == message.message_id, log_message.c.claimed_by == message.claim.claimed_by)
            .values(next_attempt_at_ms=until_ms, claimed_by=None, claimed_until_ms=None, attempts=attempts)
        )
        async with self.database.transaction() as connection:
            await hold_destination(connection, log_destination.c.destination_id == message.destination_id)
            if (await connection.execute(later)).rowcount == 1 and reason is not None:
                await connection.execute(
                    update(log_destination)
                    .where(log_destination.c.destination_id == message.destination_id)
                    .values(last_error=reason)
                )

    async def disable(self, message: LogMessage, reason: str, now_ms: int) -> None:
        """Discord refuses the channel for good: disable the destination and delete all that waits for it."""
        this = log_destination.c.destination_id == message.destination_id
        async with self.database.transaction() as connection:
            destination = await hold_destination(connection, this)
            ours = exists().where(log_message.c.message_id == message.message_id)
            if destination is None or not await connection.scalar(select(ours)):
                return
            values = {"disabled_at_ms": now_ms, "last_error": f"disabled: {reason}"}
            await connection.execute(update(log_destination).where(this).values(**values))
            await delete_waiting(connection, message.destination_id)
            await record_audit(
                connection,
                AuditEntry(
                    guild_id=destination.guild_id,
                    at_ms=now_ms,
                    actor=SYSTEM,
                    action="log_destination.disable",
                    target=str(destination.destination_id),
                    before={"disabled": False},
                    after={"disabled": True, "reason": reason},
                ),
            )


def _with_waiting_items(after: UUID | None) -> CTE:
    """Destinations beyond ``after`` for which items wait, in order: one step of the index for each, whatever waits there."""

    def first_beyond(bound: ColumnElement[UUID] | UUID | None) -> ScalarSelect[UUID]:
        beyond = () if bound is None else (log_item.c.destination_id > bound,)
        waiting = select(log_item.c.destination_id).where(log_item.c.message_id.is_(None), *beyond)
        return waiting.order_by(log_item.c.destination_id).limit(1).scalar_subquery()

    found = select(first_beyond(after).label("destination_id")).cte("with_waiting_items", recursive=True)
    beyond = select(first_beyond(found.c.destination_id)).where(found.c.destination_id.is_not(None))
    return found.union_all(beyond)


def _first_waiting(destination_id: UUID, limit: int) -> Select[tuple[int]]:
    waiting = log_item.c.destination_id == destination_id, log_item.c.message_id.is_(None)
    return select(log_item.c.id).where(*waiting).order_by(log_item.c.id).limit(limit)


async def _move_on(connection: AsyncConnection, destination: LogDestination, now_ms: int) -> None:
    if destination.next_due_at_ms is None or destination.next_due_at_ms > now_ms:
        return
    due_ms = next_due(destination.frequency, await timezone_of(connection, destination.guild_id), now_ms)
    this = log_destination.c.destination_id == destination.destination_id
    await connection.execute(update(log_destination).where(this).values(next_due_at_ms=due_ms))


def _unclaimed(now_ms: int) -> ColumnElement[bool]:
    return or_(log_message.c.claimed_by.is_(None), log_message.c.claimed_until_ms < now_ms)
