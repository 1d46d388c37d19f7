"""What a verdict says when somebody changed the database, on both databases."""

from __future__ import annotations

import hashlib
import json

import pytest
from sqlalchemy import delete, insert, text, update

from attendance.errors import NotFoundError
from attendance.services import verification
from attendance.store import schema
from tests.signing_world import (
    GUILD,
    NEXT_PASSPHRASE,
    PASSPHRASE,
    SigningProcess,
    a_session,
    an_unknown_session,
    period_over,
    put_drafts,
    put_sessions,
)

SESSION = a_session(1)


@pytest.fixture
async def signed(database) -> SigningProcess:
    """A period of three sessions, archived and signed: positions 1 to 3, then the period's record at 4."""
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await put_sessions(database, [a_session(number) for number in range(3)])
    await period_over(database, sessions=3)
    await process.sign_all()
    return process


async def change(process: SigningProcess, statement) -> None:
    async with process.database.transaction() as connection:
        assert (await connection.execute(statement)).rowcount >= 1


def of_record(guild_seq: int):
    return update(schema.record).where(schema.record.c.guild_seq == guild_seq)


def of_session():
    return update(schema.session).where(schema.session.c.session_id == SESSION.session_id)


async def test_an_untouched_session_and_period_are_valid(signed):
    session = await signed.verification.session(SESSION.session_id)
    period = await signed.verification.period(GUILD, 0)
    key = await signed.keyring.active(GUILD)
    assert (session.valid, session.state, session.kid, session.reason) == (True, "signed", key.kid, None)
    assert (period.valid, period.state, period.kid, period.reason) == (True, "signed", key.kid, None)
    assert session.signed_at_ms == signed.clock.at_ms


async def test_what_waits_is_pending_and_what_is_unknown_is_not_found(signed):
    waiting = a_session(9)
    await put_sessions(signed.database, [waiting])
    await period_over(signed.database, 1, sessions=1)
    for verdict in (await signed.verification.session(waiting.session_id), await signed.verification.period(GUILD, 1)):
        assert (verdict.valid, verdict.state, verdict.kid) == (False, "pending", None)
        assert verdict.reason == verification.NOT_SIGNED_YET
    with pytest.raises(NotFoundError):
        await signed.verification.session(an_unknown_session())
    for guild_id, index in ((GUILD, 7), (GUILD + 1, 0)):
        with pytest.raises(NotFoundError):
            await signed.verification.period(guild_id, index)


async def test_a_running_period_has_nothing_to_verify(signed):
    values = {"period_index": 5, "started_at_ms": 1, "ended_at_ms": None, "state": "running"}
    await change(signed, insert(schema.period).values(guild_id=GUILD, **values))
    with pytest.raises(NotFoundError):
        await signed.verification.period(GUILD, 5)


async def test_an_erased_record_is_redacted_and_the_period_still_verifies(signed):
    await change(signed, of_record(2).values(body=None, signature=None))
    await change(signed, delete(schema.session).where(schema.session.c.session_id == SESSION.session_id))
    verdict = await signed.verification.session(SESSION.session_id)
    assert (verdict.valid, verdict.state, verdict.reason) == (False, "redacted", verification.REDACTED)
    assert (await signed.verification.period(GUILD, 0)).valid


async def test_changed_bytes_signature_or_hash_are_not_what_was_signed(signed):
    async with signed.database.snapshot() as connection:
        row = (await connection.execute(schema.record.select().where(schema.record.c.guild_seq == 2))).one()
    body = bytes(row.body)
    forged = body.replace(b'"credited_ms":50000', b'"credited_ms":59000')
    assert forged != body
    forgeries = [
        {"body": forged},
        {"body": forged, "record_sha256": hashlib.sha256(forged).digest()},
        {"body": body + b"\n"},
        {"body": json.dumps(json.loads(body)).encode()},
        {"signature": bytes(64)},
        {"signature": bytes(row.signature)[:63]},
        {"record_sha256": bytes(32)},
        {"signed_at_ms": row.signed_at_ms + 1},
        {"kid": "A" * 43},
    ]
    original = {"body": body, "signature": row.signature, "record_sha256": row.record_sha256}
    original |= {"signed_at_ms": row.signed_at_ms, "kid": row.kid}
    for forgery in forgeries:
        await change(signed, of_record(2).values(**forgery))
        verdict = await signed.verification.session(SESSION.session_id)
        assert (verdict.valid, verdict.reason) == (False, verification.NOT_AS_SIGNED), forgery
        await change(signed, of_record(2).values(**original))
    assert (await signed.verification.session(SESSION.session_id)).valid


