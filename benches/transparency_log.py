"""The transparency log: tiles of a million entries, a batch of 10,000 published, a proof from ten million."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert

from attendance.clock import SystemClock
from attendance.core import LogTree, inclusion_paths, inclusion_proof
from attendance.domain.ids import GuildId
from attendance.services.transparency_log import RECORDS_A_BATCH, TransparencyLog
from attendance.store import schema
from attendance.store.database import Database, bulk_insert, open_database
from attendance.store.log_folder import LogFolder
from attendance.store.transparency_log import SqlLogStore

_GUILD = GuildId(1)
_COLUMNS = ("guild_id", "guild_seq", "type", "record_sha256", "kid", "signed_at_ms")


def _hashes(count: int) -> bytes:
    return b"".join(hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(count))


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _a_million(Path(folder) / "million")
        _a_proof()
        await _a_batch(Path(folder))


def _a_million(folder: Path) -> None:
    records, tree, files = _hashes(1_000_000), LogTree(), LogFolder(folder)
    begun = time.perf_counter()
    hashed = 0.0
    for start in range(0, len(records), 32 * 100_000):
        before = time.perf_counter()
        tiles = tree.append(records[start : start + 32 * 100_000])
        hashed += time.perf_counter() - before
        files.write(tiles)
    print(f"a million entries hashed and written durably: {time.perf_counter() - begun:.2f} s, of which hashing {hashed:.2f} s")


def _a_proof() -> None:
    size, tree = 10_000_000, LogTree()
    tiles: dict[str, bytes] = {}
    for start in range(0, size, 1_000_000):
        block = b"".join(hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(start, start + 1_000_000))
        tiles.update((path, data) for path, data in tree.append(block) if not path.startswith("tile/entries"))
    times = []
    for index in range(17, size, size // 200):
        before = time.perf_counter()
        inclusion_proof(size, index, {path: tiles[path] for path in inclusion_paths(size, index)})
        times.append(time.perf_counter() - before)
    times.sort()
    print(f"an inclusion proof of 10,000,000: median {times[100] * 1e3:.2f} ms, worst of 200 {times[-1] * 1e3:.2f} ms")


async def _a_batch(folder: Path) -> None:
    database = open_database(f"sqlite:///{folder}/log.db")
    async with database.transaction() as connection:
        await connection.run_sync(schema.metadata.create_all)
        await connection.execute(insert(schema.chain_head).values(guild_id=_GUILD, next_guild_seq=0))
    log = TransparencyLog(SqlLogStore(database), LogFolder(folder / "log"), SystemClock(), bytes(32), None, asyncio.Event())
    await log.head()
    times = []
    for batch in range(12):
        await _sign(database, batch)
        before = time.perf_counter()
        await log.publish_batch()
        times.append(time.perf_counter() - before)
    await database.close()
    times.sort()
    print(f"a batch of {RECORDS_A_BATCH:,} published: median {times[6] * 1e3:.0f} ms, worst of 12 {times[-1] * 1e3:.0f} ms")


async def _sign(database: Database, batch: int) -> None:
    first = batch * RECORDS_A_BATCH
    rows = [
        (_GUILD, number, "voice.session", hashlib.sha256(number.to_bytes(8, "big")).digest(), "k", 0)
        for number in range(first, first + RECORDS_A_BATCH)
    ]
    async with database.transaction() as connection:
        await bulk_insert(connection, schema.record, _COLUMNS, rows)
        await connection.execute(schema.chain_head.update().values(next_guild_seq=first + RECORDS_A_BATCH))
