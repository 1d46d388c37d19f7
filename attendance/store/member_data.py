"""Everything that is held of a member, table by table.

What a table holds of members is said here once, and a test walks the schema: a new table with a ``user_id`` must be among the
sections or be said to have nothing more to tell.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.erasure import names_in_text, snapshot_mark, snapshot_of
from attendance.domain.ids import GuildId, UserId
from attendance.domain.records import RecordType
from attendance.ports.member_data import MemberDataView, Row
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.erased_journal import lines_of, named_in

# Sections that are a table's rows of the member, and in which order.
OF_TABLES: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "open_sessions": (schema.open_session, ("joined_at_ms",)),
    "period_totals": (schema.period_member, ("period_index",)),
    "period_channels": (schema.period_channel, ("period_index", "channel_id")),
    "quarter_hours": (schema.member_quarter, ("quarter", "channel_id", "period_index")),
    "entries": (schema.period_entry, ("period_index", "position")),
    "corrections": (schema.correction, ("created_at_ms", "correction_id")),
    "external_attendance": (schema.external_attendance, ("joined_at_ms", "external_id")),
    "role_grants": (schema.role_grant, ("granted_at_ms", "rule_id")),
    "role_changes": (schema.role_change, ("run_id",)),
    "opt_outs": (schema.opt_out, ("since_ms",)),
    "erasures": (schema.erasure, ("requested_at_ms", "erasure_id")),
}
# `member` is the head of the answer; sessions and the journal have sections of their own making.
TOLD_OTHERWISE = frozenset({schema.member, schema.session, schema.journal})
# What says by whom something was done: (table, column).
_DONE_BY = (
    (schema.audit, "actor_id"),
    (schema.correction, "actor_id"),
    (schema.rules_version, "actor_id"),
    (schema.api_token, "created_by"),
    (schema.role_rule, "created_by"),
    (schema.subscription, "updated_by"),
)
_HIDDEN = frozenset({"claimed_by", "claimed_until_ms", "idempotency_key", "token_sha256", "rank_key", "queue_id"})
_OF_RECORD = ("guild_seq", "record_sha256", "kid", "signed_at_ms", "body", "signature")


@dataclass(frozen=True, slots=True)
class SqlMemberDataView:
    """`MemberDataView` over one transaction."""

    connection: AsyncConnection

    async def person(self, guild_id: GuildId, user_id: UserId) -> Row | None:
        """Name, and whether they are a bot."""
        member = schema.member.c
        query = select(member.display_name, member.bot).where(member.guild_id == guild_id, member.user_id == user_id)
        row = (await self.connection.execute(query)).first()
        return None if row is None else dict(row._mapping)  # noqa: SLF001  # the row's public mapping

    async def sections(self, guild_id: GuildId, user_id: UserId) -> AsyncIterator[tuple[str, AsyncIterator[Row]]]:
        """Every section."""
        yield "sessions", self._sessions(guild_id, user_id)
        yield "correction_records", self._records_of_corrections(guild_id, user_id)
        yield "external_records", self._records_about(guild_id, RecordType.ATTENDANCE_EXTERNAL, user_id)
        for name, (table, order) in OF_TABLES.items():
            columns = [column for column in table.c if column.name not in _HIDDEN]
            query = select(*columns).where(table.c.guild_id == guild_id, table.c.user_id == user_id)
            yield name, self._rows(query.order_by(*(table.c[one] for one in order)))
        yield "deliveries", self._deliveries(guild_id, user_id)
        yield "commands", self._commands(guild_id, user_id)
        yield "audit", self._audit(guild_id, user_id)
        for table, column in _DONE_BY:
            columns = [one for one in table.c if one.name not in _HIDDEN]
            by_them = select(*columns).where(table.c.guild_id == guild_id, table.c[column] == user_id)
            yield f"{table.name}_by_them", self._rows(by_them.order_by(*table.primary_key))
        yield "journal", self._journal(guild_id, user_id)

    async def _rows(self, query: Select[Any]) -> AsyncIterator[Row]:
        async with self.connection.stream(query) as result:
            async for row in result.mappings():
                yield dict(row)

    def _sessions(self, guild_id: GuildId, user_id: UserId) -> AsyncIterator[Row]:
        session, record = schema.session, schema.record
        joined = session.outerjoin(record, record.c.session_id == session.c.session_id)
        query = (
            select(*(column for column in session.c if column.name != "ordinal"), *(record.c[name] for name in _OF_RECORD))
            .select_from(joined)
            .where(session.c.guild_id == guild_id, session.c.user_id == user_id)
            .order_by(session.c.left_at_ms, session.c.session_id)
        )
        return self._rows(query)

    async def _records_of_corrections(self, guild_id: GuildId, user_id: UserId) -> AsyncIterator[Row]:
        correction = schema.correction.c
        query = select(correction.session_id).where(correction.guild_id == guild_id, correction.user_id == user_id)
        corrected = {str(session_id) for session_id in await self.connection.scalars(query)}
        if not corrected:
            return
        async for row in self._records(guild_id, RecordType.SESSION_CORRECTION):
            if any(session_id in bytes(row["body"]).decode() for session_id in corrected):
                yield row

    async def _records_about(self, guild_id: GuildId, kind: RecordType, user_id: UserId) -> AsyncIterator[Row]:
        async for row in self._records(guild_id, kind):
            if snapshot_mark(user_id) in bytes(row["body"]):
                yield row

    def _records(self, guild_id: GuildId, kind: RecordType) -> AsyncIterator[Row]:
        record = schema.record
        columns = [record.c[name] for name in _OF_RECORD]
        ours = record.c.guild_id == guild_id, record.c.type == kind.value, record.c.body.is_not(None)
        return self._rows(select(*columns).where(*ours).order_by(record.c.guild_seq))

    async def _deliveries(self, guild_id: GuildId, user_id: UserId) -> AsyncIterator[Row]:
        """What outboxes still hold of their sessions."""
        for table, columns in (
            (schema.webhook_delivery, ("delivery_id", "event", "session_id", "created_at_ms", "state", "delivered_at_ms")),
            (schema.log_item, ("type", "session_id", "created_at_ms")),
        ):
            joined = table.join(schema.session, schema.session.c.session_id == table.c.session_id)
            theirs = schema.session.c.guild_id == guild_id, schema.session.c.user_id == user_id
            query = select(*(table.c[name] for name in columns)).select_from(joined).where(*theirs)
            async for row in self._rows(query.order_by(*table.primary_key)):
                yield {"outbox": table.name, **row}

    def _commands(self, guild_id: GuildId, user_id: UserId) -> AsyncIterator[Row]:
        command = schema.command.c
        columns = command.kind, command.body, command.actor_id, command.created_at_ms, command.applied_at_ms, command.result
        about = or_(command.actor_id == user_id, command.body.contains(str(user_id), autoescape=True))
        return self._naming(select(*columns).where(command.guild_id == guild_id, about).order_by(command.id), user_id)

    def _audit(self, guild_id: GuildId, user_id: UserId) -> AsyncIterator[Row]:
        """Entries about them; what they did to others is a section of its own."""
        audit = schema.audit.c
        needle = str(user_id)
        about = or_(*(column.contains(needle, autoescape=True) for column in (audit.target, audit.before, audit.after)))
        columns = audit.at_ms, audit.actor_id, audit.via, audit.action, audit.target, audit.before, audit.after
        return self._naming(select(*columns).where(audit.guild_id == guild_id, about).order_by(audit.id), user_id)

    async def _naming(self, query: Select[Any], user_id: UserId) -> AsyncIterator[Row]:
        async for row in self._rows(query):
            if any(names_in_text(str(value), user_id) for value in row.values() if value is not None):
                yield row

    async def _journal(self, guild_id: GuildId, user_id: UserId) -> AsyncIterator[Row]:
        """The recorder's lines about them, in order; of a snapshot only that they were in it, and where."""
        journal = schema.journal
        about = journal.c.seq.in_(lines_of(guild_id, user_id))
        snapshots = and_(
            journal.c.seq.in_(lines_of(guild_id, None)),
            journal.c.type == "snapshot",
            named_in(self.connection, journal.c.line, user_id),
        )
        query = select(journal.c.seq, journal.c.at_ms, journal.c.type, journal.c.line)
        async for row in self._rows(query.where(journal.c.guild_id == guild_id, or_(about, snapshots)).order_by(journal.c.seq)):
            if row["type"] == "snapshot":
                row["line"] = snapshot_of(bytes(row["line"]), user_id)
            yield row


@dataclass(frozen=True, slots=True)
class SqlMemberDataSource:
    """`MemberDataSource` over a database."""

    database: Database

    @asynccontextmanager
    async def view(self) -> AsyncIterator[MemberDataView]:
        """One instant of the database."""
        async with self.database.snapshot() as connection:
            yield SqlMemberDataView(connection)
