"""What receipts are made of. See `attendance.ports.receipts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import GuildId, UserId
from attendance.domain.receipts import KEY_TYPES, KeyRecordSource
from attendance.ports.receipts import LogIdentity, ReceiptSources, RecordSource, SessionSource
from attendance.store.database import Database
from attendance.store.schema import deployment_key, log_entry, log_head, record, rules_version, session, signing_key

_PURPOSE = "log"


@dataclass(frozen=True, slots=True)
class SqlReceiptStore:
    """`ReceiptStore` over SQL."""

    database: Database

    async def subject(self, guild_id: GuildId, session_id: UUID) -> UserId | None:
        """Whose session it is."""
        query = select(session.c.user_id).where(session.c.session_id == session_id, session.c.guild_id == guild_id)
        async with self.database.snapshot() as connection:
            user_id = (await connection.execute(query)).scalar_one_or_none()
        return None if user_id is None else UserId(user_id)

    async def sources(self, guild_id: GuildId, session_id: UUID) -> ReceiptSources | None:
        """Everything about one session."""
        async with self.database.snapshot() as connection:
            found = await _session(connection, guild_id, session_id)
            its_record = await _record(connection, guild_id, session_id)
            if found is None and its_record is None:
                return None
            return ReceiptSources(found, its_record, await _key_records(connection, guild_id), await _log(connection))


async def _session(connection: AsyncConnection, guild_id: GuildId, session_id: UUID) -> SessionSource | None:
    query = select(session.c.timeline, session.c.rules_sha256).where(
        session.c.session_id == session_id, session.c.guild_id == guild_id
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    same = and_(rules_version.c.guild_id == guild_id, rules_version.c.rules_sha256 == bytes(row[1]))
    rules = (await connection.execute(select(rules_version.c.rules).where(same).limit(1))).scalar_one_or_none()
    return SessionSource(bytes(row[0]), None if rules is None else bytes(rules))


def _records(guild_id: GuildId) -> Select[Any]:
    its_key = and_(signing_key.c.guild_id == record.c.guild_id, signing_key.c.kid == record.c.kid)
    its_leaf = and_(
        log_entry.c.guild_id == record.c.guild_id,
        log_entry.c.guild_seq == record.c.guild_seq,
        # a leaf of other bytes is not this record's: it counts as one that is in no log
        log_entry.c.record_sha256 == record.c.record_sha256,
    )
    return (
        select(
            record.c.guild_seq,
            record.c.body,
            record.c.signature,
            record.c.kid,
            signing_key.c.public_key,
            log_entry.c.leaf_index,
        )
        .select_from(record.outerjoin(signing_key, its_key).outerjoin(log_entry, its_leaf))
        .where(record.c.guild_id == guild_id)
    )


async def _record(connection: AsyncConnection, guild_id: GuildId, session_id: UUID) -> RecordSource | None:
    row = (await connection.execute(_records(guild_id).where(record.c.session_id == session_id))).one_or_none()
    return None if row is None else RecordSource(row[0], _bytes(row[1]), _bytes(row[2]), row[3], _bytes(row[4]), row[5])


async def _key_records(connection: AsyncConnection, guild_id: GuildId) -> list[KeyRecordSource]:
    kinds = [kind.value for kind in KEY_TYPES]
    query = _records(guild_id).where(record.c.type.in_(kinds)).order_by(record.c.guild_seq)
    found = []
    for guild_seq, body, signature, _, public_key, leaf_index in await connection.execute(query):
        made = _bytes(body) or b"", _bytes(signature) or b"", _bytes(public_key) or b""
        found.append(KeyRecordSource(guild_seq, *made, leaf_index))
    return found


async def _log(connection: AsyncConnection) -> LogIdentity | None:
    its_key = deployment_key.c.purpose == _PURPOSE
    query = select(log_head.c.origin, deployment_key.c.public_key).select_from(log_head.join(deployment_key, its_key))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else LogIdentity(row[0], bytes(row[1]))


def _bytes(value: bytes | str | None) -> bytes | None:
    """Who changes a row by hand in SQLite often leaves text."""
    return value.encode() if isinstance(value, str) else None if value is None else bytes(value)
