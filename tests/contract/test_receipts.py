"""Receipts on both databases: what is in one, when there is none, and what happened to its key."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from attendance.core import verify_receipt
from attendance.domain.receipts import MAX_BYTES
from attendance.errors import ConflictError, NotFoundError, NotReadyError
from attendance.store import schema
from attendance.store.backup import back_up, restore
from attendance.store.database import open_database
from attendance.store.migrate import upgrade
from tests.receipt_world import RULES_TEXT, ReceiptWorld, ruled_session
from tests.signing_world import GUILD, NEXT_PASSPHRASE, OTHER_GUILD, START_MS, SigningProcess, an_unknown_session


@pytest.fixture
async def settled(database, tmp_path) -> ReceiptWorld:
    world = ReceiptWorld(SigningProcess(database), tmp_path)
    await world.settle()
    return world


async def test_a_receipt_verifies_and_holds_one_session_and_nothing_of_other_members(settled):
    mine, others = ruled_session(1, user_id=10**17 + 1), [ruled_session(n, user_id=10**17 + n) for n in range(2, 40)]
    await settled.recorded([mine, *others])
    receipt = await settled.receipts.receipt(GUILD, mine.session_id)
    report = verify_receipt(receipt)
    assert (report.verdict, report.reason) == ("valid", None), report
    assert all(check.outcome == "passed" for check in report.checks), report
    assert report.claims["session_id"] == str(mine.session_id)
    assert report.claims["credited_ms"] == "50000"
    assert [one.pinned for one in report.trust] == [False, False]
    assert not any(str(other.user_id).encode() in receipt or str(other.session_id).encode() in receipt for other in others)
    held = json.loads(receipt)
    assert (held["timeline"].encode(), held["rules"].encode()) == (mine.timeline, RULES_TEXT)
    assert held["log_key"] == await settled.log.vkey()


async def test_pinned_keys_are_what_a_verdict_rests_on(settled):
    mine = ruled_session(1)
    await settled.recorded([mine])
    receipt = await settled.receipts.receipt(GUILD, mine.session_id)
    x = json.loads(receipt)["public_key"].encode()
    pinned = verify_receipt(receipt, [x], [(await settled.log.vkey()).encode()])
    assert pinned.verdict == "valid"
    assert all(one.pinned for one in pinned.trust)
    elsewhere = json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}).encode()
    for keys, log_keys, name in (([elsewhere], [], "pinned-key"), ([], [elsewhere], "pinned-log-key")):
        report = verify_receipt(receipt, keys, log_keys)
        assert report.verdict == "invalid"
        assert [check.name for check in report.checks if check.outcome == "failed"] == [name]


async def test_what_is_not_signed_or_not_logged_yet_says_so_and_when_to_come_back(settled):
    first, second = ruled_session(1), ruled_session(2)
    await settled.recorded([first], logged=False)
    with pytest.raises(NotReadyError, match="log") as waiting:
        await settled.receipts.receipt(GUILD, first.session_id)
    assert waiting.value.retry_after < 60
    await settled.process.keyring.lock(GUILD)
    await settled.recorded([second])
    with pytest.raises(NotReadyError, match="signature"):
        await settled.receipts.receipt(GUILD, second.session_id)
    assert verify_receipt(await settled.receipts.receipt(GUILD, first.session_id)).verdict == "valid"


async def test_unknown_foreign_and_erased_sessions_have_no_receipt(settled):
    mine = ruled_session(1)
    await settled.recorded([mine])
    for guild, session_id in ((GUILD, an_unknown_session()), (OTHER_GUILD, mine.session_id)):
        with pytest.raises(NotFoundError, match="no such session"):
            await settled.receipts.receipt(guild, session_id)
    async with settled.process.database.transaction() as connection:
        table = schema.record
        await connection.execute(update(table).where(table.c.session_id == mine.session_id).values(body=None, signature=None))
    with pytest.raises(NotFoundError, match="erased"):
        await settled.receipts.receipt(GUILD, mine.session_id)


async def test_a_rotated_key_goes_on_proving_its_own_records_within_its_window(settled):
    before, after = ruled_session(1), ruled_session(2)
    await settled.recorded([before])
    await settled.process.succession.rotate(GUILD, NEXT_PASSPHRASE)
    await settled.recorded([after])
    old, new = [await settled.receipts.receipt(GUILD, one.session_id) for one in (before, after)]
    assert [[json.loads(one["record"])["type"] for one in json.loads(file)["key_records"]] for file in (old, new)] == [
        ["key.activate", "key.retire"],
        ["key.activate"],
    ]
    for file in (old, new):
        assert verify_receipt(file).verdict == "valid"
    assert "guild_seq 0 to 2" in next(check.found for check in verify_receipt(old).checks if check.name == "key-window")


async def test_a_lost_key_ends_where_its_successor_begins(settled):
    before = ruled_session(1)
    await settled.recorded([before])
    await settled.process.succession.rotate(GUILD, NEXT_PASSPHRASE, lost=True)
    await settled.recorded([])
    report = verify_receipt(await settled.receipts.receipt(GUILD, before.session_id))
    assert report.verdict == "valid"
    assert "guild_seq 0 to 1" in next(check.found for check in report.checks if check.name == "key-window")


async def test_a_record_after_the_last_good_position_of_a_revoked_key_has_no_receipt(settled):
    good, stolen = ruled_session(1), ruled_session(2)
    await settled.recorded([good, stolen])
    early = await settled.receipts.receipt(GUILD, stolen.session_id)
    await settled.process.succession.revoke(GUILD, reason="stolen", last_good_guild_seq=1, passphrase=NEXT_PASSPHRASE)
    await settled.recorded([])
    assert verify_receipt(await settled.receipts.receipt(GUILD, good.session_id)).verdict == "valid"
    with pytest.raises(ConflictError, match="does not verify"):
        await settled.receipts.receipt(GUILD, stolen.session_id)
    # Nobody can take back a receipt from before: but with the revocation beside it, it fails.
    held, newer = json.loads(early), json.loads(await settled.receipts.receipt(GUILD, good.session_id))
    assert verify_receipt(early).verdict == "valid"
    held.update(key_records=newer["key_records"])
    report = verify_receipt(json.dumps(held).encode())
    assert report.verdict == "invalid"
    assert "key-window" in {check.name for check in report.checks if check.outcome == "failed"}


async def test_of_several_revocations_the_tightest_is_in_the_receipt(settled):
    sessions = [ruled_session(number) for number in range(1, 4)]
    await settled.recorded(sessions)
    succession = settled.process.succession
    await succession.revoke(GUILD, reason="stolen", last_good_guild_seq=2, passphrase=NEXT_PASSPHRASE)
    (revoked, _), _ = await settled.process.key_store.guild_keys(GUILD)
    await succession.revoke(GUILD, reason="earlier than we thought", last_good_guild_seq=1, kid=revoked.kid)
    await settled.recorded([])
    receipt = await settled.receipts.receipt(GUILD, sessions[0].session_id)
    assert [json.loads(one["record"]).get("reason") for one in json.loads(receipt)["key_records"]] == [
        None,
        None,
        "earlier than we thought",
    ]
    assert verify_receipt(receipt).verdict == "valid"
    for outside in sessions[1:]:
        with pytest.raises(ConflictError, match="does not verify"):
            await settled.receipts.receipt(GUILD, outside.session_id)


@pytest.mark.parametrize("changed", ["timeline", "body", "signature", "rules", "key record", "leaf"])
async def test_what_was_changed_by_hand_in_the_database_makes_no_receipt(settled, changed):
    mine = ruled_session(1)
    await settled.recorded([mine])
    record, session, rules = schema.record, schema.session, schema.rules_version
    ours = record.c.session_id == mine.session_id
    change = {
        "timeline": update(session).values(timeline=mine.timeline.replace(b"muted", b"counted")),
        "body": update(record).where(ours).values(body=b"\xff{}"),
        "signature": update(record).where(ours).values(signature=bytes(64)),
        "rules": update(rules).values(rules=RULES_TEXT.replace(b"true", b"false")),
        "key record": update(record).where(record.c.type == "key.activate").values(body=b"{}"),
        "leaf": update(schema.log_entry).where(schema.log_entry.c.leaf_index == 1).values(leaf_index=2),
    }[changed]
    async with settled.process.database.transaction() as connection:
        await connection.execute(change)
    with pytest.raises(ConflictError):
        await settled.receipts.receipt(GUILD, mine.session_id)


@pytest.mark.slow
async def test_receipts_are_good_before_and_after_the_repair_of_a_restored_backup(empty_database, tmp_path, new_database_url):
    await upgrade(empty_database)
    world = ReceiptWorld(SigningProcess(empty_database), tmp_path / "log")
    await world.settle()
    kept, lost, later = [ruled_session(number) for number in (1, 2, 3)]
    await world.recorded([kept])
    await back_up(empty_database, tmp_path / "backup", START_MS)
    await world.recorded([lost])

    restored = open_database(await new_database_url("sqlite"))
    await restore(restored, tmp_path / "backup")
    again = ReceiptWorld(SigningProcess(restored), tmp_path / "log")
    again.process.signer.may_sign = again.log.may_sign
    assert verify_receipt(await again.receipts.receipt(GUILD, kept.session_id)).verdict == "valid"
    await again.log.repair()
    await again.recorded([later])
    for one in (kept, later):
        assert verify_receipt(await again.receipts.receipt(GUILD, one.session_id)).verdict == "valid"
    with pytest.raises(NotFoundError):
        await again.receipts.receipt(GUILD, lost.session_id)
    await restored.close()


def test_what_is_served_and_what_the_verifier_takes_have_one_limit():
    for length in (MAX_BYTES, MAX_BYTES + 1):
        reason = verify_receipt(b" " * length).reason or ""
        assert (f"more than {MAX_BYTES} bytes" in reason) == (length > MAX_BYTES)


@pytest.mark.slow
async def test_a_session_whose_timeline_is_too_long_for_a_receipt_has_none(settled):
    mine, start = ruled_session(1), 1_800_000_000_000
    segments = [[start + at, start + at + 1, ("counted", "muted")[at % 2]] for at in range(120_000)]
    timeline = json.dumps(segments, separators=(",", ":")).encode()
    times = {"joined_at_ms": start, "left_at_ms": start + 120_000, "counted_ms": 60_000, "muted_ms": 60_000}
    await settled.recorded([mine._replace(timeline=timeline, **times)])
    with pytest.raises(ConflictError, match="too long"):
        await settled.receipts.receipt(GUILD, mine.session_id)