async def test_a_record_moved_to_another_session_or_after_another_record_is_refused(signed):
    await change(signed, of_record(1).values(record_sha256=bytes(32)))
    assert not (await signed.verification.session(SESSION.session_id)).valid, "prev no longer is the record before"


@pytest.mark.parametrize(
    "values",
    [
        {"counted_ms": 60_000},
        {"credited_ms": 60_000},
        {"user_id": 10**17 + 5},
        {"channel_id": 1},
        {"left_at_ms": SESSION.left_at_ms + 1},
        {"joined_at_ms": SESSION.joined_at_ms - 1},
        {"reason": "move"},
        {"below_minimum": True},
        {"rules_sha256": bytes(32)},
        {"timeline": SESSION.timeline.replace(b"muted", b"counted")},
        {"timeline": b"[]"},
        {"timeline": b"not json"},
    ],
    ids=lambda values: next(iter(values)),
)
async def test_a_session_that_is_not_what_its_record_says_is_refused_without_telling_about_the_member(signed, values):
    await change(signed, of_session().values(**values))
    verdict = await signed.verification.session(SESSION.session_id)
    assert (verdict.valid, verdict.state, verdict.reason) == (False, "signed", verification.SESSION_DIFFERS)


async def test_bytes_that_a_hand_in_sqlite_left_as_text_are_judged_as_bytes(signed):
    """`UPDATE … SET body = replace(body, …)` makes a text of them."""
    if signed.database.url.get_backend_name() != "sqlite":
        pytest.skip("PostgreSQL's columns keep their type")
    for table, column in (("record", "body"), ("session", "timeline")):
        for old, becomes, valid in (("x", "x", True), ("counted", "COUNTED", False), ("COUNTED", "counted", True)):
            statement = f"UPDATE {table} SET {column} = replace({column}, '{old}', '{becomes}')"  # noqa: S608  # constants
            await change(signed, text(statement))
            verdict = await signed.verification.session(SESSION.session_id)
            assert verdict.valid is valid, (table, old, verdict.reason)
    await change(signed, text("UPDATE record SET signature = 'no signature'"))
    assert (await signed.verification.session(SESSION.session_id)).reason == verification.NOT_AS_SIGNED


async def test_a_record_outside_its_keys_window_is_refused(signed):
    await signed.succession.revoke(GUILD, reason="stolen", last_good_guild_seq=1, passphrase=NEXT_PASSPHRASE)
    assert (await signed.verification.session(a_session(0).session_id)).valid
    for verdict in (await signed.verification.session(SESSION.session_id), await signed.verification.period(GUILD, 0)):
        assert (verdict.valid, verdict.reason) == (False, verification.OUT_OF_WINDOW)


async def test_records_of_a_retired_and_of_a_lost_key_verify_for_ever(signed):
    await signed.succession.rotate(GUILD, NEXT_PASSPHRASE)
    await signed.succession.rotate(GUILD, "yet another passphrase", lost=True)
    assert (await signed.verification.session(SESSION.session_id)).valid
    assert (await signed.verification.period(GUILD, 0)).valid


@pytest.mark.parametrize("what", ["session record", "entry", "bounds", "missing record"])
async def test_a_period_whose_hashes_or_bounds_changed_is_refused(signed, what):
    statements = {
        "session record": of_record(3).values(record_sha256=bytes(32)),
        "entry": update(schema.period_entry).values(leaf_sha256=bytes(32)),
        "bounds": update(schema.period).values(ended_at_ms=schema.period.c.ended_at_ms + 1),
        "missing record": delete(schema.record).where(schema.record.c.guild_seq == 2),
    }
    await change(signed, statements[what])
    verdict = await signed.verification.period(GUILD, 0)
    assert not verdict.valid
    assert verdict.reason in (verification.PERIOD_DIFFERS, verification.NOT_AS_SIGNED)


async def test_roots_are_kept_until_a_record_changes_or_a_quarter_of_an_hour_has_passed(signed, monkeypatch):
    recomputed = 0
    root_of_sessions = verification.root_of_sessions

    async def counted(hashes):
        nonlocal recomputed
        recomputed += 1
        return await root_of_sessions(hashes)

    monkeypatch.setattr(verification, "root_of_sessions", counted)
    for _ in range(3):
        assert (await signed.verification.period(GUILD, 0)).valid
    assert recomputed == 1
    await put_drafts(signed.database, 1)  # a record.redacted
    await signed.sign_all()
    assert (await signed.verification.period(GUILD, 0)).valid
    assert recomputed == 2
    await change(signed, update(schema.period_entry).values(leaf_sha256=bytes(32)))
    assert (await signed.verification.period(GUILD, 0)).valid
    signed.clock.advance(901_000)
    assert not (await signed.verification.period(GUILD, 0)).valid
    assert recomputed == 3
