"""The signer on both databases: order, batches, periods, fairness, keys that are locked."""

from __future__ import annotations

import asyncio
import hashlib
import json

import pytest
from sqlalchemy import delete, insert, select

from attendance.clock import FixedClock
from attendance.services import signing
from attendance.store import schema
from tests.signing_world import (
    GUILD,
    NEXT_PASSPHRASE,
    OTHER_GUILD,
    PASSPHRASE,
    START_MS,
    SigningProcess,
    a_session,
    b64url,
    canonical,
    chain_of,
    log_root,
    period_over,
    put_drafts,
    put_sessions,
    queue_length,
)


async def test_what_waited_before_the_first_key_is_signed_after_its_activation(database):
    process = SigningProcess(database)
    sessions = [a_session(number) for number in range(3)]
    await put_sessions(database, sessions)
    assert await process.sign_all() == 0
    key = await process.succession.generate(GUILD, PASSPHRASE)
    assert process.wake.is_set()
    assert await process.sign_all() == 3

    chain = await chain_of(database)
    assert [record["type"] for record in chain] == ["key.activate"] + ["voice.session"] * 3
    assert chain[0]["x"] == key.x
    assert [record["session_id"] for record in chain[1:]] == [str(facts.session_id) for facts in sessions]
    assert await queue_length(database) == 0


async def test_a_session_record_holds_what_the_specification_names_and_nothing_else(database):
    process = SigningProcess(database)
    facts = a_session(5)
    await process.succession.generate(GUILD, PASSPHRASE)
    await put_sessions(database, [facts])
    await process.sign_all()
    record = (await chain_of(database))[1]
    chained = {"v", "guild_id", "guild_seq", "prev", "kid", "signed_at_ms", "salt"}
    assert {name: value for name, value in record.items() if name not in chained} == {
        "type": "voice.session",
        "session_id": str(facts.session_id),
        "user_id": str(facts.user_id),
        "channel_id": str(facts.channel_id),
        "period_index": 0,
        "stay": 5,
        "part": 0,
        "joined_at_ms": facts.joined_at_ms,
        "left_at_ms": facts.left_at_ms,
        "reason": "leave",
        "counted_ms": 50_000,
        "bridged_ms": 0,
        "unwitnessed_ms": 0,
        "paused_ms": {"deafened": 0, "muted": 10_000, "solo": 0},
        "below_minimum": False,
        "credited_ms": 50_000,
        "timeline_sha256": b64url(hashlib.sha256(facts.timeline).digest()),
        "rules_sha256": b64url(facts.rules_sha256),
        "software": {"name": "rollcall", "version": "0.1.0"},
    }


async def test_a_backlog_of_many_batches_is_one_gapless_chain(database, monkeypatch):
    monkeypatch.setattr(signing, "RECORDS_A_TRANSACTION", 7)
    monkeypatch.setattr(signing, "MIN_BATCH", 7)
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await put_sessions(database, [a_session(number) for number in range(50)])
    assert await process.sign_all() == 50
    chain = await chain_of(database)
    assert [record["stay"] for record in chain[1:]] == list(range(50))


async def test_a_guild_with_a_long_backlog_does_not_keep_another_waiting(database, monkeypatch):
    monkeypatch.setattr(signing, "RECORDS_A_TRANSACTION", 10)
    monkeypatch.setattr(signing, "MIN_BATCH", 5)
    monkeypatch.setattr(signing, "BATCHES_A_TURN", 2)
    process = SigningProcess(database)
    for guild_id in (GUILD, OTHER_GUILD):
        await process.succession.generate(guild_id, PASSPHRASE)
    await put_drafts(database, 40, GUILD)
    await put_drafts(database, 3, OTHER_GUILD)
    await process.signer.sign_round()
    assert await queue_length(database, OTHER_GUILD) == 0
    assert await queue_length(database, GUILD) == 30
    await process.sign_all()
    assert len(await chain_of(database, GUILD)) == 41
    assert len(await chain_of(database, OTHER_GUILD)) == 4


