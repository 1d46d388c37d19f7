"""The tracker's database, and many rows at once: one prepared statement on SQLite, COPY and arrays on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Uuid
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.sql.database import Database, open_database

__all__ = ["Database", "Row", "bulk_execute", "bulk_insert", "bulk_upsert", "open_database"]

Row = tuple[Any, ...]

# asyncpg never notices a connection that is lost while a COPY waits for its socket to drain, not even by its own time-out.
_COPY_S = 10.0


async def bulk_insert(connection: AsyncConnection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert many rows: one prepared statement on SQLite, COPY on PostgreSQL. ``rows`` follow ``columns``."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        await connection.exec_driver_sql(
            f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})',  # noqa: S608  # names come from the schema
            _sqlite_rows(table, columns, rows),
        )
        return
    raw = await _asyncpg(connection)
    async with asyncio.timeout(_COPY_S):
        await raw.copy_records_to_table(table.name, records=rows, columns=list(columns))


async def bulk_upsert(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    add: Iterable[str] = (),
    replace: Iterable[str] = (),
) -> None:
    """Insert rows; where the primary key is there already, sum up the columns of ``add`` and overwrite those of ``replace``.

    No two rows may have the same key. Columns in neither list keep their value.
    """
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    changes = [f'"{name}" = "{table.name}"."{name}" + excluded."{name}"' for name in add]
    changes += [f'"{name}" = excluded."{name}"' for name in replace]
    action = f"DO UPDATE SET {', '.join(changes)}" if changes else "DO NOTHING"
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        await connection.exec_driver_sql(
            f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}) ON CONFLICT ({keys}) {action}',  # noqa: S608
            _sqlite_rows(table, columns, rows),
        )
        return
    types = [table.c[name].type.compile(connection.dialect) for name in columns]
    arrays = ", ".join(f"${index}::{kind}[]" for index, kind in enumerate(types, start=1))
    raw = await _asyncpg(connection)
    await raw.execute(
        f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest({arrays}) ON CONFLICT ({keys}) {action}',  # noqa: S608
        *[list(column) for column in zip(*rows, strict=True)],
    )


async def bulk_execute(connection: AsyncConnection, *, sqlite: str, postgresql: str, rows: Sequence[Row]) -> int:
    """One statement for many rows; returns how many table rows it changed.

    Args:
        connection: of a write transaction.
        sqlite: run once for each row, with ``?`` for its cells.
        postgresql: run once, with ``$1::bigint[]`` … for the columns of ``rows`` (use ``unnest``).
        rows: tuples of integers and texts; without any, nothing is done.
    """
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        result = await connection.exec_driver_sql(sqlite, list(rows))
        return result.rowcount
    raw = await _asyncpg(connection)
    status: str = await raw.execute(postgresql, *[list(column) for column in zip(*rows, strict=True)])
    return int(status.rpartition(" ")[2])


async def _asyncpg(connection: AsyncConnection) -> Any:
    """The driver's own connection, inside the transaction: SQLAlchemy begins it only with its own first statement."""
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None  # noqa: S101  # an open connection has its driver's
    if not raw.is_in_transaction():
        await connection.exec_driver_sql("SELECT 1")
    return raw


def _sqlite_rows(table: Table, columns: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    """SQLite keeps a UUID as 32 hex digits (SQLAlchemy's ``Uuid``); everything else goes as it is."""
    uuids = [index for index, name in enumerate(columns) if isinstance(table.c[name].type, Uuid)]
    if not uuids:
        return list(rows)
    converted = []
    for row in rows:
        cells = list(row)
        for index in uuids:
            value = cells[index]
            cells[index] = value.hex if isinstance(value, UUID) else value
        converted.append(tuple(cells))
    return converted
