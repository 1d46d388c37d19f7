"""Closed periods on their way into the archive. See `attendance.ports.archiving`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.announcements import Announcement, Happening
from attendance.domain.ids import GuildId, UserId
from attendance.errors import OwnershipLostError
from attendance.ports.archiving import Archived, Claim, Entry, PeriodKey, Standing
from attendance.store.announcements import announce
from attendance.store.database import Database, bulk_insert
from attendance.store.role_runs import queue_role_runs
from attendance.store.schema import period, period_entry, period_member, record_queue

_ENTRY_COLUMNS = ("guild_id", "period_index", *Entry._fields)


@dataclass(frozen=True, slots=True)
class SqlPeriodStore:
    """`PeriodStore` on a database."""

    database: Database

    async def due(self, now_ms: int, limit: int) -> list[PeriodKey]:
        """Periods whose sessions are all stored and that nobody works on, the longest closed first."""
        query = (
            select(period.c.guild_id, period.c.period_index)
            .where(period.c.state == "closed", _unclaimed(now_ms))
            .order_by(period.c.ended_at_ms, period.c.guild_id)
            .limit(limit)
        )
        async with self.database.snapshot() as connection:
            return [PeriodKey(GuildId(guild_id), index) for guild_id, index in await connection.execute(query)]

    async def claim(self, claim: Claim, now_ms: int, until_ms: int) -> bool:
        """Take the period, if it is closed and no other claim stands."""
        take = (
            update(period)
            .where(_same_period(period, claim.period), period.c.state == "closed", _unclaimed(now_ms))
            .values(claimed_by=claim.claimed_by, claimed_until_ms=until_ms)
        )
        async with self.database.transaction() as connection:
            return (await connection.execute(take)).rowcount == 1

    async def drop_entries(self, claim: Claim, until_ms: int, limit: int) -> int:
        """Delete up to ``limit`` entries that an earlier attempt left; how many there were."""
        here = _same_period(period_entry, claim.period)
        # A dead attempt wrote in order, and one that died while deleting did so from the end: positions have no gaps.
        async with self.database.transaction() as connection:
            await _hold(connection, claim, claimed_until_ms=until_ms)
            last = await connection.scalar(select(func.max(period_entry.c.position)).where(here))
            if last is None:
                return 0
            result = await connection.execute(delete(period_entry).where(here, period_entry.c.position > last - limit))
            return result.rowcount

    async def standings(self, period: PeriodKey, chunk: int) -> AsyncGenerator[list[Standing]]:
        """Everyone with a session in the period, ``chunk`` at a time, as of one instant."""
        query = select(period_member.c.user_id, period_member.c.credited_ms, period_member.c.session_count).where(
            _same_period(period_member, period), period_member.c.session_count > 0
        )
        async with self.database.snapshot() as connection, connection.stream(query) as result:
            async for rows in result.partitions(chunk):
                yield [Standing(UserId(row[0]), row[1], row[2]) for row in rows]

    async def add_entries(self, claim: Claim, until_ms: int, entries: Sequence[Entry]) -> None:
        """Write some entries."""
        async with self.database.transaction() as connection:
            await _hold(connection, claim, claimed_until_ms=until_ms)
            await _insert(connection, claim.period, entries)

    async def finish(self, claim: Claim, entries: Sequence[Entry], archived: Archived, now_ms: int) -> None:
        """Write the last entries, mark the period archived, give the claim back, and queue the period's record."""
        async with self.database.transaction() as connection:
            await _hold(
                connection,
                claim,
                state="archived",
                entry_count=archived.entry_count,
                entries_root=archived.entries_root,
                claimed_by=None,
                claimed_until_ms=None,
            )
            await _insert(connection, claim.period, entries)
            await connection.execute(
                insert(record_queue).values(
                    guild_id=claim.period.guild_id,
                    type="leaderboard.period",
                    period_index=claim.period.period_index,
                    created_at_ms=now_ms,
                )
            )
            told = Happening.PERIOD_ARCHIVED
            await announce(
                connection, [Announcement(claim.period.guild_id, told, now_ms, period_index=claim.period.period_index)]
            )
            await queue_role_runs(connection, claim.period.guild_id, claim.period.period_index, now_ms)

    async def release(self, claim: Claim) -> None:
        """Let another attempt begin at once."""
        async with self.database.transaction() as connection:
            await connection.execute(
                update(period).where(_standing_claim(claim)).values(claimed_by=None, claimed_until_ms=None)
            )


async def _hold(connection: AsyncConnection, claim: Claim, **changes: object) -> None:
    """Change the claimed period's row first: on PostgreSQL its lock keeps every rival out until we commit."""
    result = await connection.execute(update(period).where(_standing_claim(claim)).values(**changes))
    if result.rowcount != 1:
        raise OwnershipLostError(
            f"period {claim.period.period_index} of guild {claim.period.guild_id} is in the archive or in other hands"
        )


async def _insert(connection: AsyncConnection, key: PeriodKey, entries: Sequence[Entry]) -> None:
    await bulk_insert(connection, period_entry, _ENTRY_COLUMNS, [(*key, *entry) for entry in entries])


def _standing_claim(claim: Claim) -> ColumnElement[bool]:
    return and_(_same_period(period, claim.period), period.c.state == "closed", period.c.claimed_by == claim.claimed_by)


def _unclaimed(now_ms: int) -> ColumnElement[bool]:
    return or_(period.c.claimed_by.is_(None), period.c.claimed_until_ms < now_ms)


def _same_period(table: Table, key: PeriodKey) -> ColumnElement[Any]:
    return and_(table.c.guild_id == key.guild_id, table.c.period_index == key.period_index)
