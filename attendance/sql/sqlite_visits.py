"""SQLite with one visit to a connection's thread for each statement.

aiosqlite keeps each connection in a thread of its own, and SQLAlchemy's adapter visits it four times for a query: to open a
cursor, execute, fetch and close. On a busy process each visit waits for the interpreter's lock, up to its switch interval of
5 ms, so that a request of six queries could wait 24 times. Here the four are one function that the thread runs in one go.
"""

from __future__ import annotations

import asyncio
import sqlite3
import weakref
from collections import deque
from collections.abc import Sequence
from threading import Thread
from types import ModuleType
from typing import Any, NamedTuple, cast

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_


class _Told(NamedTuple):
    """What a statement left behind, as a cursor has it; there is no cursor any more."""

    description: Any = None
    rowcount: int = -1
    lastrowid: int = 0
    arraysize: int = 1

    def close(self) -> None:
        """Nothing is open."""


_NOTHING_YET = _Told()

# For a thread to end: more than SQLite's busy handler may hold its last statement.
_LONGEST_S = 15.0


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """Fetches all rows at once, as the adapter's own does."""

    __slots__ = ()

    _awaitable_cursor_close = False

    def _make_new_cursor(self, connection: Any) -> Any:  # noqa: ARG002  # it is made when it is used
        return _NOTHING_YET

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        await self._visit("execute", (operation,) if parameters is None else (operation, parameters))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Sequence[Any]) -> Any:
        await self._visit("executemany", (operation, seq_of_parameters))

    async def _visit(self, method: str, arguments: tuple[Any, ...]) -> None:
        driver: Any = self._connection
        async with self._adapt_connection._execute_mutex:  # noqa: SLF001  # as the method that this stands for
            told, rows = await driver._execute(_run, driver, method, arguments)  # noqa: SLF001  # its one way into the thread
        self._cursor = told
        self._rows = deque(rows)


def _run(driver: Any, method: str, arguments: tuple[Any, ...]) -> tuple[_Told, Sequence[Any]]:
    cursor: sqlite3.Cursor = driver._conn.cursor()  # noqa: SLF001  # in its own thread
    try:
        getattr(cursor, method)(*arguments)
        rows = cursor.fetchall() if cursor.description else ()
        return _Told(cursor.description, cursor.rowcount, cursor.lastrowid or 0), rows
    finally:
        cursor.close()


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _Cursor


class SqliteDriver(AsyncAdapt_aiosqlite_dbapi):
    """The driver for one database's engines; pass its `module` as ``sqlalchemy.create_async_engine``'s."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)
        self._threads: list[tuple[Thread, weakref.ref[aiosqlite.Connection]]] = []

    @property
    def module(self) -> ModuleType:
        """Itself: it has what SQLAlchemy looks for in a driver's module."""
        return cast("ModuleType", self)

    def connect(self, *arguments: Any, **options: Any) -> AsyncAdapt_aiosqlite_connection:
        """Open one, as the adapter does, and remember its thread."""
        connection = self.aiosqlite.connect(*arguments, **options)
        connection._thread.daemon = True  # noqa: SLF001  # as the adapter does
        self._threads = [known for known in self._threads if known[0].is_alive()]
        self._threads.append((connection._thread, weakref.ref(connection)))  # noqa: SLF001  # nobody else knows it
        return _Connection(self, await_(connection))

    async def threads_ended(self) -> None:
        """Wait until the threads of connections that were given up are through.

        A connection whose task was cancelled is stopped without a wait. Its thread still answers, and would find the event
        loop closed if nothing waited here. Connections in use are not waited for.
        """
        for thread, known in self._threads:
            connection = known()
            is_given_up = connection is None or not connection._running  # noqa: SLF001  # told to stop
            del connection
            if is_given_up and thread.is_alive():
                await asyncio.to_thread(thread.join, _LONGEST_S)
