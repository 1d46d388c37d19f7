from __future__ import annotations

import json
import random
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, Column, Uuid, delete, func, insert, select, text

from attendance.errors import ConfigError, InvalidInputError, RollcallError
from attendance.store import migrate, schema
from attendance.store.backup import back_up, inspect_backup, restore
from attendance.store.backup_file import BackupReader
from attendance.store.database import Database, bulk_insert, open_database

NOW = 1_800_000_000_000
AWKWARD = ["", "plain", 'quotes " and \\ and \n newline', "Łódź ☕ 🎉", "a\u2028b", "null", "\x7f"]
Pair = tuple[Database, Database]


def some_value(column: Column, row: int, rng: random.Random) -> object:
    """Extreme integers that differ from row to row, so that keys are keys; anything else at random."""
    if column.nullable and rng.random() < 0.3:
        return None
    if isinstance(column.type, Uuid):
        return UUID(int=rng.getrandbits(128))
    values: dict[type, object] = {
        int: (2**63 - 1 if isinstance(column.type, BigInteger) else 2**31 - 1) - row,
        bool: rng.random() < 0.5,
        str: f"key-{row}" if column.primary_key else rng.choice(AWKWARD)[: getattr(column.type, "length", None)],
        bytes: rng.randbytes(rng.randrange(40)),
    }
    return row + 1 if column.name == "id" else values[column.type.python_type]


async def fill(database: Database, rows_a_table: int = 7) -> None:
    """Every table, every kind of value, every column that may be null both ways."""
    await migrate.upgrade(database)
    rng = random.Random(7)
    async with database.transaction() as connection:
        for table in schema.metadata.sorted_tables:
            rows = [tuple(some_value(column, row, rng) for column in table.columns) for row in range(rows_a_table)]
            await bulk_insert(connection, table, [column.name for column in table.columns], rows)


async def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    async with database.snapshot() as connection:
        return {
            table.name: [tuple(row) for row in await connection.execute(select(table).order_by(*table.primary_key))]
            for table in schema.metadata.sorted_tables
        }


def names_and_modes(folder: Path, part: str) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if part in path.name}


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy whose members went through ``change``; None leaves one out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def with_manifest(source: Path, target: Path, **changes: object) -> Path:
    def change(name: str, content: bytes) -> bytes:
        return json.dumps({**json.loads(content), **changes}).encode() if name == "manifest.json" else content

    return rewritten(source, target, change)


@pytest.fixture
async def filled(tmp_path: Path) -> Path:
    """A backup of a filled SQLite database."""
    database = open_database(f"sqlite:///{tmp_path}/filled.sqlite3")
    try:
        await fill(database)
        await back_up(database, tmp_path / "filled.backup", NOW)
    finally:
        await database.close()
    return tmp_path / "filled.backup"


@pytest.fixture
async def fresh(tmp_path: Path) -> Database:
    database = open_database(f"sqlite:///{tmp_path}/fresh.sqlite3")
    yield database
    await database.close()


@pytest.mark.slow
async def test_every_row_comes_back_whatever_the_dialects(source_and_target: Pair, tmp_path: Path) -> None:
    source, target = source_and_target
    await fill(source)
    manifest = await back_up(source, tmp_path / "backup", NOW)
    assert {table.name for table in manifest.tables} == set(schema.metadata.tables)
    assert all(table.rows == 7 for table in manifest.tables)

    assert await restore(target, tmp_path / "backup") == manifest
    assert await everything(target) == await everything(source)
    assert await migrate.current_revision(target) == migrate.head_revision()


@pytest.mark.slow
async def test_a_backup_does_not_say_which_dialect_it_came_from_but_in_one_place(
    source_and_target: Pair, tmp_path: Path
) -> None:
    source, target = source_and_target
    await fill(source)
    first = await back_up(source, tmp_path / "first", NOW)
    await restore(target, tmp_path / "first")
    again = await back_up(target, tmp_path / "again", NOW)
    assert again.tables == first.tables


@pytest.mark.slow
async def test_ids_of_rows_that_are_gone_are_not_given_again(source_and_target: Pair, tmp_path: Path) -> None:
    source, target = source_and_target
    await migrate.upgrade(source)
    row = {"guild_id": 1, "type": "voice.session", "created_at_ms": 1}
    async with source.transaction() as connection:
        for _ in range(5):
            await connection.execute(insert(schema.record_queue).values(row))
        await connection.execute(delete(schema.record_queue).where(schema.record_queue.c.id > 2))
    await back_up(source, tmp_path / "backup", NOW)
    await restore(target, tmp_path / "backup")
    async with target.transaction() as connection:
        result = await connection.execute(insert(schema.record_queue).values(row).returning(schema.record_queue.c.id))
        assert result.scalar_one() == 6
        result = await connection.execute(
            insert(schema.command)
            .values(guild_id=1, kind="reset", body="{}", actor_id=1, created_at_ms=1)
            .returning(schema.command.c.id)
        )
        assert result.scalar_one() == 1


