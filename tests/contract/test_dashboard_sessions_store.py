"""Sessions of the dashboard on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import event, select

from attendance.sql.database import Database
from dashboard.domain.activity import Action
from dashboard.domain.sessions import IDLE_MS, SESSION_MS
from dashboard.domain.users import Ban
from dashboard.store import schema
from dashboard.store.accounts import SqlAccountStore
from dashboard.store.activity import SqlActivityLog
from dashboard.store.sessions import SqlSessionStore
from tests.accounts_world import (
    ANNA,
    BEN,
    NOW,
    ROOT,
    entry,
    give,
    key_of,
    make_role,
    make_session,
    make_user,
    shut_out,
    sign_in,
)

HOUR = 3_600_000


@pytest.fixture
def sessions(accounts_database: Database) -> SqlSessionStore:
    return SqlSessionStore(accounts_database)


@pytest.fixture
def accounts(accounts_database: Database) -> SqlAccountStore:
    return SqlAccountStore(accounts_database)


async def test_a_sign_in_is_a_user_a_session_sealed_tokens_and_an_entry(
    sessions: SqlSessionStore, accounts: SqlAccountStore, accounts_database: Database
) -> None:
    new = await sign_in(sessions, ANNA, "secret", username="anna")
    found = await sessions.find(key_of("secret"), NOW)
    assert found is not None
    assert (found.session, found.user) == (new, make_user(ANNA, "anna"))
    assert found.standing == await accounts.standing(ANNA)
    assert await sessions.token(new.key) == b"sealed"
    entries, _ = await SqlActivityLog(accounts_database).page(ANNA, None, 10, 0)
    assert [one.activity for one in entries] == [entry(ANNA, Action.LOGIN)]


async def test_a_later_sign_in_keeps_the_first_ones_day_and_takes_the_new_names(
    sessions: SqlSessionStore, accounts: SqlAccountStore
) -> None:
    await sign_in(sessions, ANNA, username="anna")
    await sign_in(sessions, ANNA, username="anna2", at_ms=NOW + HOUR)
    user = (await accounts.user(ANNA)).user
    assert (user.username, user.created_at_ms, user.signed_in_at_ms) == ("anna2", NOW, NOW + HOUR)
    assert [one.user.username for one in (await accounts.users("anna", 9, 0))[0]] == ["anna2"]


async def test_a_sign_in_ends_what_the_browser_had_before_even_somebody_elses(sessions: SqlSessionStore) -> None:
    planted = await sign_in(sessions, BEN, "planted")
    new = make_session(ANNA, "fresh", NOW + 1)
    login = entry(ANNA, Action.LOGIN, NOW + 1)
    await sessions.begin(make_user(ANNA), new, b"sealed", login, replaces=planted.key, ban_holds=True)
    assert await sessions.find(planted.key, NOW + 1) is None
    assert await sessions.token(planted.key) is None
    assert (await sessions.find(new.key, NOW + 1)).user.user_id == ANNA


async def test_a_banned_user_gets_no_session_and_whom_the_settings_name_does(
    sessions: SqlSessionStore, accounts: SqlAccountStore
) -> None:
    await sign_in(sessions, ANNA)
    await shut_out(accounts, ANNA)
    new = make_session(ANNA, "again")
    login = entry(ANNA, Action.LOGIN)
    refused = await sessions.begin(make_user(ANNA, "renamed"), new, b"", login, replaces=None, ban_holds=True)
    assert refused == Ban("spam", ROOT, NOW)
    assert await sessions.find(new.key, NOW) is None
    assert await sessions.begin(make_user(ANNA), new, b"", login, replaces=None, ban_holds=False) is None
    assert (await sessions.find(new.key, NOW)).standing.has_ban


async def test_a_session_ends_by_age_by_idleness_and_by_revocation(sessions: SqlSessionStore) -> None:
    new = await sign_in(sessions, ANNA)
    assert await sessions.find(new.key, NOW + IDLE_MS - 1) is not None
    assert await sessions.find(new.key, NOW + IDLE_MS) is None
    for hours in range(20, 24 * 7, 20):
        await sessions.note_seen(new.key, NOW + hours * HOUR)
    assert await sessions.find(new.key, NOW + SESSION_MS - 1) is not None
    assert await sessions.find(new.key, NOW + SESSION_MS) is None

    assert not await sessions.revoke(BEN, new.key, entry(BEN, Action.LOGOUT))  # somebody else's
    assert await sessions.find(new.key, NOW) is not None
    assert await sessions.revoke(ANNA, new.key, entry(ANNA, Action.LOGOUT))
    assert await sessions.find(new.key, NOW) is None
    assert not await sessions.revoke(ANNA, new.key, entry(ANNA, Action.LOGOUT))


async def test_a_use_is_noted_to_the_minute_and_never_back(sessions: SqlSessionStore) -> None:
    new = await sign_in(sessions, ANNA)

    async def seen_after(at_ms: int) -> int:
        await sessions.note_seen(new.key, at_ms)
        return (await sessions.of_user(ANNA))[0].last_seen_at_ms - NOW

    assert await seen_after(NOW + 59_999) == 0
    assert await seen_after(NOW + 60_000) == 60_000
    assert await seen_after(NOW) == 60_000
    await sessions.revoke(ANNA, new.key, entry(ANNA, Action.LOGOUT))
    assert await seen_after(NOW + HOUR) == 60_000


async def test_discord_may_say_again_who_this_is(sessions: SqlSessionStore) -> None:
    new = await sign_in(sessions, ANNA)
    later = NOW + HOUR
    assert not await sessions.note_authenticated(new.key, b"newer", entry(BEN, Action.REAUTHENTICATED, later))
    assert await sessions.note_authenticated(new.key, b"newer", entry(ANNA, Action.REAUTHENTICATED, later))
    found = await sessions.find(new.key, later)
    assert found.session == replace(new, authenticated_at_ms=later, last_seen_at_ms=later)
    assert await sessions.token(new.key) == b"newer"
    await sessions.revoke(ANNA, new.key, entry(ANNA, Action.LOGOUT, later))
    assert not await sessions.note_authenticated(new.key, b"newest", entry(ANNA, Action.REAUTHENTICATED, later))


async def test_of_two_who_refresh_discords_tokens_one_wins(sessions: SqlSessionStore) -> None:
    new = await sign_in(sessions, ANNA)
    won = await asyncio.gather(*(sessions.replace_token(new.key, b"sealed", after) for after in (b"a", b"b")))
    assert sorted(won) == [False, True]
    assert await sessions.token(new.key) == (b"a" if won[0] else b"b")


async def test_roles_are_read_anew_at_each_use(sessions: SqlSessionStore, accounts: SqlAccountStore) -> None:
    new = await sign_in(sessions, ANNA)
    role = make_role("reader", 5)
    await give(accounts, ANNA, role)
    assert (await sessions.find(new.key, NOW)).standing.roles == {role}
    await accounts.delete_role(await accounts.version(), role.role_id, entry(ROOT, Action.ROLE_DELETED))
    assert (await sessions.find(new.key, NOW)).standing.roles == frozenset()


async def test_old_sessions_are_deleted_with_their_tokens(sessions: SqlSessionStore, accounts_database: Database) -> None:
    for number in range(4):
        await sign_in(sessions, ANNA, f"number {number}", at_ms=NOW + number)
    assert await sessions.delete_before(NOW + SESSION_MS + 3, 2) == 2
    assert await sessions.delete_before(NOW + SESSION_MS + 3, 2) == 1
    assert await sessions.delete_before(NOW + SESSION_MS + 3, 2) == 0
    assert [one.key for one in await sessions.of_user(ANNA)] == [key_of("number 3")]
    async with accounts_database.snapshot() as connection:
        assert (await connection.scalars(select(schema.discord_token.c.session_sha256))).all() == [key_of("number 3")]


async def test_the_database_holds_no_secret_of_a_session(sessions: SqlSessionStore, accounts_database: Database) -> None:
    await sign_in(sessions, ANNA, "the secret in the cookie")
    async with accounts_database.snapshot() as connection:
        rows = [(await connection.execute(select(table))).all() for table in schema.metadata.tables.values()]
    assert "the secret in the cookie" not in str(rows)


async def test_a_crowd_that_comes_at_once_takes_one_connection(sessions: SqlSessionStore, accounts_database: Database) -> None:
    """Each waiting for a connection of its own, most of a crowd was refused on a busy machine: the pool has a time-out."""
    crowd = [(await sign_in(sessions, ANNA, f"tab {number}")).key for number in range(40)]
    await sessions.revoke(ANNA, crowd[0], entry(ANNA, Action.LOGOUT))
    taken = 0

    def count(*_: object) -> None:
        nonlocal taken
        taken += 1

    event.listen(accounts_database.reader.sync_engine, "checkout", count)
    found = await asyncio.gather(*(sessions.find(key, NOW) for key in crowd))
    assert [one is None or one.session.key for one in found] == [True, *crowd[1:]]
    assert await asyncio.gather(*(sessions.token(key) for key in crowd)) == [None, *[b"sealed"] * 39]
    assert taken == 2
    event.remove(accounts_database.reader.sync_engine, "checkout", count)


async def test_the_last_uses_of_a_crowd_are_written_down_together(
    sessions: SqlSessionStore, accounts_database: Database
) -> None:
    crowd = [(await sign_in(sessions, ANNA, f"tab {number}")).key for number in range(9)]
    later = NOW + HOUR
    await sessions.revoke(ANNA, crowd[0], entry(ANNA, Action.LOGOUT))
    await asyncio.gather(*(sessions.note_seen(key, later + number) for number, key in enumerate(crowd[:8])))
    async with accounts_database.snapshot() as connection:
        query = select(schema.session.c.session_sha256, schema.session.c.last_seen_at_ms)
        seen = {row.session_sha256: row.last_seen_at_ms for row in await connection.execute(query)}
    assert [seen[key] for key in crowd] == [NOW, *[later + 7] * 7, NOW]
