"""The keys of all guilds.

Who can read this table has what is wrapped, and needs a passphrase or the master key to open it. Who can write to it can
lock keys, or open a window wider than the chain's key records say; those say otherwise to whoever reads the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Select, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.announcements import Announcement, Happening
from attendance.domain.audit import AuditEntry
from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType
from attendance.domain.signing_keys import KeyState, RecordKey
from attendance.ports.signing import ArchivedPeriod, ChainHead, KeyChange
from attendance.store.announcements import announce
from attendance.store.audit import record_audit
from attendance.store.database import Database
from attendance.store.records import KEY_COLUMNS, NOT_LOCKED, insert_records, move_head, read_head
from attendance.store.schema import guild_settings, log_entry, period, record, record_queue, signing_key

_KIDS_A_STATEMENT = 500
_ARCHIVED = "archived"
# Why a key is locked, for whoever is told (`attendance.domain.log_messages`, webhooks).
_BY_HAND, _LOST = "lock", "lost"
_RUNNING = "running"


@dataclass(frozen=True, slots=True)
class SqlKeyStore:
    """`KeyStore` over SQL."""

    database: Database

    async def guild_keys(self, guild_id: GuildId) -> tuple[tuple[RecordKey, ...], ChainHead]:
        """A guild's keys and head."""
        query = (
            select(*KEY_COLUMNS)
            .where(signing_key.c.guild_id == guild_id)
            .order_by(signing_key.c.created_at_ms, signing_key.c.first_guild_seq)
        )
        async with self.database.snapshot() as connection:
            keys = tuple(RecordKey(*row) for row in (await connection.execute(query)).all())
            return keys, await read_head(connection, guild_id)

    async def leaf_of(self, guild_id: GuildId, guild_seq: int) -> int | None:
        """Where the log has a record."""
        this = log_entry.c.guild_id == guild_id, log_entry.c.guild_seq == guild_seq
        async with self.database.snapshot() as connection:
            return await connection.scalar(select(log_entry.c.leaf_index).where(*this))

    async def change(self, change: KeyChange) -> bool:
        """Records, old key and new key in one transaction."""
        async with self.database.transaction() as connection:
            records = [one for _, one in change.records]
            if not await move_head(connection, change.guild_id, change.head, records):
                return False
            await insert_records(connection, change.guild_id, change.head, change.signed_at_ms, change.records)
            if change.end is not None:
                end = change.end
                # What can no longer sign is not kept: a thief of the old passphrase finds nothing to open.
                await connection.execute(
                    update(signing_key)
                    .where(signing_key.c.guild_id == change.guild_id, signing_key.c.kid == end.kid)
                    .values(
                        state=end.state,
                        last_guild_seq=end.last_guild_seq,
                        wrapped="",
                        master_wrapped=None,
                        unlocked_until_ms=None,
                    )
                )
            if change.new is not None:
                await connection.execute(insert(signing_key).values(**asdict(change.new)))
            await record_audit(connection, *change.audits)
            kid, what = _told(change)
            await _tell(connection, Happening.KEY_CHANGED, change.guild_id, change.signed_at_ms, kid=kid, change=what)
        return True

    async def unlock(self, guild_id: GuildId, kid: str, until_ms: int, master_wrapped: str | None, audit: AuditEntry) -> bool:
        """Note an open key."""
        this = (_active(guild_id), signing_key.c.kid == kid)
        values = {"unlocked_until_ms": until_ms, "master_wrapped": master_wrapped, "loss_told_at_ms": None}
        async with self.database.transaction() as connection:
            known = (await connection.execute(_state().where(*this).with_for_update())).first()
            if known is None:
                return False
            await connection.execute(update(signing_key).where(*this).values(**values))
            await record_audit(connection, audit)
            is_held = known.unlocked_until_ms is not None and known.unlocked_until_ms > audit.at_ms
            if known.master_wrapped is None and not is_held:
                await _tell(connection, Happening.SIGNING_UNLOCKED, guild_id, audit.at_ms, kid=kid)
        return True

    async def lock(self, guild_id: GuildId, audit: AuditEntry) -> bool:
        """Drop the master wrap and the note."""
        async with self.database.transaction() as connection:
            known = (await connection.execute(_state().where(_active(guild_id)).with_for_update())).first()
            if known is None:
                return False
            if known.master_wrapped is None and known.unlocked_until_ms is None:
                return True
            values = {"unlocked_until_ms": None, "master_wrapped": None, "loss_told_at_ms": None}
            await connection.execute(update(signing_key).where(_active(guild_id)).values(**values))
            await record_audit(connection, audit)
            if known.loss_told_at_ms is None:
                await _tell(connection, Happening.SIGNING_LOCKED, guild_id, audit.at_ms, kid=known.kid, reason=_BY_HAND)
        return True

    async def rewrap(self, guild_id: GuildId, kid: str, old: str, new: str, audit: AuditEntry) -> bool:
        """Replace the passphrase's seal."""
        statement = (
            update(signing_key)
            .where(_active(guild_id), signing_key.c.kid == kid, signing_key.c.wrapped == old)
            .values(wrapped=new)
        )
        async with self.database.transaction() as connection:
            if (await connection.execute(statement)).rowcount != 1:
                return False
            await record_audit(connection, audit)
            await _tell(connection, Happening.KEY_CHANGED, guild_id, audit.at_ms, kid=kid, change="change_passphrase")
        return True

    async def renew(self, kids: Sequence[str], until_ms: int) -> frozenset[str]:
        """Say that these are still held open."""
        renewed: set[str] = set()
        async with self.database.transaction() as connection:
            for first in range(0, len(kids), _KIDS_A_STATEMENT):
                these = (
                    signing_key.c.kid.in_(kids[first : first + _KIDS_A_STATEMENT]),
                    signing_key.c.state == KeyState.ACTIVE.value,
                    NOT_LOCKED,
                )
                await _tell_found(connection, *these)
                statement = (
                    update(signing_key)
                    .where(*these)
                    .values(unlocked_until_ms=until_ms, loss_told_at_ms=None)
                    .returning(signing_key.c.kid)
                )
                renewed.update((await connection.execute(statement)).scalars())
        return frozenset(renewed)

    async def tell_lost(self, before_ms: int, now_ms: int, limit: int) -> int:
        """Announce keys that nobody holds open any more."""
        lost = (
            signing_key.c.state == KeyState.ACTIVE.value,
            signing_key.c.master_wrapped.is_(None),
            signing_key.c.unlocked_until_ms < before_ms,
            signing_key.c.loss_told_at_ms.is_(None),
        )
        query = select(signing_key.c.guild_id, signing_key.c.kid).where(*lost).order_by(signing_key.c.guild_id).limit(limit)
        async with self.database.snapshot() as connection:
            found = (await connection.execute(query)).all()
        told = 0
        for guild_id, kid in found:
            this = (signing_key.c.guild_id == guild_id, signing_key.c.kid == kid)
            async with self.database.transaction() as connection:
                noted = await connection.execute(update(signing_key).where(*this, *lost).values(loss_told_at_ms=now_ms))
                if noted.rowcount == 1:
                    await _tell(connection, Happening.SIGNING_LOCKED, guild_id, now_ms, kid=kid, reason=_LOST)
                    told += 1
        return told

    async def public_keys(self) -> list[tuple[str, bytes]]:
        """Every public key."""
        query = select(signing_key.c.kid, signing_key.c.public_key).order_by(signing_key.c.created_at_ms, signing_key.c.kid)
        async with self.database.snapshot() as connection:
            return [(row[0], row[1]) for row in (await connection.execute(query)).all()]

    async def waiting(self, guild_id: GuildId) -> tuple[int, int | None]:
        """How many drafts of a guild wait, and the oldest."""
        columns = func.count(), func.min(record_queue.c.created_at_ms)
        async with self.database.snapshot() as connection:
            row = (await connection.execute(select(*columns).where(record_queue.c.guild_id == guild_id))).one()
        return row[0], row[1]

    async def running_period(self, guild_id: GuildId) -> tuple[int, int, int | None] | None:
        """The running period."""
        settings = guild_settings
        query = (
            select(period.c.period_index, period.c.started_at_ms, settings.c.next_reset_at_ms)
            .select_from(period.outerjoin(settings, settings.c.guild_id == period.c.guild_id))
            .where(period.c.guild_id == guild_id, period.c.state == _RUNNING)
            .order_by(period.c.period_index.desc())
            .limit(1)
        )
        async with self.database.snapshot() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else (row[0], row[1], row[2])

    async def archived_periods(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[ArchivedPeriod], int]:
        """Archived periods, newest first."""
        archived = (period.c.guild_id == guild_id) & (period.c.state == _ARCHIVED)
        signed = (
            (record.c.guild_id == period.c.guild_id)
            & (record.c.type == RecordType.LEADERBOARD_PERIOD.value)
            & (record.c.period_index == period.c.period_index)
        )
        columns = tuple(period.c[name] for name in ArchivedPeriod._fields[:-1])
        query = (
            select(*columns, record.c.kid)
            .select_from(period.outerjoin(record, signed))
            .where(archived)
            .order_by(period.c.period_index.desc())
            .limit(limit)
            .offset(offset)
        )
        async with self.database.snapshot() as connection:
            items = [ArchivedPeriod._make(tuple(row)) for row in (await connection.execute(query)).all()]
            total = (await connection.execute(select(func.count()).select_from(period).where(archived))).scalar_one()
        return items, total


