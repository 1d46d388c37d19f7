"""What verification reads: records with the hash before them and the key that they name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType, SessionFacts
from attendance.domain.signing_keys import RecordKey
from attendance.ports.signing import LoggedLeaf, PeriodEvidence, PeriodSources, RecordEvidence, SessionEvidence, StoredRecord
from attendance.store.database import Database
from attendance.store.records import KEY_COLUMNS, SESSION_COLUMNS, SqlSigningStore, hash_pages
from attendance.store.schema import log_entry, period, record, session, signing_key

_RECORD = tuple(
    record.c[name] for name in ("guild_id", "guild_seq", "type", "record_sha256", "body", "signature", "kid", "signed_at_ms")
)

_ENTRY_HASHES = """
SELECT position, leaf_sha256 AS digest FROM period_entry
WHERE guild_id = :guild_id AND period_index = :period_index AND position >= :first
"""


@dataclass(frozen=True, slots=True)
class SqlEvidenceStore:
    """`EvidenceStore` over SQL."""

    database: Database

    async def session_evidence(self, session_id: UUID, guild_id: GuildId | None) -> SessionEvidence | None:
        """A session and its record."""
        this, its_record = [session.c.session_id == session_id], [record.c.session_id == session_id]
        if guild_id is not None:
            this.append(session.c.guild_id == guild_id)
            its_record.append(record.c.guild_id == guild_id)
        query = select(*SESSION_COLUMNS).where(*this)
        async with self.database.snapshot() as connection:
            row = (await connection.execute(query)).one_or_none()
            evidence = await _evidence(connection, *its_record)
        if row is None and evidence is None:
            return None
        return SessionEvidence(None if row is None else SessionFacts(*_as_bytes(SESSION_COLUMNS, row)), evidence)

    async def period_evidence(self, guild_id: GuildId, period_index: int) -> PeriodEvidence | None:
        """A period's record."""
        known = select(period.c.ended_at_ms).where(period.c.guild_id == guild_id, period.c.period_index == period_index)
        redactions = (
            select(func.count())
            .select_from(record)
            .where(record.c.guild_id == guild_id, record.c.type == RecordType.RECORD_REDACTED.value)
        )
        async with self.database.snapshot() as connection:
            if (await connection.execute(known)).scalar_one_or_none() is None:
                return None
            evidence = await _evidence(
                connection,
                record.c.guild_id == guild_id,
                record.c.type == RecordType.LEADERBOARD_PERIOD.value,
                record.c.period_index == period_index,
            )
            return PeriodEvidence(evidence, (await connection.execute(redactions)).scalar_one())

    async def period_sources(self, guild_id: GuildId, period_index: int) -> PeriodSources | None:
        """What a period's record was made of."""
        return await SqlSigningStore(self.database).period_sources(guild_id, period_index)

    def session_hashes(self, guild_id: GuildId, period_index: int) -> AsyncGenerator[bytes, None]:
        """Hashes of the period's session records in chain order."""
        return SqlSigningStore(self.database).session_hashes(guild_id, period_index)

    def entry_hashes(self, guild_id: GuildId, period_index: int) -> AsyncGenerator[bytes, None]:
        """Leaf hashes of the period's entries in rank order."""
        return hash_pages(self.database, _ENTRY_HASHES, {"guild_id": guild_id, "period_index": period_index})


async def _evidence(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> RecordEvidence | None:
    found = (await connection.execute(select(*_RECORD).where(*conditions).order_by(record.c.guild_seq).limit(1))).one_or_none()
    if found is None:
        return None
    stored = StoredRecord(*_as_bytes(_RECORD, found))
    before = select(record.c.record_sha256).where(
        record.c.guild_id == stored.guild_id, record.c.guild_seq == stored.guild_seq - 1
    )
    key = select(*KEY_COLUMNS).where(signing_key.c.guild_id == stored.guild_id, signing_key.c.kid == stored.kid)
    previous = (await connection.execute(before)).scalar_one_or_none()
    row = (await connection.execute(key)).one_or_none()
    leaf = select(log_entry.c.leaf_index, log_entry.c.record_sha256).where(
        log_entry.c.guild_id == stored.guild_id, log_entry.c.guild_seq == stored.guild_seq
    )
    logged = (await connection.execute(leaf)).one_or_none()
    return RecordEvidence(
        stored,
        previous,
        None if row is None else RecordKey(*_as_bytes(KEY_COLUMNS, row)),
        None if logged is None else LoggedLeaf(*_as_bytes((log_entry.c.leaf_index, log_entry.c.record_sha256), logged)),
    )


def _as_bytes(columns: Sequence[ColumnElement[Any]], row: Sequence[Any]) -> list[Any]:
    """A row whose byte columns hold bytes: in SQLite, who changes one by hand often leaves text, which is no fault of ours."""
    return [
        value.encode() if isinstance(value, str) and isinstance(column.type, LargeBinary) else value
        for column, value in zip(columns, row, strict=True)
    ]
