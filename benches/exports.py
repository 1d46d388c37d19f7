"""A period's export: sessions signed, archived and logged by the service itself, built into an archive, and verified.

100,000 sessions of 10,000 members; ``exports_million`` is the same of a million. ``rollcall verify`` runs as a process of its
own, over the folder and over the archive; beside it bare strict Ed25519 over as many records, on as many threads as cores.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from base64 import b64decode, urlsafe_b64decode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from attendance.clock import SystemClock
from attendance.core import SigningKey, verify_signatures
from attendance.domain.ids import GuildId
from attendance.domain.records import Software, key_activate_draft
from attendance.ids import SystemIds, uuid7
from attendance.services.archive import Archiver
from attendance.services.log_reading import PublicLog
from attendance.services.open_keys import OpenKeys
from attendance.services.period_exports import PeriodExports
from attendance.services.signed_batches import BatchSigner
from attendance.services.signing import Signer
from attendance.services.transparency_log import TransparencyLog
from attendance.store import schema
from attendance.store.database import Database, bulk_insert
from attendance.store.export_folder import ExportFolder
from attendance.store.exporting import SqlExportStore
from attendance.store.log_folder import LogFolder
from attendance.store.periods import SqlPeriodStore
from attendance.store.records import SqlSigningStore
from attendance.store.signing_keys import SqlKeyStore
from attendance.store.transparency_log import SqlLogStore
from benches.setting import DIALECTS, migrated_database, percentile

GUILD = GuildId(7 << 22)
SESSIONS = 100_000
MEMBERS = 10_000
START_MS = 1_800_000_000_000
_CHUNK = 20_000
_MASTER = b"m" * 32
_RULES = (
    b'{"bridge_gap_seconds":120,"channels":[],"min_session_seconds":0,"mode":"all","pause_on_deafen":false,'
    b'"pause_on_mute":true,"pause_when_solo":false}'
)
_RULES_SHA256 = sha256(_RULES).digest()
_BATCH = 1024
_TELLING = """
import sys
from pathlib import Path
from attendance.cli import main
try:
    main()
finally:
    sys.stderr.write(Path("/proc/self/status").read_text().partition("VmHWM:")[2].partition("\\n")[0])
"""
_SESSION_COLUMNS = (
    "session_id", "guild_id", "ordinal", "user_id", "channel_id", "period_index", "stay", "part", "joined_at_ms",
    "left_at_ms", "reason", "counted_ms", "bridged_ms", "unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms",
    "below_minimum", "credited_ms", "timeline", "rules_sha256",
)  # fmt: skip


async def main() -> None:
    for dialect in DIALECTS:
        await _run(dialect, SESSIONS, MEMBERS)


async def million() -> None:
    """A million sessions of 100,000 members, on SQLite."""
    await _run("sqlite", 1_000_000, 100_000)


async def _run(dialect: str, sessions: int, members: int) -> None:
    async with migrated_database(dialect) as database:
        with tempfile.TemporaryDirectory(dir="/tmp", prefix="rollcall-bench-") as folder:
            archive = await _measure(dialect, database, Path(folder), sessions, members)
            await database.close()
            _measure_verifying(archive, Path(folder), sessions)


async def _measure(dialect: str, database: Database, folder: Path, sessions: int, members: int) -> Path:
    clock, log = SystemClock(), LogFolder(folder / "log")
    await _write_key(database)
    await _write_period(database, sessions, members)
    await _sign_archive_log(database, log)
    exports = PeriodExports(SqlExportStore(database), ExportFolder(folder / "exports"), PublicLog(log), clock, _MASTER)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    late: list[float] = []
    watching = asyncio.create_task(_watch(late))
    packed: list[float] = []
    began, worked = time.perf_counter(), time.process_time()
    opened = await exports.open(
        GUILD, 0, lambda what, _done, _total: packed.append(time.perf_counter()) if what == "pack" else None
    )
    built, worked = time.perf_counter() - began, time.process_time() - worked
    watching.cancel()
    again = time.perf_counter()
    (await exports.open(GUILD, 0)).file.close()
    again = time.perf_counter() - again
    opened.file.close()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{dialect}: {sessions:,} sessions exported in {built:.2f} s ({worked:.2f} s of processor; "
        f"{built / sessions * 1e6:.0f} µs each, of which packing {(packed[-1] - packed[0]) / sessions * 1e6:.0f}), "
        f"{opened.kept.size / 2**20:.1f} MiB, {grown:.0f} MiB more memory at the peak; the loop late by "
        f"{percentile(late, 0.99) * 1000:.0f} ms (p99), {max(late) * 1000:.0f} ms (longest); kept: {again * 1000:.1f} ms"
    )
    return opened.kept.path


def _measure_verifying(archive: Path, folder: Path, sessions: int) -> None:
    """`rollcall verify` of folder and archive against bare verification, in turn, twice."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "unpacked", filter="data")
    (bag,) = (folder / "unpacked").iterdir()
    _, start, _ = _ran("verify", "--help")
    print(f"`rollcall verify --help`: {start:.2f} s of processor, in each of the following")
    for _ in range(2):
        bare, bare_worked = _bare(bag)
        for what, path in (("folder", bag), ("archive", archive)):
            took, worked, memory = _ran("verify", path)
            print(
                f"verified as {what}: {took:.2f} s ({worked:.2f} s of processor, {worked / sessions * 1e6:.1f} µs a session), "
                f"bare Ed25519 {bare:.2f} s ({bare_worked:.2f} s): {bare / took:.2f} of its speed, "
                f"{bare_worked / worked:.2f} by processor; {memory:.0f} MiB"
            )