@pytest.mark.slow
async def test_a_backup_shows_one_instant_while_others_write(
    empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opts out also has a name: no backup may have one without the other."""
    await migrate.upgrade(empty_database)
    pairs = 0

    async def write_a_pair() -> None:
        nonlocal pairs
        pairs += 1
        async with empty_database.transaction() as connection:
            await connection.execute(insert(schema.opt_out).values(guild_id=1, user_id=pairs, since_ms=1))
            await connection.execute(insert(schema.member).values(guild_id=1, user_id=pairs, display_name="x", bot=False))

    await write_a_pair()
    save = back_up.__globals__["_save"]

    async def save_while_others_write(*arguments: object) -> object:
        await write_a_pair()
        return await save(*arguments)

    monkeypatch.setitem(back_up.__globals__, "_save", save_while_others_write)
    manifest = await back_up(empty_database, tmp_path / "backup", NOW)
    rows = {table.name: table.rows for table in manifest.tables}
    assert rows["opt_out"] == rows["member"] == 1
    assert pairs > 20


async def test_a_backup_is_private_and_leaves_nothing_beside_it(filled: Path) -> None:
    assert names_and_modes(filled.parent, "backup") == {"filled.backup": 0o600}


@pytest.mark.slow
async def test_the_master_key_is_in_it_only_when_asked_for(fresh: Database, tmp_path: Path) -> None:
    await migrate.upgrade(fresh)
    without = await back_up(fresh, tmp_path / "without", NOW)
    with_key = await back_up(fresh, tmp_path / "with", NOW, master_key=b"c2VjcmV0\n")
    assert (without.has_master_key, with_key.has_master_key) == (False, True)
    assert inspect_backup(tmp_path / "without")[1] is None
    assert inspect_backup(tmp_path / "with") == (with_key, b"c2VjcmV0\n")
    assert b"c2VjcmV0" not in (tmp_path / "without").read_bytes()


@pytest.mark.slow
async def test_a_backup_is_never_overwritten(fresh: Database, tmp_path: Path) -> None:
    await migrate.upgrade(fresh)
    (tmp_path / "backup").write_text("precious")
    with pytest.raises(ConfigError, match="exists"):
        await back_up(fresh, tmp_path / "backup", NOW)
    assert (tmp_path / "backup").read_text() == "precious"


async def test_a_backup_into_a_folder_that_is_not_there_says_so(fresh: Database, tmp_path: Path) -> None:
    await migrate.upgrade(fresh)
    with pytest.raises(ConfigError, match="cannot be written"):
        await back_up(fresh, tmp_path / "nowhere" / "backup", NOW)


@pytest.mark.slow
async def test_a_backup_that_fails_half_way_leaves_nothing(
    fresh: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate.upgrade(fresh)

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("attendance.store.backup_file.os.fsync", no_space)
    with pytest.raises(ConfigError, match="No space left on device"):
        await back_up(fresh, tmp_path / "backup", NOW)
    assert names_and_modes(tmp_path, "backup") == {}


async def test_another_schema_than_ours_is_not_backed_up(empty_database: Database, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run `rollcall migrate`"):
        await back_up(empty_database, tmp_path / "backup", NOW)
    assert not (tmp_path / "backup").exists()


@pytest.mark.slow
async def test_a_database_with_a_row_in_it_is_not_filled(source_and_target: Pair, tmp_path: Path) -> None:
    source, target = source_and_target
    await fill(source)
    await back_up(source, tmp_path / "backup", NOW)
    await migrate.upgrade(target)
    async with target.transaction() as connection:
        await connection.execute(insert(schema.opt_out).values(guild_id=1, user_id=1, since_ms=1))
    with pytest.raises(ConfigError, match="not empty"):
        await restore(target, tmp_path / "backup")
    assert {name: len(rows) for name, rows in (await everything(target)).items() if rows} == {"opt_out": 1}


@pytest.mark.slow
async def test_a_migrated_database_without_rows_is_filled(source_and_target: Pair, tmp_path: Path) -> None:
    source, target = source_and_target
    await fill(source)
    await back_up(source, tmp_path / "backup", NOW)
    await migrate.upgrade(target)
    await restore(target, tmp_path / "backup")
    assert await everything(target) == await everything(source)


@pytest.mark.slow
async def test_the_tables_of_something_else_are_left_alone(filled: Path, empty_database: Database) -> None:
    async with empty_database.transaction() as connection:
        await connection.execute(text("CREATE TABLE somebody_elses (id INTEGER PRIMARY KEY)"))
    with pytest.raises(ConfigError, match="not empty"):
        await restore(empty_database, filled)


@pytest.mark.slow
async def test_a_changed_row_is_found_and_nothing_is_restored(filled: Path, empty_database: Database, tmp_path: Path) -> None:
    def change(name: str, content: bytes) -> bytes:
        return content.replace(b"true", b"false", 1) if name == "tables/signing_key.jsonl" else content

    with pytest.raises(InvalidInputError, match="signing_key"):
        await restore(empty_database, rewritten(filled, tmp_path / "changed", change))
    assert await migrate.current_revision(empty_database) is None
    await restore(empty_database, filled)


@pytest.mark.slow
async def test_missing_doubled_and_reordered_rows_are_found(filled: Path, fresh: Database, tmp_path: Path) -> None:
    def lines(edit: Callable[[list[bytes]], list[bytes]]) -> Callable[[str, bytes], bytes]:
        return lambda name, content: (
            b"".join(edit(content.splitlines(keepends=True))) if name == "tables/journal.jsonl" else content
        )

    for number, edit in enumerate([lambda all_: all_[1:], lambda all_: all_[::-1], lambda _: []]):
        with pytest.raises(InvalidInputError):
            await restore(fresh, rewritten(filled, tmp_path / f"{number}", lines(edit)))


@pytest.mark.slow
async def test_a_missing_table_is_found(filled: Path, fresh: Database, tmp_path: Path) -> None:
    broken = rewritten(filled, tmp_path / "b", lambda name, content: None if name == "tables/record.jsonl" else content)
    with pytest.raises(InvalidInputError):
        await restore(fresh, broken)
    tables = json.loads(zipfile.ZipFile(filled).read("manifest.json"))["tables"]
    with pytest.raises(InvalidInputError, match="other tables"):
        await restore(fresh, with_manifest(filled, tmp_path / "c", tables=tables[1:]))


@pytest.mark.slow
async def test_names_from_a_manifest_do_not_reach_sql(filled: Path, fresh: Database, tmp_path: Path) -> None:
    tables = json.loads(zipfile.ZipFile(filled).read("manifest.json"))["tables"]
    tables[0]["name"] = 'x"; DROP TABLE record; --'
    with pytest.raises(InvalidInputError, match="other tables"):
        await restore(fresh, with_manifest(filled, tmp_path / "b", tables=tables))


@pytest.mark.slow
async def test_rows_that_break_the_schema_are_refused(filled: Path, empty_database: Database, tmp_path: Path) -> None:
    """A backup whose digests are right and whose rows are not: somebody made it."""
    import hashlib  # noqa: PLC0415

    doubled = b""

    def double(name: str, content: bytes) -> bytes:
        nonlocal doubled
        if name == "tables/opt_out.jsonl":
            doubled = content * 2
            return doubled
        if name == "manifest.json":
            manifest = json.loads(content)
            for table in manifest["tables"]:
                if table["name"] == "opt_out":
                    table.update(rows=14, sha256=hashlib.sha256(doubled).hexdigest())
            return json.dumps(manifest).encode()
        return content

    with pytest.raises(InvalidInputError, match="does not fit"):
        await restore(empty_database, rewritten(filled, tmp_path / "b", double))
    assert await migrate.current_revision(empty_database) is None


@pytest.mark.slow
async def test_a_later_format_and_a_later_schema_are_refused(filled: Path, fresh: Database, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="has format 2, this version reads 1"):
        await restore(fresh, with_manifest(filled, tmp_path / "a", format_version=2, something="new"))
    with pytest.raises(InvalidInputError, match="schema 9999, which this version does not know"):
        await restore(fresh, with_manifest(filled, tmp_path / "b", revision="9999"))


async def test_what_is_no_file_says_so(fresh: Database, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            await restore(fresh, path)


@pytest.mark.slow
async def test_no_damaged_byte_gives_anything_but_our_error_or_the_same_rows(filled: Path, tmp_path: Path) -> None:
    rows = read_all(filled)
    rng = random.Random(3)
    for _ in range(400):
        try:
            assert read_all(damaged(filled, tmp_path / "damaged", rng)) == rows
        except RollcallError:
            continue


def damaged(source: Path, target: Path, rng: random.Random) -> Path:
    content = bytearray(source.read_bytes())
    for _ in range(rng.choice([1, 1, 2, 30])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    if rng.random() < 0.2:
        content = content[: rng.randrange(len(content))]
    target.write_bytes(content)
    return target


def read_all(path: Path) -> dict[str, list[object]]:
    inspect_backup(path)
    with BackupReader(path) as reader:
        return {table.name: [row for rows in reader.rows(table) for row in rows] for table in reader.manifest.tables}


@pytest.mark.slow
async def test_many_rows_go_in_steps(source_and_target: Pair, tmp_path: Path) -> None:
    source, target = source_and_target
    await migrate.upgrade(source)
    async with source.transaction() as connection:
        await bulk_insert(connection, schema.opt_out, ("guild_id", "user_id", "since_ms"), [(1, n, n) for n in range(9_001)])
    await back_up(source, tmp_path / "backup", NOW)
    await restore(target, tmp_path / "backup")
    async with target.snapshot() as connection:
        assert await connection.scalar(select(func.count()).select_from(schema.opt_out)) == 9_001