def _active(guild_id: GuildId) -> ColumnElement[bool]:
    return and_(signing_key.c.guild_id == guild_id, signing_key.c.state == KeyState.ACTIVE.value)


def _state() -> Select[tuple[str, str | None, int | None, int | None]]:
    key = signing_key.c
    return select(key.kid, key.master_wrapped, key.unlocked_until_ms, key.loss_told_at_ms)


def _told(change: KeyChange) -> tuple[str, str]:
    """Which key a change is about, and what it is."""
    if change.end is not None and change.end.state == KeyState.REVOKED.value:
        return change.end.kid, "revoke"
    assert change.new is not None  # noqa: S101  # what revokes nothing brings a key
    return change.new.kid, "generate" if change.end is None else "rotate"


async def _tell(connection: AsyncConnection, what: Happening, guild_id: GuildId, at_ms: int, **body: str) -> None:
    await announce(connection, [Announcement(guild_id, what, at_ms, body=body)])


async def _tell_found(connection: AsyncConnection, *which: ColumnElement[bool]) -> None:
    """Of keys whose loss was announced although their holder was only away for long: they are open after all."""
    query = select(signing_key.c.guild_id, signing_key.c.kid, signing_key.c.loss_told_at_ms).where(
        *which, signing_key.c.loss_told_at_ms.is_not(None)
    )
    for guild_id, kid, told_at_ms in (await connection.execute(query.with_for_update())).all():
        await _tell(connection, Happening.SIGNING_UNLOCKED, guild_id, told_at_ms, kid=kid)
