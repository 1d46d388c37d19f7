"""Keys over time, on both databases: the first, the next, the lost and the stolen."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from attendance.clock import FixedClock
from attendance.core import thumbprint
from attendance.errors import ConflictError, InvalidInputError, NotFoundError
from attendance.services.passphrases import ThrottledError
from attendance.store import schema
from tests.signing_world import (
    GUILD,
    NEXT_PASSPHRASE,
    OTHER_GUILD,
    PASSPHRASE,
    SigningProcess,
    b64url,
    chain_of,
    period_over,
    put_drafts,
)


async def key_rows(database) -> dict[str, object]:
    async with database.snapshot() as connection:
        return {row.kid: row for row in await connection.execute(select(schema.signing_key))}


async def test_the_first_key_signs_its_own_activation(database):
    process = SigningProcess(database)
    key = await process.succession.generate(GUILD, PASSPHRASE)
    (activate,) = await chain_of(database)
    assert (activate["type"], activate["kid"], activate["x"]) == ("key.activate", key.kid, b64url(key.public_key))
    assert thumbprint(key.public_key) == key.kid
    assert "prev" not in activate
    assert (await process.keyring.active(GUILD)).kid == key.kid


async def test_a_second_first_key_is_refused(database):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    derived = process.derivation.derived
    with pytest.raises(ConflictError):
        await process.succession.generate(GUILD, PASSPHRASE)
    assert process.derivation.derived == derived, "no second of Argon2id for a request that cannot succeed"


async def test_of_many_first_keys_at_once_one_is_made(database):
    processes = [SigningProcess(database) for _ in range(4)]
    made = await asyncio.gather(
        *(process.succession.generate(GUILD, PASSPHRASE) for process in processes), return_exceptions=True
    )
    keys = [key for key in made if not isinstance(key, Exception)]
    assert len(keys) == 1
    assert all(isinstance(key, ConflictError) for key in made if isinstance(key, Exception))
    assert len(await key_rows(database)) == 1
    assert len(await chain_of(database)) == 1


@pytest.mark.parametrize("passphrase", ["", "elevenchars", "x" * 1025])
async def test_a_passphrase_that_is_too_short_or_too_long_makes_no_key(database, passphrase):
    process = SigningProcess(database)
    with pytest.raises(InvalidInputError) as refusal:
        await process.succession.generate(GUILD, passphrase)
    assert "passphrase" in refusal.value.details
    assert await key_rows(database) == {}


async def test_the_seed_is_in_neither_wrap_and_auto_unlock_decides_on_the_second(database):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await process.succession.generate(OTHER_GUILD, PASSPHRASE, auto_unlock=False)
    rows = {row.guild_id: row for row in (await key_rows(database)).values()}
    assert '"argon2id"' in rows[GUILD].wrapped
    assert '"master"' in rows[GUILD].master_wrapped
    assert rows[OTHER_GUILD].master_wrapped is None
    assert "wrapped" not in repr(await process.keyring.active(GUILD))


async def test_a_wrong_passphrase_is_refused_and_the_right_one_after_it_is_not(database):
    process = SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await process.keyring.lock(GUILD)
    for wrong in ("", "wrong", PASSPHRASE + "\n", PASSPHRASE.upper(), "x" * 2000):
        with pytest.raises(InvalidInputError) as refusal:
            await process.keyring.unlock(GUILD, wrong)
        assert wrong not in str(refusal.value) or not wrong
        process.clock.advance(2000)
    assert (await process.keyring.unlock(GUILD, PASSPHRASE)).unlocked


async def test_guessing_is_counted_and_slowed_for_its_guild_alone(database):
    process = SigningProcess(database)
    for guild_id in (GUILD, OTHER_GUILD):
        await process.succession.generate(guild_id, PASSPHRASE)
    answers = await asyncio.gather(*(process.keyring.unlock(GUILD, "wrong") for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(answer, InvalidInputError) for answer in answers) == 5
    assert sum(isinstance(answer, ThrottledError) for answer in answers) == 7
    assert process.attempts.count(GUILD) == 5
    with pytest.raises(ThrottledError) as slowed:
        await process.keyring.unlock(GUILD, PASSPHRASE)
    assert slowed.value.retry_after_s == 1
    assert (await process.keyring.unlock(OTHER_GUILD, PASSPHRASE)).unlocked
    process.clock.advance(1001)
    assert (await process.keyring.unlock(GUILD, PASSPHRASE)).unlocked
    assert process.attempts.count(GUILD) == 0


async def test_a_changed_passphrase_opens_and_the_old_one_does_not(database):
    process = SigningProcess(database)
    key = await process.succession.generate(GUILD, PASSPHRASE)
    await process.keyring.lock(GUILD)
    changed = await process.keyring.change_passphrase(GUILD, PASSPHRASE, NEXT_PASSPHRASE)
    assert changed.kid == key.kid
    assert not (await process.keyring.status(GUILD)).unlocked, "a locked key stays locked"
    with pytest.raises(InvalidInputError):
        await process.keyring.unlock(GUILD, PASSPHRASE)
    await process.keyring.unlock(GUILD, NEXT_PASSPHRASE)
    with pytest.raises(InvalidInputError):
        await process.keyring.change_passphrase(GUILD, NEXT_PASSPHRASE, "short")
    with pytest.raises(InvalidInputError):
        await process.keyring.change_passphrase(GUILD, PASSPHRASE, NEXT_PASSPHRASE)


async def test_rotation_retires_by_the_old_key_and_activates_by_the_new_one(database):
    process = SigningProcess(database)
    old = await process.succession.generate(GUILD, PASSPHRASE)
    await put_drafts(database, 2)
    await process.sign_all()
    new = await process.succession.rotate(GUILD, NEXT_PASSPHRASE)
    chain = await chain_of(database)
    assert [record["type"] for record in chain[3:]] == ["key.retire", "key.activate"]
    assert (chain[3]["kid"], chain[3]["x"]) == (old.kid, old.x)
    assert (chain[4]["kid"], chain[4]["x"]) == (new.kid, new.x)
    rows = await key_rows(database)
    assert (rows[old.kid].state, rows[old.kid].first_guild_seq, rows[old.kid].last_guild_seq) == ("retired", 0, 3)
    assert (rows[new.kid].state, rows[new.kid].first_guild_seq, rows[new.kid].last_guild_seq) == ("active", 4, None)
    assert (rows[old.kid].wrapped, rows[old.kid].master_wrapped) == ("", None)
    with pytest.raises(InvalidInputError):
        await process.keyring.unlock(GUILD, PASSPHRASE)
    await process.keyring.unlock(GUILD, NEXT_PASSPHRASE)


async def test_rotation_of_a_locked_key_needs_its_passphrase_or_that_it_is_lost(database):
    process = SigningProcess(database)
    old = await process.succession.generate(GUILD, PASSPHRASE)
    await process.keyring.lock(GUILD)
    with pytest.raises(ConflictError):
        await process.succession.rotate(GUILD, NEXT_PASSPHRASE)
    with pytest.raises(InvalidInputError):
        await process.succession.rotate(GUILD, NEXT_PASSPHRASE, current_passphrase="not this one")
    second = await process.succession.rotate(GUILD, NEXT_PASSPHRASE, current_passphrase=PASSPHRASE)
    await process.keyring.lock(GUILD)
    third = await process.succession.rotate(GUILD, "the third passphrase", lost=True)
    chain = await chain_of(database)
    assert [record["type"] for record in chain] == ["key.activate", "key.retire", "key.activate", "key.activate"]
    assert chain[3]["replaces"] == second.kid
    rows = await key_rows(database)
    assert [rows[key.kid].state for key in (old, second, third)] == ["retired", "lost", "active"]
    assert rows[second.kid].last_guild_seq == 2


@pytest.mark.slow
async def test_rotation_while_a_backlog_is_signed_leaves_one_gapless_chain(database):
    process, other = SigningProcess(database), SigningProcess(database)
    await process.succession.generate(GUILD, PASSPHRASE)
    await put_drafts(database, 400)

    async def sign() -> None:
        while await other.signer.sign_round():
            pass

    await asyncio.gather(sign(), process.succession.rotate(GUILD, NEXT_PASSPHRASE))
    await other.sign_all()
    chain = await chain_of(database)
    assert len(chain) == 403
    retired = next(record for record in chain if record["type"] == "key.retire")
    assert all(record["kid"] == chain[0]["kid"] for record in chain[: retired["guild_seq"] + 1])
    assert len({record["kid"] for record in chain[retired["guild_seq"] + 1 :]}) <= 1


async def test_revoking_the_active_key_makes_a_new_one_that_signs_it(database):
    process = SigningProcess(database)
    old = await process.succession.generate(GUILD, PASSPHRASE)
    await put_drafts(database, 3)
    await process.sign_all()
    with pytest.raises(InvalidInputError):
        await process.succession.revoke(GUILD, reason="stolen", last_good_guild_seq=1)
    new = await process.succession.revoke(GUILD, reason="stolen", last_good_guild_seq=1, passphrase=NEXT_PASSPHRASE)
    activate, revoke = (await chain_of(database))[4:]
    assert (activate["type"], activate["kid"], activate["replaces"]) == ("key.activate", new.kid, old.kid)
    assert (revoke["type"], revoke["kid"], revoke["revokes"], revoke["x"]) == ("key.revoke", new.kid, old.kid, old.x)
    assert (revoke["reason"], revoke["last_good_guild_seq"]) == ("stolen", 1)
    row = (await key_rows(database))[old.kid]
    assert (row.state, row.last_guild_seq, row.wrapped) == ("revoked", 1, "")


async def test_revoking_an_older_key_is_signed_by_the_active_one_and_can_only_move_back(database):
    process = SigningProcess(database)
    old = await process.succession.generate(GUILD, PASSPHRASE)
    await put_drafts(database, 3)
    await process.sign_all()
    active = await process.succession.rotate(GUILD, NEXT_PASSPHRASE)
    for outside in (-2, 5):
        with pytest.raises(InvalidInputError):
            await process.succession.revoke(GUILD, reason="r", last_good_guild_seq=outside, kid=old.kid)
    answer = await process.succession.revoke(GUILD, reason="stolen", last_good_guild_seq=2, kid=old.kid)
    assert answer.kid == active.kid
    with pytest.raises(ConflictError):
        await process.succession.revoke(GUILD, reason="stolen", last_good_guild_seq=3, kid=old.kid)
    await process.succession.revoke(GUILD, reason="earlier than we thought", last_good_guild_seq=-1, kid=old.kid)
    assert [record["type"] for record in (await chain_of(database))[6:]] == ["key.revoke", "key.revoke"]
    with pytest.raises(NotFoundError):
        await process.succession.revoke(GUILD, reason="r", last_good_guild_seq=0, kid="unknown")
    await process.keyring.lock(GUILD)
    with pytest.raises(ConflictError):
        await process.succession.revoke(GUILD, reason="r", last_good_guild_seq=-1, kid=old.kid)


async def test_without_a_key_there_is_nothing_to_unlock_lock_change_rotate_or_revoke(database):
    process = SigningProcess(database)
    calls = [
        process.keyring.unlock(GUILD, PASSPHRASE),
        process.keyring.lock(GUILD),
        process.keyring.change_passphrase(GUILD, PASSPHRASE, NEXT_PASSPHRASE),
        process.succession.rotate(GUILD, PASSPHRASE),
        process.succession.revoke(GUILD, reason="r", last_good_guild_seq=0),
        process.keyring.active(GUILD),
    ]
    for call in calls:
        with pytest.raises(NotFoundError):
            await call
    status = await process.keyring.status(GUILD)
    assert (status.configured, status.unlocked, status.kid, status.pending) == (False, False, None, 0)


async def test_every_public_key_is_listed_for_ever(database):
    process = SigningProcess(database)
    first = await process.succession.generate(GUILD, PASSPHRASE)
    process.clock.advance(1)
    second = await process.succession.rotate(GUILD, NEXT_PASSPHRASE)
    process.clock.advance(1)
    other = await process.succession.generate(OTHER_GUILD, PASSPHRASE)
    assert await process.keyring.public_keys() == [(key.kid, key.public_key) for key in (first, second, other)]


async def test_status_and_history_say_what_waits_and_which_key_signed(database):
    process = SigningProcess(database, FixedClock())
    key = await process.succession.generate(GUILD, PASSPHRASE)
    for index in range(3):
        await period_over(database, index)
    await period_over(database, 3, state="closed", queued=False)
    status = await process.keyring.status(GUILD)
    assert (status.pending, status.kid) == (3, key.kid)
    assert status.oldest_pending_at_ms is not None
    items, total = await process.keyring.history(GUILD, limit=2, offset=0)
    assert ([item.period_index for item in items], total) == ([2, 1], 3)
    assert [item.kid for item in items] == [None, None]
    await process.sign_all()
    items, _ = await process.keyring.history(GUILD, limit=10, offset=1)
    assert [(item.period_index, item.kid) for item in items] == [(1, key.kid), (0, key.kid)]
