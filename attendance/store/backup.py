"""Online backup and restore, in one form for both dialects: what was saved from SQLite can be restored to PostgreSQL.

A backup reads every table in one snapshot while the service goes on. It holds everything there is, wrapped signing keys
among it; the master key, which opens them without a passphrase, only where it is handed in. A restore is one transaction.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from asyncpg import PostgresError
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance import __version__
from attendance.errors import ConfigError, InvalidInputError
from attendance.store.backup_file import (
    FORMAT_VERSION,
    ROWS_A_STEP,
    BackupReader,
    BackupWriter,
    ColumnManifest,
    Kind,
    Manifest,
    TableManifest,
)
from attendance.store.database import Database, bulk_insert
from attendance.store.migrate import current_revision, head_revision, is_known, locked_revision, run_steps
from attendance.store.schema import metadata

_KINDS: dict[type, Kind] = {int: "int", bool: "bool", str: "text", bytes: "bytes"}
_TYPES: dict[Kind, Any] = {"int": BigInteger, "bool": Boolean, "text": Text, "bytes": LargeBinary, "uuid": Uuid}


async def back_up(database: Database, target: Path, now_ms: int, *, master_key: bytes | None = None) -> Manifest:
    """Write a backup to ``target`` (mode 0600), which appears complete or not at all.

    Args:
        database: May be in use, by other processes too.
        target: Must not exist.
        now_ms: When, for the manifest (Unix milliseconds).
        master_key: The bytes of the master key's file, where it was asked for. Who has both can sign.

    Returns:
        What is in it.

    Raises:
        ConfigError: ``target`` exists or cannot be written, or the database has not this version's schema.
        UnavailableError: the database is away.
    """
    revision = await current_revision(database)
    if revision != head_revision():
        raise ConfigError(f"the database has schema {revision}, this version reads {head_revision()}: run `rollcall migrate`")
    with BackupWriter(target) as writer:
        async with database.snapshot() as connection:
            last_ids = await _last_ids(connection)
            tables = [await _save(connection, writer, table, last_ids.get(table.name)) for table in metadata.sorted_tables]
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            revision=revision,
            software=f"rollcall {__version__}",
            created_at_ms=now_ms,
            source=database.url.get_backend_name(),
            has_master_key=master_key is not None,
            tables=tuple(tables),
        )
        await asyncio.to_thread(writer.finish, manifest, master_key)
    return manifest


def inspect_backup(source: Path) -> tuple[Manifest, bytes | None]:
    """What a backup holds, and the bytes of the master key's file if it is in there. The rows are not looked at.

    Raises:
        InvalidInputError: it is no backup, it is damaged, or a later version wrote it.
        ConfigError: the file cannot be read.
    """
    with BackupReader(source) as reader:
        if not is_known(reader.manifest.revision):
            raise InvalidInputError(
                f"the backup has schema {reader.manifest.revision}, which this version does not know "
                f"(it needs {head_revision()}): restore it with the version that wrote it ({reader.manifest.software})"
            )
        return reader.manifest, reader.master_key()


async def restore(database: Database, source: Path) -> Manifest:
    """Fill an empty database from a backup and bring its schema to this version. Everything happens, or nothing.

    The database has no tables, or those of the backup's schema with no row in them.

    Raises:
        InvalidInputError: the backup is damaged, a later version wrote it, or its rows do not fit their tables.
        ConfigError: the database is not empty, or the file cannot be read.
        UnavailableError: the database is away.
    """
    manifest, _ = inspect_backup(source)
    with BackupReader(source) as reader:
        async with database.transaction() as connection:
            revision = await locked_revision(connection)
            if revision is None:
                await run_steps(connection, manifest.revision)
            elif revision != manifest.revision:
                raise ConfigError(f"the database has schema {revision} and the backup {manifest.revision}: use an empty one")
            await connection.run_sync(_compare_tables, manifest.tables)
            await _refuse_rows(connection, manifest.tables)
            try:
                for table in manifest.tables:
                    await _load(connection, reader, table)
                await _set_last_ids(connection, manifest.tables)
            except (DBAPIError, PostgresError) as error:
                if isinstance(error, DBAPIError) and (error.connection_invalidated or _is_away(error)):
                    raise
                raise InvalidInputError(f"the backup does not fit its schema ({type(error).__name__})") from error
            await run_steps(connection)
    return manifest


async def _save(connection: AsyncConnection, writer: BackupWriter, table: Table, last_id: int | None) -> TableManifest:
    with writer.table(table.name) as file:
        # By primary key, so that two backups of the same rows are the same.
        async with connection.stream(select(table).order_by(*table.primary_key)) as result:
            async for rows in result.partitions(ROWS_A_STEP):
                await asyncio.to_thread(file.write, [tuple(row) for row in rows])
        columns = tuple(ColumnManifest(str(column.name), _kind(column)) for column in table.columns)
        return TableManifest(str(table.name), columns, file.rows, file.sha256, last_id)


def _kind(column: Column[Any]) -> Kind:
    if isinstance(column.type, Uuid):
        return "uuid"
    return _KINDS[column.type.python_type]


def _compare_tables(connection: Connection, tables: Iterable[TableManifest]) -> None:
    """Names of the manifest go into SQL: only those that are there, all of them, each once."""
    inspector = inspect(connection)
    names = set(inspector.get_table_names()) - {"alembic_version"}
    there = sorted((name, sorted(column["name"] for column in inspector.get_columns(name))) for name in names)
    saved = sorted((table.name, sorted(column.name for column in table.columns)) for table in tables)
    if there != saved:
        raise InvalidInputError("the backup is damaged: it has other tables or columns than its schema")


async def _refuse_rows(connection: AsyncConnection, tables: Iterable[TableManifest]) -> None:
    for table in map(_table, tables):
        if (await connection.execute(select(table).limit(1))).first() is not None:
            raise ConfigError(f"the database is not empty (table {table.name} has rows): restore into a new one")


async def _load(connection: AsyncConnection, reader: BackupReader, manifest: TableManifest) -> None:
    table = _table(manifest)
    names = [column.name for column in manifest.columns]
    steps = reader.rows(manifest)
    while (rows := await asyncio.to_thread(next, steps, None)) is not None:
        await bulk_insert(connection, table, names, rows)


def _table(manifest: TableManifest) -> Table:
    """The table as the backup knows it: today's may have other columns."""
    return Table(manifest.name, MetaData(), *[Column(column.name, _TYPES[column.kind]) for column in manifest.columns])


