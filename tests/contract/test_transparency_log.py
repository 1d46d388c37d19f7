"""The transparency log on both databases: order, publication, recovery, two writers, a restored backup."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from attendance import metrics
from attendance.domain.transparency_log import LogState
from attendance.errors import ConflictError, InvalidRecordError, LogError, UnavailableError
from attendance.services.kept_checkpoints import Found, judge_copies
from attendance.services.log_reading import LogReader
from attendance.services.transparency_log import TransparencyLog
from attendance.store import schema
from attendance.store.backup import back_up, restore
from attendance.store.database import open_database
from attendance.store.log_folder import LogFolder
from attendance.store.migrate import upgrade
from attendance.store.transparency_log import SqlLogStore
from tests.signing_world import (
    GUILD,
    MASTER_KEY,
    OTHER_GUILD,
    PASSPHRASE,
    START_MS,
    SigningProcess,
    a_session,
    chain_of,
    put_drafts,
    put_sessions,
)


def a_log(database: Any, folder: Any, process: SigningProcess, **changes: Any) -> TransparencyLog:
    return TransparencyLog(
        changes.get("store") or SqlLogStore(database),
        changes.get("files") or LogFolder(folder),
        process.clock,
        MASTER_KEY,
        changes.get("public_url", "https://attendance.example.org"),
        asyncio.Event(),
    )


async def sign(process: SigningProcess, count: int, guild_id: int = GUILD) -> None:
    await put_drafts(process.database, count, guild_id)
    await process.sign_all()


async def whole(log: TransparencyLog) -> int:
    """Verify everything that was published, from the files alone; its size."""
    published = LogReader(log.files).check(await log.vkey(), lambda _done, _total: None)
    return 0 if published is None else published.size


def found_in(log: TransparencyLog, vkey: str, *notes: bytes) -> list[Found]:
    copies = [(f"copy {number}", note) for number, note in enumerate(notes)]
    return [judgement.found for judgement in judge_copies(LogReader(log.files), vkey, copies)]


async def logged_twice_or_never(database: Any) -> list[Any]:
    entry, record = schema.log_entry, schema.record
    async with database.snapshot() as connection:
        records = (await connection.execute(select(record.c.guild_id, record.c.guild_seq, record.c.record_sha256))).all()
        entries = (await connection.execute(select(entry.c.guild_id, entry.c.guild_seq, entry.c.record_sha256))).all()
    return sorted(set(records) ^ set(entries)) + ([] if len(entries) == len(set(entries)) else [entries])


@pytest.mark.slow
async def test_every_signed_record_is_logged_once_and_the_log_verifies_from_its_files_alone(database, tmp_path):
    process = SigningProcess(database)
    log = a_log(database, tmp_path, process)
    assert await log.publish_batch() == 0
    for guild in (GUILD, OTHER_GUILD):
        await process.succession.generate(guild, PASSPHRASE)
        await sign(process, 300, guild)
    assert await log.publish_batch() == 602
    assert await log.publish_batch() == 0
    await sign(process, 5)
    assert await log.publish_batch() == 5
    assert await whole(log) == 607
    assert await logged_twice_or_never(database) == []
    status = await log.status()
    assert (status.origin, status.size, status.published_size, status.state) == (
        "attendance.example.org/log", 607, 607, LogState.AGREES,
    )  # fmt: skip


async def test_a_verdict_says_where_the_record_is_logged_and_that_another_was(database, tmp_path):
    process = SigningProcess(database)
    log = a_log(database, tmp_path, process)
    facts = a_session(1)
    await process.succession.generate(GUILD, PASSPHRASE)
    await put_sessions(database, [facts])
    await process.sign_all()
    assert (await process.verification.session(facts.session_id)).state == "signed"
    await log.publish_batch()
    verdict = await process.verification.session(facts.session_id)
    assert (verdict.valid, verdict.state, verdict.leaf_index) == (True, "logged", 1)
    async with database.transaction() as connection:
        await connection.execute(
            schema.log_entry.update().where(schema.log_entry.c.leaf_index == 1).values(record_sha256=bytes(32))
        )
    verdict = await process.verification.session(facts.session_id)
    assert (verdict.valid, verdict.reason) == (False, "the record is not the one that was logged")


class Failing:
    """Hands everything on; the ``at``th call of a method that writes fails, before it is done or after."""

    def __init__(self, inner: Any, at: int, *, stored: bool) -> None:
        self._inner, self._left, self._stored = inner, at, stored

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in ("sequence", "create", "write", "publish"):
            return method
        self._left -= 1
        if self._left != 0:
            return method
        return self._failing(method) if asyncio.iscoroutinefunction(method) else self._failing_now(method)

    def _failing(self, method: Callable[..., Awaitable[Any]]) -> Any:
        async def fail(*args: Any) -> None:
            if self._stored:
                await method(*args)
            raise UnavailableError("the power went")

        return fail

    def _failing_now(self, method: Callable[..., Any]) -> Any:
        def fail(*args: Any) -> None:
            if self._stored:
                method(*args)
            raise UnavailableError("the power went")

        return fail


@pytest.mark.slow
@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("part", ["store", "files"])
async def test_each_write_may_fail_both_ways_and_the_next_round_goes_on(database, tmp_path, part, at, stored):
    process = SigningProcess(database)
    sound = a_log(database, tmp_path, process)
    await process.succession.generate(GUILD, PASSPHRASE)
    await sign(process, 40)
    await sound.publish_batch()
    kept = sound.files.checkpoint()
    await sign(process, 300)
    inner = sound.store if part == "store" else sound.files
    broken = a_log(database, tmp_path, process, **{part: Failing(inner, at, stored=stored)})
    try:
        await broken.publish_batch()
    except UnavailableError:
        assert kept is not None
    published = sound.files.checkpoint()
    await a_log(database, tmp_path, process).publish_batch()
    assert await whole(sound) == 341
    assert await logged_twice_or_never(database) == []
    for note in (kept, published):  # whatever was ever seen is a beginning of what is there now
        assert found_in(sound, await sound.vkey(), note) == [Found.KEPT]


@pytest.mark.slow
async def test_two_writers_at_once_publish_one_log(database, tmp_path):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    logs = [a_log(database, tmp_path, process) for _ in range(3)]
    for _ in range(5):
        await sign(process, 30)
        results = await asyncio.gather(*(log.publish_batch() for log in logs), return_exceptions=True)
        assert all(isinstance(result, int | ConflictError) for result in results), results
    await logs[0].publish_batch()
    assert await whole(logs[0]) == 151
    assert await logged_twice_or_never(database) == []


@pytest.mark.slow
async def test_tiles_that_are_gone_are_written_again_from_the_rows(database, tmp_path):
    process = SigningProcess(database)
    log = a_log(database, tmp_path, process)
    await process.succession.generate(GUILD, PASSPHRASE)
    await sign(process, 280)
    await log.publish_batch()
    for path in sorted((tmp_path / "tile").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(LogError, match="missing"):
        await whole(log)
    await sign(process, 3)
    await a_log(database, tmp_path, process).publish_batch()
    assert await whole(log) == 284


async def test_a_changed_tile_is_found_by_the_check_and_never_built_upon(database, tmp_path):
    process = SigningProcess(database)
    log = a_log(database, tmp_path, process)
    await process.succession.generate(GUILD, PASSPHRASE)
    await sign(process, 20)
    await log.publish_batch()
    tile = tmp_path / "tile/0/000.p/21"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    with pytest.raises(LogError, match=r"tile/0/000\.p/21"):
        await whole(log)
    await sign(process, 1)
    before = log.files.checkpoint()
    with pytest.raises((ConflictError, InvalidRecordError, LogError)):
        await a_log(database, tmp_path, process).publish_batch()
    assert log.files.checkpoint() == before


async def test_over_a_changed_tile_records_are_signed_nothing_is_published_and_the_alarm_stays(database, tmp_path):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await sign(process, 20)
    await a_log(database, tmp_path / "log", process).publish_batch()
    tile = tmp_path / "log/tile/0/000.p/21"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    log = a_log(database, tmp_path / "log", process)
    before = log.files.checkpoint()
    process.signer.may_sign = log.may_sign
    await sign(process, 3)
    running = asyncio.create_task(log.run())
    async with asyncio.timeout(30):
        while metrics.LOG_REFUSED._value.get() != 1:
            await log.status()  # asking is what passes the time
    assert await log.may_sign()  # the chains are whole: no position of theirs could be given twice
    assert metrics.LOG_REFUSED._value.get() == 1
    assert log.files.checkpoint() == before

    (tmp_path / "log/tile").rename(tmp_path / "evidence")
    log.wake.set()
    async with asyncio.timeout(30):
        while log.files.checkpoint() == before or metrics.LOG_REFUSED._value.get():
            await log.may_sign()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await whole(log) == 24
    assert await logged_twice_or_never(database) == []


@pytest.mark.slow
async def test_a_restored_backup_signs_nothing_until_it_is_repaired(empty_database, tmp_path, new_database_url):
    database = empty_database
    await upgrade(database)
    process = SigningProcess(database)
    folder = tmp_path / "log"
    log = a_log(database, folder, process)
    await process.succession.generate(GUILD, PASSPHRASE)
    await sign(process, 10)
    await log.publish_batch()
    await back_up(database, tmp_path / "backup", START_MS)
    await sign(process, 290)
    await log.publish_batch()
    seen = log.files.checkpoint()

    restored = open_database(await new_database_url("sqlite"))
    await restore(restored, tmp_path / "backup")
    again = SigningProcess(restored)
    log = a_log(restored, folder, again)
    again.signer.may_sign = log.may_sign
    await put_drafts(restored, 2)
    assert not await log.may_sign()
    assert await log.publish_batch() == 0
    assert (await log.status()).state is LogState.BEHIND
    assert log.files.checkpoint() == seen

    assert await log.repair() == (290, 1)
    with pytest.raises(ConflictError, match="nothing to repair"):
        await log.repair()
    assert await log.may_sign()
    await again.sign_all()
    assert await log.publish_batch() == 3
    chain = await chain_of(restored)
    assert chain[11]["type"] == "chain.restored"
    assert (chain[11]["first_lost_guild_seq"], chain[11]["first_lost_leaf_index"], chain[11]["last_lost_leaf_index"]) == (
        11, 11, 300,
    )  # fmt: skip
    assert await whole(log) == 304
    assert found_in(log, await log.vkey(), seen) == [Found.KEPT]
    await restored.close()


async def test_another_log_in_the_folder_stops_signing_and_cannot_be_repaired(database, tmp_path, new_database_url):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await sign(process, 3)
    await a_log(database, tmp_path, process).publish_batch()
    other = open_database(await new_database_url("sqlite"))
    async with other.transaction() as connection:
        await connection.run_sync(schema.metadata.create_all)
    log = a_log(other, tmp_path, SigningProcess(other))
    await log.head()
    assert not await log.may_sign()
    with pytest.raises(InvalidRecordError):
        await log.repair()
    await other.close()


async def test_without_a_public_address_the_log_is_named_by_its_key(database, tmp_path):
    log = a_log(database, tmp_path, SigningProcess(database), public_url=None)
    head = await log.head()
    key = await SqlLogStore(database).log_key()
    assert head.origin == f"{key.kid}.rollcall.invalid/log"
    assert (await a_log(database, tmp_path, SigningProcess(database)).head()).origin == head.origin
