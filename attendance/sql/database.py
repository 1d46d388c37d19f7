"""One database, two dialects: connections and transactions.

SQLite has one writer connection, handed out in order of asking, so that transactions of this process queue here and not in
SQLite's busy handler; readers have their own connections and, under WAL, never wait. PostgreSQL has one pool.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import asyncpg
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, MissingGreenlet, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from attendance.errors import UnavailableError
from attendance.sql.sqlite_visits import SqliteDriver

# What SQLAlchemy raises when a database is away, full or read-only: the caller may try again, nothing was half-written.
_AWAY = (OperationalError, InterfaceError, PoolTimeoutError, OSError)

# The same from asyncpg, bare where we speak to it directly (COPY), as a ``cause`` where SQLAlchemy did: connection gone, server
# stopping or starting, no space or memory, no connection free, deadlock, a long lock, disk trouble, a standby.
_AWAY_POSTGRESQL = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
)

# A transaction that its process leaves open (stopped, or cut off from the server) is ended by the server: its row locks must
# not stand for ever. Longer than any pause of a process at work, on an overloaded machine too; whoever takes a lease over need
# not wait for it (`attendance.store.leases` ends what is stuck on a lease row).
_IDLE_IN_TRANSACTION_MS = 60_000

_BUSY_MS = 10_000


@dataclass(frozen=True, slots=True)
class Database:
    """Where transactions come from. Build with `open_database`, end with `close`."""

    url: URL
    writer: AsyncEngine
    reader: AsyncEngine
    _sqlite: SqliteDriver | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded default."""
        return self.url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A read-write transaction: committed at the end of the block, rolled back on any error.

        SQLite: BEGIN IMMEDIATE. PostgreSQL: READ COMMITTED; use conditional updates or row locks, not read-then-write.

        Raises:
            UnavailableError: the database is away (or full, or read-only). Whether a failing *commit* was stored is unknown.
        """
        with _translated_errors():
            async with self.writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A read-only view in which every query sees the same instant.

        Raises:
            UnavailableError: the database is away.
        """
        with _translated_errors():
            async with self.reader.connect() as connection:
                if not self.is_sqlite:
                    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                async with connection.begin():
                    yield connection

    async def truncate_log(self) -> bool:
        """Write SQLite's log back into the database and empty it: it holds earlier states of every page.

        False where readers kept it from being emptied for a fifth of a second. PostgreSQL's log is not ours to empty: True.
        """
        if not self.is_sqlite:
            return True
        with _translated_errors():
            # A reader's connection, outside of any transaction, and impatient: the journal waits meanwhile.
            async with self.reader.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                assert raw is not None  # noqa: S101  # an open connection has its driver's
                try:
                    await raw.execute("PRAGMA busy_timeout=200")
                    async with raw.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
                        return bool((await cursor.fetchone())[0] == 0)
                finally:
                    await raw.execute(f"PRAGMA busy_timeout={_BUSY_MS}")

    async def close(self) -> None:
        """Give back every connection."""
        await self.writer.dispose()
        if self.reader is not self.writer:
            await self.reader.dispose()
        if self._sqlite is not None:
            await self._sqlite.threads_ended()


def open_database(url: str) -> Database:
    """Prepare a database from a URL such as ``sqlite+aiosqlite:////path`` or ``postgresql+asyncpg://host/name``.

    ``sqlite://`` and ``postgresql://`` (or ``postgres://``) stand for those drivers. Nothing is connected yet.
    """
    parsed = normalise_url(url)
    if parsed.get_backend_name() == "sqlite":
        # One writer: waiting transactions queue at the pool in order. No overflow, and no time-out shorter than a long cut.
        driver = SqliteDriver()
        writer = create_async_engine(
            parsed, pool_size=1, max_overflow=0, pool_timeout=60, connect_args={"isolation_level": None}, module=driver.module
        )
        reader = create_async_engine(
            parsed, pool_size=8, max_overflow=8, pool_timeout=10, connect_args={"isolation_level": None}, module=driver.module
        )
        _prepare_sqlite(writer, "BEGIN IMMEDIATE")
        _prepare_sqlite(reader, "BEGIN")
        return Database(parsed, writer, reader, driver)
    engine = create_async_engine(
        parsed,
        pool_size=12,
        max_overflow=8,
        pool_timeout=10,
        pool_pre_ping=True,
        # A partition must not hang a commit for TCP's quarter of an hour: the lease would be long gone.
        connect_args={
            "timeout": 5,
            "command_timeout": 60,
            "server_settings": {
                "application_name": "rollcall",
                "idle_in_transaction_session_timeout": str(_IDLE_IN_TRANSACTION_MS),
            },
        },
    )
    return Database(parsed, engine, engine)


