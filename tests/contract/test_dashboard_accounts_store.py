"""Roles, bans and the activity log on both databases."""

from __future__ import annotations

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text, update

from attendance.errors import ConfigError
from attendance.sql.database import Database
from dashboard.domain.activity import Action
from dashboard.domain.ids import RoleId, UserId
from dashboard.domain.roles import SUPER_ADMIN, Permission
from dashboard.domain.users import Ban, Standing
from dashboard.store import schema
from dashboard.store.accounts import SqlAccountStore
from dashboard.store.activity import SqlActivityLog
from dashboard.store.sessions import SqlSessionStore
from dashboard.store.steps import STEPS
from tests.accounts_world import (
    ANNA,
    BEN,
    CARL,
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

CHIEF = make_role("chief", 100, Permission.VIEW_ADMIN, Permission.MANAGE_USERS)
READER = make_role("reader", 20, Permission.VIEW_ADMIN)


@pytest.fixture
def accounts(accounts_database: Database) -> SqlAccountStore:
    return SqlAccountStore(accounts_database)


@pytest.fixture
def sessions(accounts_database: Database) -> SqlSessionStore:
    return SqlSessionStore(accounts_database)


@pytest.fixture
def log(accounts_database: Database) -> SqlActivityLog:
    return SqlActivityLog(accounts_database)


async def test_the_steps_lead_to_exactly_the_tables_of_the_schema(accounts_database: Database) -> None:
    def differences(connection: object) -> object:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, schema.metadata)

    async with accounts_database.transaction() as connection:
        assert await connection.run_sync(differences) == []
    assert await STEPS.current_revision(accounts_database) == STEPS.head_revision() == "d0001"


