from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text

from attendance.errors import ConfigError, UnavailableError
from attendance.sql import steps
from attendance.sql.sqlite_copy import copy_sqlite
from attendance.sql.steps import SchemaSteps
from attendance.store import migrate, schema
from attendance.store.database import Database, open_database


async def set_revision(database: Database, revision: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def pretend_older_steps_exist(monkeypatch: pytest.MonkeyPatch, step: str = "") -> None:
    """A head one step beyond a made-up revision "0000", whose step is ``step``."""

    def run(connection: Connection) -> None:
        if step:
            connection.execute(text(step))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    async def run_steps(_steps: SchemaSteps, connection: object) -> None:
        await connection.run_sync(run)

    monkeypatch.setattr(SchemaSteps, "run", run_steps)
    known = migrate.STEPS.directory()
    revisions = [*known.walk_revisions(), type("Step", (), {"revision": "0000"})]
    fake = type("Scripts", (), {"walk_revisions": lambda _: revisions, "get_current_head": lambda _: "0001"})()
    monkeypatch.setattr(SchemaSteps, "directory", lambda _steps: fake)


@pytest.mark.slow
async def test_the_steps_lead_to_exactly_the_tables_of_the_schema(empty_database: Database) -> None:
    await migrate.upgrade(empty_database)

    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, schema.metadata)

    async with empty_database.transaction() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.slow
async def test_what_the_comparison_cannot_see_agrees_too(two_empty_databases: tuple[Database, Database]) -> None:
    """Options such as WITHOUT ROWID, the columns of unique indexes, names of constraints, identity columns."""
    migrated, created = two_empty_databases
    await migrate.upgrade(migrated)
    async with created.transaction() as connection:
        await connection.run_sync(schema.metadata.create_all)
    assert await catalogue(migrated) == await catalogue(created)


async def catalogue(database: Database) -> set[tuple[object, ...]]:
    queries = ["SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'"]
    if not database.is_sqlite:
        queries = [
            "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
            (
                "SELECT table_name, column_name, column_default, is_nullable, data_type, character_maximum_length"
                " FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
            ),
            (
                "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'"
            ),
        ]
    found: set[tuple[object, ...]] = set()
    async with database.snapshot() as connection:
        for query in queries:
            rows = await connection.execute(text(query))
            found |= {tuple(" ".join(str(cell).split()) for cell in row) for row in rows}
    assert len(found) > 20
    return found


async def test_an_empty_database_gets_the_newest_schema_and_no_copy(empty_database: Database) -> None:
    assert await migrate.current_revision(empty_database) is None
    assert await migrate.upgrade(empty_database) is None
    assert await migrate.current_revision(empty_database) == migrate.head_revision()


@pytest.mark.slow
async def test_upgrading_twice_changes_nothing(empty_database: Database) -> None:
    await migrate.upgrade(empty_database)
    async with empty_database.transaction() as connection:
        await connection.execute(insert(schema.opt_out).values(guild_id=1, user_id=2, since_ms=5))
    assert await migrate.upgrade(empty_database) is None
    await migrate.prepare(empty_database)
    async with empty_database.snapshot() as connection:
        assert await connection.scalar(select(schema.opt_out.c.since_ms)) == 5


async def test_a_start_migrates_sqlite_and_names_the_command_on_postgresql(empty_database: Database) -> None:
    if empty_database.is_sqlite:
        await migrate.prepare(empty_database)
        assert await migrate.current_revision(empty_database) == migrate.head_revision()
        return
    with pytest.raises(ConfigError, match="run `rollcall migrate`"):
        await migrate.prepare(empty_database)
    assert await migrate.current_revision(empty_database) is None