def normalise_url(url: str) -> URL:
    """The URL with the asyncio driver that belongs to its dialect."""
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    return parsed.set(drivername=drivers.get(parsed.drivername, parsed.drivername))


_PRAGMAS = ";".join(
    f"PRAGMA {pragma}"
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "secure_delete=ON",  # what is erased is overwritten, not only unlinked
    )
)


def _prepare_sqlite(engine: AsyncEngine, begin: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: AdaptedConnection, _record: object) -> None:
        connection.run_async(lambda driver: driver.executescript(_PRAGMAS))  # in one visit to the connection's thread

    # The driver sends no BEGIN by itself (isolation_level=None): without this, read-modify-write would lose updates.
    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    # A cancelled task's connection is closed, but SQLite keeps a closed connection's transaction, and with it the write lock,
    # for as long as a statement of it is not collected: end it first.
    @event.listens_for(engine.sync_engine, "invalidate")
    def _roll_back(connection: DBAPIConnection, _record: ConnectionPoolEntry, _error: BaseException | None) -> None:
        with suppress(DBAPIError, sqlite3.Error, MissingGreenlet):  # it may be broken, or be collected outside of any task
            connection.rollback()


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (*_AWAY, *_AWAY_POSTGRESQL) as error:
        if isinstance(error, ValueError):
            raise  # asyncpg's word for a value that does not fit: our mistake, and no better the next time
        raise _unavailable(error) from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(_driver_error(error), _AWAY_POSTGRESQL):
            raise _unavailable(error) from error
        raise


def _driver_error(error: BaseException) -> BaseException:
    """What the driver said, from under SQLAlchemy's wrappings."""
    original = getattr(error, "orig", None) or error
    # Over asyncpg, SQLAlchemy's ``orig`` is an imitation of a DBAPI class whose cause is asyncpg's own error.
    cause = original.__cause__
    return cause if isinstance(cause, asyncpg.PostgresError | asyncpg.InterfaceError) else original


def _unavailable(error: BaseException) -> UnavailableError:
    original = _driver_error(error)
    reason = _REASONS.get(getattr(original, "sqlite_errorname", type(original).__name__), type(original).__name__)
    return UnavailableError(f"the database is not available: {reason}")


# SQLite's result codes and asyncpg's classes, in words that an operator can act on. Others are shown as they are called.
_REASONS = {
    "SQLITE_BUSY": "another process is writing to it",
    "SQLITE_CANTOPEN": "its file cannot be opened",
    "SQLITE_CORRUPT": "its file is damaged",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR_WRITE": "its file cannot be written (is the disk full?)",
    "SQLITE_NOTADB": "its file is not a SQLite database",
    "SQLITE_READONLY": "its file is read-only",
    "SQLITE_READONLY_DBMOVED": "its file was moved or deleted",
    "SQLITE_READONLY_DIRECTORY": "its folder is read-only",
    "ConnectionRefusedError": "nobody listens at its address",
    "DiskFullError": "the server's disk is full",
    "ReadOnlySQLTransactionError": "the server is read-only (a standby?)",
    "TooManyConnectionsError": "the server has no connection free",
    "TimeoutError": "it does not answer in time",
}
