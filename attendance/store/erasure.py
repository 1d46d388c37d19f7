"""The steps of an erasure, and retention, which is the same by age. See `attendance.ports.privacy`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.erasure import ErasureState, Why, names_in_text, text_without_member
from attendance.domain.ids import GuildId, UserId
from attendance.domain.records import RecordType
from attendance.ports.privacy import ErasureClaim
from attendance.store.database import Database
from attendance.store.erased_journal import ErasedJournal
from attendance.store.erased_sessions import erase_records, erase_these, queue_redactions
from attendance.store.erased_sums import SESSION_COLUMNS, ErasedSession
from attendance.store.erasure_requests import hold_claim
from attendance.store.revisions import revise_sums
from attendance.store.role_runs import forget_member
from attendance.store.schema import (
    audit,
    command,
    correction,
    external_attendance,
    guild_preferences,
    member,
    open_session,
    period,
    period_channel,
    period_entry,
    period_member,
    session,
)

_EXTERNAL = RecordType.ATTENDANCE_EXTERNAL.value


@dataclass(frozen=True, slots=True)
class SqlErasureSteps:
    """`ErasureSteps` and `RetentionStore` on a database."""

    database: Database

    async def erase_sessions(self, guild_id: GuildId, user_id: UserId, now_ms: int, limit: int) -> int:
        """Erase some of the member's closed sessions."""
        return len(await self._erase_sessions(guild_id, session.c.user_id == user_id, Why.ERASURE, now_ms, limit))

    async def erase_external(self, guild_id: GuildId, user_id: UserId, now_ms: int, limit: int) -> int:
        """Erase some reports of other systems about the member."""
        return await self._erase_external(guild_id, external_attendance.c.user_id == user_id, Why.ERASURE, now_ms, limit)

    async def anonymise_entries(self, guild_id: GuildId, user_id: UserId, limit: int) -> int:
        """Take the member out of archived periods."""
        this = period_entry.c.guild_id == guild_id, period_entry.c.user_id == user_id
        query = select(period_entry.c.period_index, period_entry.c.position).where(*this)
        async with self.database.snapshot() as connection:
            keys = [(row.period_index, row.position) for row in await connection.execute(query)]
        for start in range(0, len(keys), limit):
            async with self.database.transaction() as connection:
                await _anonymise(connection, guild_id, keys[start : start + limit])
        return len(keys)

    async def erase_journal(self, guild_id: GuildId, user_id: UserId, limit: int) -> None:
        """Take the member out of what the recorder keeps of the past."""
        await ErasedJournal(self.database, guild_id, user_id).erase(limit)

    async def erase_traces(self, guild_id: GuildId, user_id: UserId) -> None:
        """Delete what names the member elsewhere."""
        async with self.database.transaction() as connection:
            await forget_member(connection, guild_id, user_id)
            await connection.execute(delete(member).where(member.c.guild_id == guild_id, member.c.user_id == user_id))
            await _forget_commands(connection, guild_id, user_id)
            await _forget_in_audit(connection, guild_id, user_id)

    async def finish(self, claim: ErasureClaim, now_ms: int) -> str | None:
        """Mark the erasure done if nothing of the member is left."""
        kept = ErasedJournal(self.database, claim.guild_id, claim.user_id)
        async with self.database.snapshot() as connection:  # all of the journal, beside the writers
            end = await kept.end(connection)
            left = await kept.what_is_left(connection)
        if left is not None:
            return left
        async with self.database.transaction() as connection:
            await hold_claim(connection, claim, claimed_until_ms=now_ms)
            await revise_sums(connection, claim.guild_id)  # no session closes until we commit
            left = await _what_is_left(connection, claim.guild_id, claim.user_id)
            left = left or await kept.what_is_left(connection, after=end)
            if left is None:
                await hold_claim(
                    connection,
                    claim,
                    state=ErasureState.DONE.value,
                    ended_at_ms=now_ms,
                    claimed_by=None,
                    claimed_until_ms=None,
                )
        return left

    async def scrub(self) -> bool:
        """Empty SQLite's write-ahead log."""
        return await self.database.truncate_log()

    # -- retention ---------------------------------------------------------------------------------------------------

    async def guilds(self, after: GuildId, limit: int) -> list[tuple[GuildId, int]]:
        """Guilds with a retention."""
        days = guild_preferences.c.retention_days
        query = (
            select(guild_preferences.c.guild_id, days)
            .where(guild_preferences.c.guild_id > after, days.is_not(None))
            .order_by(guild_preferences.c.guild_id)
            .limit(limit)
        )
        async with self.database.snapshot() as connection:
            return [(GuildId(row[0]), row[1]) for row in await connection.execute(query)]

    async def erase_old_sessions(self, guild_id: GuildId, before_ms: int, now_ms: int, limit: int) -> int:
        """Erase some sessions that ended before then."""
        erased = await self._erase_sessions(guild_id, session.c.left_at_ms < before_ms, Why.RETENTION, now_ms, limit)
        return len(erased)

    async def erase_old_external(self, guild_id: GuildId, before_ms: int, now_ms: int, limit: int) -> int:
        """Erase some reports of other systems."""
        old = external_attendance.c.left_at_ms < before_ms
        return await self._erase_external(guild_id, old, Why.RETENTION, now_ms, limit)

    async def anonymise_old_entries(self, guild_id: GuildId, before_ms: int, limit: int) -> int:
        """Take members out of periods that ended before then."""
        entry = period_entry.c
        named = exists().where(
            entry.guild_id == period.c.guild_id, entry.period_index == period.c.period_index, entry.user_id > 0
        )
        old = select(period.c.period_index).where(
            period.c.guild_id == guild_id, period.c.state == "archived", period.c.ended_at_ms < before_ms, named
        )
        async with self.database.snapshot() as connection:
            index = await connection.scalar(old.order_by(period.c.period_index).limit(1))
            if index is None:
                return 0
            of_period = entry.guild_id == guild_id, entry.period_index == index, entry.user_id.is_not(None)
            positions = list(await connection.scalars(select(entry.position).where(*of_period).limit(limit)))
        async with self.database.transaction() as connection:
            await _anonymise(connection, guild_id, [(index, position) for position in positions])
        return len(positions)

    async def forget_names(self, guild_id: GuildId, limit: int) -> int:
        """Delete up to ``limit`` names of members of whom nothing else is left."""
        entries = select(period_entry.c.user_id).where(period_entry.c.guild_id == guild_id, period_entry.c.user_id.is_not(None))
        # Who was ever seen as a bot stays one.
        nameless = member.c.guild_id == guild_id, member.c.bot.is_(False), ~_has_rows(guild_id)
        async with self.database.snapshot() as connection:
            query = select(member.c.user_id).where(*nameless, member.c.user_id.not_in(entries)).limit(limit)
            ids = list(await connection.scalars(query))
        if ids:
            async with self.database.transaction() as connection:
                await connection.execute(delete(member).where(*nameless, member.c.user_id.in_(ids)))
        return len(ids)

    # -- both --------------------------------------------------------------------------------------------------------

    async def _erase_sessions(
        self, guild_id: GuildId, which: ColumnElement[bool], why: Why, now_ms: int, limit: int
    ) -> Sequence[ErasedSession]:
        query = (
            select(*SESSION_COLUMNS).where(session.c.guild_id == guild_id, which).order_by(session.c.left_at_ms).limit(limit)
        )
        async with self.database.snapshot() as connection:
            if (await connection.execute(query.limit(1))).first() is None:
                return ()  # the usual case, beside the writers
        async with self.database.transaction() as connection:
            await revise_sums(connection, guild_id)
            sessions = [ErasedSession(*row) for row in await connection.execute(query)]
            await erase_these(connection, guild_id, sessions, why, now_ms)
        return sessions

    async def _erase_external(self, guild_id: GuildId, which: ColumnElement[bool], why: Why, now_ms: int, limit: int) -> int:
        ours = external_attendance.c.guild_id == guild_id
        query = select(external_attendance.c.external_id).where(ours, which).limit(limit)
        async with self.database.snapshot() as connection:
            ids = set(await connection.scalars(query))
        if not ids:
            return 0
        async with self.database.transaction() as connection:
            await connection.execute(delete(external_attendance).where(ours, external_attendance.c.external_id.in_(ids)))
            positions = await erase_records(connection, guild_id, _EXTERNAL, "external_id", ids)
            await queue_redactions(connection, guild_id, positions, why, now_ms)
        return len(ids)