async def test_an_older_schema_is_copied_aside_on_sqlite_and_refused_at_a_start_on_postgresql(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate.upgrade(empty_database)
    await set_revision(empty_database, "0000")
    pretend_older_steps_exist(monkeypatch, "INSERT INTO opt_out (guild_id, user_id, since_ms) VALUES (1, 2, 3)")
    if not empty_database.is_sqlite:
        with pytest.raises(ConfigError, match=r"schema 0000 and this version needs 0001: run `rollcall migrate`"):
            await migrate.prepare(empty_database)
        assert await migrate.upgrade(empty_database) is None
    else:
        copied = await migrate.upgrade(empty_database)
        assert copied == Path(f"{empty_database.url.database}.0000.copy")
        assert stat.S_IMODE(copied.stat().st_mode) == 0o600
        with closing(sqlite3.connect(copied)) as copy:
            assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0000",)]
            assert copy.execute("SELECT count(*) FROM opt_out").fetchone() == (0,)
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert names_with_copy(copied.parent) == [copied.name]
    assert await migrate.current_revision(empty_database) == "0001"


@pytest.mark.slow
async def test_a_step_that_fails_leaves_the_old_schema(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate.upgrade(empty_database)
    await set_revision(empty_database, "0000")
    pretend_older_steps_exist(monkeypatch, "CREATE TABLE half (id INTEGER)")

    async def fail_after(_steps: SchemaSteps, connection: object) -> None:
        await connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise RuntimeError("the power went")

    monkeypatch.setattr(SchemaSteps, "run", fail_after)
    with pytest.raises(RuntimeError):
        await migrate.upgrade(empty_database)
    assert await migrate.current_revision(empty_database) == "0000"
    async with empty_database.snapshot() as connection:
        assert "half" not in await connection.run_sync(lambda sync: steps.inspect(sync).get_table_names())


async def test_a_newer_schema_is_refused_everywhere(empty_database: Database) -> None:
    await migrate.upgrade(empty_database)
    await set_revision(empty_database, "9999")
    for act in (migrate.prepare, migrate.upgrade):
        with pytest.raises(ConfigError, match="schema 9999, which this version does not know"):
            await act(empty_database)


async def test_the_tables_of_something_else_are_left_alone(empty_database: Database) -> None:
    async with empty_database.transaction() as connection:
        await connection.execute(text("CREATE TABLE somebody_elses (id INTEGER PRIMARY KEY)"))
    for act in (migrate.prepare, migrate.upgrade):
        with pytest.raises(ConfigError, match="not empty"):
            await act(empty_database)


async def test_a_copy_that_cannot_be_written_stops_the_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(f"sqlite:///{tmp_path}/rollcall.sqlite3")
    await migrate.upgrade(database)
    await set_revision(database, "0000")
    pretend_older_steps_exist(monkeypatch, "INSERT INTO opt_out (guild_id, user_id, since_ms) VALUES (1, 2, 3)")
    (tmp_path / "rollcall.sqlite3.0000.copy").mkdir()
    with pytest.raises(ConfigError, match="copy"):
        await migrate.upgrade(database)
    assert await migrate.current_revision(database) == "0000"
    await database.close()


async def test_a_copy_shows_one_instant_while_others_write(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/rollcall.sqlite3")
    await migrate.upgrade(database)
    async with database.transaction() as connection:
        await connection.execute(insert(schema.opt_out).values(guild_id=1, user_id=2, since_ms=5))
        # not committed: the copy neither waits for it nor shows it
        await copy_sqlite(tmp_path / "rollcall.sqlite3", tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("SELECT count(*) FROM opt_out").fetchone() == (0,)
    assert names_with_copy(tmp_path) == ["copy"]
    await database.close()


async def test_records_of_an_older_schema_are_all_there_byte_for_byte(empty_database: Database) -> None:
    """The step that rebuilds SQLite's table of records loses none and changes none."""
    async with empty_database.transaction() as connection:
        await migrate.STEPS.run(connection, "0003")
        rows = [
            {
                "guild_id": guild_id,
                "guild_seq": seq,
                "type": "voice.session",
                "record_sha256": bytes([seq]) * 32,
                "body": None if seq == 1 else bytes([guild_id, seq]) * 600,
                "signature": None if seq == 1 else bytes([seq]) * 64,
                "kid": "k" * 43,
                "signed_at_ms": 1_795_902_999_976 + seq,
                "session_id": UUID(int=guild_id * 100 + seq),
                "period_index": 0,
            }
            for guild_id in (2, 1)
            for seq in range(30)
        ]
        await connection.execute(insert(schema.record), rows)
    await migrate.upgrade(empty_database)
    async with empty_database.snapshot() as connection:
        found = (await connection.execute(select(schema.record).order_by("guild_id", "guild_seq"))).mappings().all()
    assert [dict(row) for row in found] == sorted(rows, key=lambda row: (row["guild_id"], row["guild_seq"]))


def names_with_copy(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if "copy" in path.name]


async def test_a_database_that_is_away_is_said_to_be_away() -> None:
    database = open_database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(UnavailableError):
        await migrate.prepare(database)
    await database.close()