async def test_more_guilds_than_fit_one_transaction_are_all_signed_in_a_round(database, monkeypatch):
    monkeypatch.setattr(signing, "GUILDS_A_TRANSACTION", 2)
    process = SigningProcess(database)
    guilds = [GUILD + number for number in range(5)]
    for guild_id in guilds:
        await process.succession.generate(guild_id, PASSPHRASE)
        await put_drafts(database, 2, guild_id)
    assert await process.signer.sign_round() == 10
    for guild_id in guilds:
        assert len(await chain_of(database, guild_id)) == 3


async def test_a_period_record_covers_its_sessions_and_stands_after_them(database):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await put_sessions(database, [a_session(number) for number in range(5)])
    await period_over(database, sessions=5)
    await put_sessions(database, [a_session(number, period_index=1) for number in range(5, 8)])
    await process.sign_all()

    chain = await chain_of(database)
    assert [record["type"] for record in chain[6:]] == ["leaderboard.period"] + ["voice.session"] * 3
    period = chain[6]
    hashes = [hashlib.sha256(canonical(record)).digest() for record in chain[1:6]]
    assert period["sessions_root"] == b64url(log_root(hashes))
    assert (period["first_guild_seq"], period["last_guild_seq"], period["session_count"]) == (1, 5, 5)
    assert (period["period_index"], period["entry_count"]) == (0, 1)
    assert (period["started_at_ms"], period["ended_at_ms"]) == (START_MS, START_MS + 3_600_000)


async def test_an_empty_period_has_the_empty_tree_and_no_positions(database):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await period_over(database)
    await process.sign_all()
    period = (await chain_of(database))[1]
    empty = b64url(hashlib.sha256().digest())
    assert (period["sessions_root"], period["entries_root"]) == (empty, empty)
    assert "first_guild_seq" not in period
    assert "last_guild_seq" not in period
    assert (period["session_count"], period["rules_sha256"], period["blind"], period["blind_ms"]) == (0, [], [], 0)


async def test_a_period_record_lists_rules_in_order_of_use_and_clipped_blind_time(database):
    hour = 3_600_000
    digests = [hashlib.sha256(bytes([number])).digest() for number in range(5)]
    rules = [(1, START_MS - 9, 0), (2, START_MS, 1), (3, START_MS + 5, 2), (4, START_MS + 6, 1), (5, START_MS + hour, 3)]
    blind = [(START_MS - 100, START_MS - 50), (START_MS - 10, START_MS + 10), (START_MS + 50, START_MS + 80)]
    blind += [(START_MS + hour - 7, None), (START_MS + hour, None)]
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    async with database.transaction() as connection:
        for version, from_ms, digest in rules:
            values = {"version": version, "from_ms": from_ms, "rules_sha256": digests[digest], "rules": b"{}"}
            await connection.execute(insert(schema.rules_version).values(guild_id=GUILD, actor_id=None, **values))
        for seq, (start, end) in enumerate(blind):
            values = {"seq": seq, "started_at_ms": start, "ended_at_ms": end, "cause": "restart"}
            await connection.execute(insert(schema.blind_interval).values(guild_id=GUILD, **values))
    await period_over(database)
    await process.sign_all()
    period = (await chain_of(database))[1]
    assert period["rules_sha256"] == [b64url(digests[1]), b64url(digests[2])]
    assert period["rules_count"] == 2
    assert period["blind"] == [
        [START_MS, START_MS + 10],
        [START_MS + 50, START_MS + 80],
        [START_MS + hour - 7, START_MS + hour],
    ]
    assert (period["blind_count"], period["blind_ms"]) == (3, 10 + 30 + 7)


