"""Which schema a database has, which one the code needs, and the way from one to the other.

Everything happens in one transaction on either dialect: a step that fails, or a process that dies, leaves the old schema.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.errors import ConfigError
from attendance.sql.database import Database
from attendance.sql.sqlite_copy import copy_sqlite

_LOCK = 0x726F6C6C63616C6C  # "rollcall": one migration of a PostgreSQL database at a time


@dataclass(frozen=True, slots=True)
class SchemaSteps:
    """The steps of one schema: Alembic's files in the folder ``scripts``."""

    scripts: Path

    async def current_revision(self, database: Database) -> str | None:
        """The revision the database says it has; None if nothing was ever migrated here."""
        async with database.snapshot() as connection:
            return await connection.run_sync(_revision)

    def head_revision(self) -> str:
        """The revision this code needs."""
        head = self.directory().get_current_head()
        if head is None:
            raise ConfigError(f"no schema steps in {self.scripts}: the installation is incomplete")
        return head

    async def prepare(self, database: Database) -> None:
        """What a start does: migrate an embedded database by itself, and on PostgreSQL only look.

        A copy of an older embedded database is put beside it first (see `upgrade`).

        Raises:
            ConfigError: PostgreSQL has no schema or an older one (the message names the command); the schema is newer than
                this code; the database holds tables of something else.
            UnavailableError: the database is away.
        """
        if database.is_sqlite:
            await self.upgrade(database)
            return
        async with database.snapshot() as connection:
            revision = await connection.run_sync(self._known_revision)
        if revision != self.head_revision():
            found = "no schema yet" if revision is None else f"schema {revision}"
            needed = self.head_revision()
            raise ConfigError(f"the database has {found} and this version needs {needed}: run `rollcall migrate`")

    async def upgrade(self, database: Database) -> Path | None:
        """Bring the schema to `head_revision`, from nothing or from any older one; nothing happens if it is there already.

        Returns:
            Where the copy of an older SQLite database was put: beside it, named for the revision it has.

        Raises:
            ConfigError: the schema is newer than this code, the database holds tables of something else, or the copy cannot
                be written. Nothing was changed then.
            UnavailableError: the database is away.
        """
        async with database.transaction() as connection:
            revision = await self.locked_revision(connection)
            if revision == self.head_revision():
                return None
            # The write lock is held, so nobody can change what the copy below shows between it and the first step.
            copied = await _copy_beside(database, revision)
            await self.run(connection)
        return copied

    async def locked_revision(self, connection: AsyncConnection) -> str | None:
        """Keep every other migration out until this transaction ends; the revision, None for an empty database.

        Raises:
            ConfigError: as `upgrade`.
        """
        if connection.dialect.name != "sqlite":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        return await connection.run_sync(self._known_revision)

    def is_known(self, revision: str) -> bool:
        """Whether this code knows the way from a revision to `head_revision`."""
        return revision in {script.revision for script in self.directory().walk_revisions()}

    async def run(self, connection: AsyncConnection, revision: str = "head") -> None:
        """Run every step up to a known ``revision`` in the connection's transaction."""

        def run(sync_connection: Connection) -> None:
            config = _config(self.scripts)
            config.attributes["connection"] = sync_connection
            command.upgrade(config, revision)

        await connection.run_sync(run)

    def directory(self) -> ScriptDirectory:
        """The steps, as Alembic reads them."""
        return _directory(self.scripts)

    def _known_revision(self, connection: Connection) -> str | None:
        revision = _revision(connection)
        if revision is None:
            tables = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
            if tables:
                names = ", ".join(sorted(tables)[:3])
                raise ConfigError(f"the database is not empty and says no schema revision (it has {names}): use an empty one")
        elif not self.is_known(revision):
            raise ConfigError(
                f"the database has schema {revision}, which this version does not know (it needs {self.head_revision()}): "
                "run the newer version that wrote it, or restore a backup"
            )
        return revision


@cache
def _directory(scripts: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(scripts))


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config


def run_steps_on(connection: Connection, metadata: MetaData) -> None:
    """What a folder's ``env.py`` does with the connection it was handed: Alembic's steps, inside its transaction."""
    # Alembic believes that SQLite cannot roll DDL back; it can, with our explicit BEGIN IMMEDIATE.
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _copy_beside(database: Database, revision: str | None) -> Path | None:
    path = database.url.database
    if revision is None or not database.is_sqlite or not path:
        return None
    source = Path(path)
    target = source.with_name(f"{source.name}.{revision}.copy")
    try:
        await copy_sqlite(source, target)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"no copy of the database could be put at {target} ({error}): nothing was changed") from error
    return target


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