async def _anonymise(connection: AsyncConnection, guild_id: GuildId, keys: Sequence[tuple[int, int]]) -> None:
    """Rank, times and the leaf's hash stay: without the salt they say nothing about anyone, and the root still verifies."""
    entry = period_entry.c
    these = entry.guild_id == guild_id, tuple_(entry.period_index, entry.position).in_(keys)
    await connection.execute(update(period_entry).where(*these).values(user_id=None, salt=None))


def _has_rows(guild_id: GuildId) -> ColumnElement[bool]:
    """Whether something else than the name is held of a member."""
    tables = (session, open_session, external_attendance)
    return or_(*(exists().where(one.c.guild_id == guild_id, one.c.user_id == member.c.user_id) for one in tables))


async def _forget_commands(connection: AsyncConnection, guild_id: GuildId, user_id: UserId) -> None:
    """Applied ones that name the member; what still waits is newer than this."""
    text = command.c.body + func.coalesce(command.c.result, "")
    query = select(command.c.id, text).where(
        command.c.guild_id == guild_id, command.c.applied_at_ms.is_not(None), text.contains(str(user_id), autoescape=True)
    )
    ids = [row[0] for row in await connection.execute(query) if names_in_text(row[1], user_id)]
    if ids:
        await connection.execute(delete(command).where(command.c.id.in_(ids)))


async def _forget_in_audit(connection: AsyncConnection, guild_id: GuildId, user_id: UserId) -> None:
    """Entries stay without the member's id. Who changed a setting stays named as its actor, unless it was about themselves."""
    needle, columns = str(user_id), (audit.c.target, audit.c.before, audit.c.after)
    about = or_(*(column.contains(needle, autoescape=True) for column in columns))
    query = select(audit.c.id, audit.c.actor_id, *columns).where(audit.c.guild_id == guild_id, about)
    for row in await connection.execute(query):
        texts = [row.target or "", row.before or "", row.after or ""]
        if not any(names_in_text(text, user_id) for text in texts):
            continue
        values: dict[str, Any] = {
            "before": text_without_member(row.before, user_id),
            "after": text_without_member(row.after, user_id),
        }
        if names_in_text(row.target or "", user_id):
            values["target"] = "erased"
            if row.actor_id == user_id:
                values |= {"actor_id": None, "address": None}
        await connection.execute(update(audit).where(audit.c.id == row.id).values(**values))


async def _what_is_left(connection: AsyncConnection, guild_id: GuildId, user_id: UserId) -> str | None:
    """Rows about the member that came after their step, in words for a log."""
    for table in (session, external_attendance, correction, period_member, period_channel, period_entry, member):
        this = table.c.guild_id == guild_id, table.c.user_id == user_id
        if await connection.scalar(select(table.c.user_id).where(*this).limit(1)) is not None:
            return f"{table.name} has rows of theirs"
    return None