@pytest.mark.slow
async def test_a_period_record_waits_for_a_session_that_is_queued_behind_it(database):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await put_sessions(database, [a_session(0)])
    await period_over(database, sessions=2)
    await process.sign_all()
    assert [record["type"] for record in await chain_of(database)] == ["key.activate", "voice.session"]
    assert await queue_length(database) == 1
    await put_sessions(database, [a_session(1)])
    await process.sign_all()
    chain = await chain_of(database)
    assert [record["type"] for record in chain[1:]] == ["voice.session", "voice.session", "leaderboard.period"]
    assert chain[3]["last_guild_seq"] == 2


async def test_a_draft_that_cannot_be_signed_stops_its_guild_alone_and_is_tried_again(database):
    clock = FixedClock()
    process = SigningProcess(database, clock)
    for guild_id in (GUILD, OTHER_GUILD):
        await process.succession.generate(guild_id, PASSPHRASE)
    values = {"guild_id": GUILD, "type": "session.correction", "created_at_ms": START_MS}
    async with database.transaction() as connection:
        await connection.execute(insert(schema.record_queue).values(body='{"type": "x", "rate": 0.5}', **values))
    await put_drafts(database, 2, OTHER_GUILD)
    assert await process.sign_all() == 2
    assert process.signer.failed_batches == 1
    await process.sign_all()
    assert process.signer.failed_batches == 1, "it must not be tried at every turn"

    async with database.transaction() as connection:
        await connection.execute(delete(schema.record_queue))
    await put_drafts(database, 1)
    clock.advance(10_000)
    assert await process.sign_all() == 1
    assert len(await chain_of(database)) == 2


async def test_a_queue_row_whose_session_is_gone_is_reported_and_not_skipped(database):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await put_sessions(database, [a_session(0)])
    async with database.transaction() as connection:
        await connection.execute(delete(schema.session))
    assert await process.sign_all() == 0
    assert process.signer.failed_batches == 1
    assert await queue_length(database) == 1


async def test_a_record_that_is_in_the_chain_already_stops_its_guild_alone(database):
    process = SigningProcess(database)
    for guild_id in (GUILD, OTHER_GUILD):
        await process.succession.generate(guild_id, PASSPHRASE)
    await put_sessions(database, [a_session(0)])
    await process.sign_all()
    async with database.transaction() as connection:
        values = {"type": "voice.session", "session_id": a_session(0).session_id, "created_at_ms": 0}
        await connection.execute(insert(schema.record_queue).values(guild_id=GUILD, **values))
    await put_drafts(database, 2, OTHER_GUILD)
    assert await process.sign_all() == 2
    assert process.signer.failed_batches == 1
    assert len(await chain_of(database)) == 2
    assert len(await chain_of(database, OTHER_GUILD)) == 3


@pytest.mark.parametrize("auto_unlock", [True, False])
async def test_a_lock_said_by_one_process_stops_another_that_has_the_key_in_memory(database, auto_unlock):
    first, second = SigningProcess(database), SigningProcess(database)
    await first.succession.generate(GUILD, PASSPHRASE, auto_unlock=auto_unlock)
    await put_drafts(database, 1)
    assert await first.sign_all() == 1

    status = await second.keyring.lock(GUILD)
    assert (status.unlocked, status.auto_unlock) == (False, auto_unlock)
    await put_drafts(database, 2)
    assert await first.sign_all() == 0
    assert not (await first.keyring.status(GUILD)).unlocked

    status = await first.keyring.unlock(GUILD, PASSPHRASE)
    assert status.unlocked
    assert status.pending == 2
    assert await first.sign_all() == 2
    assert len(await chain_of(database)) == 4


async def test_a_batch_signed_before_a_lock_is_not_stored_after_it(database):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await put_drafts(database, 1)
    store, append = process.signing_store, process.signing_store.append

    class LockedInBetween:
        def __getattr__(self, name):
            return getattr(store, name)

        async def append(self, batches):
            await process.keyring.lock(GUILD)
            return await append(batches)

    process.signer.store = LockedInBetween()
    assert await process.signer.sign_round() == 0
    assert await queue_length(database) == 1