async def test_the_trackers_database_is_not_taken_for_the_dashboards(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        await connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    for act in (STEPS.prepare, STEPS.upgrade):
        with pytest.raises(ConfigError, match="schema 0001, which this version does not know"):
            await act(database)


async def test_a_new_database_has_the_built_in_role_and_nobody(accounts: SqlAccountStore, log: SqlActivityLog) -> None:
    assert await accounts.roles() == [SUPER_ADMIN]
    assert await accounts.users(None, 10, 0) == ([], 0)
    assert await log.page(None, None, 10, 0) == ([], 0)
    assert await accounts.standing(ANNA) is None
    assert await accounts.user(ANNA) is None
    assert await accounts.role(RoleId("chief")) is None


async def test_roles_are_made_changed_given_taken_and_deleted(accounts: SqlAccountStore, sessions: SqlSessionStore) -> None:
    await sign_in(sessions, ANNA)
    await give(accounts, ANNA, CHIEF, READER)
    assert await accounts.standing(ANNA) == Standing(ANNA, frozenset({CHIEF, READER}))
    assert [role.role_id for role in await accounts.roles()] == ["super_admin", "chief", "reader"]

    lower = make_role("chief", 10, Permission.VIEW_EVENTS)
    assert await accounts.change_role(await accounts.version(), lower, entry(ROOT, Action.ROLE_CHANGED))
    listed = await accounts.user(ANNA)
    assert listed is not None
    assert listed.roles == (READER, lower)

    assert await accounts.remove(await accounts.version(), ANNA, READER.role_id, entry(ROOT, Action.ROLE_REMOVED))
    assert await accounts.delete_role(await accounts.version(), lower.role_id, entry(ROOT, Action.ROLE_DELETED))
    assert await accounts.standing(ANNA) == Standing(ANNA, frozenset())
    assert await accounts.roles() == [SUPER_ADMIN, READER]


async def test_a_ban_ends_every_session_and_a_lifted_one_brings_none_back(
    accounts: SqlAccountStore, sessions: SqlSessionStore
) -> None:
    first, second = await sign_in(sessions, ANNA, "one"), await sign_in(sessions, ANNA, "two")
    other = await sign_in(sessions, BEN)
    await shut_out(accounts, ANNA, NOW + 5)
    for ended in (first, second):
        assert await sessions.find(ended.key, NOW + 5) is None
        assert await sessions.token(ended.key) is None
    assert await sessions.find(other.key, NOW + 5) is not None
    assert (await accounts.user(ANNA)).ban == Ban("spam", ROOT, NOW + 5)
    assert (await accounts.standing(ANNA)).has_ban

    assert await accounts.unban(await accounts.version(), ANNA, entry(ROOT, Action.UNBAN, NOW + 6, ANNA))
    assert (await accounts.user(ANNA)).ban is None
    assert await sessions.find(first.key, NOW + 6) is None
    await shut_out(accounts, ANNA, NOW + 7)
    assert (await accounts.user(ANNA)).ban.banned_at_ms == NOW + 7


async def test_what_was_decided_on_an_older_version_changes_nothing(
    accounts: SqlAccountStore, sessions: SqlSessionStore, log: SqlActivityLog
) -> None:
    await sign_in(sessions, ANNA)
    await give(accounts, ANNA, READER)
    old = await accounts.version()
    await give(accounts, ANNA, CHIEF)
    _, entries_before = await log.page(None, None, 1, 0)
    why = Ban("spam", ROOT, NOW)
    assert not await accounts.ban(old, ANNA, why, entry(ROOT, Action.BAN))
    assert not await accounts.unban(old, ANNA, entry(ROOT, Action.UNBAN))
    assert not await accounts.create_role(old, make_role("new", 1), entry(ROOT, Action.ROLE_CREATED))
    assert not await accounts.change_role(old, make_role("reader", 1), entry(ROOT, Action.ROLE_CHANGED))
    assert not await accounts.delete_role(old, READER.role_id, entry(ROOT, Action.ROLE_DELETED))
    assert not await accounts.assign(old, ANNA, SUPER_ADMIN.role_id, entry(ROOT, Action.ROLE_ASSIGNED))
    assert not await accounts.remove(old, ANNA, READER.role_id, entry(ROOT, Action.ROLE_REMOVED))
    assert await accounts.standing(ANNA) == Standing(ANNA, frozenset({CHIEF, READER}))
    assert await accounts.roles() == [SUPER_ADMIN, CHIEF, READER]
    assert (await log.page(None, None, 1, 0))[1] == entries_before


async def test_of_many_who_decide_at_once_one_wins(accounts: SqlAccountStore, sessions: SqlSessionStore) -> None:
    await sign_in(sessions, ANNA)
    version = await accounts.version()
    made = [make_role(f"role{number}", number) for number in range(8)]
    won = await asyncio.gather(*(accounts.create_role(version, one, entry(ROOT, Action.ROLE_CREATED)) for one in made))
    assert sum(won) == 1
    assert len(await accounts.roles()) == 2


async def test_a_sign_in_and_a_ban_at_once_leave_no_session(accounts: SqlAccountStore, sessions: SqlSessionStore) -> None:
    for attempt in range(10):
        user_id = UserId(100 + attempt)
        await sign_in(sessions, user_id, f"before {attempt}")
        during = make_session(user_id, f"during {attempt}")
        login = sessions.begin(
            make_user(user_id), during, b"sealed", entry(user_id, Action.LOGIN), replaces=None, ban_holds=True
        )
        await asyncio.gather(login, shut_out(accounts, user_id))
        assert (await accounts.user(user_id)).ban is not None
        for secret in (f"before {attempt}", f"during {attempt}"):
            assert await sessions.find(key_of(secret), NOW) is None


async def test_holders_are_those_who_stand_as_high(accounts: SqlAccountStore, sessions: SqlSessionStore) -> None:
    for user_id, roles in ((ANNA, [CHIEF, READER]), (BEN, [READER]), (CARL, [CHIEF])):
        await sign_in(sessions, user_id)
        await give(accounts, user_id, *roles)

    async def found(role_id: str, rank: int) -> set[UserId]:
        return {one.user_id for one in await accounts.holders(RoleId(role_id), rank)}

    assert await found("reader", 0) == {ANNA, BEN}
    assert await found("reader", 21) == {ANNA}
    assert await found("chief", 100) == {ANNA, CARL}
    assert await found("chief", 101) == set()
    assert await found("none", 0) == set()
    assert next(iter(await accounts.holders(RoleId("reader"), 100))) == Standing(ANNA, frozenset({CHIEF, READER}))


async def test_users_are_searched_by_any_part_of_a_name_and_by_id(accounts: SqlAccountStore, sessions: SqlSessionStore) -> None:
    for number, name in enumerate(["Ärger", "50%_off", "50 percent", "plain\\"], start=21):
        await sign_in(sessions, UserId(number), username=name, at_ms=NOW + number)

    async def found(search: str | None) -> list[int]:
        users, total = await accounts.users(search, 10, 0)
        assert total == len(users)
        return [one.user.user_id for one in users]

    assert await found(None) == [24, 23, 22, 21]
    assert await found("äRG") == [21]
    assert await found("%") == [22]
    assert await found("_") == [22]
    assert await found("\\") == [24]
    assert await found("PERCENT") == [23]
    assert await found("23") == [23]
    assert await found("50") == [23, 22]
    assert await found("nobody") == []
    assert [one.user.user_id for one in (await accounts.users(None, 2, 1))[0]] == [23, 22]


async def test_the_log_is_paged_filtered_and_cut(log: SqlActivityLog) -> None:
    for number in range(6):
        action = Action.LOGIN if number % 2 else Action.LOGOUT
        await log.add(entry(ANNA if number < 4 else BEN, action, NOW + number // 2, details=f"number {number}"))

    async def found(*filters: object, limit: int = 10, offset: int = 0) -> list[str]:
        entries, total = await log.page(*filters, limit, offset)
        assert total >= len(entries)
        return [one.activity.details for one in entries]

    assert await found(None, None) == [f"number {number}" for number in (5, 4, 3, 2, 1, 0)]
    assert await found(None, None, limit=2, offset=2) == ["number 3", "number 2"]
    assert await found(ANNA, None) == [f"number {number}" for number in (3, 2, 1, 0)]
    assert await found(None, Action.LOGIN) == ["number 5", "number 3", "number 1"]
    assert await found(BEN, Action.LOGOUT) == ["number 4"]
    assert await log.delete_before(NOW + 2, 3) == 3
    assert await log.delete_before(NOW + 2, 3) == 1
    assert await found(None, None) == ["number 5", "number 4"]
    await log.add(entry(ANNA, Action.LOGIN, details="next"))
    assert max(one.activity_id for one in (await log.page(None, None, 10, 0))[0]) == 7  # numbers are not used twice


async def test_a_permission_of_a_later_version_is_left_out(accounts: SqlAccountStore, accounts_database: Database) -> None:
    async with accounts_database.transaction() as connection:
        await connection.execute(
            insert(schema.role).values(
                role_id="later", name="Later", colour="#000000", priority=1, permissions='["fly", "view_admin"]'
            )
        )
        await connection.execute(update(schema.role).where(schema.role.c.role_id == "super_admin").values(priority=0))
    assert await accounts.role(RoleId("later")) == make_role("later", 1, Permission.VIEW_ADMIN).__class__(
        RoleId("later"), "Later", "#000000", 1, frozenset({Permission.VIEW_ADMIN})
    )
    assert await accounts.role(SUPER_ADMIN.role_id) == SUPER_ADMIN


async def test_deleting_a_role_leaves_no_assignment_behind(
    accounts: SqlAccountStore, sessions: SqlSessionStore, accounts_database: Database
) -> None:
    await sign_in(sessions, ANNA)
    await give(accounts, ANNA, READER)
    await accounts.delete_role(await accounts.version(), READER.role_id, entry(ROOT, Action.ROLE_DELETED))
    async with accounts_database.snapshot() as connection:
        assert (await connection.execute(select(schema.role_assignment))).all() == []