def _is_away(error: DBAPIError) -> bool:
    """A full or read-only disk is not the backup's fault."""
    return isinstance(error.orig, sqlite3.OperationalError)


# -- ids that the database gives itself: those of deleted rows must not be given again -----------------------------------


def _counted() -> Iterable[Table]:
    return (table for table in metadata.sorted_tables if table.autoincrement_column is not None)


async def _last_ids(connection: AsyncConnection) -> dict[str, int]:
    if connection.dialect.name == "sqlite":
        rows = await connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
        return {str(name): int(last_id) for name, last_id in rows}
    found: dict[str, int] = {}
    for table in _counted():
        # Sequences stand outside of transactions: this may be later than the snapshot, never earlier.
        sequence = await _sequence(connection, table.name)
        last_id, was_used = (await connection.execute(text(f"SELECT last_value, is_called FROM {sequence}"))).one()  # noqa: S608
        highest = await connection.scalar(select(func.max(table.c.id))) or 0  # rows with ids of their own moved no sequence
        if was_used or highest:
            found[table.name] = max(int(last_id) if was_used else 0, highest)
    return found


async def _set_last_ids(connection: AsyncConnection, tables: Iterable[TableManifest]) -> None:
    for table in tables:
        if table.last_id is None:
            continue
        values = {"name": table.name, "last_id": table.last_id}
        if connection.dialect.name == "sqlite":
            await connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
            await connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last_id)"), values)
        else:
            await connection.execute(select(func.setval(await _sequence(connection, table.name), table.last_id)))


async def _sequence(connection: AsyncConnection, table: str) -> str:
    return cast("str", await connection.scalar(select(func.pg_get_serial_sequence(table, "id"))))