async def test_a_restart_opens_keys_by_the_master_key_unless_they_were_locked(database):
    await SigningProcess(database).succession.generate(GUILD, PASSPHRASE)
    await SigningProcess(database).succession.generate(OTHER_GUILD, PASSPHRASE)
    await SigningProcess(database).keyring.lock(OTHER_GUILD)
    await put_drafts(database, 1, GUILD)
    await put_drafts(database, 1, OTHER_GUILD)
    restarted = SigningProcess(database)
    assert await restarted.sign_all() == 1
    assert await queue_length(database, OTHER_GUILD) == 1


async def test_another_master_key_opens_nothing_and_the_passphrase_still_does(database):
    await SigningProcess(database).succession.generate(GUILD, PASSPHRASE)
    restored = SigningProcess(database, master_key=bytes(32))
    restored.clock.advance(120_000)
    await put_drafts(database, 1)
    assert await restored.sign_all() == 0
    assert not (await restored.keyring.status(GUILD)).unlocked
    await restored.keyring.unlock(GUILD, PASSPHRASE)
    assert await restored.sign_all() == 1
    again = SigningProcess(database, master_key=bytes(32))
    await put_drafts(database, 1)
    assert await again.sign_all() == 1, "unlocking must have wrapped the key under the master key of now"


async def test_without_auto_unlock_only_the_process_that_was_given_the_passphrase_signs(database):
    clock = FixedClock()
    holder, other = SigningProcess(database, clock), SigningProcess(database, clock)
    await holder.succession.generate(GUILD, PASSPHRASE, auto_unlock=False)
    await put_drafts(database, 1)
    assert await other.sign_all() == 0
    assert (await other.keyring.status(GUILD)).unlocked, "some process can sign"

    for _ in range(4):
        clock.advance(30_000)
        await holder.open_keys.renew()
    assert (await other.keyring.status(GUILD)).unlocked
    assert await holder.sign_all() == 1

    clock.advance(61_000)  # the holder is gone
    assert not (await other.keyring.status(GUILD)).unlocked


async def test_the_loop_signs_what_it_is_woken_for_and_survives_the_database_being_away(database):
    process = SigningProcess(database)
    process.signer.poll_seconds = 3600
    await process.succession.generate(GUILD, PASSPHRASE)
    rounds = asyncio.Semaphore(0)
    sign_round = process.signer.store.keys_with_work

    async def counted(*args):
        keys = await sign_round(*args)
        if not keys:
            rounds.release()
        return keys

    class Counting:
        def __getattr__(self, name):
            return counted if name == "keys_with_work" else getattr(process.signing_store, name)

    process.signer.store = Counting()
    loop = asyncio.create_task(process.signer.run())
    await rounds.acquire()
    await put_drafts(database, 2)
    process.wake.set()
    await rounds.acquire()
    assert await queue_length(database) == 0
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop


async def test_records_name_the_instant_of_signing_and_the_key_of_their_position(database):
    clock = FixedClock()
    process = SigningProcess(database, clock)
    first = await process.succession.generate(GUILD, PASSPHRASE)
    clock.advance(1000)
    await put_drafts(database, 2)
    await process.sign_all()
    second = await process.succession.rotate(GUILD, NEXT_PASSPHRASE)
    await put_drafts(database, 1)
    await process.sign_all()
    chain = await chain_of(database)
    assert [record["kid"] for record in chain] == [first.kid] * 4 + [second.kid] * 2
    assert chain[1]["signed_at_ms"] == clock.at_ms


async def test_the_stored_bytes_are_the_signed_bytes(database):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    async with database.snapshot() as connection:
        row = (await connection.execute(select(schema.record))).one()
    assert bytes(row.body) == canonical(json.loads(row.body))
