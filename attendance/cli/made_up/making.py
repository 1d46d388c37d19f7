"""From an empty database to weeks of signed records in a published log, by the parts that do it in real life."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from attendance import __version__
from attendance.cli.made_up.reading import PastReader
from attendance.clock import FixedClock, SystemClock
from attendance.config import Settings
from attendance.domain.audit import Actor
from attendance.domain.ids import GuildId, UserId
from attendance.domain.records import Software
from attendance.errors import ConfigError, ConflictError
from attendance.ids import SystemIds
from attendance.keys.master import master_key
from attendance.keys.passphrase import SodiumDerivation
from attendance.services.archive import Archiver
from attendance.services.open_keys import OpenKeys
from attendance.services.passphrases import Argon2Cost, Attempts, Passphrases
from attendance.services.provenance import Provenances
from attendance.services.recording.recorder import RecorderStores
from attendance.services.recording.rehearsal import Rehearsal
from attendance.services.signed_batches import BatchSigner
from attendance.services.signing import Signer
from attendance.services.succession import Succession
from attendance.services.transparency_log import TransparencyLog
from attendance.store.commands import SqlCommandInbox
from attendance.store.data_folder import own_data_folder
from attendance.store.database import Database, open_database
from attendance.store.leases import SqlLeaseStore
from attendance.store.log_folder import LogFolder
from attendance.store.migrate import prepare
from attendance.store.periods import SqlPeriodStore
from attendance.store.projection import SqlProjectionStore
from attendance.store.provenance import SqlProvenanceStore
from attendance.store.recording import SqlJournalStore
from attendance.store.records import SqlSigningStore
from attendance.store.signing_keys import SqlKeyStore
from attendance.store.streams import SqlStreamStore
from attendance.store.transparency_log import SqlLogStore
from simulator import DEMO_ADMIN_ID
from simulator import Settings as SimulatorSettings
from simulator.demo_ids import demo_guild_id
from simulator.past import Past

PASSPHRASE = "demo passphrase, for the demo only"  # noqa: S105  # protects nothing: what it signs is made up
SOFTWARE = Software("rollcall demo-history (made up)", __version__)
"""What the records say about who recorded."""
_HOLDER = "demo-history"
_DAY_MS = 86_400_000
_WEEK_MS = 7 * _DAY_MS
_FIRST_MONDAY_MS = 4 * _DAY_MS  # 1970-01-05

Told = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class History:
    """What is there: since when (a Monday's midnight, Unix milliseconds), and what was just made; None: it stood already."""

    began_ms: int
    lines: int | None = None
    records: int | None = None


def first_midnight_ms(now_ms: int, weeks: int) -> int:
    """The Monday's midnight, UTC, that is ``weeks`` whole weeks before the one of the running week."""
    return (now_ms - _FIRST_MONDAY_MS) // _WEEK_MS * _WEEK_MS + _FIRST_MONDAY_MS - weeks * _WEEK_MS


async def make_history(settings: Settings, weeks: int, told: Told, *, cost: Argon2Cost | None = None) -> History:
    """Fill an empty embedded database with weeks of the demo's life, up to now. Done already, nothing happens.

    Args:
        settings: whose data folder.
        weeks: whole weeks before the running one.
        told: told how far it is.
        cost: of the passphrase that opens the demo's keys; tests lower it.

    Raises:
        ConfigError: the database is not an embedded one.
        ConflictError: something was recorded there, an earlier attempt was cut short, or another process uses the data folder.
    """
    if not settings.is_embedded:
        raise ConfigError("history is made up in an embedded database only: unset DATABASE_URL")
    with own_data_folder(settings.data_dir):
        database = open_database(settings.database_url)
        try:
            await prepare(database)
            return await _Making(settings, database, told, cost or Argon2Cost()).make(weeks)
        finally:
            await database.close()


@dataclass(frozen=True, slots=True)
class _Making:
    settings: Settings
    database: Database
    told: Told
    cost: Argon2Cost
    present: SystemClock = SystemClock()  # noqa: RUF009  # without state
    ids: SystemIds = SystemIds()  # noqa: RUF009  # without state

    async def make(self, weeks: int) -> History:
        until_ms = self.present.now_ms()
        began_ms = first_midnight_ms(until_ms, weeks)
        provenances = Provenances(SqlProvenanceStore(self.database), self.present)
        stands = await provenances.begin(began_ms)
        if stands is not None:
            return History(stands.since_ms)
        lines = await self._record(began_ms, until_ms)
        records = await self._sign()
        await provenances.finish()
        return History(began_ms, lines, records)

    async def _record(self, began_ms: int, until_ms: int) -> int:
        """Live through the past; each period is archived when it ends, as the scheduler would."""
        database, clock = self.database, FixedClock(began_ms)
        stores = RecorderStores(
            SqlLeaseStore(database), SqlStreamStore(database), SqlJournalStore(database), SqlProjectionStore(database)
        )
        rehearsal = Rehearsal(stores, clock, self.present, self.ids, _HOLDER)
        if not await rehearsal.begin():
            raise ConflictError("another process owns the guilds of this database")
        archiver = Archiver(SqlPeriodStore(database), clock, self.ids, _HOLDER)
        reader = PastReader(clock, rehearsal, SqlCommandInbox(database))
        past = Past(SimulatorSettings(), began_ms).moments(until_ms)
        async with aclosing(reader.read(past, began_ms, until_ms)) as steps:
            async for reached_ms in steps:
                await archiver.archive_due()
                self.told("recording", reached_ms - began_ms, until_ms - began_ms)
        await rehearsal.end()
        return reader.lines

    async def _sign(self) -> int:
        """Make the guilds' keys and sign the backlog, in the present: a signature's time is when it was made."""
        database, present = self.database, self.present
        keys = SqlKeyStore(database)
        open_keys = OpenKeys(keys, present, master_key(self.settings.master_key_file, self.settings.data_dir))
        passphrases = Passphrases(SodiumDerivation(), Attempts(present), self.ids, self.cost)
        succession = Succession(keys, open_keys, passphrases, present, self.ids, asyncio.Event())
        guild_ids = [GuildId(demo_guild_id(number)) for number in range(SimulatorSettings().guilds)]
        for guild_id in guild_ids:
            await succession.generate(guild_id, PASSPHRASE, actor=Actor(UserId(DEMO_ADMIN_ID)))
        files = LogFolder(self.settings.data_dir / "log")
        log = TransparencyLog(
            SqlLogStore(database), files, present, open_keys.master_key, self.settings.public_url, asyncio.Event()
        )
        store = SqlSigningStore(database)
        batches = BatchSigner(store, present, self.ids, SOFTWARE)
        signer = Signer(store, batches, open_keys, present, asyncio.Event(), log.may_sign)
        waiting = sum([(await keys.waiting(guild_id))[0] for guild_id in guild_ids])
        while await signer.sign_round():
            self.told("signing", signer.signed_records, waiting)
        while await log.publish_batch():
            pass
        return signer.signed_records