def _bare(bag: Path) -> tuple[float, float]:
    """Seconds, and processor seconds, for strict Ed25519 over every record; what was read before does not count."""
    cores = os.cpu_count() or 1
    key = b64decode((bag / "keys").glob("record-*.pem").__next__().read_text().splitlines()[1])[-32:]
    took = worked = 0.0
    with (bag / "data/records.jsonl").open("rb") as records, (bag / "data/signatures.jsonl").open("rb") as signatures:
        while some := list(islice(zip(records, signatures, strict=True), _BATCH * 64)):
            triples = [(line[:-1], urlsafe_b64decode(signed[-89:-3] + b"=="), key) for line, signed in some]
            batches = [triples[at : at + _BATCH] for at in range(0, len(triples), _BATCH)]
            with ThreadPoolExecutor(cores) as threads:
                began, before = time.perf_counter(), time.process_time()
                wrong = [one for batch in threads.map(verify_signatures, batches) for one in batch if one is not None]
                took += time.perf_counter() - began
                worked += time.process_time() - before
            if wrong:
                sys.exit(f"a signature does not verify: {wrong[0]}")
    return took, worked


def _ran(*arguments: str | Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak memory in MiB of a command.

    It says its peak itself: ``wait4`` counts the memory of the process that it was forked from.
    """
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", _TELLING, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    told = process.stderr.read() if process.stderr is not None else b""
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"rollcall {arguments} failed")
    return took, usage.ru_utime + usage.ru_stime, int(told.split()[-2]) / 1024


async def _watch(late: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        late.append(time.perf_counter() - began - 0.005)


async def _write_key(database: Database) -> None:
    """The guild's key, and its activation in front of the queue."""
    key = SigningKey.generate()
    wrapped = key.wrap_under_master("record", _MASTER).decode()
    async with database.transaction() as connection:
        await connection.execute(
            insert(schema.signing_key).values(
                guild_id=GUILD,
                kid=key.kid,
                public_key=key.public_key,
                wrapped=wrapped,
                master_wrapped=wrapped,
                auto_unlock=True,
                state="active",
                created_at_ms=0,
                first_guild_seq=0,
            )
        )
        draft = key_activate_draft(key.x).decode()
        row = {"guild_id": GUILD, "type": "key.activate", "body": draft, "created_at_ms": 0}
        await connection.execute(insert(schema.record_queue).values(**row))


async def _write_period(database: Database, sessions: int, members: int) -> None:
    totals: Counter[int] = Counter()
    for start in range(0, sessions, _CHUNK):
        rows = [_session(number, members) for number in range(start, start + _CHUNK)]
        totals.update(row[3] for row in rows)
        queue = [(GUILD, "voice.session", row[0], START_MS) for row in rows]
        async with database.transaction() as connection:
            await bulk_insert(connection, schema.session, _SESSION_COLUMNS, rows)
            await bulk_insert(connection, schema.record_queue, ("guild_id", "type", "session_id", "created_at_ms"), queue)
    columns = (
        "guild_id", "period_index", "user_id", "credited_ms", "session_count", "unwitnessed_ms", "deafened_ms", "muted_ms",
        "solo_ms", "rank_key",
    )  # fmt: skip
    sums = [(GUILD, 0, user, 50_000 * count, count, 0, 0, 0, 0, -50_000 * count) for user, count in totals.items()]
    values = {"guild_id": GUILD, "period_index": 0, "started_at_ms": START_MS, "ended_at_ms": START_MS + 1, "reason": "manual"}
    rules = {"guild_id": GUILD, "version": 1, "from_ms": 0, "rules": _RULES, "rules_sha256": _RULES_SHA256}
    async with database.transaction() as connection:
        await bulk_insert(connection, schema.period_member, columns, sums)
        await connection.execute(insert(schema.period).values(state="closed", **values))
        await connection.execute(insert(schema.rules_version).values(**rules))


def _session(number: int, members: int) -> tuple[Any, ...]:
    joined = START_MS + number * 1000
    middle = joined + 20_000
    timeline = b'[[%d,%d,"counted"],[%d,%d,"muted"],[%d,%d,"counted"]]' % (
        joined, middle, middle, middle + 10_000, middle + 10_000, joined + 60_000,
    )  # fmt: skip
    session_id: UUID = uuid7(joined, number.to_bytes(10, "big"))
    times = (joined, joined + 60_000, "leave", 50_000, 0, 0, 0, 10_000, 0, False, 50_000)
    ids = (session_id, GUILD, number, 10**17 + number * 7919 % members, 10**17, 0, number, 0)
    return (*ids, *times, timeline, _RULES_SHA256)


async def _sign_archive_log(database: Database, files: LogFolder) -> None:
    clock, ids, wake = SystemClock(), SystemIds(), asyncio.Event()
    records = SqlSigningStore(database)
    batches = BatchSigner(records, clock, ids, Software("rollcall", "bench"))
    signer = Signer(records, batches, OpenKeys(SqlKeyStore(database), clock, _MASTER), clock, wake)
    while await signer.sign_round():
        pass
    await Archiver(SqlPeriodStore(database), clock, ids, "bench").archive_due()
    while await signer.sign_round():
        pass
    log = TransparencyLog(SqlLogStore(database), files, clock, _MASTER, None, wake)
    while await log.publish_batch():
        pass
