"""Erasing somebody from the dashboard's database: nothing of them is left but what the log and a ban are for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from attendance.cli import data  # noqa: F401  # registers the command
from attendance.cli.app import app
from attendance.clock import FixedClock
from attendance.errors import ConfigError, ConflictError, InvalidInputError, NotFoundError
from attendance.sql.database import Database, open_database
from dashboard.domain.activity import Action, Activity
from dashboard.domain.ids import NOBODY, UserId
from dashboard.domain.roles import SUPER_ADMIN, Permission
from dashboard.domain.told import Held
from dashboard.domain.users import Standing
from dashboard.services.accounts import Accounts
from dashboard.services.erasure import AccountErasures
from dashboard.store import schema
from dashboard.store.accounts import SqlAccountStore
from dashboard.store.activity import SqlActivityLog
from dashboard.store.erasure import SqlAccountErasure
from dashboard.store.sessions import SqlSessionStore
from dashboard.store.steps import STEPS
from tests.accounts_world import BEN, CARL, NOW, ROOT, entry, give, make_role, shut_out, sign_in

# An id that occurs nowhere by chance.
GONE = UserId(712_345_678_900_007_919)
READER = make_role("reader", 20, Permission.VIEW_ADMIN)


class World:
    """The stores of one database, and erasing by the rules."""

    def __init__(self, database: Database, configured: frozenset[UserId] = frozenset()) -> None:
        self.database = database
        self.accounts, self.sessions = SqlAccountStore(database), SqlSessionStore(database)
        self.log = SqlActivityLog(database)
        clock = FixedClock(NOW + 60_000)
        accounts = Accounts(store=self.accounts, log=self.log, clock=clock, configured=configured)
        self.erasures = AccountErasures(SqlAccountErasure(database), accounts, clock)

    async def rows(self) -> list[tuple[str, dict[str, Any]]]:
        async with self.database.snapshot() as connection:
            return [
                (table.name, dict(row._mapping))
                for table in schema.metadata.sorted_tables
                for row in await connection.execute(select(table))
            ]

    async def traces(self, user_id: int) -> list[str]:
        """Table and column of everything that holds the id or the name."""
        words = (str(user_id), f"name{user_id % 97}")
        return sorted(
            f"{table}.{column}"
            for table, row in await self.rows()
            for column, value in row.items()
            if any(word in str(value) for word in words)
        )


@pytest.fixture
def world(accounts_database: Database) -> World:
    return World(accounts_database)


async def lived(world: World) -> None:
    """They came and went, had a role, and were an operator."""
    for secret in ("one", "two"):
        await sign_in(world.sessions, GONE, secret, username=f"name{GONE % 97}")
    for user_id in (BEN, CARL):
        await sign_in(world.sessions, user_id)
    await give(world.accounts, GONE, READER)
    for action in (Action.LOGOUT, Action.LOGIN_REFUSED, Action.REAUTHENTICATED):
        await world.log.add(entry(GONE, action))
    await world.log.add(entry(GONE, Action.BAN, subject_id=BEN, details=f"Banned {BEN}: spam"))
    told = Held("assigned", f"reader-of-name{GONE % 97}")  # as a reason, it may have their name
    await world.log.add(Activity.of(ROOT, Action.ROLE_ASSIGNED, told, "192.0.2.1", NOW, subject_id=GONE))


async def test_nothing_is_left_but_what_they_did_to_others(world: World) -> None:
    await lived(world)
    before = [row for table, row in await world.rows() if table in ("session", "account") and row["user_id"] != GONE]
    assert await world.erasures.erase(GONE) == [b"sealed", b"sealed"]
    assert await world.traces(GONE) == ["activity.user_id"]
    assert [row for table, row in await world.rows() if table in ("session", "account")] == before
    entries, _ = await world.log.page(None, None, 50, 0)
    kept = [one.activity for one in entries]
    assert [(one.action, one.subject_id, one.address) for one in kept if one.user_id == GONE] == [(Action.BAN, BEN, None)]
    (done,) = [one for one in kept if one.user_id == NOBODY]
    assert (done.action, done.subject_id, done.address, done.at_ms) == (Action.ACCOUNT_ERASED, None, None, NOW + 60_000)
    about = [one for one in kept if one.details == "About somebody who was erased"]
    assert [(one.user_id, one.action, one.subject_id) for one in about] == [(ROOT, Action.ROLE_ASSIGNED, None)]
    # And a new account is as any stranger's.
    await sign_in(world.sessions, GONE, "three")
    assert await world.accounts.standing(GONE) == Standing(GONE)


async def test_a_ban_in_force_outlives_the_erasure_and_a_lifted_one_does_not(world: World) -> None:
    await lived(world)
    await shut_out(world.accounts, GONE, NOW + 5)
    assert await world.erasures.erase(GONE) == []
    assert await world.traces(GONE) == [
        "account.user_id",
        "account.username",
        "activity.user_id",
        "ban.user_id",
    ]
    listed = await world.accounts.user(GONE)
    assert listed is not None
    assert listed.ban is not None
    assert (listed.user.username, listed.user.created_at_ms, listed.roles) == (str(GONE), NOW + 5, ())
    assert await world.accounts.unban(await world.accounts.version(), GONE, entry(ROOT, Action.UNBAN, NOW + 6, GONE))
    await world.erasures.erase(GONE)
    assert await world.traces(GONE) == ["activity.user_id"]


async def test_who_never_signed_in_and_the_last_super_admin_are_not_erased(world: World) -> None:
    with pytest.raises(NotFoundError):
        await world.erasures.erase(GONE)
    await lived(world)
    await give(world.accounts, GONE, SUPER_ADMIN)
    before = await world.rows()
    with pytest.raises(ConflictError, match="last super admin"):
        await world.erasures.erase(GONE)
    assert await world.rows() == before
    # Whom the settings name can always come back, and is a super admin whatever the database says.
    for configured in (GONE, ROOT):
        await World(world.database, frozenset({configured})).erasures.erase(GONE)
        await sign_in(world.sessions, GONE, f"again {configured}")
        await give(world.accounts, GONE, SUPER_ADMIN)
    await give(world.accounts, BEN, SUPER_ADMIN)
    await world.erasures.erase(GONE)
    assert await world.accounts.standing(GONE) is None


async def test_what_was_decided_before_an_erasure_is_not_written_after_it(world: World) -> None:
    await lived(world)
    old = await world.accounts.version()
    await world.erasures.erase(GONE)
    assert not await world.accounts.assign(old, GONE, READER.role_id, entry(ROOT, Action.ROLE_ASSIGNED))
    assert await SqlAccountErasure(world.database).erase(old, BEN, entry(NOBODY, Action.ACCOUNT_ERASED)) is None
    assert await world.accounts.standing(BEN) is not None


async def test_a_sign_in_and_an_erasure_at_once_leave_all_of_an_account_or_nothing(world: World) -> None:
    for attempt in range(10):
        user_id = UserId(100 + attempt)
        await sign_in(world.sessions, user_id, f"before {attempt}")
        await asyncio.gather(sign_in(world.sessions, user_id, f"during {attempt}"), world.erasures.erase(user_id))
        theirs = await world.sessions.of_user(user_id)
        assert len(theirs) == (0 if await world.accounts.standing(user_id) is None else 1)


@pytest.mark.slow
def test_the_command_erases_from_the_database_of_the_settings(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ROLLCALL_DATA_DIR", str(tmp_path))
    missing = CliRunner().invoke(app, ["dashboard-erase", str(GONE)])
    assert isinstance(missing.exception, ConfigError)
    assert not (tmp_path / "dashboard.db").exists()

    async def prepare() -> None:
        database = open_database(f"sqlite:///{tmp_path / 'dashboard.db'}")
        await STEPS.upgrade(database)
        await lived(World(database))
        await database.close()

    async def left() -> list[str]:
        database = open_database(f"sqlite:///{tmp_path / 'dashboard.db'}")
        found = await World(database).traces(GONE)
        await database.close()
        return found

    asyncio.run(prepare())
    done = CliRunner().invoke(app, ["dashboard-erase", str(GONE)])
    assert (done.exit_code, done.output) == (0, "erased; whoever it was may sign in again, and a ban in force holds\n")
    assert asyncio.run(left()) == ["activity.user_id"]
    assert isinstance(CliRunner().invoke(app, ["dashboard-erase", str(GONE)]).exception, NotFoundError)
    assert isinstance(CliRunner().invoke(app, ["dashboard-erase", "Ada"]).exception, InvalidInputError)
