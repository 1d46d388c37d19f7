"""The signer when writes fail, stored or not, when two sign at once, and when it is stopped anywhere.

Whatever happens, the whole chain is read again afterwards with libsodium: gapless, linked, each session in it once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.errors import UnavailableError
from attendance.services import signing
from attendance.store.database import Database, open_database
from attendance.store.records import SqlSigningStore
from attendance.store.signing_keys import SqlKeyStore
from tests.signing_world import (
    GUILD,
    NEXT_PASSPHRASE,
    OTHER_GUILD,
    PASSPHRASE,
    SigningProcess,
    a_session,
    chain_of,
    period_over,
    put_drafts,
    put_sessions,
    queue_length,
)

SESSIONS = 11


class FaultyDatabase:
    """A database whose n-th write transaction fails: before its commit, or although it was committed."""

    def __init__(self, database: Database, failing: int, mode: str) -> None:
        self.database, self.failing, self.mode, self.transactions = database, failing, mode, 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.transactions += 1
        fails = self.transactions == self.failing
        async with self.database.transaction() as connection:
            yield connection
            if fails and self.mode == "not stored":
                raise UnavailableError("the commit failed")
        if fails and self.mode == "stored":
            raise UnavailableError("the commit was stored, but nobody said so")

    def __getattr__(self, name: str) -> object:
        return getattr(self.database, name)


def a_process(database: object) -> SigningProcess:
    return SigningProcess(database, key_store=SqlKeyStore(database), signing_store=SqlSigningStore(database))


async def persist(step) -> None:
    """Do what an admin or the signer's loop does after a 503: try again."""
    for _ in range(3):
        try:
            await step()
        except UnavailableError:
            continue
        return
    pytest.fail("one fault must not fail three times")


async def a_guilds_life(process: SigningProcess) -> None:
    """Generate, sign a period, rotate in the middle, sign another."""
    database = process.database.database
    await put_sessions(database, [a_session(number) for number in range(SESSIONS)])
    await persist(lambda: ensure_key(process))
    await persist(process.sign_all)
    await persist(lambda: ensure_rotated(process))
    await period_over(database, sessions=SESSIONS)
    await put_sessions(database, [a_session(number, period_index=1) for number in range(SESSIONS, SESSIONS + 3)])
    await persist(process.sign_all)


async def ensure_key(process: SigningProcess) -> None:
    if not (await process.keyring.status(GUILD)).configured:
        await process.succession.generate(GUILD, PASSPHRASE)


async def ensure_rotated(process: SigningProcess) -> None:
    if len(await process.keyring.public_keys()) == 1:
        await process.succession.rotate(GUILD, NEXT_PASSPHRASE)


async def assert_whole(database: Database) -> None:
    chain = await chain_of(database)
    types = [record["type"] for record in chain]
    assert types.count("voice.session") == SESSIONS + 3
    assert len({record["session_id"] for record in chain if record["type"] == "voice.session"}) == SESSIONS + 3
    assert [kind for kind in types if kind.startswith("key.")] == ["key.activate", "key.retire", "key.activate"]
    assert types.count("leaderboard.period") == 1
    assert await queue_length(database) == 0
    process = SigningProcess(database)
    assert (await process.verification.period(GUILD, 0)).valid
    for number in range(SESSIONS + 3):
        assert (await process.verification.session(a_session(number).session_id)).valid


@pytest.mark.parametrize("mode", ["not stored", "stored"])
@pytest.mark.parametrize("failing", range(1, 8))
async def test_a_failing_transaction_leaves_the_chain_whole(database, monkeypatch, mode, failing):
    monkeypatch.setattr(signing, "RECORDS_A_TRANSACTION", 5)
    monkeypatch.setattr(signing, "MIN_BATCH", 5)
    faulty = FaultyDatabase(database, failing, mode)
    await a_guilds_life(a_process(faulty))
    assert faulty.transactions >= failing, "the fault never came: fewer transactions than this test believes"
    await assert_whole(database)


@pytest.mark.parametrize("failing", range(1, 11))
async def test_a_failing_statement_leaves_the_chain_whole(database, monkeypatch, failing):
    monkeypatch.setattr(signing, "RECORDS_A_TRANSACTION", 5)
    monkeypatch.setattr(signing, "MIN_BATCH", 5)
    writes = 0
    armed = False

    @event.listens_for(database.writer.sync_engine, "before_cursor_execute")
    def fail_one(_connection, _cursor, statement, *_rest):
        nonlocal writes, armed
        if armed and statement.split(None, 1)[0] in ("INSERT", "UPDATE", "DELETE"):
            writes += 1
            if writes == failing:
                raise OperationalError(statement, None, Exception("the disk is full"))

    process = a_process(FaultyDatabase(database, 0, "none"))
    store = process.signing_store

    class Armed:
        """Only what the service writes may fail, not what the test puts there."""

        def __getattr__(self, name):
            method = getattr(store, name)
            return arm(method) if name == "append" else method

    def arm(method):
        async def armed_call(*args):
            nonlocal armed
            armed = True
            try:
                return await method(*args)
            finally:
                armed = False

        return armed_call

    process.signer.store = Armed()
    await a_guilds_life(process)
    assert writes >= failing, "the fault never came"
    await assert_whole(database)


async def test_two_signers_at_once_make_one_chain(database, monkeypatch):
    monkeypatch.setattr(signing, "RECORDS_A_TRANSACTION", 9)
    monkeypatch.setattr(signing, "MIN_BATCH", 9)
    url = database.url.render_as_string(hide_password=False)
    others = [open_database(url) for _ in range(2)]
    processes = [SigningProcess(other) for other in others]
    for guild_id in (GUILD, OTHER_GUILD):
        await processes[0].succession.generate(guild_id, PASSPHRASE)
        await put_drafts(database, 60, guild_id)

    async def sign(process: SigningProcess) -> int:
        signed = 0
        while await queue_length(database, GUILD) + await queue_length(database, OTHER_GUILD):
            signed += await process.signer.sign_round()
        return signed

    async def rotate() -> None:
        await processes[1].succession.rotate(GUILD, NEXT_PASSPHRASE)

    first, second, _ = await asyncio.gather(sign(processes[0]), sign(processes[1]), rotate())
    assert first + second == 120, "a record signed twice, or not at all"
    assert len(await chain_of(database, GUILD)) == 63
    assert len(await chain_of(database, OTHER_GUILD)) == 61
    for other in others:
        await other.close()


@pytest.mark.parametrize("seed", range(6))
async def test_a_signer_that_is_cancelled_anywhere_is_continued_by_the_next(database, monkeypatch, seed):
    monkeypatch.setattr(signing, "RECORDS_A_TRANSACTION", 4)
    monkeypatch.setattr(signing, "MIN_BATCH", 4)
    chance = random.Random(seed)
    await SigningProcess(database).succession.generate(GUILD, PASSPHRASE)
    await put_drafts(database, 80)
    for _ in range(12):
        task = asyncio.create_task(SigningProcess(database).signer.run())
        for _ in range(chance.randrange(1, 120)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await SigningProcess(database).sign_all()
    chain = await chain_of(database)
    assert [record["redacts"][0][0] for record in chain[1:]] == list(range(80))
