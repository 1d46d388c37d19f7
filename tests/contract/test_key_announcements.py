"""What happens to a guild's signing key is announced in the transaction that does it, each thing once."""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import insert, select

from attendance.domain.announcements import LogType
from attendance.domain.log_destinations import Frequency, LogDestination
from attendance.services.key_watch import KeyWatch
from attendance.services.open_keys import HELD_FOR_MS, OpenKeys
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.log_destinations import destination_values
from attendance.store.signing_keys import SqlKeyStore
from tests.log_world import IDS
from tests.signing_world import GUILD, NEXT_PASSPHRASE, PASSPHRASE, SigningProcess


async def listening(database: Database) -> SigningProcess:
    process = SigningProcess(database)
    now_ms = process.clock.now_ms()
    told = LogDestination(IDS.session_id(now_ms), GUILD, 60, (LogType.SIGNING,), Frequency.IMMEDIATE, now_ms)
    async with database.transaction() as connection:
        await connection.execute(insert(schema.log_destination).values(destination_values(told)))
    return process


async def told(database: Database) -> list[dict]:
    item = schema.log_item
    async with database.snapshot() as connection:
        bodies = await connection.scalars(select(item.c.body).where(item.c.type == "signing").order_by(item.c.id))
        return [json.loads(body) for body in bodies]


async def test_keys_that_are_made_locked_unlocked_and_replaced_are_announced(database: Database) -> None:
    process = await listening(database)
    first = await process.succession.generate(GUILD, PASSPHRASE)
    for _ in range(2):
        await process.keyring.lock(GUILD)
    for _ in range(2):
        await process.keyring.unlock(GUILD, PASSPHRASE)
    await process.keyring.change_passphrase(GUILD, PASSPHRASE, NEXT_PASSPHRASE)
    second = await process.succession.rotate(GUILD, PASSPHRASE)
    await process.succession.revoke(GUILD, reason="stolen", last_good_guild_seq=0, kid=first.kid)
    assert await told(database) == [
        {"kid": first.kid, "change": "generate"},
        {"kid": first.kid, "reason": "lock"},
        {"kid": first.kid},
        {"kid": first.kid, "change": "change_passphrase"},
        {"kid": second.kid, "change": "rotate"},
        {"kid": first.kid, "change": "revoke"},
    ]


async def test_a_key_that_a_restart_has_locked_is_announced_once_and_so_is_its_return(database: Database) -> None:
    process = await listening(database)
    key = await process.succession.generate(GUILD, PASSPHRASE, auto_unlock=False)
    watch = KeyWatch(SqlKeyStore(database), process.clock)
    made = await told(database)
    process.clock.advance(2 * HELD_FOR_MS)
    assert await watch.tell_lost() == 0, "it may be renewed any moment"
    process.clock.advance(1)
    assert [await watch.tell_lost() for _ in range(3)] == [1, 0, 0]
    assert await told(database) == [*made, {"kid": key.kid, "reason": "lost"}]
    restarted = replace(process.keyring, open_keys=OpenKeys(process.keyring.store, process.clock, bytes(32)))
    await restarted.unlock(GUILD, PASSPHRASE)
    assert (await told(database))[-1] == {"kid": key.kid}
    process.clock.advance(3 * HELD_FOR_MS)
    assert await watch.tell_lost() == 1, "lost again, told again"


async def test_a_holder_that_was_only_away_says_that_the_key_is_open_after_all(database: Database) -> None:
    process = await listening(database)
    key = await process.succession.generate(GUILD, PASSPHRASE, auto_unlock=False)
    watch = KeyWatch(SqlKeyStore(database), process.clock)
    process.clock.advance(3 * HELD_FOR_MS)
    assert await watch.tell_lost() == 1
    for _ in range(2):
        await process.keyring.open_keys.renew()
        process.clock.advance(HELD_FOR_MS // 2)
    assert (await told(database))[1:] == [{"kid": key.kid, "reason": "lost"}, {"kid": key.kid}]
    assert await watch.tell_lost() == 0


async def test_keys_that_open_by_themselves_and_locked_ones_are_never_lost(database: Database) -> None:
    process = await listening(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    watch = KeyWatch(SqlKeyStore(database), process.clock)
    process.clock.advance(100 * HELD_FOR_MS)
    assert await watch.tell_lost() == 0
    await process.keyring.lock(GUILD)
    process.clock.advance(100 * HELD_FOR_MS)
    assert await watch.tell_lost() == 0
