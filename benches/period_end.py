"""The end of a period: 100,000 members, a million sessions signed as they closed, 10,000 open at the boundary.

From the command to the signed period record; and how long the journal's commits wait meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, text

from attendance.clock import SystemClock
from attendance.core import SigningKey
from attendance.domain.ids import GuildId, ShardId
from attendance.domain.observations import (
    ChannelFacts,
    ChannelKind,
    GuildFacts,
    GuildSeen,
    ShardReady,
    VoiceState,
    VoiceStateSeen,
)
from attendance.domain.records import Software
from attendance.domain.stream.batch import JournalBatch
from attendance.ids import SystemIds
from attendance.ports.recording import Lease
from attendance.services.archive import Archiver
from attendance.services.open_keys import OpenKeys
from attendance.services.recording.inlet import Inlet
from attendance.services.recording.recorder import LEASE_MS, Recorder, RecorderStores
from attendance.services.signed_batches import BatchSigner
from attendance.services.signing import Signer
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.leases import SqlLeaseStore
from attendance.store.periods import SqlPeriodStore
from attendance.store.projection import SqlProjectionStore
from attendance.store.recording import SqlJournalStore
from attendance.store.records import SqlSigningStore
from attendance.store.signing_keys import SqlKeyStore
from attendance.store.streams import SqlStreamStore
from benches.big_guild import CHANNELS, GUILD, user, write_members, write_signed_sessions
from benches.setting import DIALECTS, migrated_database, percentile

OPEN = 10_000
OTHER = GuildId(8 << 22)
_SHARD = ShardId(0)
_MASTER = b"m" * 32
_KEY_COLUMNS = [
    "guild_id",
    "kid",
    "public_key",
    "wrapped",
    "master_wrapped",
    "auto_unlock",
    "state",
    "created_at_ms",
    "first_guild_seq",
]


class TimedJournal(SqlJournalStore):
    """Notes how long each commit took, the waiting for the writer included."""

    took_ms: list[float]

    async def commit(self, batch: JournalBatch, leases: Mapping[ShardId, Lease], now_ms: int) -> None:
        began = time.perf_counter()
        await super().commit(batch, leases, now_ms)
        self.took_ms.append((time.perf_counter() - began) * 1000)


async def main() -> None:
    for dialect in DIALECTS:
        async with migrated_database(dialect) as database:
            await _measure(dialect, database)


async def _measure(dialect: str, database: Database) -> None:
    clock, ids, signing = SystemClock(), SystemIds(), asyncio.Event()
    await _make_key(database, clock.now_ms())
    journal = TimedJournal(database)
    object.__setattr__(journal, "took_ms", [])
    stores = RecorderStores(SqlLeaseStore(database), SqlStreamStore(database), journal, SqlProjectionStore(database))
    leases = await stores.leases.acquire(1, [_SHARD], "bench", clock.now_ms(), clock.now_ms() + LEASE_MS)
    assert leases is not None
    inlet, commands = Inlet(), asyncio.Event()
    recorder = Recorder(stores, leases, inlet, clock, ids, commands, signing, lambda _guilds: None)
    archiver = Archiver(SqlPeriodStore(database), clock, ids, "bench", queued=signing)
    open_keys = OpenKeys(SqlKeyStore(database), clock, _MASTER)
    records = SqlSigningStore(database)
    signer = Signer(records, BatchSigner(records, clock, ids, Software("rollcall", "bench")), open_keys, clock, signing)
    recording, signer_task = asyncio.create_task(recorder.run()), asyncio.create_task(signer.run())
    await recorder.started.wait()
    _fill_voice(inlet, clock.now_ms())
    await _until(database, select(schema.open_session.c.user_id).limit(OPEN), OPEN)
    await write_members(database)
    await _settle(database)
    journal.took_ms.clear()
    busy = asyncio.create_task(_keep_busy(inlet, clock))
    began = time.perf_counter()
    async with database.transaction() as connection:
        await connection.execute(
            insert(schema.command).values(guild_id=GUILD, kind="reset", body=json.dumps({}), actor_id=1, created_at_ms=0)
        )
    commands.set()
    period = schema.period
    ended = (period.c.guild_id == GUILD) & (period.c.period_index == 0)
    await _until(database, select(period.c.guild_id).where(ended, period.c.state == "closed"), 1)
    cut = time.perf_counter() - began
    await archiver.archive_due()
    archived = time.perf_counter() - began
    record = schema.record
    await _until(database, select(record.c.guild_id).where(record.c.type == "leaderboard.period"), 1)
    signed = time.perf_counter() - began
    busy.cancel()
    print(
        f"{dialect}: cut and {OPEN:,} sessions stored after {cut:.2f} s, archived after {archived:.2f} s, period record signed "
        f"after {signed:.2f} s; {len(journal.took_ms)} journal commits: median {percentile(journal.took_ms, 0.5):.0f} ms, "
        f"p99 {percentile(journal.took_ms, 0.99):.0f} ms, longest {max(journal.took_ms):.0f} ms"
    )
    recorder.stop()
    signer_task.cancel()
    await asyncio.gather(recording, signer_task, return_exceptions=True)


async def _settle(database: Database) -> None:
    """What PostgreSQL's own housekeeping does in the weeks of a period."""
    if not database.is_sqlite:
        async with database.writer.connect() as connection:
            outside_transactions = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await outside_transactions.execute(text("VACUUM ANALYZE"))


async def _make_key(database: Database, now_ms: int) -> None:
    """An open key, and the chain of a million session records that it signed."""
    key = SigningKey.generate()
    head = await write_signed_sessions(database, key.kid, 1, b"\0" * 32)
    wrapped = key.wrap_under_master("record", _MASTER).decode()
    values: dict[str, Any] = dict(
        zip(_KEY_COLUMNS, (GUILD, key.kid, key.public_key, wrapped, wrapped, True, "active", now_ms, 0), strict=True)
    )
    async with database.transaction() as connection:
        await connection.execute(insert(schema.signing_key).values(**values))
        await connection.execute(insert(schema.chain_head).values(guild_id=GUILD, next_guild_seq=1_000_001, head_sha256=head))


def _fill_voice(inlet: Inlet, now_ms: int) -> None:
    channels = tuple(ChannelFacts(channel, f"channel {channel}", ChannelKind.VOICE, None, 0) for channel in CHANNELS)
    states = tuple(VoiceState(user(number), CHANNELS[number % 10], bot=False) for number in range(OPEN))
    inlet.put(ShardReady(now_ms, _SHARD, frozenset({GUILD, OTHER})))
    for guild_id, inside in ((GUILD, states), (OTHER, ())):
        inlet.put(GuildSeen(now_ms, _SHARD, GuildFacts(guild_id, "guild", user(0), None), channels, inside))


async def _keep_busy(inlet: Inlet, clock: SystemClock) -> None:
    """Another guild of the same shard goes on: a member who talks in two channels, 100 times a second."""
    number = 0
    while True:
        number += 1
        state = VoiceState(user(1), CHANNELS[number % 2], bot=False)
        inlet.put(VoiceStateSeen(clock.now_ms(), _SHARD, OTHER, state))
        await asyncio.sleep(0.01)


async def _until(database: Database, query: Any, rows: int) -> None:
    while True:
        async with database.snapshot() as connection:
            if len((await connection.execute(query)).all()) >= rows:
                return
        await asyncio.sleep(0.01)
